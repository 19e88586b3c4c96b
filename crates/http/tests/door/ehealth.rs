//! The register's own API, under `/api` and under `/api/pharmacy`.

mod by_request;
mod creating;
mod describing;
mod envelopes;
mod looking;
mod poison;
mod processing;
mod qualifying;
mod refusing;
mod rejecting;
mod schema;
mod searching;
mod transport;

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::world::sample::{DIVISION, MEDICATION, REQUEST, REQUEST_IN_PARTS, paid_for};
use super::world::{Answer, World};

/// The paths of one and the same thing.
const PREFIXES: [&str; 2] = ["/api", "/api/pharmacy"];

/// A dispense of all thirty tablets.
fn hold() -> Value {
    json!({
        "medication_request_id": REQUEST,
        "dispensed_at": "2026-03-02",
        "division_id": DIVISION,
        "dispense_details": [detail(30)],
    })
}

/// A dispense of some of the tablets under a program that allows parts.
fn part(program: &str, tablets: u32) -> Value {
    let mut part = hold();
    part["medication_request_id"] = json!(REQUEST_IN_PARTS);
    part["medical_program_id"] = json!(program);
    part["dispense_details"] = json!([detail(tablets)]);
    part
}

/// Some tablets of one brand.
fn detail(tablets: u32) -> Value {
    json!({
        "medication_id": MEDICATION,
        "medication_qty": tablets,
        "sell_price": 4.5,
        "sell_amount": 135.25,
        "discount_amount": paid_for(tablets),
    })
}

/// A create of that dispense.
fn create(dispense: &Value) -> TestRequest {
    create_with(&json!({"medication_dispense": dispense}).to_string())
}

/// A create with that body.
fn create_with(body: &str) -> TestRequest {
    TestRequest::post()
        .uri("/api/medication_dispenses")
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned())
}

/// An action on a dispense.
fn action(id: &str, action: &str, body: &Value) -> TestRequest {
    TestRequest::patch()
        .uri(&format!("/api/medication_dispenses/{id}/actions/{action}"))
        .set_json(body)
}

impl World {
    /// Holds that dispense under a key.
    async fn held(&self, key: &str, dispense: &Value) -> Answer {
        self.send(create(dispense).insert_header(("x-idempotency-key", key))).await
    }

    /// The id of a hold.
    async fn hold_id(&self, dispense: &Value) -> String {
        let answer = self.held("hold", dispense).await;
        answer.json()["data"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", answer.text()))
            .to_owned()
    }
}

impl Answer {
    /// Status, type and message of an answer that must be an error in its envelope.
    pub(super) fn error(&self) -> (u16, String, String) {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        let body = self.json();
        assert_eq!(body["meta"]["code"], self.status.as_u16());
        assert_eq!(body["meta"]["type"], "object");
        assert_eq!(body["meta"]["request_id"].as_str(), self.header("x-request-id"));
        assert_eq!(body["meta"]["idempotency_key"].as_str(), self.header("x-idempotency-key"));
        assert!(body["error"]["code"].is_string(), "{body}");
        assert_eq!(body.get("data"), None);
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("type"), text("message"))
    }

    /// The stable name of the problem.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What is to blame: path, rule and description of each member.
    pub(super) fn invalid(&self) -> Vec<(String, String, String)> {
        let (status, kind, message) = self.error();
        assert_eq!((status, kind.as_str()), (422, "validation_failed"), "{}", self.text());
        assert!(message.starts_with("Validation failed. "), "{message}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let body = self.json();
        let invalid = body["error"]["invalid"].as_array().unwrap().iter().map(|it| {
            assert_eq!(it["entry_type"], "json_data_property");
            assert_eq!(it["rules"].as_array().unwrap().len(), 1);
            let rule = &it["rules"][0];
            (text(&it["entry"]), text(&rule["rule"]), text(&rule["description"]))
        });
        invalid.collect()
    }
}

fn said(status: u16, kind: &str, message: &str) -> (u16, String, String) {
    (status, kind.to_owned(), message.to_owned())
}

fn blamed(path: &str, rule: &str, description: &str) -> (String, String, String) {
    (path.to_owned(), rule.to_owned(), description.to_owned())
}
