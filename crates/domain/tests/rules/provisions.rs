//! Rule 14: whether the outlet provides the program, under a contract that is in force.

use std::sync::Arc;

use dispense_domain::registry::{Contract, ContractStatus};
use dispense_domain::{Code, Place, Provision, Switch};
use serde_json::json;

use crate::records::{CONTRACT_NUMBER, contract, provision};
use crate::sample::{PROGRAM, Scene, all_in_order, day, params, text, uuid};

/// Provisions are asked for, and these are known.
fn with(provisions: impl Into<Arc<[Provision]>>) -> Scene {
    let provisions = provisions.into();
    all_in_order()
        .but(|it| it.terms().program_provision_verify = Switch::On)
        .but(|it| it.sight.evidence.provisions = provisions)
}

fn under(change: fn(&mut Contract)) -> Provision {
    let mut changed = contract();
    change(Arc::make_mut(&mut changed));
    Provision { contracts: Arc::new([changed]), ..provision() }
}

fn withdrawn() -> Provision {
    let mut withdrawn = provision();
    Arc::make_mut(&mut withdrawn.record).is_active = false;
    withdrawn
}

fn without_number() -> Provision {
    let mut open = provision();
    Arc::make_mut(&mut open.record).contract_number = None;
    Provision { contracts: Arc::default(), ..open }
}

fn suspended() -> Provision {
    under(|it| it.is_suspended = true)
}

fn ended() -> Provision {
    under(|it| it.end_date = day("2026-03-09"))
}

fn funded_by(source: Option<&str>, provisions: impl Into<Arc<[Provision]>>) -> Scene {
    with(provisions).but(|it| it.program().funding_source = source.map(text))
}

/// 14: off unless the installation asks.
#[test]
fn nobody_asks_for_provisions_unless_the_installation_does() {
    let scene = all_in_order().but(|it| it.sight.evidence.provisions = Arc::default());
    assert!(scene.codes().is_empty());
    assert_eq!(with([]).codes(), ["provision-missing"]);
    assert!(with([provision()]).codes().is_empty());
}

/// 14: a program may do without; the setting has to be said.
#[test]
fn a_program_may_skip_provisions() {
    for (setting, codes) in [
        (Some(true), &[][..]),
        (Some(false), &["provision-missing"]),
        (None, &["provision-missing"]),
    ] {
        let scene = with([]).but(|it| it.settings().skip_contract_provision_verify = setting);
        assert_eq!(scene.codes(), codes, "{setting:?}");
    }
    let skipped = funded_by(Some("PRIVATE"), [])
        .but(|it| it.settings().skip_contract_provision_verify = Some(true));
    assert!(skipped.codes().is_empty(), "whoever funds it");
}

/// 14: the payer and local authorities fund programs; a program that does not say is the payer's.
#[test]
fn a_program_that_nobody_known_funds_is_misconfigured() {
    for source in [None, Some("NHS"), Some("LOCAL")] {
        assert!(funded_by(source, [provision()]).codes().is_empty(), "{source:?}");
        assert_eq!(funded_by(source, []).codes(), ["provision-missing"], "{source:?}");
    }
    for provisions in [vec![provision()], Vec::new()] {
        let no = funded_by(Some("PRIVATE"), provisions).the_refusal();
        assert_eq!((no.code, no.place.clone()), (Code::ProgramMisconfigured, Some(Place::Program)));
        assert_eq!(params(&no), json!({"fundingSource": "PRIVATE"}));
    }
}

/// 14.
#[test]
fn an_outlet_without_an_active_provision_does_not_provide_the_program() {
    for provisions in [vec![], vec![withdrawn()], vec![withdrawn(), withdrawn()]] {
        let no = with(provisions).the_refusal();
        assert_eq!((no.code, no.place.clone()), (Code::ProvisionMissing, Some(Place::Division)));
        assert_eq!(no.message, "Division does not provide the medical program");
        assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM)}));
    }
}

