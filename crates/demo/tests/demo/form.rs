//! What every line looks like.

use std::collections::BTreeSet;

use dispense_demo::Demo;
use serde_json::Value;
use uuid::Uuid;

use crate::registry::{REGISTRY, Registry, text, today};

/// The members of each kind, those of records within records behind a dot.
const MEMBERS: [(&str, &str); 15] = [
    (
        "legal_entity",
        "id name short_name public_name type edrpou status is_active nhs_verified mis_verified \
         accreditation licenses",
    ),
    (
        "division",
        "id legal_entity_id name type status is_active dls_id dls_verified mountain_group \
         addresses phones email external_id location working_hours",
    ),
    (
        "healthcare_service",
        "id legal_entity_id division_id status type license_id license_type \
         licensed_healthcare_service is_active",
    ),
    ("party", "id first_name last_name second_name birth_date tax_id no_tax_id phones documents"),
    ("party_user", "user_id party_id"),
    (
        "employee",
        "id party_id legal_entity_id division_id employee_type position status is_active \
         start_date end_date",
    ),
    (
        "contract",
        "id type contract_number status is_active is_suspended start_date end_date \
         contractor_legal_entity_id contractor_owner_id nhs_legal_entity_id nhs_signer_id \
         medical_program_id nhs_signed_date division_ids",
    ),
    (
        "medical_program",
        "id name type is_active funding_source medication_request_allowed \
         medication_dispense_allowed mr_blank_type medical_program_settings",
    ),
    ("medical_program_provision", "id medical_program_id division_id contract_number is_active"),
    (
        "medication",
        "id name form type is_active ingredients manufacturer container package_qty \
         package_min_qty code_atc certificate certificate_expired_at daily_dosage sctid \
         name_original",
    ),
    (
        "program_medication",
        "id medication_id medical_program_id is_active medication_request_allowed reimbursement \
         wholesale_price consumer_price reimbursement_daily_dosage estimated_payment_amount \
         start_date end_date registry_number package_qty_divisible",
    ),
    ("person", "id first_name last_name second_name birth_date"),
    (
        "medication_request",
        "id request_number status is_active intent category created_at started_at ended_at \
         dispense_valid_from dispense_valid_to person_id employee_id division_id legal_entity_id \
         medication_id medication_qty medical_program_id verification_code based_on context \
         dosage_instruction rejected_at rejected_by reject_reason reject_reason_code is_blocked \
         block_reason block_reason_code blocked_to blocked_by_legal_entity_id priority",
    ),
    ("care_plan", "id person_id status period"),
    (
        "care_plan_activity",
        "id care_plan_id kind status program product_reference quantity remaining_quantity",
    ),
];

