//! One pharmacy, one patient, and medication requests for thirty tablets.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use dispensary::{Registries, RequestRecords, Signer};
use dispense_domain::registry::{MedicationRequest, Person};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Within the days of dispensing; noon in Kyiv.
pub(in super::super) const NOW: &str = "2026-03-02T10:00:00.123456Z";

pub(in super::super) const USER: &str = "00000000-0000-4000-8000-000000000011";
pub(in super::super) const PHARMACY: &str = "00000000-0000-4000-8000-000000000022";
pub(in super::super) const OTHER_PHARMACY: &str = "00000000-0000-4000-8000-000000000023";
pub(in super::super) const DIVISION: &str = "00000000-0000-4000-8000-000000000033";
pub(in super::super) const PARTY: &str = "00000000-0000-4000-8000-000000000044";
pub(in super::super) const MEDICATION: &str = "00000000-0000-4000-8000-0000000000b1";
/// Thirty tablets, under no program.
pub(in super::super) const REQUEST: &str = "00000000-0000-4000-8000-0000000000e1";
/// Thirty tablets, under [`IN_PARTS`].
pub(in super::super) const REQUEST_IN_PARTS: &str = "00000000-0000-4000-8000-0000000000e2";
/// The number of [`REQUEST_IN_PARTS`].
pub(in super::super) const NUMBER: &str = "0000-243P-1X53-EH38";
/// Thirty tablets, under a program that no registry knows.
pub(in super::super) const BROKEN_REQUEST: &str = "00000000-0000-4000-8000-0000000000e3";
/// Thirty tablets that are planned, and not ordered.
pub(in super::super) const REQUEST_PLANNED: &str = "00000000-0000-4000-8000-0000000000e4";
/// A program that allows parts and asks for a signature.
pub(in super::super) const IN_PARTS: &str = "00000000-0000-4000-8000-0000000000f1";
/// A program that allows parts and asks for no signature.
pub(in super::super) const AT_ONCE: &str = "00000000-0000-4000-8000-0000000000f2";
/// A clinic.
pub(in super::super) const CLINIC: &str = "00000000-0000-4000-8000-000000000055";
/// [`MEDICATION`] in [`IN_PARTS`].
pub(in super::super) const PARTICIPANT: &str = "00000000-0000-4000-8000-0000000000a1";
/// What was prescribed: the dosage in [`MEDICATION`].
pub(in super::super) const DOSAGE: &str = "00000000-0000-4000-8000-0000000000d1";
/// The reimbursement contract of the pharmacy for [`IN_PARTS`].
pub(in super::super) const CONTRACT: &str = "00000000-0000-4000-8000-0000000000c1";
/// Its number.
pub(in super::super) const CONTRACT_NUMBER: &str = "0000-A123-K456-7890";
/// The patient.
pub(in super::super) const PERSON: &str = "00000000-0000-4000-8000-000000000066";

const PARTICIPANT_AT_ONCE: &str = "00000000-0000-4000-8000-0000000000a2";
const SUBSTANCE: &str = "00000000-0000-4000-8000-0000000000d0";
const DOCTOR: &str = "00000000-0000-4000-8000-000000000077";
const DOCTORS_PARTY: &str = "00000000-0000-4000-8000-000000000078";
const CLINIC_SITE: &str = "00000000-0000-4000-8000-000000000056";
/// The pharmacist's job.
pub(in super::super) const PHARMACIST: &str = "00000000-0000-4000-8000-000000000045";

pub(in super::super) const TAX_ID: &str = "2953710241";

/// The pharmacist, as a certificate says it.
pub(super) fn signer() -> Signer {
    Signer { tax_id: Some(TAX_ID.to_owned()), surname: Some("Shevchenko".to_owned()) }
}

/// A body that holds all thirty tablets.
pub(in super::super) fn hold() -> Value {
    json!({
        "prescriptionId": REQUEST,
        "pharmacyId": DIVISION,
        "dispensedAt": "2026-03-02",
        "items": [item(30)],
    })
}

/// A body that holds some of the tablets under a program that allows parts.
pub(in super::super) fn part(program: &str, tablets: u32) -> Value {
    json!({
        "prescriptionId": REQUEST_IN_PARTS,
        "pharmacyId": DIVISION,
        "programId": program,
        "dispensedAt": "2026-03-02",
        "items": [item(tablets)],
    })
}

/// What the sample's programs pay for those tablets, in whole cents.
pub(in super::super) fn paid_for(tablets: u32) -> f64 {
    (f64::from(tablets) * 3520.0 / 30.0).round() / 100.0
}

/// Some tablets of one brand.
pub(in super::super) fn item(tablets: u32) -> Value {
    json!({
        "medicineCode": MEDICATION,
        "quantityDispensed": tablets,
        "batchNumber": "A-17",
        "expiryDate": "2027-01-31",
        "unitPrice": 4.5,
        "totalPrice": 135.25,
        "discountAmount": paid_for(tablets),
    })
}

/// The records by their ids.
fn records<K, V, const N: usize>(records: [Value; N]) -> HashMap<K, Arc<V>>
where
    K: DeserializeOwned + Eq + Hash,
    V: DeserializeOwned,
{
    records.into_iter().map(|it| (read(&it["id"]), Arc::new(read(&it)))).collect()
}

