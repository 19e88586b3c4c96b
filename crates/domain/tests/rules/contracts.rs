//! Rules 13a to 13c: the company's contract with the payer.

use std::sync::Arc;

use dispense_domain::registry::{Contract, ContractStatus};
use dispense_domain::{Code, Place, Switch};
use serde_json::json;

use crate::records::{CONTRACT_NUMBER, contract};
use crate::sample::{
    OTHER_PHARMACY, OUTLET, PROGRAM, Scene, all_in_order, day, id, params, text, uuid,
};

fn changed(change: fn(&mut Contract)) -> Arc<Contract> {
    let mut changed = contract();
    change(Arc::make_mut(&mut changed));
    changed
}

fn under(contracts: impl Into<Arc<[Arc<Contract>]>>) -> Scene {
    let contracts = contracts.into();
    all_in_order().but(|it| it.sight.evidence.contracts = contracts)
}

type Change = fn(&mut Contract);

/// Everything that keeps a contract from counting, each by itself.
const NO_CONTRACT: [(&str, Change); 8] = [
    ("another type", |it| it.kind = text("CAPITATION")),
    ("terminated", |it| it.status = ContractStatus::Terminated),
    ("a record that does not count", |it| it.is_active = false),
    ("another company's", |it| it.contractor_legal_entity_id = id(OTHER_PHARMACY)),
    ("for another program", |it| it.medical_program_id = Some(id(PROGRAM + 1))),
    ("for no program", |it| it.medical_program_id = None),
    ("tomorrow's", |it| it.start_date = day("2026-03-11")),
    ("yesterday's", |it| it.end_date = day("2026-03-09")),
];

/// 13a.
#[test]
fn a_contract_counts_only_if_all_of_it_is_right() {
    for (what, change) in NO_CONTRACT {
        let no = under([changed(change)]).the_refusal();
        assert_eq!((no.code, no.place.clone()), (Code::NoContract, Some(Place::Program)), "{what}");
        assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM), "today": "2026-03-10"}));
        assert!(
            under([changed(change), contract()]).codes().is_empty(),
            "{what}, beside a good one"
        );
    }
    assert_eq!(under([]).codes(), ["no-contract"]);
}

/// 13a: the first and the last day count, and today is Kyiv's.
#[test]
fn a_contract_holds_on_its_first_day_and_on_its_last() {
    let one_day = changed(|it| {
        it.start_date = day("2026-03-10");
        it.end_date = day("2026-03-10");
    });
    let at = |instant: &str| {
        under([one_day.clone()]).but(|it| it.sight.at = instant.parse().unwrap()).codes()
    };
    assert!(at("2026-03-09T22:00:00Z").is_empty());
    assert!(at("2026-03-10T21:59:59.999999Z").is_empty());
    assert_eq!(at("2026-03-10T22:00:00Z"), ["no-contract"]);
    let before = under([one_day.clone()])
        .but(|it| it.sight.at = "2026-03-09T21:59:59.999999Z".parse().unwrap())
        .but(|it| it.hold.dispensed_on = day("2026-03-09"));
    assert_eq!(before.codes(), ["no-contract"]);
}

/// 13a: newer contracts list their programs.
#[test]
fn a_contract_may_be_for_several_programs() {
    let listed = |programs: [u128; 2]| {
        let mut listed = contract();
        let contract = Arc::make_mut(&mut listed);
        contract.medical_program_id = None;
        contract.medical_programs = programs.map(id).to_vec();
        under([listed]).codes()
    };
    assert!(listed([PROGRAM + 1, PROGRAM]).is_empty());
    assert_eq!(listed([PROGRAM + 1, PROGRAM + 2]), ["no-contract"]);
    let both = changed(|it| {
        it.medical_program_id = Some(id(PROGRAM));
        it.medical_programs = vec![id(PROGRAM + 1)];
    });
    assert!(under([both]).codes().is_empty(), "both forms count");
}

