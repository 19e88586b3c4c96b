//! A pharmacy that speaks HTTP.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dispense_signing::development::{Holder, Identity};
use serde_json::json;
use uuid::Uuid;

use super::issuer::Token;
use super::world::today;
use super::{Answer, Instance, Kind, Order, Prescribed, Terms};

/// Longer than the service may ever take to answer, so that a late command cannot follow a retry.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// A pharmacist at an outlet, at the door of one instance.
#[derive(Clone)]
pub(crate) struct Pharmacy {
    http: reqwest::Client,
    door: String,
    token: String,
    /// The company, which is the client of the token.
    pub(crate) legal_entity: Uuid,
    pub(crate) user: Uuid,
    pub(crate) division: Uuid,
    pub(crate) party: Uuid,
    /// Who the pharmacist is, in the registry and in the certificate.
    pub(crate) person: Holder,
    /// Made when it is first needed.
    pub(super) identity: Arc<OnceLock<Identity>>,
}

impl Pharmacy {
    /// A pharmacist who is allowed everything.
    pub(crate) fn new(user: Uuid, party: Uuid, legal_entity: Uuid, division: Uuid) -> Self {
        let http = reqwest::Client::builder().timeout(ANSWERED_WITHIN).no_proxy().build().unwrap();
        let token = Token::of(user, legal_entity, "PHARMACY").signed();
        let [tax_id, surname, given_name] = ["2953710241", "Шевчук", "Марія"].map(str::to_owned);
        let person = Holder { tax_id, surname, given_name };
        let (door, identity) = (String::new(), Arc::default());
        Self { http, door, token, legal_entity, user, division, party, person, identity }
    }

    /// The same outlet with another pharmacist.
    pub(crate) fn of_person(self, person: Holder) -> Self {
        Self { person, identity: Arc::default(), ..self }
    }

    /// The same pharmacist at the door of that instance.
    pub(crate) fn at(&self, instance: &Instance) -> Self {
        self.at_door(&instance.url)
    }

    pub(crate) fn at_door(&self, door: &str) -> Self {
        Self { door: door.to_owned(), ..self.clone() }
    }

    /// The same pharmacist with another token.
    pub(crate) fn with_token(&self, token: &Token) -> Self {
        Self { token: token.signed(), ..self.clone() }
    }

    /// A token of this pharmacist, to be spoiled.
    pub(crate) fn token(&self) -> Token {
        Token::of(self.user, self.legal_entity, "PHARMACY")
    }

    /// A request to the door, with the token.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http.request(method, format!("{}{path}", self.door)).bearer_auth(&self.token)
    }

    /// An order for some of what was prescribed, as the program wants it.
    pub(crate) fn order(&self, what: &Prescribed, quantity: u32) -> Order {
        let mut body = json!({
            "prescriptionId": what.id,
            "pharmacyId": self.division,
            "programId": what.program,
            "dispensedAt": today(),
            "items": [{
                "medicineCode": what.brand,
                "quantityDispensed": quantity,
                "batchNumber": "UA00471",
                "expiryDate": today() + chrono::Days::new(400),
                "unitPrice": 2.5,
                "totalPrice": f64::from(quantity) * 2.5,
                "discountAmount": f64::from(quantity) * 1.5,
                "programMedicationId": what.participant,
            }],
        });
        if what.terms.at_once() {
            body["copayment"] = json!(f64::from(quantity));
            body["paymentId"] = json!("receipt 4711");
        } else {
            body["note"] = json!("asked for a bag");
        }
        Order::new(Kind::Create, "/api/v1/dispenses", body)
    }

    /// Sends an order; the connection may fail.
    pub(crate) async fn try_send(&self, order: &Order) -> reqwest::Result<Answer> {
        let name = order.key_header();
        let request = self.request(order.method(), &order.path).header(name, &order.key);
        let answer = Answer::to(request.json(&order.body)).await?;
        assert_eq!(answer.header(name), Some(&*order.key), "the key is echoed");
        Ok(answer)
    }

    /// Sends an order.
    pub(crate) async fn send(&self, order: &Order) -> Answer {
        self.try_send(order).await.unwrap()
    }

    /// Dispenses some of what was prescribed: holds it, or has it recorded at once.
    pub(crate) async fn dispense(&self, what: &Prescribed, quantity: u32) -> Answer {
        self.send(&self.order(what, quantity)).await
    }

    /// Gives a hold back.
    pub(crate) async fn cancel(&self, dispense: Uuid) -> Answer {
        self.send(&Order::cancelling(dispense)).await
    }

    /// Asks for something.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path)).await.unwrap()
    }

    /// A dispense as it stands now.
    pub(crate) async fn look_at(&self, dispense: Uuid) -> Answer {
        self.get(&format!("/api/v1/dispenses/{dispense}")).await
    }

    /// What is left of what was prescribed.
    pub(crate) async fn balance(&self, what: &Prescribed) -> Answer {
        self.get(&format!("/api/v1/prescriptions/{}", what.id)).await
    }

    /// Imports registry lines.
    pub(crate) async fn try_import(&self, lines: &str) -> reqwest::Result<Answer> {
        let request = self.request("POST", "/api/v1/registry/import");
        let request = request.header("Content-Type", "application/x-ndjson");
        Answer::to(request.body(lines.to_owned())).await
    }

    /// Imports registry lines.
    pub(crate) async fn import(&self, lines: &str) -> Answer {
        self.try_import(lines).await.unwrap()
    }
}

impl Terms {
    /// Whether a dispense is recorded at once, without a signature.
    pub(crate) const fn at_once(self) -> bool {
        matches!(self, Self::InPartsAtOnce | Self::WholeAtOnce)
    }

    /// Whether parts may be dispensed.
    pub(crate) const fn in_parts(self) -> bool {
        matches!(self, Self::InParts | Self::InPartsAtOnce)
    }
}
