//! `POST /api/medication_dispenses` where it is accepted (C-22 to C-25), and what comes of it.

use serde_json::{Value, json};

use crate::harness::case::{kyiv_today, tomorrow, yesterday};
use crate::harness::{Case, Switches};

/// A discount exactly at the deviation that is allowed.
#[tokio::test]
async fn c_22_a_tenth_less_than_the_program_pays_is_accepted() {
    let case = Case::new().request_quantity(100).code("1234").discount(450).open().await;
    let held = case.asks().held().await;
    assert_eq!(held.data()["status"], "NEW");
    assert_eq!(held.data()["details"][0]["discount_amount"], 450);
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 150, "for a whole package");
    assert_eq!(held.data()["medication_request"]["id"], json!(case.id("request")));
}

#[tokio::test]
async fn c_23_a_hold_shows_all_that_it_is_about() {
    let case = Case::new().code("1234").discount(50).open().await;
    let held = case.asks().held().await;
    let data = held.data();
    assert_eq!(data["status"], "NEW");
    assert_eq!(data["dispensed_at"], json!(kyiv_today()));
    assert_eq!((&data["payment_id"], &data["payment_amount"]), (&Value::Null, &Value::Null));
    let request = &data["medication_request"];
    assert_eq!(request["id"], json!(case.id("request")));
    assert_eq!(request["status"], "ACTIVE");
    assert_eq!(request["dispense_valid_from"], json!(yesterday()));
    assert_eq!(request["dispense_valid_to"], json!(tomorrow()));
    assert_eq!(request["medication_info"]["medication_qty"], 10);
    assert_eq!(request.get("verification_code"), None);
    for (member, name) in
        [("legal_entity", "company"), ("division", "division"), ("party", "party")]
    {
        assert_eq!(data[member]["id"], json!(case.id(name)), "{member}");
    }
    assert_eq!(data["medical_program"]["id"], json!(case.id("program")));
    let detail = &data["details"][0];
    for (member, value) in [
        ("medication_qty", json!(10)),
        ("sell_price", json!(18.65)),
        ("sell_amount", json!(186.5)),
        ("discount_amount", json!(50)),
        ("reimbursement_amount", json!(150)),
    ] {
        assert_eq!(detail[member], value, "{member}");
    }
    assert_eq!(detail["medication"]["name"], "Амлодис");
    assert!(!held.body.to_string().contains("1234\""), "the code is nowhere in an answer");

    case.one.ehealth_reject(held.id()).await.expect(200);
    let on_platform = case.asks().ndp().await.expect(201).body;
    assert_eq!(on_platform["status"], "HELD");
    assert_eq!(on_platform["prescriptionId"], json!(case.id("request")));
    assert_eq!(on_platform["pharmacyId"], json!(case.id("division")));
    assert_eq!(on_platform["programId"], json!(case.id("program")));
    assert_eq!(on_platform["totalAmount"], 186.5);
    assert_eq!(on_platform["insuranceCoverage"], 50);
    assert_eq!(on_platform["copayment"], 136.5);
}

/// Whatever discount: nobody pays for it but the patient.
#[tokio::test]
async fn c_25_outside_any_program_no_contract_is_asked_for_and_no_discount_judged() {
    let case = Case::new().without_program().without("contract").open().await;
    let asks = case.asks().discount(9_999);
    let held = asks.held().await;
    assert_eq!(held.data()["status"], "NEW");
    assert_eq!(held.data().get("medical_program"), None);
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 0);
    assert_eq!(held.data()["details"][0]["discount_amount"], 9_999);
    case.one.ehealth_reject(held.id()).await.expect(200);
    let on_platform = asks.ndp().await.expect(201).body;
    assert_eq!(on_platform["programId"], Value::Null);
    assert_eq!(on_platform["items"][0]["reimbursementAmount"], 0);
}

/// Once refused; now it matters only where an installation asks for the payer's word.
#[tokio::test]
async fn h_01_a_company_need_not_be_verified_unless_that_is_switched_on() {
    let unverified = || {
        let company = json!({"mis_verified": "NOT_VERIFIED", "nhs_verified": false});
        Case::new().but("company", &company).discount(50)
    };
    unverified().open().await.asks().held().await;

    let case = unverified().open_with(Switches::VerifiedByPayer).await;
    let rules = [("legal-entity-not-verified", "$")];
    case.asks().refused(409, "Legal entity is not verified", &rules).await;
    case.change("company", &json!({"nhs_verified": true})).await;
    case.asks().held().await;
}

/// A dispense and its lines are stored as they came, and stay so when it is processed.
#[tokio::test]
async fn s_26_the_lines_of_a_dispense_are_kept_in_their_order() {
    let case = Case::new().request_quantity(30).discount(100).open().await;
    let asks = case.asks().quantity(20).and_line(|line| {
        line.quantity = json!(10);
        line.discount = json!(50);
        line.price = json!(18.7);
    });
    let held = asks.held().await;
    let quantities = |of: &Value| -> Vec<Value> {
        let details = of["details"].as_array().unwrap().iter();
        details.map(|it| json!([it["medication_qty"], it["discount_amount"]])).collect()
    };
    let expected = vec![json!([20, 100]), json!([10, 50])];
    assert_eq!(quantities(held.data()), expected);
    let processed = case.process(&held).await.expect(200);
    assert_eq!(quantities(processed.data()), expected);
    assert_eq!(processed.data()["details"][1]["sell_price"], 18.7);
    assert_eq!(case.one.ehealth_get(held.id()).await.data(), processed.data());
}
