//! A small registry: one record of each kind, and a dispense.

use chrono::{DateTime, Utc};
use dispensary::{Line, Origin};
use dispense_domain::{DispenseEvent, MedicationRequestId, Partitions};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::{Database, partitions};

pub(crate) const PHARMACY: Uuid = Uuid::from_u128(0xA1);
pub(crate) const DIVISION: Uuid = Uuid::from_u128(0xA2);
pub(crate) const PARTY: Uuid = Uuid::from_u128(0xA3);
pub(crate) const USER: Uuid = Uuid::from_u128(0xA4);
pub(crate) const EMPLOYEE: Uuid = Uuid::from_u128(0xA5);
pub(crate) const DOSAGE: Uuid = Uuid::from_u128(0xA6);
pub(crate) const PROGRAM: Uuid = Uuid::from_u128(0xA7);
pub(crate) const PARTICIPANT: Uuid = Uuid::from_u128(0xA8);
pub(crate) const PERSON: Uuid = Uuid::from_u128(0xA9);
pub(crate) const CARE_PLAN: Uuid = Uuid::from_u128(0xB0);
pub(crate) const ACTIVITY: Uuid = Uuid::from_u128(0xB1);
pub(crate) const REQUEST: Uuid = Uuid::from_u128(0xB2);
pub(crate) const SERVICE: Uuid = Uuid::from_u128(0xB3);
pub(crate) const CONTRACT: Uuid = Uuid::from_u128(0xB4);
pub(crate) const PROVISION: Uuid = Uuid::from_u128(0xB5);

/// One good line of each kind.
pub(crate) fn all_kinds() -> Vec<Value> {
    vec![
        json!({"kind": "legal_entity", "data": {"id": PHARMACY, "name": "Аптека № 1",
            "type": "PHARMACY", "status": "ACTIVE", "license": {"id": 1}}}),
        json!({"kind": "division", "data": {"id": DIVISION, "legal_entity_id": PHARMACY,
            "name": "Хрещатик", "type": "DRUGSTORE", "status": "ACTIVE", "dls_verified": true}}),
        json!({"kind": "healthcare_service", "data": {"id": SERVICE, "division_id": DIVISION,
            "legal_entity_id": PHARMACY, "status": "ACTIVE", "type": "SALE",
            "licensed_healthcare_service": {"status": "ACTIVE"}}}),
        party("Коваль"),
        json!({"kind": "party_user", "data": {"user_id": USER, "party_id": PARTY}}),
        json!({"kind": "employee", "data": {"id": EMPLOYEE, "party_id": PARTY,
            "legal_entity_id": PHARMACY, "division_id": DIVISION, "employee_type": "PHARMACIST",
            "status": "APPROVED"}}),
        json!({"kind": "contract", "data": {"id": CONTRACT, "type": "REIMBURSEMENT",
            "contract_number": "0000-AAAA-0001", "status": "VERIFIED", "start_date": "2025-01-01",
            "end_date": "2026-12-31", "contractor_legal_entity_id": PHARMACY,
            "division_ids": [DIVISION]}}),
        json!({"kind": "medical_program", "data": {"id": PROGRAM, "name": "Доступні ліки",
            "medical_program_settings": {"multi_medication_dispense_allowed": true}}}),
        json!({"kind": "medical_program_provision", "data": {"id": PROVISION,
            "medical_program_id": PROGRAM, "division_id": DIVISION,
            "contract_number": "0000-AAAA-0001"}}),
        json!({"kind": "medication", "data": {"id": DOSAGE, "name": "Метформін 500 мг",
            "type": "INNM_DOSAGE", "form": "TABLET"}}),
        json!({"kind": "program_medication", "data": {"id": PARTICIPANT, "medication_id": DOSAGE,
            "medical_program_id": PROGRAM,
            "reimbursement": {"type": "FIXED", "reimbursement_amount": 16.56}}}),
        json!({"kind": "person", "data": {"id": PERSON, "first_name": "Олена",
            "last_name": "Шевченко", "second_name": null, "birth_date": "1980-05-01"}}),
        json!({"kind": "care_plan", "data": {"id": CARE_PLAN, "person": PERSON,
            "status": "active", "period": {"start": "2025-01-01"}}}),
        json!({"kind": "care_plan_activity", "data": {"id": ACTIVITY, "care_plan_id": CARE_PLAN,
            "kind": "medication_request", "status": "scheduled", "quantity": 90}}),
        request(REQUEST),
    ]
}

