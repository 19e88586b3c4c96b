//! The register's document of a medication request, from the registries as they are now.

use std::sync::Arc;

use dispensary::Requested;
use dispensary::document::{DocumentError, Side, medication_request};
use dispense_domain::{Dispensing, RequestEvidence, evolve};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{full, names, processed};

const REQUEST: &str = "00000000-0000-0000-0000-000000010001";

/// Through text, because exact numbers are read from text alone.
fn record<T: DeserializeOwned>(json: &Value) -> Arc<T> {
    Arc::new(serde_json::from_str(&json.to_string()).unwrap())
}

fn request() -> Value {
    json!({
        "id": REQUEST, "request_number": "0000-243P-1X53-EH38", "status": "ACTIVE",
        "intent": "order", "category": "community", "created_at": "2026-03-01",
        "started_at": "2026-03-01", "ended_at": "2026-05-29",
        "dispense_valid_from": "2026-03-01", "dispense_valid_to": "2026-03-30",
        "person_id": "00000000-0000-0000-0000-000000070001",
        "employee_id": "00000000-0000-0000-0000-000000070002",
        "division_id": "00000000-0000-0000-0000-000000070003",
        "legal_entity_id": "00000000-0000-0000-0000-000000070004",
        "medication_id": "00000000-0000-0000-0000-000000050002",
        "medication_qty": 60.50, "medication_remaining_qty": 1,
        "medical_program_id": "00000000-0000-0000-0000-000000040001",
        "verification_code": "4711",
        "dosage_instruction": [{"text": "one in the morning"}],
        "container_dosage": {"value": 1}, "priority": "routine", "note": "with water",
        "prior_prescription": {"id": "x"}, "inform_with": {"auth_method": "y"},
        "is_blocked": true, "block_reason": "asked for", "block_reason_code": "OTHER",
        "blocked_to": "2026-03-09",
    })
}

/// What the registries say of that request, with people of whom too much is known.
fn evidence(request: &Value) -> RequestEvidence {
    let doctor = json!({
        "id": "00000000-0000-0000-0000-000000070005", "first_name": "Ivan", "last_name": "Melnyk",
        "birth_date": "1971-07-17", "tax_id": "1234567890", "no_tax_id": true,
        "phones": [{"number": "+380"}], "documents": [{"number": "AB123456"}],
    });
    RequestEvidence {
        request: record(request),
        person: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000070001", "first_name": "Oksana-Maria",
            "last_name": "Koval", "second_name": "Petrivna", "birth_date": "1964-03-02",
        }))),
        employee: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000070002", "position": "P1",
            "party_id": "00000000-0000-0000-0000-000000070005", "employee_type": "DOCTOR",
            "legal_entity_id": "00000000-0000-0000-0000-000000070004", "status": "APPROVED",
        }))),
        doctor: Some(record(&doctor)),
        legal_entity: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000070004", "name": "Clinic", "type": "MSP",
            "status": "ACTIVE", "licenses": [{"number": "7"}],
        }))),
        division: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000070003", "name": "Site 2", "type": "CLINIC",
            "legal_entity_id": "00000000-0000-0000-0000-000000070004", "status": "ACTIVE",
        }))),
        medication: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000050002", "name": "Metformin 500 mg",
            "type": "INNM_DOSAGE", "form": "TABLET", "ingredients": [{"is_primary": true, "dosage": {
                "numerator_unit": "MG", "numerator_value": 500.0,
                "denumerator_unit": "PILL", "denumerator_value": 1}}],
        }))),
        program: Some(record(&json!({
            "id": "00000000-0000-0000-0000-000000040001", "name": "Affordable Medicines",
            "medical_program_settings": {"multi_medication_dispense_allowed": true},
        }))),
        approved: Arc::default(),
        others: Vec::new(),
        care: None,
    }
}

fn requested(evidence: RequestEvidence, dispensing: Dispensing) -> Requested {
    Requested { evidence, dispensing, today: "2026-03-10".parse().unwrap() }
}

fn shown(evidence: RequestEvidence, dispensing: Dispensing, side: Side) -> Value {
    let document = medication_request(&requested(evidence, dispensing), side).unwrap();
    serde_json::from_str(document.get()).unwrap()
}

