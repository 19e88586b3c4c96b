//! Legal entities, divisions and medical programs, as the register shows them.

use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A company.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "describes what the dispensary writes; a test holds one against the other"
)]
pub(super) struct LegalEntity {
    id: Uuid,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    short_name: Option<String>,
    #[schema(required)]
    public_name: Option<String>,
    #[schema(required)]
    r#type: Option<String>,
    #[schema(required)]
    edrpou: Option<String>,
    #[schema(required)]
    status: Option<String>,
}

/// The company of the doctor, with what allows it to work.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
pub(super) struct Clinic {
    id: Uuid,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    short_name: Option<String>,
    #[schema(required)]
    public_name: Option<String>,
    #[schema(required)]
    r#type: Option<String>,
    #[schema(required)]
    edrpou: Option<String>,
    #[schema(required)]
    status: Option<String>,
    /// As the registry has it.
    #[schema(required)]
    accreditation: Option<Value>,
    /// As the registry has them.
    #[schema(required)]
    licenses: Option<Value>,
}

/// An outlet or a site; what stands without a type is as the registry has it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
pub(super) struct Division {
    id: Uuid,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    legal_entity_id: Option<Uuid>,
    #[schema(required)]
    r#type: Option<String>,
    #[schema(required)]
    status: Option<String>,
    #[schema(required)]
    mountain_group: Option<Value>,
    #[schema(required)]
    addresses: Option<Value>,
    #[schema(required)]
    phones: Option<Value>,
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    external_id: Option<String>,
    #[schema(required)]
    location: Option<Value>,
    #[schema(required)]
    working_hours: Option<Value>,
    #[schema(required)]
    dls_id: Option<String>,
    #[schema(required)]
    dls_verified: Option<bool>,
}

/// Who pays.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
pub(super) struct MedicalProgram {
    id: Uuid,
    name: String,
    #[schema(nullable = false)]
    r#type: Option<String>,
    is_active: bool,
    /// `NHS`, `LOCAL`, or who else pays.
    #[schema(nullable = false)]
    funding_source: Option<String>,
    #[schema(nullable = false)]
    medication_request_allowed: Option<bool>,
    #[schema(nullable = false)]
    medication_dispense_allowed: Option<bool>,
    #[schema(nullable = false)]
    mr_blank_type: Option<String>,
    /// As the registry has them.
    #[schema(rename = "medical_program_settings")]
    settings: Value,
}

/// The program that the doctor chose.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
pub(super) struct ChosenProgram {
    id: Uuid,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    medical_program_settings: Option<Value>,
}
