//! Pharmacists who sign what they hand over, and the one authority whose certificates count.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispense_signing::development::{Authority, Identity, Profile};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Order, Pharmacy};

static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::root("Dispense Service, tests only").unwrap());

/// The authority that every instance trusts, unless it is told otherwise.
pub(crate) fn authority() -> &'static Authority {
    &AUTHORITY
}

/// What the patient paid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    /// As it is written in the document.
    pub(crate) amount: &'static str,
    /// The number of the receipt.
    pub(crate) receipt: Option<&'static str>,
}

/// A payment as any other.
pub(crate) const PAID: Payment = Payment { amount: "20", receipt: Some("12345") };

impl Payment {
    /// The document with this payment in it.
    pub(crate) fn in_document(self, document: &Value) -> Value {
        let mut document = document.clone();
        document["payment_amount"] = serde_json::from_str(self.amount).unwrap();
        document["payment_id"] = json!(self.receipt);
        document
    }
}

/// A container with the document and this payment in it, signed by somebody.
pub(crate) fn sign_as(who: &Identity, document: &Value, payment: Payment) -> Vec<u8> {
    who.sign(payment.in_document(document).to_string().as_bytes()).unwrap()
}

impl Pharmacy {
    /// The certificate of this pharmacist, and its key.
    pub(crate) fn identity(&self) -> &Identity {
        self.identity.get_or_init(|| authority().issue(&Profile::of(&self.person)).unwrap())
    }

    /// The document that is to be signed for a dispense, or was.
    pub(crate) async fn content(&self, dispense: Uuid) -> Value {
        let path = format!("/api/v1/dispenses/{dispense}/content");
        self.get(&path).await.expect(200).body
    }

    /// The container as it is kept.
    pub(crate) async fn container(&self, dispense: Uuid) -> Vec<u8> {
        let request = self.request("GET", &format!("/api/v1/dispenses/{dispense}/content"));
        let response = request.header("Accept", "application/pkcs7-mime").send().await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        response.bytes().await.unwrap().into()
    }

    /// A container with the document and this payment in it, signed by this pharmacist.
    pub(crate) fn sign(&self, document: &Value, payment: Payment) -> Vec<u8> {
        sign_as(self.identity(), document, payment)
    }

    /// Sends a signed container, under that key.
    pub(crate) async fn process(&self, dispense: Uuid, container: &[u8], key: &str) -> Answer {
        let order = Order::processing(dispense, container);
        self.send(&Order { key: key.to_owned(), ..order }).await
    }

    /// An order to hand a hold over, of what its document says now.
    pub(crate) async fn handing_over(&self, dispense: Uuid, payment: Payment) -> Order {
        let container = self.sign(&self.content(dispense).await, payment);
        Order::processing(dispense, &container)
    }

    /// Hands a hold over: reads what is to be signed, signs and sends it.
    pub(crate) async fn hand_over(&self, dispense: Uuid, payment: Payment) -> Answer {
        self.send(&self.handing_over(dispense, payment).await).await
    }
}

/// A container as it is sent.
pub(super) fn in_base64(container: &[u8]) -> String {
    BASE64.encode(container)
}