/// 14: the contract that a provision names is in force today, its first and last day included.
#[test]
fn a_provision_needs_a_contract_that_is_in_force() {
    let one_day = under(|it| {
        it.start_date = day("2026-03-10");
        it.end_date = day("2026-03-10");
    });
    assert!(with([one_day]).codes().is_empty());
    let unrelated = Provision { contracts: Arc::default(), ..provision() };
    for (what, provision) in [
        ("none of that number", unrelated),
        ("ended", ended()),
        ("not begun", under(|it| it.start_date = day("2026-03-11"))),
        ("terminated", under(|it| it.status = ContractStatus::Terminated)),
        ("a record that does not count", under(|it| it.is_active = false)),
        (
            "suspended and ended",
            under(|it| {
                it.is_suspended = true;
                it.end_date = day("2026-03-09");
            }),
        ),
    ] {
        let no = with([provision]).the_refusal();
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::ProvisionWithoutContract, Some(Place::Program)),
            "{what}"
        );
        assert_eq!(
            no.message,
            "Medical program provision is not related to any actual contract for the current date"
        );
        assert_eq!(params(&no), json!({"contractNumber": CONTRACT_NUMBER, "today": "2026-03-10"}));
    }
}

/// 14.
#[test]
fn a_suspended_contract_of_a_provision_is_named() {
    let no = with([suspended()]).the_refusal();
    assert_eq!(
        (no.code, no.place.clone()),
        (Code::ProvisionContractSuspended, Some(Place::Program))
    );
    assert_eq!(no.message, format!("Contract with number {CONTRACT_NUMBER} is suspended"));
    assert_eq!(params(&no), json!({"contractNumber": CONTRACT_NUMBER}));
    let renewed = Provision {
        contracts: Arc::new([suspended().contracts[0].clone(), contract()]),
        ..provision()
    };
    assert!(with([renewed]).codes().is_empty(), "two of that number, one of them good");
}

/// 14: only under local funding a provision may go without a contract.
#[test]
fn a_provision_without_a_number_is_enough_under_local_funding_alone() {
    assert!(funded_by(Some("LOCAL"), [without_number()]).codes().is_empty());
    for source in [None, Some("NHS")] {
        let no = funded_by(source, [without_number()]).the_refusal();
        assert_eq!(no.code, Code::ProvisionWithoutContract, "{source:?}");
        assert_eq!(params(&no), json!({"contractNumber": "none", "today": "2026-03-10"}));
    }
    // Where a number is stated, it is looked at.
    assert_eq!(funded_by(Some("LOCAL"), [suspended()]).codes(), ["provision-contract-suspended"]);
    assert_eq!(funded_by(Some("LOCAL"), [ended()]).codes(), ["provision-without-contract"]);
}

/// 14: one good provision suffices, wherever it stands.
#[test]
fn one_good_provision_among_several_is_enough() {
    let bad = || vec![withdrawn(), without_number(), ended(), suspended()];
    for place in 0..=bad().len() {
        let mut several = bad();
        several.insert(place, provision());
        assert!(with(several).codes().is_empty(), "{place}");
    }
}

/// 14: of several that are not good, the one that lacks least is spoken of.
#[test]
fn of_several_bad_provisions_the_nearest_to_a_good_one_is_told() {
    let told = |provisions: Vec<Provision>| with(provisions).codes();
    assert_eq!(told(vec![suspended(), ended()]), ["provision-contract-suspended"]);
    assert_eq!(told(vec![ended(), suspended()]), ["provision-contract-suspended"]);
    assert_eq!(told(vec![withdrawn(), ended()]), ["provision-without-contract"]);
    assert_eq!(told(vec![ended(), withdrawn()]), ["provision-without-contract"]);
}

/// 14: rule 13 is judged all the same, but for the outlets of the contract.
#[test]
fn a_provision_does_not_replace_the_contract_of_the_company() {
    let scene = with([provision()]).but(|it| it.sight.evidence.contracts = Arc::default());
    assert_eq!(scene.codes(), ["no-contract"]);
}

/// 14: of what is unknown, other rules speak.
#[test]
fn nobody_misses_the_provision_of_what_is_unknown() {
    let unknown = with([]).but(|it| it.sight.evidence.division = None);
    assert_eq!(unknown.codes(), ["division-not-found"]);
    let unknown = with([]).but(|it| it.sight.evidence.program = None);
    assert_eq!(unknown.codes(), ["program-not-found"]);
    assert!(with([]).but(Scene::without_program).codes().is_empty());
}
