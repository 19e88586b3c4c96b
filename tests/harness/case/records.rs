//! The registry lines of the common fixture.

use chrono::Days;
use dispense_signing::development::Holder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::Pharmacy;
use super::{id, kyiv_today, tomorrow, yesterday};

/// A line, and the name by which a case knows it.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) data: Value,
}

/// The pharmacy of the fixture, or the `other ` one.
pub(super) fn pharmacy(seed: Uuid, whose: &str) -> Pharmacy {
    let of = |what: &str| id(seed, &format!("{whose}{what}"));
    let pharmacist = Holder {
        tax_id: "2953710241".to_owned(),
        surname: "Шевчук".to_owned(),
        given_name: "Марія".to_owned(),
    };
    Pharmacy::new(of("user"), of("party"), of("company"), of("division")).of_person(pharmacist)
}

/// Everything that a dispense needs.
pub(super) fn fixture(seed: Uuid) -> Vec<Record> {
    let record = |name, kind, data| Record { name, kind, data };
    let mut all = clinic(seed);
    all.extend(medicines(seed));
    let names = ["company", "division", "party", "account", "job", "contract", "provision"];
    all.extend(of_pharmacy(seed, "", names));
    let names = [
        "other company",
        "other division",
        "other party",
        "other account",
        "other job",
        "other contract",
        "other provision",
    ];
    all.extend(of_pharmacy(seed, "other ", names));
    all.push(record(
        "patient",
        "person",
        json!({
        "id": id(seed, "patient"), "first_name": "Оксана", "last_name": "Коваль",
        "second_name": "Петрівна", "birth_date": "1961-05-04"}),
    ));
    all.push(record("request", "medication_request", request(seed)));
    all
}

fn request(seed: Uuid) -> Value {
    let of = |name: &str| id(seed, name);
    json!({
        "id": of("request"), "status": "ACTIVE", "is_active": true,
        "intent": "order", "category": "community", "created_at": yesterday(),
        "started_at": yesterday(), "ended_at": tomorrow(), "dispense_valid_from": yesterday(),
        "dispense_valid_to": tomorrow(), "person_id": of("patient"),
        "employee_id": of("doctor's job"), "division_id": of("site"),
        "legal_entity_id": of("clinic"), "medication_id": of("dosage"), "medication_qty": 10,
        "medical_program_id": of("program"),
        "dosage_instruction": [{"sequence": 1, "text": "one in the morning"}],
    })
}

#[rustfmt::skip]
fn clinic(seed: Uuid) -> Vec<Record> {
    let of = |name: &str| id(seed, name);
    vec![
        Record { name: "clinic", kind: "legal_entity", data: json!({
            "id": of("clinic"), "name": "Поліклініка № 1", "type": "MSP", "status": "ACTIVE",
            "edrpou": "30000001", "nhs_verified": true}) },
        Record { name: "site", kind: "division", data: json!({
            "id": of("site"), "legal_entity_id": of("clinic"), "name": "Поліклініка",
            "type": "CLINIC", "status": "ACTIVE"}) },
        Record { name: "doctor", kind: "party", data: json!({
            "id": of("doctor"), "first_name": "Іван", "last_name": "Гнатюк",
            "birth_date": "1975-01-31", "tax_id": "2745810237"}) },
        Record { name: "doctor's job", kind: "employee", data: json!({
            "id": of("doctor's job"), "party_id": of("doctor"), "legal_entity_id": of("clinic"),
            "division_id": of("site"), "employee_type": "DOCTOR", "status": "APPROVED",
            "position": "P7"}) },
    ]
}

