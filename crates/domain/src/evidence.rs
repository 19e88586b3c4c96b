//! What a decision may look at.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use rust_decimal::Decimal;

use crate::registry::{
    CarePlan, CarePlanActivity, Contract, Division, Employee, HealthcareService, LegalEntity,
    MedicalProgram, MedicalProgramProvision, Medication, MedicationRequest, Party, Person,
    ProgramMedication,
};
use crate::{MedicationId, Money, Salt};

/// All that one decision may look at: what registries say, and the instant.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The instant of the decision: the database's, the same for a whole batch.
    pub at: DateTime<Utc>,
    /// What the registries say.
    pub evidence: Evidence,
    /// Random, for the personal bodies of this command's events.
    pub salt: Salt,
}

/// What the registries say about a command. What is not there was not found.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// How this installation decides.
    pub terms: Arc<Terms>,
    /// The asker's legal entity.
    pub legal_entity: Option<Arc<LegalEntity>>,
    /// The asker's person.
    pub party: Option<Arc<Party>>,
    /// That person's jobs in that legal entity.
    pub employees: Vec<Arc<Employee>>,
    /// The outlet.
    pub division: Option<Arc<Division>>,
    /// What the outlet is licensed to do.
    pub healthcare_services: Arc<[Arc<HealthcareService>]>,
    /// The program of the dispense.
    pub program: Option<Arc<MedicalProgram>>,
    /// The contracts of the asker's legal entity, under every program.
    pub contracts: Arc<[Arc<Contract>]>,
    /// The statements that the outlet provides the program.
    pub provisions: Arc<[Provision]>,
    /// For each item of the command: the medication.
    pub medications: Vec<Option<Arc<Medication>>>,
    /// For each item of the command: the participants of its brand in the program.
    pub participants: Vec<Vec<Arc<ProgramMedication>>>,
    /// The medication request.
    pub request: Option<RequestEvidence>,
    /// When this legal entity last gave wrong verification codes for this medication request.
    pub wrong_codes: Vec<DateTime<Utc>>,
}

impl Evidence {
    /// Evidence of nothing, which is enough for commands that no registry has a say in.
    #[must_use]
    pub fn none(terms: Arc<Terms>) -> Self {
        Self {
            terms,
            legal_entity: None,
            party: None,
            employees: Vec::new(),
            division: None,
            healthcare_services: Arc::default(),
            program: None,
            contracts: Arc::default(),
            provisions: Arc::default(),
            medications: Vec::new(),
            participants: Vec::new(),
            request: None,
            wrong_codes: Vec::new(),
        }
    }

    /// The civil date at that instant.
    #[must_use]
    pub fn today(&self, at: DateTime<Utc>) -> NaiveDate {
        self.terms.day_of(at)
    }
}

/// A medication request, and what it points at.
#[derive(Debug, Clone)]
pub struct RequestEvidence {
    /// The record.
    pub request: Arc<MedicationRequest>,
    /// The patient.
    pub person: Option<Arc<Person>>,
    /// The doctor's job.
    pub employee: Option<Arc<Employee>>,
    /// The doctor.
    pub doctor: Option<Arc<Party>>,
    /// The clinic.
    pub legal_entity: Option<Arc<LegalEntity>>,
    /// The clinic's site.
    pub division: Option<Arc<Division>>,
    /// What was prescribed.
    pub medication: Option<Arc<Medication>>,
    /// The program that the doctor chose.
    pub program: Option<Arc<MedicalProgram>>,
    /// The brands of what was prescribed that take part in that program.
    pub approved: Arc<[Approved]>,
    /// Other medication requests of the patient of which something was handed over.
    pub others: Vec<OtherRequest>,
    /// The care plan that it belongs to, where it is based on an activity of one.
    pub care: Option<Care>,
}

/// A statement that an outlet provides a program, with the contracts that bear its number.
#[derive(Debug, Clone)]
pub struct Provision {
    /// The record.
    pub record: Arc<MedicalProgramProvision>,
    /// The contracts.
    pub contracts: Arc<[Arc<Contract>]>,
}

/// A brand that takes part in a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    /// On what terms.
    pub participant: Arc<ProgramMedication>,
    /// The brand.
    pub brand: Arc<Medication>,
}

/// Another medication request of the same patient.
#[derive(Debug, Clone)]
pub struct OtherRequest {
    /// The record.
    pub request: Arc<MedicationRequest>,
    /// The substance that was prescribed.
    pub innm_id: Option<MedicationId>,
}

/// The care plan and the activity that a medication request is based on, as far as they were found.
#[derive(Debug, Clone)]
pub struct Care {
    /// The plan.
    pub plan: Option<Arc<CarePlan>>,
    /// The activity.
    pub activity: Option<Arc<CarePlanActivity>>,
    /// How much was handed over on the other medication requests of the activity.
    pub processed: Decimal,
}

/// How this installation decides: settings that every instance must share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Days are counted in this zone (`TIME_ZONE`).
    pub zone: Tz,
    /// How long a hold lasts (`MEDICATION_DISPENSE_EXPIRATION`).
    pub hold_lasts: Duration,
    /// Who may dispense (`MEDICATION_DISPENSE_LEGAL_ENTITY_TYPES`).
    pub legal_entity_types: Vec<String>,
    /// Whether parts may be dispensed outside any program (`MULTI_DISPENSE_WITHOUT_PROGRAM`).
    pub multi_dispense_without_program: bool,
    /// Whether outlets must be confirmed by the regulator (`DISPENSE_DIVISION_DLS_VERIFY`).
    pub division_dls_verify: Switch,
    /// Whether outlets must provide the program (`MEDICAL_PROGRAM_PROVISION_VERIFY`).
    pub program_provision_verify: Switch,
    /// Whether companies must be verified by the payer (`LEGAL_ENTITY_NHS_VERIFY`).
    pub legal_entity_nhs_verify: Switch,
    /// How far a discount may stay below what the program pays: a share of it (`DEVIATION`).
    pub deviation: Deviation,
    /// How far a discount may lie above it (`TOLERANCE`).
    pub tolerance: Money,
}

/// Whether a rule is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// Whether the rule is asked for.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

/// A share from 0 to 1 with at most two decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation(Decimal);

/// A number is no [`Deviation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a share from 0 to 1 with at most 2 decimal places")]
pub struct InvalidDeviation;

impl Deviation {
    /// The number.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Deviation {
    type Error = InvalidDeviation;

    fn try_from(number: Decimal) -> Result<Self, Self::Error> {
        let number = number.normalize();
        let is_share = number >= Decimal::ZERO && number <= Decimal::ONE && number.scale() <= 2;
        is_share.then_some(Self(number)).ok_or(InvalidDeviation)
    }
}

impl Terms {
    /// The civil date at that instant.
    #[must_use]
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            zone: Tz::Europe__Kyiv,
            hold_lasts: Duration::from_mins(10),
            legal_entity_types: vec!["PHARMACY".to_owned(), "MSP_PHARMACY".to_owned()],
            multi_dispense_without_program: false,
            division_dls_verify: Switch::Off,
            program_provision_verify: Switch::Off,
            legal_entity_nhs_verify: Switch::Off,
            deviation: Deviation(Decimal::new(1, 1)),
            tolerance: Money::CENT,
        }
    }
}
