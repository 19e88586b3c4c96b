//! The members of a message. The words are those of the platform, as in its API; numbers that count are
//! strings, as in the log, so that nobody reads them as binary fractions. A member that says nothing is
//! left out. Nothing here names a person, and nobody's id but those of pharmacy and dispense.

use chrono::NaiveDate;
use dispense_domain::{DispenseEvent, HoldCreated, Item, Money, Quantity, Remaining};
use serde::Serialize;
use uuid::Uuid;

use super::{Fact, Topic, instant};

/// What is told in that topic of an event that is told there.
pub(super) fn written(topic: Topic, fact: &Fact) -> serde_json::Result<String> {
    let about = Told::of(fact);
    let handed_over = Some(fact.handed_over);
    match (topic, &fact.event) {
        (Topic::FullyDispensed, _) => serde_json::to_string(&FullyDispensed {
            prescription_id: fact.request().into(),
            prescription_number: about.prescription_number,
            completed_at: instant(fact.recorded_at),
            dispenses: fact.handed_over,
            last_dispense_id: fact.event.dispense_id().into(),
        }),
        (_, DispenseEvent::Processed(event)) => serde_json::to_string(&Told {
            dispensed_on: Some(fact.hold.dispensed_on),
            signed: Some(event.signed),
            copayment: event.payment_amount,
            remaining: Some(event.remaining),
            is_partial: Some(!event.remaining.is_nothing()),
            dispense_number: handed_over,
            items: items(&fact.hold),
            ..about
        }),
        (_, DispenseEvent::HoldCreated(event)) => serde_json::to_string(&Told {
            dispensed_on: Some(event.dispensed_on),
            expires_at: event.expires_at.map(instant),
            items: items(event),
            ..about
        }),
        (_, DispenseEvent::Expired(event)) => {
            serde_json::to_string(&Told { expires_at: Some(instant(event.expires_at)), ..about })
        }
        (_, DispenseEvent::Cancelled(_)) => serde_json::to_string(&about),
    }
}

/// A message about a dispense.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    dispense_id: Uuid,
    prescription_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    prescription_number: Option<&'a str>,
    /// The outlet.
    pharmacy_id: Uuid,
    /// The company that owns it.
    legal_entity_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_id: Option<Uuid>,
    /// When it happened.
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispensed_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copayment: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Remaining>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_partial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispense_number: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ToldItem<'a>>,
}

impl<'a> Told<'a> {
    /// What every message about a dispense says.
    fn of(fact: &'a Fact) -> Self {
        let hold = &fact.hold;
        Self {
            dispense_id: fact.event.dispense_id().into(),
            prescription_id: fact.request().into(),
            prescription_number: hold.medication_request.request_number.as_ref().map(AsRef::as_ref),
            pharmacy_id: hold.division.id.into(),
            legal_entity_id: hold.legal_entity_id.into(),
            program_id: hold.medical_program.as_ref().map(|program| program.id.into()),
            timestamp: instant(fact.recorded_at),
            dispensed_on: None,
            expires_at: None,
            signed: None,
            copayment: None,
            remaining: None,
            is_partial: None,
            dispense_number: None,
            items: Vec::new(),
        }
    }
}

/// One medication of a dispense.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldItem<'a> {
    id: Uuid,
    medicine_code: Uuid,
    quantity_dispensed: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Money>,
    reimbursement_amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_medication_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<NaiveDate>,
}

impl<'a> From<&'a Item> for ToldItem<'a> {
    fn from(item: &'a Item) -> Self {
        Self {
            id: item.id.into(),
            medicine_code: item.medication.id.into(),
            quantity_dispensed: item.quantity,
            unit_price: item.unit_price,
            total_price: item.total_price,
            discount_amount: item.discount_amount,
            reimbursement_amount: item.reimbursement_amount,
            program_medication_id: item.program_medication_id.map(Into::into),
            batch_number: item.batch_number.as_ref().map(AsRef::as_ref),
            expiry_date: item.expiry_date,
        }
    }
}

fn items(hold: &HoldCreated) -> Vec<ToldItem<'_>> {
    hold.items.iter().map(Into::into).collect()
}

/// The message that says that nothing of a prescription remains.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FullyDispensed<'a> {
    prescription_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    prescription_number: Option<&'a str>,
    completed_at: String,
    /// How many dispenses it took.
    dispenses: u32,
    last_dispense_id: Uuid,
}