/// 13a.
#[test]
fn two_contracts_for_one_day_are_no_mistake() {
    assert!(under([contract(), contract()]).codes().is_empty());
}

/// 13b.
#[test]
fn a_suspended_contract_is_refused_unless_a_good_one_stands_beside_it() {
    let suspended = || changed(|it| it.is_suspended = true);
    let no = under([suspended()]).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::ContractSuspended, Some(Place::Program)));
    assert_eq!(params(&no), json!({"contractNumber": CONTRACT_NUMBER}));
    assert!(under([suspended(), contract()]).codes().is_empty());
    assert!(under([contract(), suspended()]).codes().is_empty());
    for (what, change) in NO_CONTRACT {
        let codes = under([suspended(), changed(change)]).codes();
        assert_eq!(codes, ["contract-suspended"], "{what} helps nothing");
    }
}

/// 13c.
#[test]
fn the_outlet_takes_part_in_the_contract() {
    let elsewhere = || changed(|it| it.division_ids = vec![id(OUTLET + 1)]);
    let no = under([elsewhere()]).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::DivisionNotInContract, Some(Place::Division)));
    assert_eq!(params(&no), json!({"contractNumber": CONTRACT_NUMBER}));
    assert_eq!(
        under([changed(|it| it.division_ids.clear())]).codes(),
        ["division-not-in-contract"]
    );
    assert!(under([elsewhere(), contract()]).codes().is_empty(), "in any of them");
    let several = changed(|it| it.division_ids.insert(0, id(OUTLET + 1)));
    assert!(under([several]).codes().is_empty());
}

/// 13c: it takes part in one that is in force and not suspended.
#[test]
fn an_outlet_that_takes_part_in_a_suspended_contract_alone_takes_part_in_none() {
    let suspended = changed(|it| it.is_suspended = true);
    let elsewhere = changed(|it| it.division_ids.clear());
    let scene = under([suspended, elsewhere.clone()]);
    assert_eq!(scene.codes(), ["division-not-in-contract"]);
    for (what, change) in NO_CONTRACT {
        let codes = under([changed(change), elsewhere.clone()]).codes();
        assert_eq!(codes, ["division-not-in-contract"], "{what}");
    }
}

/// 13c: where provisions are asked for, they say which outlets provide a program (K-24).
#[test]
fn nobody_asks_for_outlets_of_a_contract_where_provisions_are_asked_for() {
    let asked = |change: Change| {
        under([changed(change)]).but(|it| it.terms().program_provision_verify = Switch::On).codes()
    };
    assert!(asked(|it| it.division_ids.clear()).is_empty());
    assert_eq!(asked(|it| it.is_active = false), ["no-contract"]);
    assert_eq!(asked(|it| it.is_suspended = true), ["contract-suspended"]);
}

/// 13: a program may do without; the setting has to be said.
#[test]
fn a_program_may_skip_contracts() {
    for (setting, codes) in
        [(Some(true), &[][..]), (Some(false), &["no-contract"]), (None, &["no-contract"])]
    {
        let scene = under([]).but(|it| it.settings().skip_contract_provision_verify = setting);
        assert_eq!(scene.codes(), codes, "{setting:?}");
    }
}

/// 13: outside any program, and of what is unknown, nobody asks for a contract.
#[test]
fn a_contract_is_missed_in_a_known_program_by_a_known_company_alone() {
    assert!(under([]).but(Scene::without_program).codes().is_empty());
    let unknown = under([]).but(|it| it.sight.evidence.program = None);
    assert_eq!(unknown.codes(), ["program-not-found"]);
    let unknown = under([]).but(|it| it.sight.evidence.legal_entity = None);
    assert_eq!(unknown.codes(), ["legal-entity-not-found"]);
    let no_outlet =
        under([changed(|it| it.division_ids.clear())]).but(|it| it.sight.evidence.division = None);
    assert_eq!(no_outlet.codes(), ["division-not-found"]);
}
