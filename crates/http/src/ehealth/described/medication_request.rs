//! A medication request, as the register shows it.

use chrono::NaiveDate;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::organisations::{ChosenProgram, Clinic, Division};

/// What was prescribed, by whom and to whom. Plain members stand only where they say something;
/// what stands without a type is as the registry has it.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "describes what the dispensary writes; a test holds one against the other"
)]
pub(in super::super) struct MedicationRequest {
    id: Uuid,
    /// `ACTIVE`, `COMPLETED`, `REJECTED` or `EXPIRED`.
    status: String,
    #[schema(nullable = false)]
    request_number: Option<String>,
    /// `order` or `plan`.
    intent: String,
    #[schema(nullable = false)]
    category: Option<String>,
    #[schema(nullable = false)]
    created_at: Option<NaiveDate>,
    #[schema(nullable = false)]
    started_at: Option<NaiveDate>,
    #[schema(nullable = false)]
    ended_at: Option<NaiveDate>,
    #[schema(nullable = false)]
    dispense_valid_from: Option<NaiveDate>,
    #[schema(nullable = false)]
    dispense_valid_to: Option<NaiveDate>,
    #[schema(nullable = false)]
    context: Option<Value>,
    #[schema(nullable = false)]
    based_on: Option<Value>,
    #[schema(nullable = false)]
    dosage_instruction: Option<Value>,
    #[schema(nullable = false)]
    rejected_at: Option<String>,
    #[schema(nullable = false)]
    rejected_by: Option<Uuid>,
    #[schema(nullable = false)]
    reject_reason: Option<String>,
    #[schema(nullable = false)]
    reject_reason_code: Option<String>,
    /// Whether it is blocked; left out once it was erased.
    #[schema(nullable = false)]
    is_blocked: Option<bool>,
    #[schema(nullable = false)]
    blocked_to: Option<String>,
    #[schema(nullable = false)]
    blocked_by_legal_entity_id: Option<Uuid>,
    #[schema(nullable = false)]
    block_reason: Option<String>,
    #[schema(nullable = false)]
    block_reason_code: Option<String>,
    #[schema(nullable = false)]
    container_dosage: Option<Value>,
    #[schema(nullable = false)]
    priority: Option<String>,
    #[schema(nullable = false)]
    prior_prescription: Option<Value>,
    #[schema(nullable = false)]
    note: Option<String>,
    #[schema(nullable = false)]
    inform_with: Option<Value>,
    /// The doctor's company; not on the paths below `/api/pharmacy`.
    #[schema(nullable = false)]
    legal_entity: Option<Clinic>,
    /// The doctor's site; not on the paths below `/api/pharmacy`.
    #[schema(nullable = false)]
    division: Option<Division>,
    /// The doctor; not on the paths below `/api/pharmacy`.
    #[schema(nullable = false)]
    employee: Option<Employee>,
    person: Person,
    medication_info: MedicationInfo,
    /// The program that the doctor chose; left out if none.
    #[schema(nullable = false)]
    medical_program: Option<ChosenProgram>,
}

/// The doctor's job.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Employee {
    id: Uuid,
    #[schema(required)]
    position: Option<String>,
    #[schema(required)]
    party: Option<Doctor>,
}

/// The doctor.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Doctor {
    id: Uuid,
    first_name: String,
    last_name: String,
    #[schema(required)]
    second_name: Option<String>,
    #[schema(required)]
    phones: Option<Value>,
}

/// The patient, never by full name.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Person {
    id: Uuid,
    /// Surname and initials.
    #[schema(required, example = "Koval O. P.")]
    short_name: Option<String>,
    /// In full years, when the medication request was created.
    #[schema(required)]
    age: Option<i32>,
}

/// What was prescribed.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct MedicationInfo {
    medication_id: Uuid,
    medication_name: String,
    #[schema(required)]
    form: Option<String>,
    #[schema(required)]
    dosage: Option<Dosage>,
    /// How much was prescribed.
    medication_qty: f64,
    /// How much of it was not handed over yet.
    medication_remaining_qty: f64,
}

/// How much of the ingredient there is in a unit.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Dosage {
    #[schema(nullable = false)]
    numerator_unit: Option<String>,
    #[schema(nullable = false)]
    numerator_value: Option<f64>,
    #[schema(nullable = false)]
    denumerator_unit: Option<String>,
    #[schema(nullable = false)]
    denumerator_value: Option<f64>,
}
