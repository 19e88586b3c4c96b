//! What follows from the rules of how much, and of who was faster (X-01 to,
//!

use serde_json::json;

use crate::harness::case::{unknown, yesterday};
use crate::harness::{Case, OVER};

const WRONG_CODE: (&str, &str) = ("wrong-code", "$.verificationCode");

#[tokio::test]
async fn x_01_where_there_is_no_code_four_zeros_are_none() {
    let case = Case::new().discount(50).open().await;
    case.asks().code("0001").refused(401, "Incorrect code", &[WRONG_CODE]).await;
    case.asks().code("0000").held().await;
}

#[tokio::test]
async fn x_03_a_code_that_is_missing_or_wrong_is_refused() {
    let case = Case::new().code("1234").discount(50).open().await;
    for asks in [case.asks().without_code(), case.asks().code("1235")] {
        asks.refused(401, "Incorrect code", &[WRONG_CODE]).await;
    }
    case.asks().code("0000").ehealth().await.said(401, "access_denied", "Incorrect code");
    // The platform judges the code last; the register in its turn, before the quantity.
    let asks = case.asks().code("1235").quantity(20).discount(100);
    asks.ehealth().await.said(401, "access_denied", "Incorrect code");
    asks.ndp().await.refused(422, "quantity-not-equal");
    case.asks().held().await;
}

#[tokio::test]
async fn x_04_what_another_pharmacy_holds_is_not_held_again() {
    let case = Case::new().discount(50).open().await;
    case.other_asks().held().await;
    let text = "Active medication dispense already exists";
    case.asks().refused(403, text, &[("already-held", "$.prescriptionId")]).await;
    let platform = case.asks().ndp().await;
    assert_eq!(platform.body["errors"][0]["params"], json!({}), "a stranger's hold is a secret");
}

#[tokio::test]
async fn x_09_a_quantity_that_cannot_be_divided_off_is_refused() {
    let case = Case::new().request_quantity(15).discount(75).open().await;
    let text = "Requested medication brand quantity must be a multiplier of package minimal \
                quantity";
    let path = "$.dispense_details.[0].medication_qty";
    let rules = [("quantity-not-divisible", "$.items.[0].quantityDispensed")];
    case.asks().blamed(&[[path, "required", text]], &rules).await;
}

#[tokio::test]
async fn x_11_every_line_with_an_unknown_medication_is_blamed() {
    let case = Case::new().open().await;
    let asks = case.asks().medication(unknown());
    let asks = asks.and_line(|line| line.medication = unknown());
    let line = |index: usize| format!("$.dispense_details.[{index}].medication_id");
    let text = "Medication not found";
    asks.blamed(
        &[[&line(0), "invalid", text], [&line(1), "invalid", text]],
        &[
            ("medication-not-found", "$.items.[0].medicineCode"),
            ("medication-not-found", "$.items.[1].medicineCode"),
            ("quantity-not-equal", "$.items"),
        ],
    )
    .await;
}

#[tokio::test]
async fn x_20_the_last_part_completes_the_medication_request() {
    let case = Case::new().in_parts().request_quantity(60).open().await;
    let asks = case.asks().quantity(30).discount(150);
    let first = asks.held().await;
    case.process(&first).await.expect(200);
    assert_eq!(case.request().await["status"], "ACTIVE");
    let second = asks.by(&case.one).held().await;
    assert_eq!(case.request().await["status"], "ACTIVE", "held is not yet handed over");
    case.process(&second).await.expect(200);
    let request = case.request().await;
    assert_eq!(request["status"], "COMPLETED");
    assert_eq!(request["medication_info"]["medication_remaining_qty"], 0);
    let rules = [
        ("medication-request-not-active", "$.prescriptionId"),
        ("nothing-left", "$.prescriptionId"),
        ("quantity-exceeds-available", "$.items"),
    ];
    let asks = case.asks().quantity(10).discount(50);
    asks.refused(409, "Medication request is not active", &rules).await;
}

#[tokio::test]
async fn x_22_a_part_leaves_the_medication_request_active() {
    let case = Case::new().in_parts().request_quantity(60).open().await;
    let held = case.asks().quantity(20).discount(100).held().await;
    case.process(&held).await.expect(200);
    let request = case.request().await;
    assert_eq!(request["status"], "ACTIVE");
    assert_eq!(request["medication_info"]["medication_remaining_qty"], 40);
}

#[tokio::test]
async fn x_26_a_payment_is_not_stated_before_the_hand_over() {
    let case = Case::new().discount(50).open().await;
    let text = "schema does not allow additional properties";
    let (id, amount) = (["$.payment_id", "schema", text], ["$.payment_amount", "schema", text]);
    let both = json!({"payment_id": "12345", "payment_amount": 20});
    case.asks()
        .payment(both)
        .blamed(
            &[id, amount],
            &[("payment-not-allowed", "$.paymentId"), ("payment-not-allowed", "$.copayment")],
        )
        .await;
    // Mere presence is enough.
    let null = case.asks().payment(json!({"payment_id": null}));
    null.blamed(&[id], &[("payment-not-allowed", "$.paymentId")]).await;
    let one = case.asks().payment(json!({"payment_amount": 0}));
    one.blamed(&[amount], &[("payment-not-allowed", "$.copayment")]).await;
}

#[tokio::test]
async fn x_31_of_two_at_the_same_moment_one_is_faster() {
    for round in 0..8 {
        let case = Case::new().discount(50).open().await;
        let (one, other) = (case.asks(), case.other_asks());
        let (one, other) = match round % 3 {
            0 => tokio::join!(one.ehealth(), other.ehealth()),
            1 => tokio::join!(one.ehealth(), other.ndp()),
            _ => tokio::join!(one.ndp(), other.ndp()),
        };
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403], "{one:#?} {other:#?}");
        let slower = if one.status == 403 { one } else { other };
        slower.refused(403, "already-held");
    }
}

/// X-36, of which the register's own systems know nothing: no expired medicine.
#[tokio::test]
async fn x_36_medicine_that_has_expired_is_not_dispensed() {
    let case = Case::new().discount(50).open().await;
    let path = "$.dispense_details.[0].expiry_date";
    let text = "Medication is expired";
    let rules = [("medicine-expired", "$.items.[0].expiryDate")];
    case.asks().expiry_date(yesterday()).blamed(&[[path, "invalid", text]], &rules).await;
    // The later of today and the stated day counts.
    let asks = case.asks().dispensed_at(yesterday()).expiry_date(yesterday());
    asks.blamed(&[[path, "invalid", text]], &rules).await;
    // Together with what else is wrong, it is told in its place.
    let asks = case.asks().expiry_date(yesterday()).discount(150);
    let platform = asks.ndp().await;
    assert_eq!(platform.codes(), ["medicine-expired", OVER.0]);
    case.asks().expiry_date(crate::harness::case::kyiv_today()).held().await;
}
