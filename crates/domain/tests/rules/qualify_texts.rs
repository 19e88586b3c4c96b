//! Rule 5.10: why a program cannot pay, in the register's words, and with which brands it can.

use std::sync::Arc;

use dispense_domain::qualify::{ProgramEvidence, Rejection};
use dispense_domain::registry::{Contract, ContractStatus, Medication, ProgramMedication};
use dispense_domain::{Approved, Code, Place, Provision, Switch};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::qualified::other_request;
use crate::qualify::{Asked, all_can_pay, handed_over, program_evidence};
use crate::records::{CONTRACT_NUMBER, brand, contract, participant, provision};
use crate::sample::{BRAND, PARTICIPANT, PROGRAM, day, id, params, quantity, text, uuid};

const NOT_APPROVED: &str =
    "Innm not on the list of approved innms for program 'Affordable Medicines'";
const ONCE_PER_TERM: &str = "For the patient at the same term there can be only 1 dispensed \
                             medication request per one and the same innm!";
const MISCONFIGURED: &str = "Program was configured incorrectly. Either incorrect source of \
                             funding or option skip_contract_provision_verify";
const NOT_PROVIDED: &str = "Division does not provide the medical program";
const WITHOUT_CONTRACT: &str =
    "Medical program provision is not related to any actual contract for the current date";
const NOT_VERIFIED: &str = "Division is not verified in DLS";

fn suspended() -> String {
    format!("Contract with number {CONTRACT_NUMBER} is suspended")
}

/// The statements that the outlet provides the program.
fn provisions(asked: &mut Asked) -> &mut [Provision] {
    Arc::make_mut(&mut asked.evidence.programs[0].provisions)
}

/// The only contract of the only one of them.
fn its_contract(asked: &mut Asked) -> &mut Contract {
    Arc::make_mut(&mut Arc::make_mut(&mut provisions(asked)[0].contracts)[0])
}

fn funded_by(asked: &mut Asked, source: Option<&str>) {
    asked.program().funding_source = source.map(text);
}

/// What the rejection is told with.
#[track_caller]
fn told(asked: &Asked) -> (Code, Option<Place>, Value) {
    match asked.standing().unwrap_err() {
        Rejection::Provision(refusal) => (refusal.code, refusal.place.clone(), params(&refusal)),
        other => panic!("{other}"),
    }
}

#[test]
fn only_the_payer_and_a_community_fund_what_an_outlet_provides() {
    for (source, right) in
        [(None, true), (Some("NHS"), true), (Some("LOCAL"), true), (Some("CHARITY"), false)]
    {
        let asked = all_can_pay().but(|it| funded_by(it, source));
        let expected = if right { "" } else { MISCONFIGURED };
        assert_eq!(asked.rejection(), expected, "{source:?}");
    }
    let asked = all_can_pay().but(|it| funded_by(it, Some("CHARITY")));
    let params = json!({"fundingSource": "CHARITY"});
    assert_eq!(told(&asked), (Code::ProgramMisconfigured, Some(Place::Program), params));
}

#[test]
fn an_outlet_provides_a_program_by_an_active_statement() {
    let none = all_can_pay().but(|it| it.evidence.programs[0].provisions = Arc::default());
    assert_eq!(none.rejection(), NOT_PROVIDED);
    let ended =
        all_can_pay().but(|it| Arc::make_mut(&mut provisions(it)[0].record).is_active = false);
    assert_eq!(ended.rejection(), NOT_PROVIDED);
    let params = json!({"medicalProgramId": uuid(PROGRAM)});
    assert_eq!(told(&ended), (Code::ProvisionMissing, Some(Place::Division), params));
}

#[test]
fn a_statement_counts_under_a_contract_that_is_in_force() {
    let days: fn(&mut Asked, &str, &str) = |it, start, end| {
        (its_contract(it).start_date, its_contract(it).end_date) = (day(start), day(end));
    };
    for (start, end, right) in [
        ("2026-03-10", "2026-03-10", true),
        ("2026-03-11", "2026-12-31", false),
        ("2026-01-01", "2026-03-09", false),
    ] {
        let asked = all_can_pay().but(|it| days(it, start, end));
        let expected = if right { "" } else { WITHOUT_CONTRACT };
        assert_eq!(asked.rejection(), expected, "{start} to {end}");
    }
    let broken: [fn(&mut Asked); 4] = [
        |it| its_contract(it).is_active = false,
        |it| its_contract(it).status = ContractStatus::Terminated,
        |it| provisions(it)[0].contracts = Arc::default(),
        |it| Arc::make_mut(&mut provisions(it)[0].record).contract_number = None,
    ];
    for (place, breaking) in broken.into_iter().enumerate() {
        assert_eq!(all_can_pay().but(breaking).rejection(), WITHOUT_CONTRACT, "{place}");
    }
    let unknown = all_can_pay().but(|it| provisions(it)[0].contracts = Arc::default());
    let params = json!({"contractNumber": CONTRACT_NUMBER, "today": "2026-03-10"});
    assert_eq!(told(&unknown), (Code::ProvisionWithoutContract, Some(Place::Program), params));
}

