//! What is written down of a hold: all that was known, each thing in its place.

use serde_json::{Value, json};

use crate::sample::{
    BRAND, DOSAGE, OUTLET, PARTICIPANT, PHARMACY, PROGRAM, REQUEST, SUBSTANCE, Scene, all_in_order,
    day, hryvnias, id, record, text, uuid,
};

const OTHER_PROGRAM: u128 = 0x4_0002;

/// Every member of every record says something of its own.
fn all_known() -> Scene {
    let mut scene = all_in_order();
    let item = &mut scene.hold.items[0];
    item.unit_price = Some(hryvnias("18.65"));
    item.total_price = Some(hryvnias("1119"));
    item.discount_amount = Some(hryvnias("300"));
    item.batch_number = Some(text("B7"));
    item.expiry_date = Some(day("2027-12-31"));
    scene.hold.dispensed_on = day("2026-03-09");
    let evidence = &mut scene.sight.evidence;
    evidence.program = Some(record(&json!({
        "id": uuid(PROGRAM), "name": "Affordable Medicines", "type": "MEDICATION",
        "is_active": true, "funding_source": "NHS", "medication_request_allowed": true,
        "medication_dispense_allowed": false, "mr_blank_type": "F-1",
        "medical_program_settings": {
            "care_plan_required": false, "medical_program_change_on_dispense_allowed": true
        }
    })));
    evidence.medications = vec![Some(record(&json!({
        "id": uuid(BRAND), "name": "Siofor 500", "type": "BRAND", "form": "COATED_TABLET",
        "manufacturer": {"name": "Berlin-Chemie", "country": "DE"},
        "container": {"numerator_unit": "PILL"}, "package_qty": 30, "package_min_qty": 10,
        "ingredients": [{"medication_child_id": uuid(DOSAGE), "is_primary": true}]
    })))];
    evidence.participants = vec![vec![record(&json!({
        "id": uuid(PARTICIPANT), "medication_id": uuid(BRAND), "medical_program_id": uuid(PROGRAM),
        "reimbursement": {"type": "FIXED", "reimbursement_amount": 150.50}
    }))]];
    evidence.division = Some(record(&json!({
        "id": uuid(OUTLET), "legal_entity_id": uuid(PHARMACY), "name": "Apteka No 7",
        "type": "DRUGSTORE", "status": "ACTIVE", "dls_id": "28-1234", "dls_verified": false
    })));
    let found = evidence.request.as_mut().unwrap();
    found.request = record(&json!({
        "id": uuid(REQUEST), "request_number": "0000-1234-AEHK-MPTX", "status": "ACTIVE",
        "category": "community", "created_at": "2026-03-01", "started_at": "2026-03-02",
        "ended_at": "2026-05-29", "dispense_valid_from": "2026-03-03",
        "dispense_valid_to": "2026-03-30", "person_id": uuid(0x7_0001),
        "employee_id": uuid(0x7_0002), "division_id": uuid(0x7_0003),
        "legal_entity_id": uuid(0x7_0004), "medication_id": uuid(DOSAGE), "medication_qty": 60.0,
        "medical_program_id": uuid(OTHER_PROGRAM)
    }));
    found.medication = Some(record(&json!({
        "id": uuid(DOSAGE), "name": "Metformin 500 mg", "type": "INNM_DOSAGE", "form": "TABLET",
        "ingredients": [
            {"innm_child_id": uuid(0x5_0009), "dosage": {"numerator_value": 1}},
            {"innm_child_id": uuid(SUBSTANCE), "is_primary": true, "dosage": {
                "numerator_unit": "MG", "numerator_value": 500.50,
                "denumerator_unit": "PILL", "denumerator_value": 1
            }}
        ]
    })));
    found.program = Some(record(&json!({"id": uuid(OTHER_PROGRAM), "name": "Diabetes"})));
    scene
}

