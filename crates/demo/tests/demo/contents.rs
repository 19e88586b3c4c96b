//! What is in the registry, and how much of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::registry::{REGISTRY, text};

#[test]
fn there_are_companies_and_divisions_enough() {
    let pharmacies = REGISTRY.count("legal_entity", "type", "PHARMACY");
    let mixed = REGISTRY.count("legal_entity", "type", "MSP_PHARMACY");
    assert!(pharmacies >= 20 && mixed > 0, "{pharmacies} + {mixed}");
    for kind in ["MSP", "OUTPATIENT", "PRIMARY_CARE"] {
        assert!(REGISTRY.count("legal_entity", "type", kind) > 5, "{kind}");
    }
    assert_eq!(REGISTRY.count("legal_entity", "type", "NHS"), 1);

    let outlets = REGISTRY.count("division", "type", "DRUGSTORE")
        + REGISTRY.count("division", "type", "DRUGSTORE_POINT");
    assert!(outlets >= 200, "{outlets}");
    assert!(REGISTRY.count("division", "type", "CLINIC") > 20);
    assert_eq!(REGISTRY.count("healthcare_service", "type", "SALE"), outlets);
    assert!(REGISTRY.count("healthcare_service", "type", "PRODUCTION") > 10);
}

#[test]
fn there_are_pharmacists_and_doctors_enough() {
    let pharmacists: Vec<_> =
        REGISTRY.all("employee").filter(|e| e["employee_type"] == "PHARMACIST").collect();
    let approved = pharmacists.iter().filter(|e| e["status"] == "APPROVED").count();
    assert!(approved >= 300, "{approved}");
    assert!(pharmacists.len() > approved, "nobody was dismissed");
    assert!(REGISTRY.count("employee", "employee_type", "DOCTOR") >= 100);

    let accounts: BTreeSet<&str> =
        REGISTRY.all("party_user").map(|account| text(account, "party_id")).collect();
    assert!(pharmacists.iter().all(|e| accounts.contains(text(e, "party_id"))));
}

#[test]
fn there_are_medications_enough() {
    let substances = REGISTRY.count("medication", "type", "INNM");
    let dosages = REGISTRY.count("medication", "type", "INNM_DOSAGE");
    let brands = REGISTRY.count("medication", "type", "BRAND");
    assert!(substances >= 60, "{substances}");
    assert!(dosages >= 100, "{dosages}");
    assert!(brands >= 300, "{brands}");

    let mut made = BTreeSet::new();
    for dosage in REGISTRY.all("medication").filter(|m| m["type"] == "INNM_DOSAGE") {
        let ingredients = dosage["ingredients"].as_array().unwrap();
        made.extend(ingredients.iter().map(|ingredient| text(ingredient, "innm_child_id")));
        assert_eq!(ingredients.iter().filter(|i| i["is_primary"] == true).count(), 1);
    }
    assert_eq!(made.len(), substances, "every substance has a dosage");
}

#[test]
fn brands_are_packed_so_that_parts_make_a_whole() {
    let mut packages = BTreeSet::new();
    let mut shelves = BTreeMap::<&str, BTreeSet<&str>>::new();
    for brand in REGISTRY.all("medication").filter(|m| m["type"] == "BRAND") {
        let whole = brand["package_qty"].as_u64().unwrap();
        let part = brand["package_min_qty"].as_u64().unwrap();
        assert_eq!(whole % part, 0, "{brand}");
        packages.insert((whole, part));
        let dosage = text(&brand["ingredients"][0], "medication_child_id");
        assert!(shelves.entry(dosage).or_default().insert(text(brand, "name")), "{brand}");
        assert_eq!(brand["code_atc"][0].as_str().unwrap().len(), 7);
    }
    assert!(shelves.values().all(|shelf| shelf.len() >= 3));
    for usual in [(30, 10), (28, 14), (60, 10), (100, 10), (20, 10), (5, 1), (1, 1)] {
        assert!(packages.contains(&usual), "{usual:?}");
    }
}

#[test]
fn there_are_ten_thousand_patients_and_medication_requests_of_every_kind() {
    assert_eq!(REGISTRY.all("person").count(), 10_000);
    assert_eq!(REGISTRY.all("medication_request").count(), 10_000);
    assert!(REGISTRY.count("medication_request", "status", "ACTIVE") > 8_000);
    for status in ["COMPLETED", "REJECTED", "EXPIRED"] {
        assert!(REGISTRY.count("medication_request", "status", status) > 200, "{status}");
    }
    assert!(REGISTRY.count("medication_request", "intent", "plan") > 200);
    let with = |member: &str| {
        REGISTRY.all("medication_request").filter(|r| r.get(member).is_some()).count()
    };
    assert!(with("verification_code") > 400);
    assert!(with("based_on") > 200);
    assert!(with("blocked_by_legal_entity_id") > 100);
    assert!(with("block_reason") > with("blocked_by_legal_entity_id"));
    assert!(10_000 - with("medical_program_id") > 200);
}

#[test]
fn there_is_a_program_for_each_way_of_dispensing() {
    let programs: Vec<_> = REGISTRY.all("medical_program").collect();
    assert_eq!(programs.len(), 6);
    let set = |setting: &str| {
        programs.iter().filter(|p| p["medical_program_settings"][setting] == true).count()
    };
    assert!(set("multi_medication_dispense_allowed") >= 2);
    assert_eq!(set("skip_medication_dispense_sign"), 1);
    assert_eq!(set("skip_contract_provision_verify"), 2);
    assert_eq!(REGISTRY.count("medical_program", "funding_source", "LOCAL"), 1);
    for program in &programs {
        assert!(
            REGISTRY.count("program_medication", "medical_program_id", text(program, "id")) > 10
        );
    }

    let suspended: BTreeSet<&str> = REGISTRY
        .all("contract")
        .filter(|contract| contract["is_suspended"] == true)
        .map(|contract| text(contract, "medical_program_id"))
        .collect();
    assert_eq!(suspended.len(), 1);
    let external = REGISTRY
        .all("program_medication")
        .filter(|participant| participant["reimbursement"]["type"] == "EXTERNAL");
    assert!(external.count() > 10);
}
