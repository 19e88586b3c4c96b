//! A dispense as this API shows it: every member always there, empty ones null.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use dispensary::{Answer, Shown};
use dispense_domain::{Item, Money, Status, Text, exact};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::tell;

/// The word of this API for a status.
pub(super) const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Held => "HELD",
        Status::Processed => "COMPLETED",
        Status::Cancelled => "CANCELLED",
        Status::Expired => "EXPIRED",
    }
}

/// Every word of [`status_word`], with what it means: for a query that names some.
pub(super) const STATUSES: [(&str, Status); 4] = [
    (status_word(Status::Held), Status::Held),
    (status_word(Status::Processed), Status::Processed),
    (status_word(Status::Cancelled), Status::Cancelled),
    (status_word(Status::Expired), Status::Expired),
];

/// One dispense.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dispense<'a> {
    /// Derived from prescription, client and idempotency key.
    id: Uuid,
    /// What it was prescribed on.
    prescription_id: Uuid,
    /// The patient.
    patient_id: Uuid,
    /// Who pays; null outside any program.
    #[schema(required)]
    program_id: Option<Uuid>,
    /// The day of dispensing, at 00:00 UTC.
    #[schema(format = DateTime, example = "2026-03-02T00:00:00.000000Z")]
    dispensed_at: String,
    /// The outlet.
    pharmacy_id: Uuid,
    /// Its name.
    pharmacy_name: &'a str,
    /// Who dispensed.
    pharmacist_id: Uuid,
    /// Full name of who dispensed; null once it was erased.
    #[schema(required)]
    pharmacist_name: Option<String>,
    /// What was dispensed.
    #[schema(min_items = 1)]
    items: Vec<DispensedItem<'a>>,
    /// Sum of `totalPrice`.
    total_amount: Number,
    /// What the patient paid; until that is known, `totalAmount` − `insuranceCoverage`.
    copayment: Number,
    /// Sum of `discountAmount`.
    insurance_coverage: Number,
    /// Receipt number.
    #[schema(required)]
    payment_id: Option<&'a str>,
    /// Where it stands.
    #[schema(value_type = DispenseStatus)]
    status: &'static str,
    /// When the hold runs out; null if it was recorded at once.
    #[schema(required, format = DateTime, example = "2026-03-02T10:10:00.000000Z")]
    expires_at: Option<String>,
    /// Whether something of the prescription remains after it.
    is_partial: bool,
    /// When it began.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    updated_at: String,
    /// Number of its events.
    #[schema(minimum = 1)]
    version: u32,
    /// `true` if personal details were erased, so that they are null; left out otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    erased: bool,
}

/// Where a dispense stands.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "describes the words of `status_word`")]
pub(super) enum DispenseStatus {
    Held,
    Completed,
    Cancelled,
    Expired,
}

/// One medication of a dispense.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DispensedItem<'a> {
    /// Derived from the dispense and its place.
    id: Uuid,
    /// The medication.
    medicine_code: Uuid,
    /// Its name.
    medicine_name: &'a str,
    /// How much of it.
    quantity_dispensed: Number,
    /// How much was prescribed, all items together.
    quantity_prescribed: Number,
    /// Batch, as printed on the package.
    #[schema(required)]
    batch_number: Option<&'a str>,
    /// Last day on which the medicine may be used.
    #[schema(required)]
    expiry_date: Option<NaiveDate>,
    /// Price of one unit that cannot be divided.
    #[schema(required)]
    unit_price: Option<Number>,
    /// What the pharmacy asks for the line.
    #[schema(required)]
    total_price: Option<Number>,
    /// The part of it that the program pays.
    #[schema(required)]
    discount_amount: Option<Number>,
    /// What the program pays for a whole package; 0 without a program.
    reimbursement_amount: Number,
    /// The participant of the program.
    #[schema(required)]
    program_medication_id: Option<Uuid>,
}

/// An exact decimal, without trailing zeros.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = f64, example = 10.5)]
pub(super) struct Number(#[serde(serialize_with = "exact::serialize")] Decimal);

impl<T: Into<Decimal>> From<T> for Number {
    fn from(amount: T) -> Self {
        Self(amount.into())
    }
}

impl<'a> Dispense<'a> {
    /// The dispense in the words of this API.
    pub(super) fn of(shown: &'a Shown) -> Self {
        let hold = &shown.hold;
        let total = sum(&hold.items, |item| item.total_price);
        let covered = sum(&hold.items, |item| item.discount_amount);
        let paid = shown.payment_amount.map_or(total.saturating_sub(covered), Decimal::from);
        Self {
            id: hold.dispense_id.into(),
            prescription_id: hold.medication_request.id.into(),
            patient_id: hold.medication_request.person_id.into(),
            program_id: hold.medical_program.as_ref().map(|program| program.id.into()),
            dispensed_at: format!("{}T00:00:00.000000Z", hold.dispensed_on),
            pharmacy_id: hold.division.id.into(),
            pharmacy_name: hold.division.name.as_str(),
            pharmacist_id: hold.party_id.into(),
            pharmacist_name: shown.pharmacist().map(|party| party.full_name()),
            items: hold.items.iter().map(|item| DispensedItem::of(item, shown)).collect(),
            total_amount: total.into(),
            copayment: paid.into(),
            insurance_coverage: covered.into(),
            payment_id: shown.payment_id.as_ref().map(Text::as_str),
            status: status_word(shown.status),
            expires_at: hold.expires_at.map(instant),
            is_partial: shown.is_partial(),
            created_at: instant(shown.created_at),
            updated_at: instant(shown.updated_at),
            version: shown.version,
            erased: shown.erased,
        }
    }
}

impl<'a> DispensedItem<'a> {
    fn of(item: &'a Item, shown: &Shown) -> Self {
        Self {
            id: item.id.into(),
            medicine_code: item.medication.id.into(),
            medicine_name: item.medication.name.as_str(),
            quantity_dispensed: item.quantity.into(),
            quantity_prescribed: shown.hold.prescribed.into(),
            batch_number: item.batch_number.as_ref().map(Text::as_str),
            expiry_date: item.expiry_date,
            unit_price: item.unit_price.map(Number::from),
            total_price: item.total_price.map(Number::from),
            discount_amount: item.discount_amount.map(Number::from),
            reimbursement_amount: item.reimbursement_amount.into(),
            program_medication_id: item.program_medication_id.map(Uuid::from),
        }
    }
}

fn sum(items: &[Item], amount: fn(&Item) -> Option<Money>) -> Decimal {
    items
        .iter()
        .filter_map(amount)
        .fold(Decimal::ZERO, |sum, amount| sum.saturating_add(amount.decimal()))
}

/// An instant as this API writes it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The answer to a command: the dispense, where it stands in the log, and whether it was asked for
/// before.
pub(super) fn answered(status: StatusCode, answer: &Answer) -> HttpResponse {
    let mut head = HttpResponse::build(status);
    if status == StatusCode::CREATED {
        let id = answer.shown.hold.dispense_id;
        head.insert_header(("Location", format!("/api/v1/dispenses/{id}")));
    }
    let mut response = head.json(Dispense::of(&answer.shown));
    tell(&mut response, answer, status_word);
    response
}
