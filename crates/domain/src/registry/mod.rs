//! What the registries say: one record for each kind of line, and the name of each kind.
//!
//! Members are those of the register, in snake case. A member that a record does not name is
//! refused, so that a misspelt one is noticed; members that only describe are carried as they are.

mod based_on;
mod medicines;
mod organisations;
mod programs;
mod requests;

pub use based_on::BasedOn;
pub use medicines::{Dosage, Ingredient, Manufacturer, Medication, MedicationType};
pub use organisations::{
    Contract, ContractStatus, Division, DivisionStatus, Employee, EmployeeStatus,
    HealthcareService, LegalEntity, LegalEntityStatus, LicensedService, Party, PartyUser,
};
pub(crate) use programs::funded_elsewhere;
pub use programs::{
    Channel, MedicalProgram, MedicalProgramProvision, ProgramMedication, ProgramSettings,
    Reimbursement,
};
pub use requests::{
    CarePlan, CarePlanActivity, Intent, MedicationRequest, Period, Person, RequestStatus,
};

use serde::{Deserialize, Serialize};

/// The kinds of registry lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is the name of its record")]
pub enum RegistryKind {
    LegalEntity,
    Division,
    HealthcareService,
    Party,
    PartyUser,
    Employee,
    Contract,
    MedicalProgram,
    MedicalProgramProvision,
    Medication,
    ProgramMedication,
    Person,
    MedicationRequest,
    CarePlan,
    CarePlanActivity,
}

impl RegistryKind {
    /// Every kind, in the order in which a registry is best loaded.
    pub const ALL: [Self; 15] = [
        Self::LegalEntity,
        Self::Division,
        Self::HealthcareService,
        Self::Party,
        Self::PartyUser,
        Self::Employee,
        Self::Medication,
        Self::MedicalProgram,
        Self::ProgramMedication,
        Self::Contract,
        Self::MedicalProgramProvision,
        Self::Person,
        Self::CarePlan,
        Self::CarePlanActivity,
        Self::MedicationRequest,
    ];

    /// The name on the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LegalEntity => "legal_entity",
            Self::Division => "division",
            Self::HealthcareService => "healthcare_service",
            Self::Party => "party",
            Self::PartyUser => "party_user",
            Self::Employee => "employee",
            Self::Contract => "contract",
            Self::MedicalProgram => "medical_program",
            Self::MedicalProgramProvision => "medical_program_provision",
            Self::Medication => "medication",
            Self::ProgramMedication => "program_medication",
            Self::Person => "person",
            Self::MedicationRequest => "medication_request",
            Self::CarePlan => "care_plan",
            Self::CarePlanActivity => "care_plan_activity",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// For `is_active`: a record that does not say is active.
const fn yes() -> bool {
    true
}
