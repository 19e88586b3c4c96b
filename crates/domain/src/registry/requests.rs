//! Patients, and what was prescribed for them.

use crate::Carried;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{BasedOn, yes};
use crate::{
    DivisionId, EmployeeId, LegalEntityId, LongText, MedicalProgramId, MedicationId,
    MedicationRequestId, PersonId, Quantity, Text, UserId, exact, exact_option,
};

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its id.
    pub id: PersonId,
    /// Given name.
    pub first_name: Text,
    /// Surname.
    pub last_name: Text,
    /// Patronymic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_name: Option<Text>,
    /// Day of birth.
    pub birth_date: NaiveDate,
}

/// A prescription: one medication, one quantity, one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedicationRequest {
    /// Its id.
    pub id: MedicationRequestId,
    /// Its number for people, `0000-XXXX-XXXX-XXXX`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_number: Option<Text>,
    /// What its registry says; see also its effective status.
    pub status: RequestStatus,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Whether it may be dispensed.
    #[serde(default)]
    pub intent: Intent,
    /// Such as `community`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text>,
    /// Day of prescribing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<NaiveDate>,
    /// First day of treatment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<NaiveDate>,
    /// Last day of treatment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<NaiveDate>,
    /// First day of dispensing; absent for plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispense_valid_from: Option<NaiveDate>,
    /// Last day of dispensing; absent for plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispense_valid_to: Option<NaiveDate>,
    /// The patient.
    pub person_id: PersonId,
    /// The doctor's job.
    pub employee_id: EmployeeId,
    /// The clinic's site.
    pub division_id: DivisionId,
    /// The clinic.
    pub legal_entity_id: LegalEntityId,
    /// What was prescribed: a dosage of a substance.
    pub medication_id: MedicationId,
    /// How much was prescribed.
    #[serde(with = "exact")]
    pub medication_qty: Quantity,
    /// The register's own figure; ours comes from the log, so this one is dropped.
    #[serde(default, skip_serializing)]
    pub medication_remaining_qty: Option<Carried>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical_program_id: Option<MedicalProgramId>,
    /// The code that the patient got; never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_code: Option<Text>,
    /// Care plan and activity that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<Carried>,
    /// The encounter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dosage_instruction: Option<Carried>,
    /// When it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<Text>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<UserId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_reason: Option<LongText>,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_reason_code: Option<Text>,
    /// Whether dispensing is blocked.
    #[serde(default)]
    pub is_blocked: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<LongText>,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason_code: Option<Text>,
    /// Until when: a date (its last day included) or an RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_to: Option<Text>,
    /// The pharmacy company that may still dispense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by_legal_entity_id: Option<LegalEntityId>,
    /// Carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_dosage: Option<Carried>,
    /// Carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Text>,
    /// Carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_prescription: Option<Carried>,
    /// Carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<LongText>,
    /// Carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inform_with: Option<Carried>,
}

impl MedicationRequest {
    /// What it is based on.
    #[must_use]
    pub fn is_based_on(&self) -> BasedOn {
        self.based_on.as_ref().map(|it| BasedOn::read(it.value())).unwrap_or_default()
    }

    /// Whether its days of treatment and those of another have one in common. A day that a record
    /// does not say bounds nothing.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let starts_after = |one: &Self, two: &Self| match (one.started_at, two.ended_at) {
            (Some(start), Some(end)) => start > end,
            (Some(_) | None, _) => false,
        };
        !starts_after(self, other) && !starts_after(other, self)
    }
}

/// What the registry says of a medication request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are the register's")]
pub enum RequestStatus {
    Active,
    Completed,
    Rejected,
    Expired,
}

impl RequestStatus {
    /// The register's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Whether a medication request is an order or only an intention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// May be dispensed.
    #[default]
    Order,
    /// May not.
    Plan,
}

/// A longer plan of treatment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarePlan {
    /// Its id.
    pub id: uuid::Uuid,
    /// The patient.
    #[serde(alias = "person")]
    pub person_id: PersonId,
    /// `active` or not.
    pub status: Text,
    /// How long it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Text>,
    /// Last day; open if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Text>,
}

/// One activity of a care plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarePlanActivity {
    /// Its id.
    pub id: uuid::Uuid,
    /// The plan.
    pub care_plan_id: uuid::Uuid,
    /// `medication_request`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// `scheduled` and `in_progress` are usable.
    pub status: Text,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<MedicalProgramId>,
    /// The dosage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_reference: Option<MedicationId>,
    /// Budget.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// The register's own figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_quantity: Option<Carried>,
    /// Dispenses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_reference: Option<Carried>,
}
