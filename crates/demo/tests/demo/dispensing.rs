//! What can be dispensed: the rules, judged from the lines and not by the code that made them.

use std::collections::{BTreeMap, BTreeSet};

use dispense_demo::{Demo, Dispensable, Pharmacy, Program};
use serde_json::Value;

use crate::registry::{REGISTRY, day, kopecks, text, today};

fn demo() -> Demo {
    Demo::new(today())
}

#[test]
fn every_holdable_request_passes_the_rules_of_requests() {
    let mut patients = BTreeMap::<_, BTreeSet<&str>>::new();
    for wanted in demo().holdable(usize::MAX) {
        let request = REGISTRY.get("medication_request", &wanted.medication_request_id);
        assert_eq!(request["status"], "ACTIVE");
        assert_eq!(request["intent"], "order");
        assert_eq!(request["is_blocked"], false);
        assert!(request.get("verification_code").is_none() && request.get("based_on").is_none());
        assert!(day(request, "dispense_valid_from") < today());
        assert!(day(request, "dispense_valid_to") > today());
        assert_eq!(request["medication_qty"], wanted.quantity);
        assert_eq!(text(request, "request_number"), wanted.request_number);
        assert_eq!(text(request, "person_id"), wanted.person_id.to_string());
        assert_eq!(text(request, "medical_program_id"), wanted.medical_program_id.to_string());
        assert_eq!(text(request, "medication_id"), wanted.dosage_id.to_string());

        let dosage = REGISTRY.get("medication", &wanted.dosage_id);
        let primary = dosage["ingredients"][0]["innm_child_id"].as_str().unwrap();
        let substances = patients.entry(wanted.person_id).or_default();
        assert!(substances.insert(primary), "a patient has one substance twice");
    }
    assert!(patients.len() > 4_000, "{}", patients.len());
    assert!(patients.values().any(|substances| substances.len() == 2));
}

#[test]
fn every_holdable_request_has_a_brand_that_may_be_dispensed() {
    for wanted in demo().holdable(usize::MAX) {
        assert_dispensable(&wanted);
    }
}

fn assert_dispensable(wanted: &Dispensable) {
    let brand = REGISTRY.get("medication", &wanted.brand_id);
    assert_eq!(brand["type"], "BRAND");
    assert_eq!(brand["is_active"], true);
    assert_eq!(brand["ingredients"][0]["is_primary"], true);
    let dosage = text(&brand["ingredients"][0], "medication_child_id");
    assert_eq!(dosage, wanted.dosage_id.to_string());
    assert_eq!(brand["package_qty"], wanted.package_qty);
    assert_eq!(brand["package_min_qty"], wanted.package_min_qty);
    assert!(wanted.quantity > 0 && wanted.quantity.is_multiple_of(wanted.package_min_qty));

    let participant = REGISTRY.get("program_medication", &wanted.program_medication_id);
    assert_eq!(text(participant, "medication_id"), wanted.brand_id.to_string());
    assert_eq!(text(participant, "medical_program_id"), wanted.medical_program_id.to_string());
    assert_eq!(participant["is_active"], true);
    assert_ne!(participant["package_qty_divisible"], false);
    assert!(day(participant, "start_date") <= today());
    assert!(participant.get("end_date").is_none() || day(participant, "end_date") > today());
    assert_eq!(participant["reimbursement"]["type"], "FIXED");
    let reimbursed = kopecks(&participant["reimbursement"]["reimbursement_amount"]);
    assert_eq!(reimbursed, wanted.reimbursement_amount.kopecks());
    assert!(reimbursed > 0);

    for quantity in [wanted.package_min_qty, wanted.quantity] {
        let offer = wanted.offer(quantity);
        let discount = offer.discount_amount.kopecks() * u64::from(wanted.package_qty);
        let most = reimbursed * u64::from(quantity);
        assert!(discount <= most && discount * 10 >= most * 9, "{offer:?} of {wanted:?}");
        assert!(offer.sell_amount >= offer.discount_amount);
        assert_eq!(
            offer.payment_amount.kopecks(),
            offer.sell_amount.kopecks() - offer.discount_amount.kopecks()
        );
    }
}

#[test]
fn every_program_but_the_suspended_one_has_something_to_dispense() {
    let mut counts = BTreeMap::<String, usize>::new();
    for wanted in demo().holdable(usize::MAX) {
        *counts.entry(format!("{:?}", wanted.program)).or_default() += 1;
    }
    for program in Program::ALL.into_iter().filter(|program| *program != Program::Suspended) {
        assert!(counts[&format!("{program:?}")] > 300, "{counts:?}");
    }
    assert!(!counts.contains_key("Suspended"));
    let suspended = demo().program_id(Program::Suspended).to_string();
    assert!(REGISTRY.count("medication_request", "medical_program_id", &suspended) > 300);
}

#[test]
fn every_pharmacy_may_dispense_under_every_program_that_can_be_dispensed_under() {
    let pharmacies: Vec<Pharmacy> = demo().pharmacies().collect();
    assert!(pharmacies.len() > 50, "{}", pharmacies.len());
    for pharmacy in &pharmacies {
        assert_sound(pharmacy);
        for program in Program::ALL {
            assert_provides(pharmacy, program);
        }
    }
}

