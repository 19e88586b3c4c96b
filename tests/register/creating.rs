//! `POST /api/medication_dispenses` where it is refused (C-01 to C-20), and the same on the
//! platform's API, which tells all that is wrong.

use serde_json::json;

use crate::harness::case::{tomorrow, unknown};
use crate::harness::{Case, OVER};

const NOT_QUALIFIED: (&str, &str) = ("not-qualified", "$.prescriptionId");

#[tokio::test]
async fn c_01_the_legal_entity_of_the_token_must_exist() {
    let case = Case::new().without("company").open().await;
    let text = "Legal entity not found";
    case.asks()
        .blamed(&[["$.legal_entity_id", "invalid", text]], &[("legal-entity-not-found", "$"), OVER])
        .await;
}

#[tokio::test]
async fn c_02_an_unknown_medication_request_is_blamed() {
    let case = Case::new().open().await;
    let text = "Medication request not found";
    case.asks()
        .request(unknown())
        .blamed(
            &[["$.medication_request_id", "invalid", text]],
            &[("medication-request-not-found", "$.prescriptionId"), OVER],
        )
        .await;
}

#[tokio::test]
async fn c_04_dispense_valid_from_is_tomorrow() {
    let case = Case::new().dispense_valid_from(tomorrow()).open().await;
    let rules = [("outside-dispense-period", "$.prescriptionId"), OVER];
    case.asks().refused(409, "Invalid dispense period", &rules).await;
}

/// The party is looked for before the medication request.
#[tokio::test]
async fn c_05_the_user_needs_a_party_before_anything_is_said_of_the_request() {
    let case = Case::new().without("account").open().await;
    case.asks()
        .request(unknown())
        .refused(
            400,
            "Party not found",
            &[("party-not-found", "$"), ("medication-request-not-found", "$.prescriptionId"), OVER],
        )
        .await;
}

/// The division is judged before the program.
#[tokio::test]
async fn c_07_an_unknown_division_is_blamed_before_an_unknown_program() {
    let case = Case::new().open().await;
    let text = "Division not found";
    case.asks()
        .division(unknown())
        .program(unknown())
        .blamed(
            &[["$.division_id", "invalid", text]],
            &[("division-not-found", "$.pharmacyId"), ("program-not-found", "$.programId")],
        )
        .await;
}

#[tokio::test]
async fn c_08_the_division_is_not_active() {
    let case = Case::new().division_inactive().open().await;
    let rules = [("division-not-active", "$.pharmacyId"), OVER];
    case.asks().refused(409, "Division is not active", &rules).await;
}

#[tokio::test]
async fn c_10_an_unknown_program_is_blamed() {
    let case = Case::new().open().await;
    let text = "Medical program not found";
    case.asks()
        .program(unknown())
        .blamed(
            &[["$.medical_program_id", "invalid", text]],
            &[("program-not-found", "$.programId")],
        )
        .await;
}

#[tokio::test]
async fn c_11_the_program_is_not_active() {
    let case = Case::new().but("program", &json!({"is_active": false})).open().await;
    let rules = [("program-not-active", "$.programId"), OVER, NOT_QUALIFIED];
    case.asks().refused(409, "Medical program is not active", &rules).await;
}

#[tokio::test]
async fn c_13_another_program_than_that_of_the_request_is_blamed() {
    let case = Case::new().with("another", "program", &json!({})).open().await;
    let text = "Medical program in dispense doesn't match the one in medication request";
    let rules = [
        ("program-mismatch", "$.programId"),
        ("no-contract", "$.programId"),
        ("medication-not-in-program", "$.items.[0].medicineCode"),
    ];
    let asks = case.asks().program(case.id("another"));
    asks.blamed(&[["$.medical_program_id", "invalid", text]], &rules).await;
}

#[tokio::test]
async fn c_14_an_unknown_medication_is_blamed() {
    let case = Case::new().open().await;
    let path = "$.dispense_details.[0].medication_id";
    case.asks()
        .medication(unknown())
        .blamed(
            &[[path, "invalid", "Medication not found"]],
            &[("medication-not-found", "$.items.[0].medicineCode")],
        )
        .await;
}

#[tokio::test]
async fn c_16_the_brand_is_not_active() {
    let case = Case::new().but("brand", &json!({"is_active": false})).open().await;
    let path = "$.dispense_details.[0].medication_id";
    case.asks()
        .blamed(
            &[[path, "required", "medication is not active"]],
            &[("medication-not-active", "$.items.[0].medicineCode"), OVER, NOT_QUALIFIED],
        )
        .await;
}

#[tokio::test]
async fn c_17_the_brand_takes_no_part_in_the_program() {
    let case = Case::new().without("participant").open().await;
    let path = "$.dispense_details.[0].medication_id";
    case.asks()
        .blamed(
            &[[path, "invalid", "medication is not a participant of program"]],
            &[("medication-not-in-program", "$.items.[0].medicineCode"), NOT_QUALIFIED],
        )
        .await;
}

/// 10 for a package of 30 is 3.33 for 10 of them.
#[tokio::test]
async fn c_19_the_discount_is_more_than_the_program_pays() {
    let case = Case::new().participant(10).open().await;
    let text = "Requested discount price does not satisfy allowed reimbursement amount";
    let path = "$.dispense_details.[0].discount_amount";
    case.asks().discount(150).blamed(&[[path, "required", text]], &[OVER]).await;
}

#[tokio::test]
async fn c_20_a_plan_is_not_dispensed() {
    let case = Case::new().but("request", &json!({"intent": "plan"})).open().await;
    let text = "Medication request with intent PLAN cannot be dispensed";
    let rules = [("medication-request-is-plan", "$.prescriptionId"), OVER];
    case.asks().refused(409, text, &rules).await;
}