#[test]
fn a_suspended_contract_is_told_by_its_number() {
    let asked = all_can_pay().but(|it| its_contract(it).is_suspended = true);
    assert_eq!(asked.rejection(), suspended());
    let params = json!({"contractNumber": CONTRACT_NUMBER});
    assert_eq!(told(&asked), (Code::ProvisionContractSuspended, Some(Place::Program), params));
    let two = asked.but(|it| {
        let both = [provisions(it)[0].contracts[0].clone(), contract()];
        provisions(it)[0].contracts = both.into();
    });
    assert_eq!(two.rejection(), "", "any contract of that number will do");
}

/// A community may provide without a contract; one that it names must be in force all the same.
#[test]
fn a_community_needs_no_contract_number() {
    let local = || all_can_pay().but(|it| funded_by(it, Some("LOCAL")));
    let none = local().but(|it| {
        let provision = &mut provisions(it)[0];
        Arc::make_mut(&mut provision.record).contract_number = None;
        provision.contracts = Arc::default();
    });
    assert_eq!(none.rejection(), "");
    assert_eq!(local().but(|it| its_contract(it).is_suspended = true).rejection(), suspended());
    let over = local().but(|it| its_contract(it).is_active = false);
    assert_eq!(over.rejection(), WITHOUT_CONTRACT);
}

#[test]
fn of_several_statements_one_suffices_and_else_the_nearest_is_told() {
    let inactive = || {
        let mut it = provision();
        Arc::make_mut(&mut it.record).is_active = false;
        it
    };
    let without = || Provision { contracts: Arc::default(), ..provision() };
    let suspended_one = || {
        let mut it = contract();
        Arc::make_mut(&mut it).is_suspended = true;
        Provision { contracts: Arc::new([it]), ..provision() }
    };
    let with = |all: Vec<Provision>| {
        all_can_pay().but(|it| it.evidence.programs[0].provisions = all.into()).rejection()
    };
    assert_eq!(with(vec![inactive(), without(), suspended_one(), provision()]), "");
    assert_eq!(with(vec![provision(), suspended_one(), without()]), "");
    assert_eq!(with(vec![inactive(), without(), suspended_one()]), suspended());
    assert_eq!(with(vec![suspended_one(), without(), inactive()]), suspended());
    assert_eq!(with(vec![without(), inactive()]), WITHOUT_CONTRACT);
    assert_eq!(with(vec![inactive()]), NOT_PROVIDED);
}

#[test]
fn provisions_are_asked_for_by_the_installation_unless_the_program_skips_them() {
    let unprovided = || all_can_pay().but(|it| it.evidence.programs[0].provisions = Arc::default());
    let off = unprovided().but(|it| it.terms().program_provision_verify = Switch::Off);
    assert_eq!(off.rejection(), "");
    for (skips, expected) in [(Some(true), ""), (Some(false), NOT_PROVIDED), (None, NOT_PROVIDED)] {
        let asked = unprovided().but(|it| {
            let settings = Arc::make_mut(&mut it.program().medical_program_settings);
            settings.skip_contract_provision_verify = skips;
        });
        assert_eq!(asked.rejection(), expected, "{skips:?}");
    }
    assert_eq!(unprovided().but(Asked::anywhere).rejection(), "", "no outlet is named");
}

/// The first reason in the way is the one that is told.
#[test]
fn reasons_are_looked_for_in_order() {
    let mut asked = all_can_pay().but(|it| {
        // Another program that skips the regulator keeps rule Q9d silent.
        let mut skips = program_evidence(0x4_0002, "Skips");
        let program = Arc::make_mut(skips.program.as_mut().unwrap());
        let settings = Arc::make_mut(&mut program.medical_program_settings);
        settings.skip_dispense_division_dls_verify = Some(true);
        let wrong = ProgramEvidence {
            approved: Arc::default(),
            ..program_evidence(PROGRAM, "Affordable Medicines")
        };
        it.programs(vec![(PROGRAM, wrong), (0x4_0002, skips)]);
        it.outlet().dls_verified = None;
        its_contract(it).is_suspended = true;
        funded_by(it, Some("CHARITY"));
        it.evidence.request.others = vec![other_request()];
    });
    let first = |asked: &Asked| {
        let standing = asked.qualified().unwrap().remove(0).standing;
        standing.err().map(|it| it.to_string()).unwrap_or_default()
    };
    assert_eq!(first(&asked), NOT_VERIFIED);
    asked.outlet().dls_verified = Some(true);
    assert_eq!(first(&asked), MISCONFIGURED);
    funded_by(&mut asked, None);
    assert_eq!(first(&asked), suspended());
    its_contract(&mut asked).is_suspended = false;
    assert_eq!(first(&asked), NOT_APPROVED);
    asked.evidence.programs[0].approved = asked.evidence.programs[1].approved.clone();
    assert_eq!(first(&asked), ONCE_PER_TERM);
    asked.evidence.request.others.clear();
    assert_eq!(first(&asked), "");
}

