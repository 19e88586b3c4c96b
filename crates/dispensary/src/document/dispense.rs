//! A dispense in the register's words.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use dispense_domain::decide::register_word;
use dispense_domain::registry::MedicationType;
use dispense_domain::{
    Carried, DispenseId, HoldBody, Item, LongText, MedicationAsWas, MedicationId, Money,
    ProgramMedicationId, Quantity, Text, UserId, exact, exact_option,
};
use serde::Serialize;

use super::Side;
use super::organisations::{Division, LegalEntity, MedicalProgram};
use super::persons::Pharmacist;
use super::request::MedicationRequest;
use crate::Shown;

/// The document.
#[derive(Serialize)]
pub(super) struct Dispense<'a> {
    id: DispenseId,
    status: &'static str,
    dispensed_at: NaiveDate,
    dispensed_by: Option<&'a Text>,
    payment_id: Option<&'a Text>,
    #[serde(with = "exact_option")]
    payment_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a LongText>,
    inserted_at: String,
    inserted_by: Option<UserId>,
    updated_at: String,
    updated_by: Option<UserId>,
    medication_request: MedicationRequest<'a>,
    party: Pharmacist<'a>,
    legal_entity: LegalEntity<'a>,
    division: Division<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medical_program: Option<MedicalProgram<'a>>,
    details: Vec<Detail<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
}

impl<'a> Dispense<'a> {
    pub(super) fn of(shown: &'a Shown, body: Option<&'a HoldBody>, side: Side) -> Self {
        let hold = &shown.hold;
        Self {
            id: hold.dispense_id,
            status: register_word(shown.status),
            dispensed_at: hold.dispensed_on,
            dispensed_by: body.and_then(|body| body.dispensed_by.as_ref()),
            payment_id: shown.payment_id.as_ref(),
            payment_amount: shown.payment_amount,
            note: body.and_then(|body| body.note.as_ref()),
            inserted_at: instant(shown.created_at),
            inserted_by: shown.created_by,
            updated_at: instant(shown.updated_at),
            updated_by: shown.updated_by,
            medication_request: MedicationRequest::as_was(hold, body, side),
            party: Pharmacist::of(hold.party_id, body.map(|body| &body.party)),
            legal_entity: LegalEntity::of(
                hold.legal_entity_id,
                body.map(|body| body.legal_entity.as_ref()),
            ),
            division: Division::outlet(&hold.division, body.map(|body| &body.division)),
            medical_program: hold.medical_program.as_ref().map(MedicalProgram::from),
            details: hold.items.iter().map(Detail::from).collect(),
            erased: shown.erased,
        }
    }
}

/// One medication of it.
#[derive(Serialize)]
struct Detail<'a> {
    medication: Medication<'a>,
    #[serde(with = "exact")]
    medication_qty: Quantity,
    #[serde(with = "exact_option", skip_serializing_if = "Option::is_none")]
    sell_price: Option<Money>,
    #[serde(with = "exact_option", skip_serializing_if = "Option::is_none")]
    sell_amount: Option<Money>,
    #[serde(with = "exact_option", skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Money>,
    #[serde(with = "exact")]
    reimbursement_amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_medication_id: Option<ProgramMedicationId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    medication_2d_codes: Vec<Code2d<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_number: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<NaiveDate>,
}

impl<'a> From<&'a Item> for Detail<'a> {
    fn from(item: &'a Item) -> Self {
        let codes = item.medication_2d_codes.iter();
        Self {
            medication: Medication::from(&item.medication),
            medication_qty: item.quantity,
            sell_price: item.unit_price,
            sell_amount: item.total_price,
            discount_amount: item.discount_amount,
            reimbursement_amount: item.reimbursement_amount,
            program_medication_id: item.program_medication_id,
            medication_2d_codes: codes
                .map(|medication_2d_code| Code2d { medication_2d_code })
                .collect(),
            batch_number: item.batch_number.as_ref(),
            expiry_date: item.expiry_date,
        }
    }
}

/// A code that was read from a package.
#[derive(Serialize)]
struct Code2d<'a> {
    medication_2d_code: &'a Text,
}

/// A brand.
#[derive(Serialize)]
struct Medication<'a> {
    id: MedicationId,
    name: &'a Text,
    #[serde(rename = "type")]
    kind: MedicationType,
    manufacturer: Option<Manufacturer<'a>>,
    form: Option<&'a Text>,
    container: Option<&'a Carried>,
}

/// Who makes it.
#[derive(Serialize)]
struct Manufacturer<'a> {
    name: Option<&'a Text>,
    country: Option<&'a Text>,
}

impl<'a> From<&'a MedicationAsWas> for Medication<'a> {
    fn from(was: &'a MedicationAsWas) -> Self {
        Self {
            id: was.id,
            name: &was.name,
            kind: was.kind,
            manufacturer: was.manufacturer.as_ref().map(|maker| Manufacturer {
                name: maker.name.as_ref(),
                country: maker.country.as_ref(),
            }),
            form: was.form.as_ref(),
            container: was.container.as_ref(),
        }
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