/// The event as the log would hold it.
fn written(scene: &Scene) -> Value {
    let text = serde_json::to_string(&scene.granted()[0]).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_hold_keeps_who_where_and_when() {
    let scene = all_known();
    let mut event = written(&scene);
    for part in ["items", "medication_request", "medical_program", "personal"] {
        assert!(event.as_object_mut().unwrap().remove(part).is_some(), "{part}");
    }
    assert_eq!(
        event,
        json!({
            "type": "HoldCreated", "dispense_id": scene.hold.dispense_id,
            "key_digest": scene.hold.key_digest, "request_digest": scene.hold.request_digest(),
            "processed_at_once": false, "prescribed": "60", "expires_at": "2026-03-10T10:10:00Z",
            "party_id": uuid(0x6_0002), "employee_id": uuid(0x6_0003),
            "legal_entity_id": uuid(PHARMACY), "dispensed_on": "2026-03-09",
            "division": {
                "id": uuid(OUTLET), "name": "Apteka No 7", "legal_entity_id": uuid(PHARMACY),
                "type": "DRUGSTORE", "status": "ACTIVE", "dls_id": "28-1234", "dls_verified": false
            }
        })
    );
}

#[test]
fn a_hold_keeps_the_program_as_it_was() {
    assert_eq!(
        written(&all_known())["medical_program"],
        json!({
            "id": uuid(PROGRAM), "name": "Affordable Medicines", "type": "MEDICATION",
            "is_active": true, "funding_source": "NHS", "medication_request_allowed": true,
            "medication_dispense_allowed": false, "mr_blank_type": "F-1",
            "settings": {
                "care_plan_required": false, "medical_program_change_on_dispense_allowed": true
            }
        })
    );
    let outside = written(&all_known().but(Scene::without_program));
    assert!(outside.get("medical_program").is_none());
}

#[test]
fn a_hold_keeps_each_item_with_its_price_and_its_package() {
    let scene = all_known();
    assert_eq!(
        written(&scene)["items"],
        json!([{
            "id": scene.hold.dispense_id.item_id(0),
            "medication": {
                "id": uuid(BRAND), "name": "Siofor 500", "type": "BRAND", "form": "COATED_TABLET",
                "manufacturer": {"name": "Berlin-Chemie", "country": "DE"},
                "container": {"numerator_unit": "PILL"}
            },
            "quantity": "60", "unit_price": "18.65", "total_price": "1119",
            "discount_amount": "300", "reimbursement_amount": "150.5",
            "program_medication_id": uuid(PARTICIPANT), "package_qty": "30", "step": "10",
            "batch_number": "B7", "expiry_date": "2027-12-31"
        }])
    );
}

#[test]
fn a_hold_keeps_the_medication_request_as_it_was() {
    assert_eq!(
        written(&all_known())["medication_request"],
        json!({
            "id": uuid(REQUEST), "status": "ACTIVE", "request_number": "0000-1234-AEHK-MPTX",
            "intent": "order", "category": "community", "created_at": "2026-03-01",
            "started_at": "2026-03-02", "ended_at": "2026-05-29",
            "dispense_valid_from": "2026-03-03", "dispense_valid_to": "2026-03-30",
            "person_id": uuid(0x7_0001), "employee_id": uuid(0x7_0002),
            "division_id": uuid(0x7_0003), "legal_entity_id": uuid(0x7_0004), "remaining": "60",
            "medication": {
                "id": uuid(DOSAGE), "name": "Metformin 500 mg", "form": "TABLET",
                "dosage": {
                    "numerator_unit": "MG", "numerator_value": "500.5",
                    "denumerator_unit": "PILL", "denumerator_value": "1"
                },
                "innm_id": uuid(SUBSTANCE)
            },
            "medical_program_id": uuid(OTHER_PROGRAM),
            "medical_program": {
                "id": uuid(OTHER_PROGRAM), "name": "Diabetes", "is_active": true, "settings": {}
            }
        })
    );
}

/// A program that stands beside already is not written a second time.
#[test]
fn the_program_of_the_request_is_named_and_not_repeated() {
    let mut scene = all_known();
    let program = scene.sight.evidence.program.clone();
    let found = scene.sight.evidence.request.as_mut().unwrap();
    found.program = program;
    std::sync::Arc::make_mut(&mut found.request).medical_program_id = Some(id(PROGRAM));
    let request = &written(&scene)["medication_request"];
    assert_eq!(request["medical_program_id"], uuid(PROGRAM));
    assert!(request.get("medical_program").is_none());
}

/// Items stay in the order in which they were asked for.
#[test]
fn items_keep_their_order() {
    let scene = all_in_order().but(|it| it.wants(&["10", "30", "20"]));
    let written = written(&scene);
    let quantities: Vec<_> = written["items"].as_array().unwrap().iter().collect();
    for (index, (item, quantity)) in quantities.into_iter().zip(["10", "30", "20"]).enumerate() {
        assert_eq!(item["quantity"], quantity);
        assert_eq!(item["id"], json!(scene.hold.dispense_id.item_id(index)));
    }
}

/// The medication request, its people and its registry stay where they are; only ids go along.
#[test]
fn a_hold_belongs_to_the_asker() {
    let mut scene = all_known();
    scene.asks(crate::sample::OTHER_PHARMACY, "first");
    scene.outlet().legal_entity_id = id(crate::sample::OTHER_PHARMACY);
    assert_eq!(written(&scene)["legal_entity_id"], uuid(crate::sample::OTHER_PHARMACY));
}
