//! A dispense, as the register shows it.

use chrono::NaiveDate;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::medication_request::MedicationRequest;
use super::organisations::{Division, LegalEntity, MedicalProgram};

/// One dispense. What names a person or is free text becomes null, or is left out, once it was
/// erased.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "describes what the dispensary writes; a test holds one against the other"
)]
pub(in super::super) struct MedicationDispense {
    /// Derived from medication request, client and idempotency key.
    id: Uuid,
    /// Where it stands.
    status: DispenseStatus,
    /// The day of dispensing.
    dispensed_at: NaiveDate,
    /// Who dispensed, where an owner's account was used.
    #[schema(required)]
    dispensed_by: Option<String>,
    /// Receipt number.
    #[schema(required)]
    payment_id: Option<String>,
    /// What the patient paid; null until that is known.
    #[schema(required)]
    payment_amount: Option<f64>,
    /// Free text.
    #[schema(nullable = false)]
    note: Option<String>,
    /// When it began, in UTC.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    inserted_at: String,
    /// The user who began it.
    #[schema(required)]
    inserted_by: Option<Uuid>,
    /// When it last changed, in UTC.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    updated_at: String,
    /// The user who changed it; null if it ran out.
    #[schema(required)]
    updated_by: Option<Uuid>,
    /// What it was prescribed on, as it was when the hold began.
    medication_request: MedicationRequest,
    /// The pharmacist.
    party: Party,
    /// The company that dispenses.
    legal_entity: LegalEntity,
    /// The outlet.
    division: Division,
    /// Who pays; left out outside any program.
    #[schema(nullable = false)]
    medical_program: Option<MedicalProgram>,
    /// What was dispensed, in the order in which it was asked for.
    #[schema(min_items = 1)]
    details: Vec<DispenseDetail>,
    /// `true` if personal details were erased, so that they are null or missing; left out otherwise.
    erased: Option<bool>,
}

/// Where a dispense stands.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "describes the register's words")]
enum DispenseStatus {
    New,
    Processed,
    Rejected,
    Expired,
}

/// The pharmacist.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Party {
    id: Uuid,
    #[schema(required)]
    first_name: Option<String>,
    #[schema(required)]
    last_name: Option<String>,
    #[schema(required)]
    second_name: Option<String>,
    #[schema(required)]
    birth_date: Option<NaiveDate>,
    #[schema(required)]
    no_tax_id: Option<bool>,
    /// As the registry has them.
    #[schema(required)]
    phones: Option<Value>,
}

/// One medication of a dispense.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct DispenseDetail {
    medication: Medication,
    /// How much of it.
    medication_qty: f64,
    /// Price of one unit that cannot be divided.
    #[schema(nullable = false)]
    sell_price: Option<f64>,
    /// What the pharmacy asks for the line.
    #[schema(nullable = false)]
    sell_amount: Option<f64>,
    /// The part of it that the program pays.
    #[schema(nullable = false)]
    discount_amount: Option<f64>,
    /// What the program pays for a whole package; 0 without a program.
    reimbursement_amount: f64,
    /// The participant of the program.
    #[schema(nullable = false)]
    program_medication_id: Option<Uuid>,
    /// Codes read from the packages.
    #[schema(nullable = false)]
    medication_2d_codes: Option<Vec<Medication2dCode>>,
    /// Batch, as printed on the package.
    #[schema(nullable = false)]
    batch_number: Option<String>,
    /// Last day on which the medicine may be used.
    #[schema(nullable = false)]
    expiry_date: Option<NaiveDate>,
}

/// A code read from a package.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Medication2dCode {
    medication_2d_code: String,
}

/// A brand.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Medication {
    id: Uuid,
    name: String,
    /// `BRAND` or `INNM_DOSAGE`.
    r#type: String,
    #[schema(required)]
    manufacturer: Option<Manufacturer>,
    #[schema(required)]
    form: Option<String>,
    /// As the registry has it.
    #[schema(required)]
    container: Option<Value>,
}

/// Who makes it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
struct Manufacturer {
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    country: Option<String>,
}