/// A party of that surname.
pub(crate) fn party(last_name: &str) -> Value {
    json!({"kind": "party", "data": {"id": PARTY, "first_name": "Іван", "last_name": last_name,
        "tax_id": "3126509816", "documents": [{"type": "PASSPORT"}]}})
}

/// A medication request for thirty tablets.
pub(crate) fn request(id: Uuid) -> Value {
    json!({"kind": "medication_request", "data": {"id": id,
        "request_number": "0000-243P-1X53-EH38", "status": "ACTIVE", "person_id": PERSON,
        "employee_id": EMPLOYEE, "division_id": DIVISION, "legal_entity_id": PHARMACY,
        "medication_id": DOSAGE, "medication_qty": 30, "medical_program_id": PROGRAM,
        "verification_code": "1234"}})
}

/// The same line with another member.
pub(crate) fn with(line: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut line = line.clone();
    line["data"][member] = value.into();
    line
}

/// Numbered lines.
pub(crate) fn lines(texts: impl IntoIterator<Item = impl ToString>) -> Vec<Line> {
    let numbered = (1..).zip(texts);
    numbered.map(|(number, text)| Line { number, bytes: text.to_string().into_bytes() }).collect()
}

/// Who imports.
pub(crate) fn importer() -> Origin {
    Origin {
        user: USER.into(),
        client: Some(PHARMACY.into()),
        client_type: None,
        request_id: "test".into(),
        traceparent: None,
    }
}

/// A hold of ten tablets under `request`, as the log has it.
pub(crate) fn held(request: Uuid, dispense: Uuid, expires_at: DateTime<Utc>) -> DispenseEvent {
    let digest = "11".repeat(32);
    serde_json::from_value(json!({
        "type": "HoldCreated", "dispense_id": dispense, "key_digest": digest,
        "request_digest": digest, "processed_at_once": false, "prescribed": "30",
        "expires_at": expires_at, "party_id": PARTY, "employee_id": EMPLOYEE,
        "legal_entity_id": PHARMACY, "dispensed_on": "2026-01-31", "personal": digest,
        "division": {"id": DIVISION, "name": "Хрещатик", "legal_entity_id": PHARMACY,
            "type": "DRUGSTORE", "status": "ACTIVE"},
        "items": [{"id": Uuid::nil(), "quantity": "10", "reimbursement_amount": "0",
            "medication": {"id": Uuid::from_u128(0xC0), "name": "Глюкофаж", "type": "BRAND"}}],
        "medication_request": {"id": request, "status": "ACTIVE", "intent": "order",
            "person_id": PERSON, "employee_id": EMPLOYEE, "division_id": DIVISION,
            "legal_entity_id": PHARMACY, "medication": {"id": DOSAGE, "name": "Метформін"},
            "remaining": "30"},
    }))
    .unwrap()
}

/// The hand-over of that dispense.
pub(crate) fn processed(dispense: Uuid) -> DispenseEvent {
    serde_json::from_value(json!({
        "type": "Processed", "dispense_id": dispense, "signed": true, "remaining": "20",
    }))
    .unwrap()
}

/// The end of that dispense without a hand-over.
pub(crate) fn cancelled(dispense: Uuid) -> DispenseEvent {
    let digest = "22".repeat(32);
    serde_json::from_value(json!({
        "type": "Cancelled", "dispense_id": dispense, "key_digest": digest,
        "request_digest": digest,
    }))
    .unwrap()
}

/// Writes events into the log as they are, hash and all left aside: nothing here reads those.
pub(crate) async fn append(database: &Database, request: Uuid, events: &[DispenseEvent]) {
    for event in events {
        sqlx::query(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
                 payload, metadata, partition, position, event_id, dispense_id, recorded_at, hash)
             SELECT 'dispense', $1::text, count(*) FILTER (WHERE aggregate_id = $1::text) + 1, $2,
                    $3, $4::json, '{}', $5, count(*) + 1, $6, $7, clock_timestamp(), $8
             FROM events WHERE partition = $5",
        )
        .bind(request.to_string())
        .bind(event.name())
        .bind(event.version())
        .bind(serde_json::to_string(event).unwrap())
        .bind(partition_of(request).cast_signed())
        .bind(event.dispense_id().event_id(event.name()))
        .bind(event.dispense_id().uuid())
        .bind([0_u8; 32])
        .execute(&database.admin)
        .await
        .unwrap();
    }
}

pub(crate) fn partition_of(request: Uuid) -> u16 {
    let partitions: Partitions = partitions();
    partitions.of_request(MedicationRequestId::from(request))
}
