//! What an asker is not told: the business of others, and facts of a medication request where it
//! may not dispense.

use std::sync::Arc;

use dispense_domain::decide::create_hold::{Explained, Verdict, explain, told_to_asker};
use dispense_domain::registry::LegalEntityStatus;
use dispense_domain::{Evidence, Switch};
use serde_json::Value;

use crate::records::CONTRACT_NUMBER;
use crate::sample::{OTHER_PHARMACY, Scene, all_in_order, id, text};

const ABOUT_ASKER: [&str; 7] = ["3a", "3b", "4a", "4b", "4c", "5", "9"];

fn told(scene: &Scene) -> Vec<Explained> {
    explain(&scene.dispensing(), &scene.hold, &scene.sight)
}

/// Licences and provisions are asked for, and the outlet lacks them.
fn lacking() -> Scene {
    all_in_order().but(|it| {
        it.terms().program_provision_verify = Switch::On;
        it.settings().license_types_allowed = Some(vec![text("PHARMACY")]);
        it.sale().is_active = false;
        let provision = &mut it.provision().contracts;
        let mut contract = provision[0].as_ref().clone();
        contract.is_suspended = true;
        *provision = [contract.into()].into();
    })
}

/// A competitor could otherwise ask for each outlet of the country.
#[test]
fn of_an_outlet_of_another_company_neither_licences_nor_contracts_are_told() {
    assert_eq!(lacking().codes(), ["licence-missing", "provision-contract-suspended"]);
    let foreign = lacking().but(|it| {
        it.outlet().legal_entity_id = id(OTHER_PHARMACY);
        it.sight.evidence.contracts = [].into();
    });
    assert_eq!(foreign.codes(), ["division-foreign", "no-contract"]);
    let explained = told(&foreign);
    for (rule, member) in
        [("11a", "healthcareServices"), ("11b", "healthcareServices"), ("14", "provisions")]
    {
        let said = explained.iter().find(|it| it.rule == rule).unwrap();
        assert_eq!((&said.verdict, &said.facts[member]), (&Verdict::NotEvaluated, &Value::Null));
    }
    for said in explained {
        let said = format!("{said:?}");
        assert!(!said.contains(CONTRACT_NUMBER), "{said}");
    }
}

/// Such as a clinic, which sees its own medication requests alone.
#[test]
fn who_may_not_dispense_is_told_the_facts_about_itself_alone() {
    type Change = fn(&mut Scene);
    let changes: [Change; 6] = [
        |it| it.sight.evidence.legal_entity = None,
        |it| it.company().status = LegalEntityStatus::Closed,
        |it| it.company().is_active = false,
        |it| it.company().kind = text("MSP"),
        |it| it.sight.evidence.party = None,
        |it| it.job().is_active = false,
    ];
    for change in changes {
        let scene = all_in_order().but(change);
        for (whole, said) in told(&scene).into_iter().zip(told_to_asker(told(&scene))) {
            let facts = if ABOUT_ASKER.contains(&said.rule) { whole.facts } else { Arc::default() };
            assert_eq!((&said.facts, &said.verdict), (&facts, &whole.verdict), "{}", said.rule);
        }
    }
}

#[test]
fn who_may_dispense_is_told_every_fact() {
    let nothing_found = all_in_order().but(|it| {
        let all = it.sight.evidence.clone();
        it.sight.evidence = Evidence {
            legal_entity: all.legal_entity,
            party: all.party,
            employees: all.employees,
            ..Evidence::none(all.terms)
        };
    });
    for scene in [all_in_order(), lacking(), nothing_found] {
        assert_eq!(told_to_asker(told(&scene)), told(&scene));
    }
}

/// A dry run is put together under the lock of its partition: a hundred items are told once.
#[test]
fn rules_that_look_at_the_same_share_their_facts() {
    let explained = told(&all_in_order());
    let of = |rule| &explained.iter().find(|it| it.rule == rule).unwrap().facts;
    for rule in ["5.3", "15b", "15c", "15d", "15e", "15e+", "15f", "20"] {
        assert!(Arc::ptr_eq(of("15a"), of(rule)), "{rule}");
    }
    assert!(!Arc::ptr_eq(of("15a"), of("16a")));
}