/// A record of a registry.
pub(in super::super) fn read<T: DeserializeOwned>(record: &Value) -> T {
    // Through text, because exact numbers are read from text alone.
    serde_json::from_str(&record.to_string()).unwrap_or_else(|error| panic!("{error}: {record}"))
}

pub(super) fn registries() -> Registries {
    let legal_entity = |id: &str, name: &str, kind: &str| json!({"id": id, "name": name, "type": kind, "status": "ACTIVE"});
    let division = |id: &str, of: &str, kind: &str| json!({"id": id, "legal_entity_id": of, "name": "Pharmacy No. 7", "type": kind, "status": "ACTIVE", "dls_verified": true});
    let employee = |id: &str, party: &str, of: &str, kind: &str| json!({"id": id, "party_id": party, "legal_entity_id": of, "employee_type": kind, "status": "APPROVED"});
    let party = |id: &str, last: &str| json!({"id": id, "first_name": "Olena", "last_name": last, "second_name": "Petrivna", "tax_id": TAX_ID});
    let program = |id: &str, skips: bool| json!({"id": id, "name": "Affordable medicines", "medical_program_settings": {"multi_medication_dispense_allowed": true, "skip_medication_dispense_sign": skips, "skip_contract_provision_verify": skips, "medical_program_change_on_dispense_allowed": true}});
    let contract = json!({"id": CONTRACT, "type": "REIMBURSEMENT", "contract_number": CONTRACT_NUMBER, "status": "VERIFIED", "start_date": "2026-01-01", "end_date": "2026-12-31", "contractor_legal_entity_id": PHARMACY, "medical_program_id": IN_PARTS, "division_ids": [DIVISION]});
    let participant = |id: &str, program: &str| json!({"id": id, "medication_id": MEDICATION, "medical_program_id": program, "reimbursement": {"type": "FIXED", "reimbursement_amount": 35.2}});
    let medication = |id: &str, kind: &str, ingredients: Value| json!({"id": id, "name": "Amlodipine 5 mg", "type": kind, "form": "TABLET", "ingredients": ingredients, "package_qty": 30, "package_min_qty": 1});
    let dosage = json!({"numerator_unit": "MG", "numerator_value": 5, "denumerator_unit": "PILL", "denumerator_value": 1});
    let user = json!({"id": USER, "user_id": USER, "party_id": PARTY});
    let mut registries = Registries::default();
    registries.version = 1;
    registries.legal_entities = records([
        legal_entity(PHARMACY, "Health Ltd", "PHARMACY"),
        legal_entity(OTHER_PHARMACY, "Other Ltd", "PHARMACY"),
        legal_entity(CLINIC, "Clinic", "MSP"),
    ]);
    registries.divisions = records([
        division(DIVISION, PHARMACY, "DRUGSTORE"),
        division(CLINIC_SITE, CLINIC, "CLINIC"),
    ]);
    registries.parties = records([party(PARTY, "Shevchenko"), party(DOCTORS_PARTY, "Bondar")]);
    registries.party_users = records([user]);
    registries.employees = records([
        employee(PHARMACIST, PARTY, PHARMACY, "PHARMACIST"),
        employee(DOCTOR, DOCTORS_PARTY, CLINIC, "DOCTOR"),
    ]);
    registries.contracts = records([contract]);
    registries.medical_programs = records([program(IN_PARTS, false), program(AT_ONCE, true)]);
    registries.program_medications =
        records([participant(PARTICIPANT, IN_PARTS), participant(PARTICIPANT_AT_ONCE, AT_ONCE)]);
    registries.medications = records([
        medication(
            MEDICATION,
            "BRAND",
            json!([{"medication_child_id": DOSAGE, "is_primary": true, "dosage": dosage}]),
        ),
        medication(
            DOSAGE,
            "INNM_DOSAGE",
            json!([{"innm_child_id": SUBSTANCE, "is_primary": true, "dosage": dosage}]),
        ),
    ]);
    registries
}

fn person() -> Person {
    read(
        &json!({"id": PERSON, "first_name": "Ivan", "last_name": "Koval", "birth_date": "1961-05-04"}),
    )
}

/// What the large registries say.
pub(super) fn requests() -> Vec<RequestRecords> {
    let records = medication_requests().map(|request| RequestRecords {
        request: Arc::new(request),
        person: Some(Arc::new(person())),
        others: Vec::new(),
        care: None,
    });
    records.into()
}

fn medication_requests() -> [MedicationRequest; 4] {
    let nowhere = "00000000-0000-4000-8000-0000000000ff";
    [
        (REQUEST, Value::Null, Value::Null),
        (REQUEST_IN_PARTS, json!(NUMBER), json!(IN_PARTS)),
        (BROKEN_REQUEST, Value::Null, json!(nowhere)),
        (REQUEST_PLANNED, Value::Null, Value::Null),
    ]
    .map(|(id, number, program)| {
        read(&json!({
            "id": id,
            "request_number": number,
            "status": "ACTIVE",
            "intent": if id == REQUEST_PLANNED { "plan" } else { "order" },
            "created_at": "2026-03-01",
            "dispense_valid_from": "2026-03-01",
            "dispense_valid_to": "2026-03-31",
            "person_id": PERSON,
            "employee_id": DOCTOR,
            "division_id": CLINIC_SITE,
            "legal_entity_id": CLINIC,
            "medication_id": DOSAGE,
            "medication_qty": 30,
            "medical_program_id": program,
        }))
    })
}