/// Dosage D, brand B of it in packages of 30 that divide into tens, and program P, which pays 150
/// for a package.
#[rustfmt::skip]
fn medicines(seed: Uuid) -> Vec<Record> {
    let of = |name: &str| id(seed, name);
    let dosage = json!({"numerator_unit": "MG", "numerator_value": 10,
        "denumerator_unit": "PILL", "denumerator_value": 1});
    vec![
        Record { name: "substance", kind: "medication", data: json!({
            "id": of("substance"), "name": "Амлодипін", "type": "INNM"}) },
        Record { name: "dosage", kind: "medication", data: json!({
            "id": of("dosage"), "name": "Амлодипін 10 мг", "type": "INNM_DOSAGE", "form": "PILL",
            "is_active": true, "package_min_qty": 1, "ingredients": [
                {"innm_child_id": of("substance"), "is_primary": true, "dosage": dosage}]}) },
        Record { name: "brand", kind: "medication", data: json!({
            "id": of("brand"), "name": "Амлодис", "type": "BRAND", "form": "PILL",
            "is_active": true, "package_qty": 30, "package_min_qty": 10,
            "manufacturer": {"name": "Фармак", "country": "UA"}, "ingredients": [
                {"medication_child_id": of("dosage"), "is_primary": true, "dosage": dosage}]}) },
        Record { name: "program", kind: "medical_program", data: json!({
            "id": of("program"), "name": "Доступні ліки", "type": "MEDICATION", "is_active": true,
            "funding_source": "NHS", "medication_request_allowed": true,
            "medication_dispense_allowed": true, "medical_program_settings": {}}) },
        Record { name: "participant", kind: "program_medication", data: json!({
            "id": of("participant"), "medication_id": of("brand"),
            "medical_program_id": of("program"), "is_active": true,
            "reimbursement": {"type": "FIXED", "reimbursement_amount": 150},
            "start_date": kyiv_today() - Days::new(300)}) },
    ]
}

/// A company with an outlet, a pharmacist, and a contract for program P.
#[rustfmt::skip]
fn of_pharmacy(seed: Uuid, whose: &str, names: [&'static str; 7]) -> Vec<Record> {
    let of = |name: &str| id(seed, name);
    let Pharmacy { user, party, legal_entity, division, person, .. } = pharmacy(seed, whose);
    let [company, outlet, pharmacist, account, job, contract, provision] = names;
    let number = of(contract);
    vec![
        Record { name: company, kind: "legal_entity", data: json!({
            "id": legal_entity, "name": "Аптечна мережа", "type": "PHARMACY", "status": "ACTIVE",
            "is_active": true, "edrpou": "30000002", "nhs_verified": true}) },
        Record { name: outlet, kind: "division", data: json!({
            "id": division, "legal_entity_id": legal_entity, "name": "Аптека № 7",
            "type": "DRUGSTORE", "status": "ACTIVE", "is_active": true, "dls_id": "2311",
            "dls_verified": true}) },
        Record { name: pharmacist, kind: "party", data: json!({
            "id": party, "first_name": person.given_name, "last_name": person.surname,
            "second_name": "Іванівна", "birth_date": "1980-11-12", "tax_id": person.tax_id}) },
        Record { name: account, kind: "party_user", data: json!({
            "user_id": user, "party_id": party}) },
        Record { name: job, kind: "employee", data: json!({
            "id": of(job), "party_id": party, "legal_entity_id": legal_entity,
            "division_id": division, "employee_type": "PHARMACIST", "status": "APPROVED",
            "is_active": true}) },
        Record { name: contract, kind: "contract", data: json!({
            "id": of(contract), "type": "REIMBURSEMENT", "contract_number": number,
            "status": "VERIFIED", "is_active": true, "is_suspended": false,
            "start_date": kyiv_today() - Days::new(300), "end_date": kyiv_today() + Days::new(60),
            "contractor_legal_entity_id": legal_entity, "medical_programs": [of("program")],
            "division_ids": [division]}) },
        Record { name: provision, kind: "medical_program_provision", data: json!({
            "id": of(provision), "medical_program_id": of("program"), "division_id": division,
            "contract_number": number, "is_active": true}) },
    ]
}
