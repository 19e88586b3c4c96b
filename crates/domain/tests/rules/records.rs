//! Registry records of a world in which everything is in order.

use std::sync::Arc;

use dispense_domain::registry::{
    Contract, HealthcareService, MedicalProgram, Medication, MedicationRequest, ProgramMedication,
    ProgramSettings,
};
use dispense_domain::{Approved, Evidence, Provision, RequestEvidence, Terms};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::sample::{
    BRAND, DOSAGE, OUTLET, PARTICIPANT, PHARMACY, PROGRAM, REQUEST, SUBSTANCE, uuid,
};

/// A registry record, as a registry line would bring it.
pub(crate) fn record<T: DeserializeOwned>(data: &Value) -> Arc<T> {
    Arc::new(serde_json::from_str(&data.to_string()).unwrap())
}

/// Sixty tablets for one patient, to be dispensed in March.
pub(crate) fn sixty_tablets() -> Arc<MedicationRequest> {
    record(&json!({
        "id": uuid(REQUEST), "status": "ACTIVE", "created_at": "2026-03-01",
        "dispense_valid_from": "2026-03-01", "dispense_valid_to": "2026-03-30",
        "person_id": uuid(0x7_0001), "employee_id": uuid(0x7_0002), "division_id": uuid(0x7_0003),
        "legal_entity_id": uuid(0x7_0004), "medication_id": uuid(DOSAGE), "medication_qty": 60,
        "medical_program_id": uuid(PROGRAM)
    }))
}

pub(crate) fn request_evidence() -> RequestEvidence {
    RequestEvidence {
        request: sixty_tablets(),
        person: Some(record(&json!({
            "id": uuid(0x7_0001), "first_name": "Olena", "last_name": "Koval",
            "second_name": "Petrivna", "birth_date": "1960-03-01"
        }))),
        employee: Some(record(&json!({
            "id": uuid(0x7_0002), "party_id": uuid(0x7_0005), "legal_entity_id": uuid(0x7_0004),
            "employee_type": "DOCTOR", "status": "APPROVED"
        }))),
        doctor: Some(record(&json!({
            "id": uuid(0x7_0005), "first_name": "Ivan", "last_name": "Melnyk"
        }))),
        legal_entity: Some(record(&json!({
            "id": uuid(0x7_0004), "name": "Clinic No 1", "type": "MSP", "status": "ACTIVE"
        }))),
        division: Some(record(&json!({
            "id": uuid(0x7_0003), "legal_entity_id": uuid(0x7_0004), "name": "Clinic No 1, site 2",
            "type": "CLINIC", "status": "ACTIVE"
        }))),
        medication: Some(record(&json!({
            "id": uuid(DOSAGE), "name": "Metformin 500 mg", "type": "INNM_DOSAGE",
            "ingredients": [{
                "innm_child_id": uuid(SUBSTANCE), "is_primary": true,
                "dosage": {
                    "numerator_unit": "MG", "numerator_value": 500.50,
                    "denumerator_unit": "PILL", "denumerator_value": 1
                }
            }]
        }))),
        program: Some(program(ProgramSettings::default())),
        approved: Arc::new([Approved { participant: participant(), brand: brand() }]),
        others: Vec::new(),
        care: None,
    }
}

/// A program with those settings.
pub(crate) fn program(settings: ProgramSettings) -> Arc<MedicalProgram> {
    let mut program: Arc<MedicalProgram> =
        record(&json!({"id": uuid(PROGRAM), "name": "Affordable Medicines"}));
    Arc::make_mut(&mut program).medical_program_settings = settings.into();
    program
}

/// Parts may be dispensed.
pub(crate) fn in_parts() -> ProgramSettings {
    ProgramSettings { multi_medication_dispense_allowed: Some(true), ..ProgramSettings::default() }
}

/// Recorded at once, without signature.
pub(crate) fn without_signature() -> ProgramSettings {
    ProgramSettings { skip_medication_dispense_sign: Some(true), ..ProgramSettings::default() }
}

/// Thirty tablets in a package, ten in a blister.
pub(crate) fn brand() -> Arc<Medication> {
    record(&json!({
        "id": uuid(BRAND), "name": "Siofor 500", "type": "BRAND",
        "package_qty": 30, "package_min_qty": 10,
        "ingredients": [{"medication_child_id": uuid(DOSAGE), "is_primary": true}]
    }))
}

/// The program pays 150 for a package of that brand: 5 for a tablet.
pub(crate) fn participant() -> Arc<ProgramMedication> {
    record(&json!({
        "id": uuid(PARTICIPANT), "medication_id": uuid(BRAND), "medical_program_id": uuid(PROGRAM),
        "reimbursement": {"type": "FIXED", "reimbursement_amount": 150}
    }))
}

/// A contract for the program, this year, in which the outlet takes part.
pub(crate) fn contract() -> Arc<Contract> {
    record(&json!({
        "id": uuid(0x9_0001), "type": "REIMBURSEMENT", "contract_number": CONTRACT_NUMBER,
        "status": "VERIFIED", "start_date": "2026-01-01", "end_date": "2026-12-31",
        "contractor_legal_entity_id": uuid(PHARMACY), "medical_program_id": uuid(PROGRAM),
        "division_ids": [uuid(OUTLET)]
    }))
}

/// The number of that contract.
pub(crate) const CONTRACT_NUMBER: &str = "0000-AH12-2P34";

/// The outlet provides the program under that contract.
pub(crate) fn provision() -> Provision {
    Provision {
        record: record(&json!({
            "id": uuid(0x9_0002), "medical_program_id": uuid(PROGRAM), "division_id": uuid(OUTLET),
            "contract_number": CONTRACT_NUMBER
        })),
        contracts: Arc::new([contract()]),
    }
}

/// The outlet is licensed for that, by a licence of the type `PHARMACY`.
pub(crate) fn service(kind: &str) -> Arc<HealthcareService> {
    record(&json!({
        "id": uuid(0x9_0003), "legal_entity_id": uuid(PHARMACY), "division_id": uuid(OUTLET),
        "status": "ACTIVE", "type": kind, "license_type": "PHARMACY",
        "licensed_healthcare_service": {"status": "ACTIVE"}
    }))
}

/// What the registries say where everything is in order, whatever is asked for.
pub(crate) fn evidence() -> Evidence {
    Evidence {
        terms: Arc::new(Terms::default()),
        legal_entity: Some(record(&json!({
            "id": uuid(PHARMACY), "name": "Apteka Zdorovia", "type": "PHARMACY", "status": "ACTIVE",
            "nhs_verified": true
        }))),
        party: Some(record(&json!({
            "id": uuid(0x6_0002), "first_name": "Maria", "last_name": "Shevchuk"
        }))),
        employees: vec![record(&json!({
            "id": uuid(0x6_0003), "party_id": uuid(0x6_0002), "legal_entity_id": uuid(PHARMACY),
            "employee_type": "PHARMACIST", "status": "APPROVED"
        }))],
        division: Some(record(&json!({
            "id": uuid(OUTLET), "legal_entity_id": uuid(PHARMACY), "name": "Apteka No 7",
            "type": "DRUGSTORE", "status": "ACTIVE", "dls_verified": true
        }))),
        healthcare_services: Arc::new([service("SALE"), service("PRODUCTION")]),
        program: Some(program(ProgramSettings::default())),
        contracts: Arc::new([contract()]),
        provisions: Arc::new([provision()]),
        medications: vec![Some(brand())],
        participants: vec![vec![participant()]],
        request: Some(request_evidence()),
        wrong_codes: Vec::new(),
    }
}
