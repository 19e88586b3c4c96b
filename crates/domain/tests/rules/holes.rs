//! Registries have holes and contradictions. Each is refused as documented or does no harm, and no
//! number of them is a reason to panic.

use std::sync::Arc;

use dispense_domain::decide::create_hold::{explain, order};
use dispense_domain::registry::Medication;
use dispense_domain::{Care, CodeTurn, Evidence, Money, RequestEvidence, Switch};
use rust_decimal::Decimal;

use crate::hand_over::all_signed;
use crate::sample::{Scene, all_in_order, day, text};

/// Every rule is asked for.
fn strict() -> Scene {
    all_in_order().but(|it| {
        it.hold.code_turn = CodeTurn::InPlace;
        it.settings().license_types_allowed = Some(vec![text("PHARMACY")]);
        let terms = it.terms();
        terms.legal_entity_nhs_verify = Switch::On;
        terms.division_dls_verify = Switch::On;
        terms.program_provision_verify = Switch::On;
    })
}

type Hole = (&'static str, &'static [&'static str], fn(&mut Scene));

/// What is missing or contradicts itself, and every code with which that is refused.
const HOLES: &[Hole] = &[
    ("company", &["legal-entity-not-found"], |it| it.sight.evidence.legal_entity = None),
    ("party", &["party-not-found"], |it| it.sight.evidence.party = None),
    ("jobs", &["employee-not-authorised"], |it| it.sight.evidence.employees.clear()),
    ("two jobs", &[], |it| {
        it.sight.evidence.employees = twice(&it.sight.evidence.employees);
    }),
    ("outlet", &["division-not-found"], |it| it.sight.evidence.division = None),
    ("services", &["licence-missing"], |it| {
        it.sight.evidence.healthcare_services = Arc::default();
    }),
    ("program", &["program-not-found"], |it| it.sight.evidence.program = None),
    ("contracts", &["no-contract"], |it| it.sight.evidence.contracts = Arc::default()),
    ("two contracts", &[], |it| {
        it.sight.evidence.contracts = twice(&it.sight.evidence.contracts).into();
    }),
    ("a contract that ends before it begins", &["no-contract"], |it| {
        for contract in Arc::make_mut(&mut it.sight.evidence.contracts) {
            let contract = Arc::make_mut(contract);
            (contract.start_date, contract.end_date) = (day("2026-03-11"), day("2026-03-09"));
        }
    }),
    ("provisions", &["provision-missing"], |it| it.sight.evidence.provisions = Arc::default()),
    ("contract of the provision", &["provision-without-contract"], |it| {
        for provision in Arc::make_mut(&mut it.sight.evidence.provisions) {
            provision.contracts = Arc::default();
        }
    }),
    ("two provisions", &[], |it| {
        it.sight.evidence.provisions = twice(&it.sight.evidence.provisions).into();
    }),
    ("medication", &["medication-not-found"], |it| {
        it.sight.evidence.medications = vec![None];
    }),
    ("all medications", &["medication-not-found"], |it| it.sight.evidence.medications.clear()),
    ("ingredients", &["medication-not-active"], |it| {
        edit_brand(it, |brand| {
            brand.ingredients.clear();
        });
    }),
    ("dosage of the brand", &["medication-not-active"], |it| {
        edit_brand(it, |brand| {
            brand.ingredients.iter_mut().for_each(|it| it.medication_child_id = None);
        });
    }),
    ("two primary ingredients", &[], |it| {
        edit_brand(it, |brand| brand.ingredients = twice(&brand.ingredients));
    }),
    ("size of the package", &["medication-not-active"], |it| {
        edit_brand(it, |brand| {
            brand.package_qty = None;
        });
    }),
    ("a package of nothing", &["medication-not-active"], |it| {
        edit_brand(it, |brand| {
            brand.package_qty = Some(Decimal::ZERO);
        });
    }),
    ("smallest part", &[], |it| edit_brand(it, |brand| brand.package_min_qty = None)),
    ("a smallest part of nothing", &[], |it| {
        edit_brand(it, |brand| {
            brand.package_min_qty = Some(Decimal::ZERO);
        });
    }),
    ("participant", &["medication-not-in-program"], |it| {
        it.sight.evidence.participants = vec![Vec::new()];
    }),
    ("all participants", &["medication-not-in-program"], |it| {
        it.sight.evidence.participants.clear();
    }),
    ("the same participant twice", &[], |it| {
        for participants in &mut it.sight.evidence.participants {
            *participants = twice(participants);
        }
    }),
    ("a reimbursement of nothing", &["discount-out-of-bounds"], |it| {
        for participant in it.sight.evidence.participants.iter_mut().flatten() {
            Arc::make_mut(participant).reimbursement.reimbursement_amount = Money::ZERO;
        }
    }),
    ("a participant that ends before it begins", &["program-medication-expired"], |it| {
        for participant in it.sight.evidence.participants.iter_mut().flatten() {
            let participant = Arc::make_mut(participant);
            participant.start_date = Some(day("2026-03-11"));
            participant.end_date = Some(day("2026-03-09"));
        }
    }),
    ("request", &["medication-request-not-found"], |it| it.sight.evidence.request = None),
    ("patient", &["medication-request-invalid"], |it| edit_found(it, |it| it.person = None)),
    ("doctor's job", &["medication-request-invalid"], |it| edit_found(it, |it| it.employee = None)),
    ("doctor", &["medication-request-invalid"], |it| edit_found(it, |it| it.doctor = None)),
    ("clinic", &["medication-request-invalid"], |it| edit_found(it, |it| it.legal_entity = None)),
    ("site", &["medication-request-invalid"], |it| edit_found(it, |it| it.division = None)),
    ("dosage", &["medication-request-invalid"], |it| edit_found(it, |it| it.medication = None)),
    ("substance of the dosage", &[], |it| {
        edit_found(it, |it| {
            if let Some(dosage) = it.medication.as_mut() {
                Arc::make_mut(dosage).ingredients.clear();
            }
        });
    }),
    ("prescribed program", &["medication-request-invalid"], |it| {
        edit_found(it, |it| it.program = None);
    }),
    ("approved brands", &["not-qualified"], |it| edit_found(it, |it| it.approved = Arc::default())),
    ("care plan", &["care-plan-status", "activity-status"], |it| {
        edit_found(it, |it| {
            it.care = Some(Care { plan: None, activity: None, processed: Decimal::MAX });
        });
    }),
    ("days that end before they begin", &["outside-dispense-period"], |it| {
        edit_found(it, |it| {
            let request = Arc::make_mut(&mut it.request);
            request.dispense_valid_from = Some(day("2026-03-11"));
            request.dispense_valid_to = Some(day("2026-03-09"));
        });
    }),
    ("end of a block", &["medication-request-blocked"], |it| {
        edit_found(it, |it| {
            let request = Arc::make_mut(&mut it.request);
            (request.is_blocked, request.blocked_to) = (true, Some(text("soon")));
        });
    }),
];

fn twice<T: Clone>(list: &[T]) -> Vec<T> {
    [list, list].concat()
}

fn edit_brand(scene: &mut Scene, edit: impl Fn(&mut Medication)) {
    for brand in scene.sight.evidence.medications.iter_mut().flatten() {
        edit(Arc::make_mut(brand));
    }
}

fn edit_found(scene: &mut Scene, edit: impl Fn(&mut RequestEvidence)) {
    scene.sight.evidence.request.iter_mut().for_each(edit);
}

#[test]
fn every_hole_is_refused_as_documented_or_does_no_harm() {
    assert_eq!(strict().codes(), Vec::<&str>::new());
    for (what, codes, hole) in HOLES {
        assert_eq!(strict().but(*hole).codes(), *codes, "{what}");
    }
}

/// Wherever two things are missing, what is refused is what one of them is refused for.
#[test]
fn two_holes_are_refused_for_no_other_reason_than_each_of_them() {
    for (one, codes, hole) in HOLES {
        for (other, more, another) in HOLES {
            let told = strict().but(*hole).but(*another).codes();
            let known = |code: &&str| codes.contains(code) || more.contains(code);
            assert!(told.iter().all(known), "{one} and {other}: {told:?}");
            assert_eq!(told.is_empty(), codes.is_empty() && more.is_empty(), "{one} and {other}");
        }
    }
}

#[test]
fn where_everything_is_missing_every_rule_still_has_an_answer() {
    let mut nothing = strict();
    nothing.sight.evidence = Evidence::none(nothing.sight.evidence.terms.clone());
    assert_eq!(
        nothing.codes(),
        [
            "legal-entity-not-found",
            "party-not-found",
            "medication-request-not-found",
            "division-not-found",
            "program-not-found",
            "medication-not-found"
        ]
    );
    let all = HOLES.iter().fold(strict(), |scene, (_, _, hole)| scene.but(*hole));
    for scene in [nothing, all] {
        let explained = explain(&scene.dispensing(), &scene.hold, &scene.sight);
        assert!(explained.iter().map(|it| it.rule).eq(order()));
    }
}

/// What a hand-over looks at is less; of an unknown medication request nobody can say that it is
/// blocked.
#[test]
fn a_hand_over_misses_only_what_it_looks_at() {
    let signed = all_signed();
    let mut nothing = signed.clone();
    nothing.sight.evidence = Evidence::none(signed.sight.evidence.terms.clone());
    assert_eq!(nothing.codes(), ["signer-unknown", "division-not-found"]);
    nothing.sight.evidence.party = signed.sight.evidence.party.clone();
    nothing.sight.evidence.division = signed.sight.evidence.division.clone();
    assert!(nothing.codes().is_empty());
}
