//! One order, as the JSON that a pharmacy sends.

use std::fmt::Display;

use chrono::NaiveDate;
use dispense_demo::{Dispensable, Money, Pharmacy};
use uuid::Uuid;

/// What is the same in every order of a run.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The day of dispensing.
    pub(crate) day: NaiveDate,
    pub(crate) number: String,
    pub(crate) expiry_date: NaiveDate,
}

/// What is wrong with an order; each breaks one rule or the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A medication that no registry knows.
    UnknownMedication,
    /// More than was prescribed.
    TooMuch,
    /// No outlet.
    MissingMember,
    /// The outlet of another company.
    ForeignDivision,
    /// A payment, which a hold must not have.
    Payment,
    /// Text that ends too early.
    BrokenJson,
}

impl Wrong {
    /// Every way to be wrong.
    pub(crate) const ALL: [Self; 6] = [
        Self::UnknownMedication,
        Self::TooMuch,
        Self::MissingMember,
        Self::ForeignDivision,
        Self::Payment,
        Self::BrokenJson,
    ];
}

/// An order before it is written out.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) wanted: &'a Dispensable,
    pub(crate) batch: &'a Batch,
    pub(crate) pharmacy: &'a Pharmacy,
    /// A pharmacy of another company.
    pub(crate) stranger: &'a Pharmacy,
    pub(crate) wrong: Option<Wrong>,
}

impl Order<'_> {
    /// Writes it out.
    pub(crate) fn json(&self) -> String {
        let wanted = self.wanted;
        let is = |wrong| self.wrong == Some(wrong);
        let extra = if is(Wrong::TooMuch) { wanted.package_min_qty } else { 0 };
        let quantity = wanted.quantity + extra;
        let offer = wanted.offer(quantity);
        let outlet = if is(Wrong::ForeignDivision) { self.stranger } else { self.pharmacy };
        let division = (!is(Wrong::MissingMember)).then_some(outlet.division_id);
        // Any id that the demo does not have; those are drawn, this one is not.
        let medication =
            if is(Wrong::UnknownMedication) { Uuid::from_u128(1) } else { wanted.brand_id };
        let payment = is(Wrong::Payment).then_some(offer.payment_amount);
        let mut json = format!(
            r#"{{"prescriptionId":"{request}",{division}"programId":"{program}","dispensedAt":"{day}","items":[{{"medicineCode":"{medication}","quantityDispensed":{quantity},"batchNumber":"{number}","expiryDate":"{expiry}","unitPrice":{unit},"totalPrice":{total},"discountAmount":{discount},"programMedicationId":"{participant}"}}]{payment}}}"#,
            request = wanted.medication_request_id,
            division = division.map_or_else(String::new, |id| format!(r#""pharmacyId":"{id}","#)),
            program = wanted.medical_program_id,
            day = self.batch.day,
            number = self.batch.number,
            expiry = self.batch.expiry_date,
            unit = offer.sell_price,
            total = offer.sell_amount,
            discount = offer.discount_amount,
            participant = wanted.program_medication_id,
            payment = payment.map_or_else(String::new, paid),
        );
        if is(Wrong::BrokenJson) {
            json.truncate(json.len() / 2);
        }
        json
    }
}

fn paid(amount: Money) -> String {
    format!(r#","copayment":{amount}"#)
}

/// The part of an HTTP request that differs from order to order: the key, and what is asked.
pub(crate) fn tail(key: impl Display, json: &str) -> Vec<u8> {
    let length = json.len();
    format!("Idempotency-Key: bench-{key}\r\nContent-Length: {length}\r\n\r\n{json}").into_bytes()
}

#[cfg(test)]
mod tests {
    use dispense_demo::{Demo, Program};
    use serde_json::Value;

    use super::*;

    fn written(wrong: Option<Wrong>) -> String {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let demo = Demo::new(day).with_program(Program::Affordable);
        let tour = demo.tour();
        let order = Order {
            wanted: &tour.hold,
            batch: &Batch { day, number: tour.batch_number, expiry_date: tour.expiry_date },
            pharmacy: &tour.pharmacy,
            stranger: &tour.other_pharmacy,
            wrong,
        };
        order.json()
    }

    fn read(wrong: Option<Wrong>) -> Value {
        serde_json::from_str(&written(wrong)).unwrap()
    }

    #[test]
    fn an_order_asks_for_all_that_was_prescribed() {
        let order = read(None);
        assert_eq!(order["dispensedAt"], "2026-11-22");
        let item = &order["items"][0];
        assert_eq!(item["quantityDispensed"], 60);
        let [unit, total] = ["unitPrice", "totalPrice"].map(|name| item[name].as_f64().unwrap());
        assert!((unit * 60.0 - total).abs() < 0.001, "{order}");
        assert!(order.get("copayment").is_none());
    }

    #[test]
    fn each_wrong_order_differs_from_the_right_one_in_its_own_way() {
        let right = read(None);
        let changed = |wrong, path: &str| {
            let order = read(Some(wrong));
            assert_ne!(order.pointer(path), right.pointer(path), "{wrong:?}");
        };
        changed(Wrong::UnknownMedication, "/items/0/medicineCode");
        changed(Wrong::TooMuch, "/items/0/quantityDispensed");
        changed(Wrong::MissingMember, "/pharmacyId");
        changed(Wrong::ForeignDivision, "/pharmacyId");
        changed(Wrong::Payment, "/copayment");
        let broken = written(Some(Wrong::BrokenJson));
        assert!(serde_json::from_str::<Value>(&broken).is_err());
    }

    #[test]
    fn the_tail_of_a_request_says_how_long_its_body_is() {
        let expected = "Idempotency-Key: bench-7\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(tail(7, "{}"), expected.as_bytes());
    }
}
