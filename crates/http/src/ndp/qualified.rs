//! Programs and their brands as this API shows them: every member always there, empty ones null.

use chrono::NaiveDate;
use dispense_domain::qualify::Qualified;
use dispense_domain::{Approved, Carried, Text, registry};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dispense::Number;
use crate::qualified::{ProgramStatus, standing};

/// What became of each program.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QualifiedPrograms<'a> {
    /// In the order in which they were asked for.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<QualifiedProgram<'a>>,
}

/// What became of one program.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QualifiedProgram<'a> {
    /// The program.
    program_id: Uuid,
    /// Its name.
    program_name: &'a str,
    /// Whether it can pay.
    status: ProgramStatus,
    /// Why it cannot; empty if it can.
    rejection_reason: String,
    /// The brands that can be dispensed under it; none if it cannot pay.
    participants: Vec<Participant<'a>>,
}

/// A brand that can be dispensed under a program, and on what terms.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Participant<'a> {
    /// The participant: `programMedicationId` of an item.
    id: Uuid,
    /// The brand: `medicineCode` of an item.
    medication_id: Uuid,
    /// Its name.
    medication_name: &'a str,
    /// Its form, as in the dictionary `MEDICATION_FORM`.
    #[schema(required)]
    form: Option<&'a str>,
    /// Who makes it.
    #[schema(required)]
    manufacturer: Option<Manufacturer<'a>>,
    /// What the program pays for a whole package; 0 where the payer says it elsewhere.
    reimbursement_amount: Number,
    /// As the registry has it.
    #[schema(required)]
    wholesale_price: Option<Number>,
    /// As the registry has it.
    #[schema(required)]
    consumer_price: Option<Number>,
    /// As the registry has it.
    #[schema(required)]
    reimbursement_daily_dosage: Option<Number>,
    /// As the registry has it.
    #[schema(required)]
    estimated_payment_amount: Option<Number>,
    /// Units in a whole package.
    #[schema(required)]
    package_qty: Option<Number>,
    /// Units in the smallest part of a package.
    #[schema(required)]
    package_min_qty: Option<Number>,
    /// First day in the program; open if null.
    #[schema(required)]
    start_date: Option<NaiveDate>,
    /// Last day in the program; open if null.
    #[schema(required)]
    end_date: Option<NaiveDate>,
    /// Number in the national list.
    #[schema(required)]
    registry_number: Option<&'a str>,
    /// One container of it, as the registry has it.
    #[schema(required)]
    container_dosage: Option<&'a Value>,
    /// Number in the national register of medicines.
    #[schema(required)]
    drlz_sku_id: Option<&'a str>,
    /// Whether a package may be divided; null counts as yes.
    #[schema(required)]
    package_qty_divisible: Option<bool>,
}

/// Who makes a brand.
#[derive(Debug, Serialize, ToSchema)]
struct Manufacturer<'a> {
    /// Its name.
    #[schema(required)]
    name: Option<&'a str>,
    /// Its country.
    #[schema(required)]
    country: Option<&'a str>,
}

impl<'a> QualifiedPrograms<'a> {
    /// The programs in the words of this API.
    pub(super) fn of(qualified: &'a [Qualified]) -> Self {
        Self { items: qualified.iter().map(QualifiedProgram::of).collect() }
    }
}

impl<'a> QualifiedProgram<'a> {
    fn of(qualified: &'a Qualified) -> Self {
        let (status, rejection_reason, participants) = standing(qualified, Participant::of);
        Self {
            program_id: qualified.program.id.into(),
            program_name: qualified.program.name.as_str(),
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
            id: participant.id.into(),
            medication_id: brand.id.into(),
            medication_name: brand.name.as_str(),
            form: brand.form.as_ref().map(Text::as_str),
            manufacturer: brand.manufacturer.as_ref().map(Manufacturer::of),
            reimbursement_amount: participant.reimbursement.reimbursement_amount.into(),
            wholesale_price: participant.wholesale_price.map(Number::from),
            consumer_price: participant.consumer_price.map(Number::from),
            reimbursement_daily_dosage: participant.reimbursement_daily_dosage.map(Number::from),
            estimated_payment_amount: participant.estimated_payment_amount.map(Number::from),
            package_qty: brand.package_qty.map(Number::from),
            package_min_qty: brand.package_min_qty.map(Number::from),
            start_date: participant.start_date,
            end_date: participant.end_date,
            registry_number: participant.registry_number.as_ref().map(Text::as_str),
            container_dosage: brand.container.as_ref().map(Carried::value),
            drlz_sku_id: brand.drlz_sku_id.as_ref().map(Text::as_str),
            package_qty_divisible: participant.package_qty_divisible,
        }
    }
}

impl<'a> Manufacturer<'a> {
    fn of(manufacturer: &'a registry::Manufacturer) -> Self {
        Self {
            name: manufacturer.name.as_ref().map(Text::as_str),
            country: manufacturer.country.as_ref().map(Text::as_str),
        }
    }
}
