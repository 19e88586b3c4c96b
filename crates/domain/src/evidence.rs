//! What a decision may look at.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::Salt;
use crate::registry::{
    Division, Employee, LegalEntity, MedicalProgram, Medication, MedicationRequest, Party, Person,
    ProgramMedication,
};

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
    /// The program of the dispense.
    pub program: Option<Arc<MedicalProgram>>,
    /// For each item of the command: the medication.
    pub medications: Vec<Option<Arc<Medication>>>,
    /// For each item of the command: the participants of its brand in the program.
    pub participants: Vec<Vec<Arc<ProgramMedication>>>,
    /// The medication request.
    pub request: Option<RequestEvidence>,
}

impl Evidence {
    /// Evidence of nothing, which is enough for commands that no registry has a say in.
    #[must_use]
    pub const fn none(terms: Arc<Terms>) -> Self {
        Self {
            terms,
            legal_entity: None,
            party: None,
            employees: Vec::new(),
            division: None,
            program: None,
            medications: Vec::new(),
            participants: Vec::new(),
            request: None,
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
        }
    }
}
