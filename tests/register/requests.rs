//! `GET /api/medication_requests/{id}`, and what becomes of a request that its registry changes
//!

use serde_json::{Value, json};

use crate::harness::case::{tomorrow, unknown, yesterday};
use crate::harness::{Case, Opened};

#[tokio::test]
async fn q_11_an_order_has_its_days_of_dispensing_and_a_plan_has_none() {
    let case = Case::new().code("1234").open().await;
    let order = case.request().await;
    assert_eq!(order["id"], json!(case.id("request")));
    assert_eq!(order["intent"], "order");
    assert_eq!(order["dispense_valid_from"], json!(yesterday()));
    assert_eq!(order["dispense_valid_to"], json!(tomorrow()));
    assert_eq!(order["medication_info"]["medication_qty"], 10);
    assert_eq!(order["medical_program"]["id"], json!(case.id("program")));
    assert_eq!(order.get("verification_code"), None);

    let days = json!({
        "intent": "plan", "dispense_valid_from": null, "dispense_valid_to": null,
    });
    let plan = Case::new().but("request", &days).open().await.request().await;
    assert_eq!(plan["intent"], "plan");
    for member in ["dispense_valid_from", "dispense_valid_to"] {
        assert_eq!(plan.get(member), None, "{member}");
    }
    let mut members: Vec<&str> = order.as_object().unwrap().keys().map(String::as_str).collect();
    members.retain(|name| !name.starts_with("dispense_valid"));
    let of_plan: Vec<&str> = plan.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(of_plan, members, "but for its days, a plan is shown as an order is");
}

/// A request whose program the registry does not have.
async fn broken() -> Opened {
    let broken = json!({"medical_program_id": unknown()});
    Case::new().but("request", &broken).discount(50).open().await
}

const BROKEN: &str = "Could not load remote reference for medication_request";

#[tokio::test]
async fn q_12_a_reference_that_leads_nowhere_is_an_internal_error() {
    let case = broken().await;
    let path = format!("/api/medication_requests/{}", case.id("request"));
    case.one.get(&path).await.said(500, "internal_error", BROKEN);
    let rules =
        [("medication-request-invalid", "$.prescriptionId"), ("program-mismatch", "$.programId")];
    let text = "Medication request is not valid";
    let member = ["$.medication_request_id", "required", text];
    case.asks().blamed(&[member], &rules).await;
}

/// Here otherwise: a dispense is shown as it was recorded, so no list of them can break.
#[tokio::test]
async fn q_18_a_list_is_shown_whatever_has_become_of_what_it_refers_to() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await;
    case.change("request", &json!({"medical_program_id": unknown()})).await;
    let path = format!("/api/medication_requests/{}", case.id("request"));
    case.one.get(&path).await.said(500, "internal_error", BROKEN);
    for list in [format!("{path}/dispenses"), "/api/medication_dispenses".to_owned()] {
        let listed = case.one.get(&list).await.expect(200);
        assert_eq!(listed.data()[0], *held.data(), "{list}");
    }
}

/// What a doctor rejects arrives here as a line of the registry, and is refused as a faulty one.
async fn rejects(case: &Opened) -> String {
    let rejected = json!({"status": "REJECTED", "rejected_at": "2026-01-31T10:00:00Z"});
    case.change_refused("request", &rejected).await
}

#[tokio::test]
async fn q_14_what_is_held_or_handed_over_cannot_be_rejected_by_its_registry() {
    let case = Case::new().in_parts().request_quantity(20).discount(50).open().await;
    let held = case.asks().quantity(10).held().await;
    assert_eq!(rejects(&case).await, "medication-request-in-use", "held");
    case.process(&held).await.expect(200);
    assert_eq!(rejects(&case).await, "medication-request-in-use", "handed over");
    assert_eq!(case.request().await["status"], "ACTIVE");
}

#[tokio::test]
async fn q_15_what_is_completed_cannot_be_rejected_by_its_registry() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await;
    case.process(&held).await.expect(200);
    assert_eq!(rejects(&case).await, "medication-request-in-use");
    let request = case.request().await;
    assert_eq!(request["status"], "COMPLETED");
    assert_eq!(request.get("rejected_at").unwrap_or(&Value::Null), &Value::Null);
}