#[test]
fn a_program_is_named_where_it_has_no_brand_today() {
    let asked = all_can_pay().but(|it| it.evidence.programs[0].approved = Arc::default());
    assert_eq!(asked.rejection(), NOT_APPROVED);
    let renamed = asked.but(|it| it.program().name = text("Dostupni liky"));
    let expected = "Innm not on the list of approved innms for program 'Dostupni liky'";
    assert_eq!(renamed.rejection(), expected);
}

#[test]
fn each_program_skips_the_treatment_period_for_itself() {
    let mut skips = program_evidence(0x4_0002, "Skips");
    let program = Arc::make_mut(skips.program.as_mut().unwrap());
    Arc::make_mut(&mut program.medical_program_settings).skip_treatment_period = Some(true);
    let all = all_can_pay().but(|it| {
        it.programs(vec![(0x4_0002, skips), (PROGRAM, program_evidence(PROGRAM, "Asks"))]);
        it.evidence.request.others = vec![other_request()];
    });
    let all = all.qualified().unwrap();
    assert!(all[0].standing.is_ok());
    assert_eq!(all[1].standing, Err(Rejection::OncePerTerm));
}

/// That brand, on those terms.
fn approved(
    number: u128,
    brand_change: fn(&mut Medication),
    change: fn(&mut ProgramMedication),
) -> Approved {
    let (mut participant, mut brand) = (participant(), brand());
    Arc::make_mut(&mut participant).id = id(number);
    brand_change(Arc::make_mut(&mut brand));
    change(Arc::make_mut(&mut participant));
    Approved { participant, brand }
}

#[test]
fn two_rows_of_one_brand_that_count_today_are_two_participants() {
    let rows: [Approved; 5] = [
        approved(0x8_0003, |_| (), |_| ()),
        approved(0x8_0001, |_| (), |it| it.start_date = Some(day("2026-03-11"))),
        approved(0x8_0002, |_| (), |it| it.end_date = Some(day("2026-03-09"))),
        approved(
            0x8_0004,
            |_| (),
            |it| {
                (it.start_date, it.end_date) = (Some(day("2026-03-10")), Some(day("2026-03-10")));
            },
        ),
        approved(0x8_0005, |it| it.is_active = false, |_| ()),
    ];
    let asked = all_can_pay().but(|it| it.evidence.programs[0].approved = rows.clone().into());
    let standing = asked.standing().unwrap();
    assert_eq!(standing, [rows[0].clone(), rows[3].clone()], "in the order of the registry");
    assert!(standing.iter().all(|it| it.brand.id == id(BRAND)));
}

/// Sixty are prescribed; thirty make a package, ten a blister.
#[test]
fn a_brand_is_listed_only_if_whole_parts_of_it_remain() {
    let whole = approved(0x8_0002, |_| (), |it| it.package_qty_divisible = Some(false));
    let in_blisters = approved(0x8_0001, |_| (), |it| it.package_qty_divisible = Some(true));
    let by_sevens = approved(0x8_0003, |it| it.package_min_qty = Some(Decimal::from(7)), |_| ());
    let any = approved(0x8_0004, |it| it.package_min_qty = None, |_| ());
    let rows: Arc<[Approved]> = [in_blisters, whole, by_sevens, any].into();
    let listed = |handed: Option<&str>| {
        let asked = all_can_pay().but(|it| {
            it.evidence.programs[0].approved = rows.clone();
            it.given = handed.map(handed_over).unwrap_or_default();
        });
        asked.listed().iter().map(|it| it.as_u128() - 0x8_0000).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), [1, 2, 4], "60 remain");
    assert_eq!(listed(Some("10")), [1, 4], "50 remain");
    assert_eq!(listed(Some("30")), [1, 2, 4], "30 remain");
    assert_eq!(listed(Some("4")), [3, 4], "56 remain");
    assert_eq!(listed(Some("4.5")), [4], "55.5 remain");
}

/// It could pay with another brand, or for another quantity: that is no reason of the program.
#[test]
fn a_program_can_pay_though_none_of_its_brands_fits_what_remains() {
    let asked = all_can_pay().but(|it| it.request().medication_qty = quantity("55"));
    assert_eq!(asked.rejection(), "");
    assert!(asked.listed().is_empty());
}

#[test]
fn programs_are_answered_in_the_order_in_which_they_are_asked_for_each_time() {
    let empty = |number, name| {
        let found = program_evidence(number, name);
        (number, ProgramEvidence { approved: Arc::default(), ..found })
    };
    let full = |number, name| (number, program_evidence(number, name));
    let programs = vec![
        full(0x4_0009, "Nine"),
        empty(0x4_0001, "One"),
        full(0x4_0009, "Nine"),
        full(0x4_0005, "Five"),
        empty(0x4_0001, "One"),
    ];
    let all = all_can_pay().but(|it| it.programs(programs)).qualified().unwrap();
    let names: Vec<_> =
        all.iter().map(|it| (it.program.name.as_str(), it.standing.is_ok())).collect();
    let expected = [("Nine", true), ("One", false), ("Nine", true), ("Five", true), ("One", false)];
    assert_eq!(names, expected);
    assert_eq!(all[0].standing, all[2].standing);
    assert_eq!(all[3].standing.as_ref().unwrap()[0].participant.id, id(PARTICIPANT));
}
