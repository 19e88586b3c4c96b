//! Rule 21: when the payment is stated; and the terms of an installation that bound a discount.

use serde_json::{Value, json};

use crate::harness::{Case, OVER, Order, Switches};

/// A program that records a dispense at once.
fn at_once() -> Case {
    Case::new().settings(&json!({"skip_medication_dispense_sign": true})).discount(50)
}

#[tokio::test]
async fn without_a_signature_what_the_patient_paid_is_stated_at_once_whoever_funds_it() {
    let text = "required property payment_amount was not present";
    for funding in ["NHS", "LOCAL"] {
        let case = at_once().but("program", &json!({"funding_source": funding})).open().await;
        for payment in [json!({}), json!({"payment_id": "12345"}), json!({"payment_id": null})] {
            let member = ["$.payment_amount", "required", text];
            let rules = [("payment-required", "$.copayment")];
            case.asks().payment(payment).blamed(&[member], &rules).await;
        }
        let held = case.asks().payment(json!({"payment_amount": 0})).held().await;
        assert_eq!(held.data()["status"], "PROCESSED");
        assert_eq!(held.data()["payment_id"], Value::Null);
        assert_eq!(case.request().await["status"], "COMPLETED");
    }
}

/// A payment of another type is no payment, and the schema comes before every rule.
#[tokio::test]
async fn a_payment_that_is_no_number_from_zero_breaks_the_schema() {
    let case = at_once().open().await;
    for (amount, rule, text) in [
        (json!("20"), "cast", "type mismatch. Expected number but got string"),
        (json!(null), "cast", "type mismatch. Expected number but got null"),
        (json!(-1), "number", "expected the value to be >= 0"),
    ] {
        let asks = case.asks().payment(json!({"payment_amount": amount}));
        let member = ["$.medication_dispense.payment_amount", rule, text];
        asks.ehealth().await.blames(&[member]);
        asks.ndp().await.refused(422, "schema");
    }
}

/// What was recorded at once is final.
#[tokio::test]
async fn what_was_recorded_at_once_is_neither_processed_nor_rejected() {
    let case = at_once().open().await;
    let done = case.asks().payment(json!({"payment_amount": 20})).held().await;
    let text = |to| format!("Can't update medication dispense status from PROCESSED to {to}");
    let container = case.one.sign(done.data(), crate::harness::PAID);
    let process = Order::processing_in_register(done.id(), &container);
    case.one.send(&process).await.said(409, "request_conflict", &text("PROCESSED"));
    let reject = Order::rejecting(done.id());
    case.one.send(&reject).await.said(409, "request_conflict", &text("REJECTED"));
}

/// Without deviation and tolerance the discount is what the program pays, and nothing else.
#[tokio::test]
async fn an_installation_may_leave_a_discount_no_room() {
    let case = Case::new().open_with(Switches::Exact).await;
    let text = "Requested discount price does not satisfy allowed reimbursement amount";
    let member = ["$.dispense_details.[0].discount_amount", "required", text];
    for discount in [49.99, 50.01] {
        case.asks().discount(discount).blamed(&[member], &[OVER]).await;
    }
    case.asks().discount(50).held().await;
}