#[test]
fn a_request_is_shown_as_its_registry_has_it() {
    let shown = shown(evidence(&request()), Dispensing::default(), Side::Whole);
    let expected = json!({
        "id": REQUEST, "status": "ACTIVE", "request_number": "0000-243P-1X53-EH38",
        "intent": "order", "category": "community", "created_at": "2026-03-01",
        "started_at": "2026-03-01", "ended_at": "2026-05-29",
        "dispense_valid_from": "2026-03-01", "dispense_valid_to": "2026-03-30",
        "dosage_instruction": [{"text": "one in the morning"}],
        "is_blocked": true, "block_reason": "asked for", "block_reason_code": "OTHER",
        "blocked_to": "2026-03-09",
        "container_dosage": {"value": 1}, "priority": "routine", "note": "with water",
        "prior_prescription": {"id": "x"}, "inform_with": {"auth_method": "y"},
        "legal_entity": {
            "id": "00000000-0000-0000-0000-000000070004", "name": "Clinic", "short_name": null,
            "public_name": null, "type": "MSP", "edrpou": null, "status": "ACTIVE",
            "accreditation": null, "licenses": [{"number": "7"}],
        },
        "division": {
            "id": "00000000-0000-0000-0000-000000070003", "name": "Site 2",
            "legal_entity_id": "00000000-0000-0000-0000-000000070004", "type": "CLINIC",
            "status": "ACTIVE", "mountain_group": null, "addresses": null, "phones": null,
            "email": null, "external_id": null, "location": null, "working_hours": null,
            "dls_id": null, "dls_verified": null,
        },
        "employee": {
            "id": "00000000-0000-0000-0000-000000070002", "position": "P1",
            "party": {
                "id": "00000000-0000-0000-0000-000000070005", "first_name": "Ivan",
                "last_name": "Melnyk", "second_name": null, "phones": [{"number": "+380"}],
            },
        },
        "person": {
            "id": "00000000-0000-0000-0000-000000070001", "short_name": "Koval O.-M. P.", "age": 61,
        },
        "medication_info": {
            "medication_id": "00000000-0000-0000-0000-000000050002",
            "medication_name": "Metformin 500 mg", "form": "TABLET",
            "dosage": {
                "numerator_unit": "MG", "numerator_value": 500,
                "denumerator_unit": "PILL", "denumerator_value": 1,
            },
            "medication_qty": 60.5, "medication_remaining_qty": 60.5,
        },
        "medical_program": {
            "id": "00000000-0000-0000-0000-000000040001", "name": "Affordable Medicines",
            "medical_program_settings": {"multi_medication_dispense_allowed": true},
        },
    });
    assert_eq!(shown, expected);
}

/// Rule Q-11.
#[test]
fn a_plan_has_no_days_of_dispensing() {
    let mut plan = request();
    plan["intent"] = "plan".into();
    for absent in ["dispense_valid_from", "dispense_valid_to", "medical_program_id"] {
        plan[absent] = Value::Null;
    }
    let shown = shown(evidence(&plan), Dispensing::default(), Side::Whole);
    assert_eq!(shown["intent"], "plan");
    for absent in ["dispense_valid_from", "dispense_valid_to"] {
        assert!(!names(&shown).contains(&absent), "{absent}");
    }
}

#[test]
fn a_request_without_a_program_has_no_such_member() {
    let mut request = request();
    request["medical_program_id"] = Value::Null;
    let evidence = RequestEvidence { program: None, ..evidence(&request) };
    let shown = shown(evidence, Dispensing::default(), Side::Whole);
    assert!(!names(&shown).contains(&"medical_program"));
}

#[test]
fn what_was_prescribed_and_what_remains_comes_from_the_log() {
    let evidence = evidence(&request());
    let held = evolve(Dispensing::default(), &full().event);
    let info = &shown(evidence.clone(), held.clone(), Side::Whole)["medication_info"];
    assert_eq!(
        (&info["medication_qty"], &info["medication_remaining_qty"]),
        (&json!(60), &json!(60))
    );
    let handed_over = evolve(held, &processed().event);
    let shown = shown(evidence, handed_over, Side::Whole);
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["medication_info"]["medication_remaining_qty"], json!(29.5));
}

#[test]
fn a_request_of_which_nothing_remains_is_completed_whatever_its_registry_says() {
    let mut event = serde_json::to_value(&full().event).unwrap();
    event["prescribed"] = "30.5".into();
    let hold = serde_json::from_value(event).unwrap();
    let dispensing = [hold, processed().event].iter().fold(Dispensing::default(), evolve);
    let shown = shown(evidence(&request()), dispensing, Side::Whole);
    assert_eq!(shown["status"], "COMPLETED");
    assert_eq!(shown["medication_info"]["medication_remaining_qty"], 0);
}

#[test]
fn nobody_reads_the_code_or_more_of_persons_than_is_listed() {
    let requested = requested(evidence(&request()), Dispensing::default());
    let document = medication_request(&requested, Side::Whole).unwrap();
    let secrets = [
        "4711",
        "verification_code",
        "Oksana",
        "Petrivna",
        "1964",
        "1971",
        "tax",
        "1234567890",
        "AB1",
    ];
    for secret in secrets {
        assert!(!document.get().contains(secret), "{secret}");
    }
}

/// Rule Q-12.
#[test]
fn a_reference_that_leads_nowhere_is_said() {
    let broken: [fn(&mut RequestEvidence); 4] = [
        |it| it.person = None,
        |it| it.medication = None,
        |it| it.program = None,
        |it| it.doctor = None,
    ];
    for breaking in broken {
        let mut evidence = evidence(&request());
        breaking(&mut evidence);
        let error = medication_request(&requested(evidence, Dispensing::default()), Side::Whole)
            .unwrap_err();
        assert_eq!(error.to_string(), "Could not load remote reference for medication_request");
        assert!(matches!(error, DocumentError::BrokenReference(_)));
    }
}

#[test]
fn where_the_prescriber_is_not_shown_nobody_looks_for_it() {
    let evidence = RequestEvidence {
        employee: None,
        doctor: None,
        legal_entity: None,
        division: None,
        ..evidence(&request())
    };
    let shown = shown(evidence.clone(), Dispensing::default(), Side::WithoutPrescriber);
    for absent in ["legal_entity", "division", "employee"] {
        assert!(!names(&shown).contains(&absent), "{absent}");
    }
    let whole = medication_request(&requested(evidence, Dispensing::default()), Side::Whole);
    assert!(matches!(whole, Err(DocumentError::BrokenReference(_))));
}
