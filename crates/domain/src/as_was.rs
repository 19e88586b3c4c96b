//! Registry records as an event keeps them.

use crate::registry::{
    Division, Dosage, MedicalProgram, Medication, MedicationRequest, RequestStatus,
};
use crate::{
    DivisionAsWas, DosageAsWas, MedicationAsWas, PrescribedMedication, ProgramAsWas, Remaining,
    RequestAsWas,
};

impl RequestAsWas {
    /// The record with what it points at. `medical_program` is the one that the doctor chose, where
    /// nothing beside says it.
    #[must_use]
    pub fn of(
        request: &MedicationRequest,
        status: RequestStatus,
        medication: &Medication,
        remaining: Remaining,
        medical_program: Option<ProgramAsWas>,
    ) -> Self {
        Self {
            id: request.id,
            status,
            request_number: request.request_number.clone(),
            intent: request.intent,
            category: request.category.clone(),
            created_at: request.created_at,
            started_at: request.started_at,
            ended_at: request.ended_at,
            dispense_valid_from: request.dispense_valid_from,
            dispense_valid_to: request.dispense_valid_to,
            person_id: request.person_id,
            employee_id: request.employee_id,
            division_id: request.division_id,
            legal_entity_id: request.legal_entity_id,
            medication: medication.into(),
            remaining,
            medical_program_id: request.medical_program_id,
            medical_program,
        }
    }
}

impl From<&Medication> for PrescribedMedication {
    fn from(medication: &Medication) -> Self {
        let primary = medication.primary_ingredient();
        Self {
            id: medication.id,
            name: medication.name.clone(),
            form: medication.form.clone(),
            dosage: primary
                .and_then(|ingredient| ingredient.dosage.as_ref())
                .map(DosageAsWas::from),
            innm_id: primary.and_then(|ingredient| ingredient.innm_child_id),
        }
    }
}

impl From<&Medication> for MedicationAsWas {
    fn from(medication: &Medication) -> Self {
        Self {
            id: medication.id,
            name: medication.name.clone(),
            kind: medication.kind,
            manufacturer: medication.manufacturer.clone(),
            form: medication.form.clone(),
            container: medication.container.clone(),
        }
    }
}

impl From<&MedicalProgram> for ProgramAsWas {
    fn from(program: &MedicalProgram) -> Self {
        Self {
            id: program.id,
            name: program.name.clone(),
            kind: program.kind.clone(),
            is_active: program.is_active,
            medication_request_allowed: program.medication_request_allowed,
            medication_dispense_allowed: program.medication_dispense_allowed,
            mr_blank_type: program.mr_blank_type.clone(),
            funding_source: program.funding_source.clone(),
            settings: program.medical_program_settings.clone(),
        }
    }
}

impl From<&Division> for DivisionAsWas {
    fn from(division: &Division) -> Self {
        Self {
            id: division.id,
            name: division.name.clone(),
            legal_entity_id: division.legal_entity_id,
            kind: division.kind.clone(),
            status: division.status,
            dls_id: division.dls_id.clone(),
            dls_verified: division.dls_verified,
        }
    }
}

impl From<&Dosage> for DosageAsWas {
    fn from(dosage: &Dosage) -> Self {
        Self {
            numerator_unit: dosage.numerator_unit.clone(),
            numerator_value: dosage.numerator_value,
            denumerator_unit: dosage.denumerator_unit.clone(),
            denumerator_value: dosage.denumerator_value,
        }
    }
}