#[test]
fn every_line_is_compact_and_says_its_kind_first() {
    for line in Demo::new(today()).with_requests(500).lines() {
        assert!(line.starts_with(r#"{"kind":""#), "{line}");
        assert!(line.len() <= 64 * 1024, "{} bytes", line.len());
        assert!(!line.contains('\n'), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 2, "{line}");
    }
}

#[test]
fn every_kind_is_there_with_the_members_of_the_register() {
    let kinds: BTreeSet<&str> = REGISTRY.kinds().collect();
    assert_eq!(kinds, MEMBERS.iter().map(|(kind, _)| *kind).collect());
    for (kind, members) in MEMBERS {
        let known: BTreeSet<&str> = members.split_whitespace().collect();
        let mut seen = BTreeSet::new();
        for record in REGISTRY.all(kind) {
            let members = record.as_object().unwrap();
            assert!(members.values().all(|value| !value.is_null()), "{record}");
            seen.extend(members.keys().map(String::as_str));
        }
        assert_eq!(seen, known, "members of {kind}");
    }
}

#[test]
fn every_id_is_a_hyphenated_lower_case_uuid() {
    for kind in REGISTRY.kinds() {
        for record in REGISTRY.all(kind) {
            for (member, value) in record.as_object().unwrap() {
                let is_code = matches!(member.as_str(), "dls_id" | "external_id" | "tax_id");
                let is_id = member == "id" || member.ends_with("_id") && !is_code;
                if let (true, Some(id)) = (is_id, value.as_str()) {
                    assert_eq!(Uuid::parse_str(id).unwrap().to_string(), id, "{kind}.{member}");
                }
            }
        }
    }
}

#[test]
fn every_text_may_reach_the_log() {
    for kind in REGISTRY.kinds() {
        REGISTRY.all(kind).for_each(assert_clean);
    }
}

fn assert_clean(value: &Value) {
    match value {
        Value::String(text) => {
            assert!((1..=255).contains(&text.chars().count()), "{text}");
            assert!(!text.chars().any(char::is_control), "{text}");
        }
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Object(members) => members.values().for_each(assert_clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn codes_have_their_form() {
    for company in REGISTRY.all("legal_entity") {
        assert!(is_digits(text(company, "edrpou"), 8), "{company}");
    }
    for party in REGISTRY.all("party") {
        assert!(is_digits(text(party, "tax_id"), 10), "{party}");
        let number = party["phones"][0]["number"].as_str().unwrap();
        assert!(is_digits(number.strip_prefix("+380").unwrap(), 9), "{party}");
    }
    for division in REGISTRY.all("division") {
        for phone in division["phones"].as_array().unwrap() {
            let number = phone["number"].as_str().unwrap();
            assert!(is_digits(number.strip_prefix("+380").unwrap(), 9), "{division}");
        }
        assert!(is_digits(division["addresses"][0]["zip"].as_str().unwrap(), 5), "{division}");
    }
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn no_two_have_the_same_number() {
    let unique = |kind: &str, member: &str| {
        let numbers: BTreeSet<&str> = REGISTRY.all(kind).map(|r| text(r, member)).collect();
        assert_eq!(numbers.len(), REGISTRY.all(kind).count(), "{kind}.{member}");
    };
    unique("legal_entity", "edrpou");
    unique("medication_request", "request_number");
    unique("contract", "contract_number");
    for request in REGISTRY.all("medication_request") {
        let groups: Vec<&str> = text(request, "request_number").split('-').collect();
        assert_eq!(groups.len(), 4);
        assert_eq!(groups[0], "0000");
        for group in &groups[1..] {
            assert_eq!(group.len(), 4);
            assert!(group.chars().all(|letter| "0123456789AEHKMPTX".contains(letter)), "{group}");
        }
    }
}

/// SNOMED CT ids end in a check digit after Verhoeff.
#[test]
fn no_snomed_id_is_misspelt() {
    let ids: Vec<&Value> =
        REGISTRY.all("medication").map(|m| &m["sctid"]).filter(|id| !id.is_null()).collect();
    assert!(ids.len() > 40);
    for id in ids {
        assert_eq!(verhoeff(id.as_str().unwrap()), 0, "{id}");
    }
}

/// The check sum: products in the dihedral group of ten elements.
fn verhoeff(digits: &str) -> u32 {
    const TURN: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    digits.chars().rev().zip(0..).fold(0, |sum, (digit, place)| {
        let mut digit = digit.to_digit(10).unwrap();
        for _ in 0..place % 8 {
            digit = TURN[digit as usize];
        }
        match (sum < 5, digit < 5) {
            (true, true) => (sum + digit) % 5,
            (true, false) => (sum + digit - 5) % 5 + 5,
            (false, true) => (sum + 5 - digit) % 5 + 5,
            (false, false) => (sum + 5 - digit) % 5,
        }
    })
}

#[test]
fn references_lead_somewhere() {
    for kind in REGISTRY.kinds() {
        for record in REGISTRY.all(kind) {
            for (member, value) in record.as_object().unwrap() {
                if let Some(target) = target_of(member) {
                    assert!(found(&REGISTRY, target, value), "{kind}.{member}: {value}");
                }
            }
        }
    }
    for request in REGISTRY.all("medication_request").filter(|r| r.get("based_on").is_some()) {
        let based_on = &request["based_on"];
        let plan = REGISTRY.get("care_plan", based_on[0]["id"].as_str().unwrap());
        let activity = REGISTRY.get("care_plan_activity", based_on[1]["id"].as_str().unwrap());
        assert_eq!(plan["person_id"], request["person_id"]);
        assert_eq!(activity["care_plan_id"], plan["id"]);
        assert_eq!(activity["product_reference"], request["medication_id"]);
    }
    for medication in REGISTRY.all("medication") {
        for ingredient in medication["ingredients"].as_array().into_iter().flatten() {
            let (member, kind) = match text(medication, "type") {
                "BRAND" => ("medication_child_id", "INNM_DOSAGE"),
                _ => ("innm_child_id", "INNM"),
            };
            assert_eq!(REGISTRY.get("medication", text(ingredient, member))["type"], kind);
        }
    }
}

fn target_of(member: &str) -> Option<&'static str> {
    Some(match member {
        "legal_entity_id"
        | "contractor_legal_entity_id"
        | "nhs_legal_entity_id"
        | "blocked_by_legal_entity_id" => "legal_entity",
        "division_id" | "division_ids" => "division",
        "party_id" => "party",
        "rejected_by" => "party_user",
        "employee_id" | "contractor_owner_id" | "nhs_signer_id" => "employee",
        "medical_program_id" | "program" => "medical_program",
        "medication_id" | "product_reference" => "medication",
        "person_id" => "person",
        "care_plan_id" => "care_plan",
        _ => return None,
    })
}

fn found(registry: &Registry, kind: &str, value: &Value) -> bool {
    match value {
        Value::Array(ids) => ids.iter().all(|id| found(registry, kind, id)),
        id => registry.find(kind, id.as_str().unwrap()).is_some(),
    }
}
