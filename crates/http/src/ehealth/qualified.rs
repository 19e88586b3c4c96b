//! Programs and their brands, as the register shows them: every member always there, empty ones null.

use chrono::NaiveDate;
use dispense_domain::qualify::Qualified;
use dispense_domain::registry::Manufacturer;
use dispense_domain::{
    Approved, Carried, MedicalProgramId, MedicationId, Money, ProgramMedicationId, Text, exact,
    exact_option,
};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::qualified::{ProgramStatus, standing};

/// What became of one program.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QualifiedProgram<'a> {
    #[schema(value_type = Uuid)]
    program_id: MedicalProgramId,
    #[schema(value_type = &str)]
    program_name: &'a Text,
    /// Whether it can pay.
    status: ProgramStatus,
    /// Why it cannot; empty if it can.
    #[schema(example = "Division does not provide the medical program")]
    rejection_reason: String,
    /// The brands that can be dispensed under it; none if it cannot pay.
    participants: Vec<Participant<'a>>,
}

/// A brand that can be dispensed under a program, and on what terms.
#[derive(Debug, Serialize, ToSchema)]
struct Participant<'a> {
    /// What `program_medication_id` of a detail names.
    #[schema(value_type = Uuid)]
    id: ProgramMedicationId,
    /// The brand.
    #[schema(value_type = Uuid)]
    medication_id: MedicationId,
    #[schema(value_type = &str)]
    medication_name: &'a Text,
    #[schema(required, value_type = Option<&str>)]
    form: Option<&'a Text>,
    #[schema(required)]
    manufacturer: Option<Maker<'a>>,
    /// What the program pays for a whole package; 0 where the payer says it elsewhere.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = f64)]
    reimbursement_amount: Money,
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    wholesale_price: Option<Decimal>,
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    consumer_price: Option<Decimal>,
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    reimbursement_daily_dosage: Option<Decimal>,
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    estimated_payment_amount: Option<Decimal>,
    /// Units in a whole package.
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    package_qty: Option<Decimal>,
    /// Units in the smallest part of a package.
    #[serde(serialize_with = "exact_option::serialize")]
    #[schema(required, value_type = Option<f64>)]
    package_min_qty: Option<Decimal>,
    /// First day in the program; open if null.
    #[schema(required)]
    start_date: Option<NaiveDate>,
    /// Last day in the program; open if null.
    #[schema(required)]
    end_date: Option<NaiveDate>,
    /// Number in the national list.
    #[schema(required, value_type = Option<&str>)]
    registry_number: Option<&'a Text>,
    /// One container of it, as the registry has it.
    #[schema(required, value_type = Option<Value>)]
    container_dosage: Option<&'a Carried>,
    /// Number in the national register of medicines.
    #[schema(required, value_type = Option<&str>)]
    drlz_sku_id: Option<&'a Text>,
    /// Whether a package may be divided; null counts as yes.
    #[schema(required)]
    package_qty_divisible: Option<bool>,
}

/// Who makes a brand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParticipantManufacturer)]
struct Maker<'a> {
    #[schema(required, value_type = Option<&str>)]
    name: Option<&'a Text>,
    #[schema(required, value_type = Option<&str>)]
    country: Option<&'a Text>,
}

impl<'a> QualifiedProgram<'a> {
    /// The program in the register's words.
    pub(super) fn of(qualified: &'a Qualified) -> Self {
        let (status, rejection_reason, participants) = standing(qualified, Participant::of);
        Self {
            program_id: qualified.program.id,
            program_name: &qualified.program.name,
            status,
            rejection_reason,
            participants,
        }
    }
}

impl<'a> Participant<'a> {
    fn of(approved: &'a Approved) -> Self {
        let Approved { participant, brand } = approved;
        Self {
            id: participant.id,
            medication_id: brand.id,
            medication_name: &brand.name,
            form: brand.form.as_ref(),
            manufacturer: brand.manufacturer.as_ref().map(Maker::of),
            reimbursement_amount: participant.reimbursement.reimbursement_amount,
            wholesale_price: participant.wholesale_price,
            consumer_price: participant.consumer_price,
            reimbursement_daily_dosage: participant.reimbursement_daily_dosage,
            estimated_payment_amount: participant.estimated_payment_amount,
            package_qty: brand.package_qty,
            package_min_qty: brand.package_min_qty,
            start_date: participant.start_date,
            end_date: participant.end_date,
            registry_number: participant.registry_number.as_ref(),
            container_dosage: brand.container.as_ref(),
            drlz_sku_id: brand.drlz_sku_id.as_ref(),
            package_qty_divisible: participant.package_qty_divisible,
        }
    }
}

impl<'a> Maker<'a> {
    fn of(manufacturer: &'a Manufacturer) -> Self {
        Self { name: manufacturer.name.as_ref(), country: manufacturer.country.as_ref() }
    }
}
