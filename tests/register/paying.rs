//! What follows from the rules of who pays: contracts, programs, discounts (X-12 to,
//!

use serde_json::json;

use crate::harness::{Case, OVER, Switches};

#[tokio::test]
async fn x_12_the_contract_is_suspended() {
    let case = Case::new().contract_suspended().open().await;
    let rules = [("contract-suspended", "$.programId"), OVER];
    case.asks().refused(409, "Contract is suspended", &rules).await;
}

#[tokio::test]
async fn x_14_what_was_prescribed_under_a_program_is_not_dispensed_outside() {
    let case = Case::new().open().await;
    let text = "Medical program in dispense doesn't match the one in medication request";
    let asks = case.asks().program(None);
    let rules = [("program-mismatch", "$.programId")];
    asks.blamed(&[["$.medical_program_id", "invalid", text]], &rules).await;
}

#[tokio::test]
async fn x_15_what_was_prescribed_outside_is_dispensed_under_a_program() {
    let case = Case::new().without_program().discount(50).open().await;
    let held = case.asks().program(case.id("program")).held().await;
    assert_eq!(held.data()["medical_program"]["id"], json!(case.id("program")));
    assert_eq!(held.data()["medication_request"].get("medical_program"), None);
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 150);
}

#[tokio::test]
async fn x_17_where_the_program_pays_nothing_there_is_no_discount() {
    let case = Case::new().participant(0).open().await;
    let text = "Requested discount price does not satisfy allowed reimbursement amount";
    let path = "$.dispense_details.[0].discount_amount";
    case.asks().discount(1).blamed(&[[path, "required", text]], &[OVER]).await;
    let held = case.asks().discount(0).held().await;
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 0);
}

/// 49.68 / (16.56 / 30 × 90) is a little more than 1 for who calculates in floats.
#[tokio::test]
async fn x_19_a_discount_of_all_that_the_program_pays_is_accepted_to_the_cent() {
    let case = Case::new().participant(16.56).request_quantity(90).open().await;
    let text = "Requested discount price does not satisfy allowed reimbursement amount";
    let path = "$.dispense_details.[0].discount_amount";
    case.asks().discount(49.7).blamed(&[[path, "required", text]], &[OVER]).await;
    for discount in [49.68, 49.69] {
        let held = case.asks().discount(discount).held().await;
        assert_eq!(held.data()["details"][0]["discount_amount"], discount);
        assert_eq!(held.data()["details"][0]["reimbursement_amount"], 16.56);
        case.one.ehealth_reject(held.id()).await.expect(200);
    }
}

#[tokio::test]
async fn x_28_a_program_may_go_without_contract() {
    let free = json!({"skip_contract_provision_verify": true});
    let case = Case::new().settings(&free).without("contract").discount(50).open().await;
    case.asks().held().await;
}

#[tokio::test]
async fn x_29_where_provisions_are_asked_for_an_outlet_without_one_is_refused() {
    let case = Case::new().without("provision").discount(50).open_with(Switches::Provisions).await;
    let text = "Division does not provide the medical program";
    case.asks().refused(409, text, &[("provision-missing", "$.pharmacyId")]).await;

    let programs = json!([{"id": case.id("program")}]);
    let body = json!({"programs": programs, "division_id": case.id("division")});
    let qualified = case.qualify(&case.one, &body).await.expect(200);
    let found = &qualified.data()[0];
    assert_eq!((&found["status"], &found["rejection_reason"]), (&json!("INVALID"), &json!(text)));
    let body = json!({"programs": programs, "pharmacyId": case.id("division")});
    let qualified = case.platform_qualify(&case.one, &body).await.expect(200);
    let found = &qualified.body["items"][0];
    assert_eq!((&found["status"], &found["rejectionReason"]), (&json!("INVALID"), &json!(text)));

    // Whoever does not say where is not asked for it.
    let qualified = case.qualify(&case.one, &json!({"programs": programs})).await.expect(200);
    assert_eq!(qualified.data()[0]["status"], "VALID");
}