fn assert_sound(pharmacy: &Pharmacy) {
    let company = REGISTRY.get("legal_entity", &pharmacy.legal_entity_id);
    assert_eq!(company["status"], "ACTIVE");
    assert_eq!(company["is_active"], true);
    assert_eq!(company["nhs_verified"], true);
    assert_eq!(text(company, "type"), pharmacy.client_type);
    assert!(["PHARMACY", "MSP_PHARMACY"].contains(&pharmacy.client_type));

    let division = REGISTRY.get("division", &pharmacy.division_id);
    assert_eq!(text(division, "legal_entity_id"), pharmacy.legal_entity_id.to_string());
    assert_eq!(division["status"], "ACTIVE");
    assert_eq!(division["dls_verified"], true);
    assert!(REGISTRY.all("healthcare_service").any(|service| {
        service["division_id"] == division["id"]
            && service["type"] == "SALE"
            && service["status"] == "ACTIVE"
            && service["is_active"] == true
            && service["licensed_healthcare_service"]["status"] == "ACTIVE"
            && ["PHARMACY", "PHARMACY_DRUGS"].contains(&text(service, "license_type"))
    }));

    let account = REGISTRY.get("party_user", &pharmacy.user_id);
    assert_eq!(text(account, "party_id"), pharmacy.party_id.to_string());
    let party = REGISTRY.get("party", &pharmacy.party_id);
    assert!(pharmacy.party_name.starts_with(text(party, "last_name")));
    assert!(REGISTRY.all("employee").any(|employee| {
        employee["party_id"] == party["id"]
            && employee["legal_entity_id"] == company["id"]
            && employee["division_id"] == division["id"]
            && employee["employee_type"] == "PHARMACIST"
            && employee["status"] == "APPROVED"
            && employee["is_active"] == true
    }));
}

fn assert_provides(pharmacy: &Pharmacy, program: Program) {
    let id = demo().program_id(program).to_string();
    let record = REGISTRY.get("medical_program", &id);
    assert_eq!(record["is_active"], true);
    let settings = &record["medical_program_settings"];
    assert_eq!(settings["multi_medication_dispense_allowed"], program.multi_dispense());
    assert_eq!(settings["skip_medication_dispense_sign"], program.skips_signature());
    assert_eq!(settings["skip_contract_provision_verify"], !program.needs_contract());
    if !program.needs_contract() {
        return;
    }
    let of_company = |contract: &&Value| {
        text(contract, "contractor_legal_entity_id") == pharmacy.legal_entity_id.to_string()
            && contract["medical_program_id"] == id.as_str()
            && contract["status"] == "VERIFIED"
            && contract["is_active"] == true
            && day(contract, "start_date") <= today()
            && day(contract, "end_date") >= today()
    };
    let mut contracts = REGISTRY.all("contract").filter(of_company);
    let Some(contract) = contracts.next() else {
        assert_eq!(program, Program::Suspended);
        return;
    };
    assert!(contracts.next().is_none(), "two contracts at a time");
    assert_eq!(contract["is_suspended"], program == Program::Suspended);
    let division = Value::from(pharmacy.division_id.to_string());
    assert!(contract["division_ids"].as_array().unwrap().contains(&division));
    assert!(REGISTRY.all("medical_program_provision").any(|provision| {
        provision["division_id"] == division
            && provision["medical_program_id"] == id.as_str()
            && provision["contract_number"] == contract["contract_number"]
            && provision["is_active"] == true
    }));
}

#[test]
fn the_tour_leads_through_rooms_that_are_open() {
    let tour = demo().tour();
    let pharmacies: Vec<Pharmacy> = demo().pharmacies().collect();
    assert!(pharmacies.contains(&tour.pharmacy) && pharmacies.contains(&tour.other_pharmacy));
    assert_ne!(tour.pharmacy.legal_entity_id, tour.other_pharmacy.legal_entity_id);
    for wanted in [&tour.hold, &tour.at_once] {
        assert_eq!(wanted.quantity, 60);
        assert_eq!(wanted.package_min_qty, 10);
        assert_dispensable(wanted);
        let request = REGISTRY.get("medication_request", &wanted.medication_request_id);
        assert_eq!(request["status"], "ACTIVE");
        assert_eq!(request["is_blocked"], false);
        assert!(demo().holdable(usize::MAX).all(|other| other.person_id != wanted.person_id));
    }
    assert!(tour.hold.program.multi_dispense() && !tour.hold.program.skips_signature());
    assert!(tour.at_once.program.multi_dispense() && tour.at_once.program.skips_signature());
    assert!(tour.expiry_date > today());
}

#[test]
fn prescribed_quantities_can_be_dispensed_in_whole_parts() {
    for request in REGISTRY.all("medication_request") {
        let quantity = request["medication_qty"].as_u64().unwrap();
        let divides = BRANDS.get(text(request, "medication_id")).unwrap();
        assert!(divides.iter().any(|part| quantity % part == 0), "{request}");
    }
}

/// By dosage, the smallest parts of its brands.
static BRANDS: std::sync::LazyLock<BTreeMap<&'static str, BTreeSet<u64>>> =
    std::sync::LazyLock::new(|| {
        let mut parts = BTreeMap::<_, BTreeSet<u64>>::new();
        for brand in REGISTRY.all("medication").filter(|m| m["type"] == "BRAND") {
            let dosage = text(&brand["ingredients"][0], "medication_child_id");
            parts.entry(dosage).or_default().insert(brand["package_min_qty"].as_u64().unwrap());
        }
        parts
    });
