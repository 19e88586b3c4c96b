//! The same pharmacy at the register's API: `/api`, `snake_case`, with an envelope.

use serde_json::{Value, json};
use uuid::Uuid;

use super::world::today;
use super::{Answer, Kind, Order, Pharmacy, Prescribed};

impl Pharmacy {
    /// A request below `/api`, with the token.
    pub(crate) fn ehealth(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.request(method, &format!("/api{path}"))
    }

    /// An order for some of what was prescribed: what [`Self::order`] asks, in the register's words.
    pub(crate) fn ehealth_order(&self, what: &Prescribed, quantity: u32) -> Order {
        let mut dispense = json!({
            "medication_request_id": what.id,
            "division_id": self.division,
            "medical_program_id": what.program,
            "dispensed_at": today(),
            "dispense_details": [{
                "medication_id": what.brand,
                "medication_qty": quantity,
                "batch_number": "UA00471",
                "expiry_date": today() + chrono::Days::new(400),
                "sell_price": 2.5,
                "sell_amount": f64::from(quantity) * 2.5,
                "discount_amount": f64::from(quantity) * 1.5,
                "program_medication_id": what.participant,
            }],
        });
        if what.terms.at_once() {
            dispense["payment_amount"] = json!(f64::from(quantity));
            dispense["payment_id"] = json!("receipt 4711");
        } else {
            dispense["note"] = json!("asked for a bag");
        }
        let body = json!({"medication_dispense": dispense});
        Order::new(Kind::Create, "/api/medication_dispenses", body)
    }

    /// Holds some of what was prescribed, or has it recorded at once.
    pub(crate) async fn ehealth_hold(&self, what: &Prescribed, quantity: u32) -> Answer {
        self.send(&self.ehealth_order(what, quantity)).await
    }

    /// Sends a signed container, under that key.
    pub(crate) async fn ehealth_process(
        &self,
        dispense: Uuid,
        container: &[u8],
        key: &str,
    ) -> Answer {
        let order = Order::processing_in_register(dispense, container);
        self.send(&Order { key: key.to_owned(), ..order }).await
    }

    /// Gives a hold back.
    pub(crate) async fn ehealth_reject(&self, dispense: Uuid) -> Answer {
        self.send(&Order::rejecting(dispense)).await
    }

    /// A dispense as it stands now.
    pub(crate) async fn ehealth_get(&self, dispense: Uuid) -> Answer {
        self.get(&format!("/api/medication_dispenses/{dispense}")).await
    }
}

/// What an error of the register's API blames: path, rule and text of each.
fn blamed(error: &Value) -> Vec<[&str; 3]> {
    let invalid = error["invalid"].as_array().into_iter().flatten();
    invalid
        .map(|it| {
            let rule = &it["rules"][0];
            [&it["entry"], &rule["rule"], &rule["description"]].map(|it| it.as_str().unwrap_or(""))
        })
        .collect()
}

impl Answer {
    /// The answer, if the register's API refuses with this status, type and text.
    #[track_caller]
    pub(crate) fn said(self, status: u16, kind: &str, message: &str) -> Self {
        let error = &self.body["error"];
        let said = (self.status, error["type"].as_str(), error["message"].as_str());
        assert_eq!(said, (status, Some(kind), Some(message)), "{self:#?}");
        self
    }

    /// The answer, if the register's API blames these members: path, rule and text of each.
    #[track_caller]
    pub(crate) fn blames(self, members: &[[&str; 3]]) -> Self {
        let error = &self.body["error"];
        assert_eq!((self.status, error["type"].as_str()), (422, Some("validation_failed")));
        assert_eq!(blamed(error), members, "{self:#?}");
        self
    }

    /// What an answer of the register's API is about.
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        self.body.get("data").unwrap_or_else(|| panic!("no data: {self:#?}"))
    }
}
