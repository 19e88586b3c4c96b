//! What a pharmacy wants, before it is said in the words of an API.

use serde_json::{Value, json};

use super::super::world::sample::{self, DIVISION, IN_PARTS, MEDICATION, REQUEST_IN_PARTS};

/// A dispense that is wanted.
pub(super) struct Wanted {
    pub(super) request: &'static str,
    pub(super) division: &'static str,
    pub(super) program: Option<&'static str>,
    pub(super) day: &'static str,
    pub(super) code: Option<&'static str>,
    pub(super) items: Vec<WantedItem>,
    pub(super) payment_id: Option<&'static str>,
    pub(super) payment_amount: Option<u32>,
}

/// One medication of it.
#[derive(Clone)]
pub(super) struct WantedItem {
    pub(super) medication: &'static str,
    pub(super) tablets: u32,
    pub(super) unit_price: Option<f64>,
    pub(super) discount: f64,
    pub(super) participant: Option<&'static str>,
    pub(super) expiry: &'static str,
}

impl Wanted {
    /// Ten tablets under a program that allows parts: every rule is kept.
    pub(super) fn part() -> Self {
        Self {
            request: REQUEST_IN_PARTS,
            division: DIVISION,
            program: Some(IN_PARTS),
            day: "2026-03-02",
            code: None,
            items: vec![WantedItem::of(10)],
            payment_id: None,
            payment_amount: None,
        }
    }

    /// The first medication.
    pub(super) fn item(&mut self) -> &mut WantedItem {
        &mut self.items[0]
    }

    /// As the platform's API has it.
    pub(super) fn in_ndp(&self) -> Value {
        stated(json!({
            "prescriptionId": self.request,
            "pharmacyId": self.division,
            "programId": self.program,
            "dispensedAt": self.day,
            "verificationCode": self.code,
            "items": self.items.iter().map(WantedItem::in_ndp).collect::<Vec<_>>(),
            "paymentId": self.payment_id,
            "copayment": self.payment_amount,
        }))
    }

    /// As the register's API has it.
    pub(super) fn in_ehealth(&self) -> Value {
        let dispense = stated(json!({
            "medication_request_id": self.request,
            "division_id": self.division,
            "medical_program_id": self.program,
            "dispensed_at": self.day,
            "dispense_details": self.items.iter().map(WantedItem::in_ehealth).collect::<Vec<_>>(),
            "payment_id": self.payment_id,
            "payment_amount": self.payment_amount,
        }));
        stated(json!({"code": self.code, "medication_dispense": dispense}))
    }
}

impl WantedItem {
    /// Some tablets, at the price that the sample's programs pay.
    pub(super) fn of(tablets: u32) -> Self {
        Self {
            medication: MEDICATION,
            tablets,
            unit_price: Some(4.5),
            discount: sample::paid_for(tablets),
            participant: None,
            expiry: "2027-01-31",
        }
    }

    fn in_ndp(&self) -> Value {
        stated(json!({
            "medicineCode": self.medication,
            "quantityDispensed": self.tablets,
            "unitPrice": self.unit_price,
            "totalPrice": 135.25,
            "discountAmount": self.discount,
            "programMedicationId": self.participant,
            "batchNumber": "A-17",
            "expiryDate": self.expiry,
        }))
    }

    fn in_ehealth(&self) -> Value {
        stated(json!({
            "medication_id": self.medication,
            "medication_qty": self.tablets,
            "sell_price": self.unit_price,
            "sell_amount": 135.25,
            "discount_amount": self.discount,
            "program_medication_id": self.participant,
            "batch_number": "A-17",
            "expiry_date": self.expiry,
        }))
    }
}

/// Without the members that are not stated.
fn stated(mut object: Value) -> Value {
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}
