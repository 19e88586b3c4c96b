//! Rule 10: the outlet, at a hold, at its hand-over and when programs are asked for.

use serde_json::{Value, json};

use crate::harness::case::said_by_platform;
use crate::harness::{Case, OVER, Order, PAID, Switches};

#[tokio::test]
async fn an_outlet_that_is_closed_is_in_conflict() {
    let case = Case::new().but("division", &json!({"status": "INACTIVE"})).open().await;
    let rules = [("division-not-active", "$.pharmacyId"), OVER];
    case.asks().refused(409, "Division is not active", &rules).await;
}

#[tokio::test]
async fn an_outlet_of_another_company_is_in_conflict() {
    let case = Case::new().open().await;
    let rules =
        [("division-foreign", "$.pharmacyId"), ("division-not-in-contract", "$.pharmacyId"), OVER];
    let text = "Division does not belong to user's legal entity";
    case.asks().division(case.id("other division")).refused(409, text, &rules).await;
}

const NOT_VERIFIED: (&str, &str) = ("division-not-dls-verified", "$.pharmacyId");

#[tokio::test]
async fn an_outlet_that_the_regulator_has_not_confirmed_is_in_conflict() {
    for verified in [json!(false), Value::Null] {
        let unverified = || Case::new().but("division", &json!({"dls_verified": verified}));
        let case = unverified().open().await;
        case.asks().refused(409, "Invalid division dls status", &[NOT_VERIFIED, OVER]).await;

        let body = json!({
            "programs": [{"id": case.id("program")}], "division_id": case.id("division"),
        });
        let text = "Division is not verified in DLS";
        case.qualify(&case.one, &body).await.said(409, "request_conflict", text);

        // A program may do without, and so may an installation.
        let skips = json!({"skip_dispense_division_dls_verify": true});
        unverified().settings(&skips).discount(50).open().await.asks().held().await;
        let default = unverified().discount(50).open_with(Switches::Default).await;
        default.asks().held().await;
    }
}

/// The outlet is judged again when the hold is handed over.
#[tokio::test]
async fn an_outlet_that_is_confirmed_no_more_hands_nothing_over() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await;
    let container = case.one.sign(held.data(), PAID);
    for (members, rule, text) in [
        (json!({"dls_verified": false}), NOT_VERIFIED.0, "Invalid division dls status"),
        (json!({"status": "INACTIVE"}), "division-not-active", "Division is not active"),
    ] {
        case.change("division", &members).await;
        let register = Order::processing_in_register(held.id(), &container);
        case.one.send(&register).await.said(409, "request_conflict", text);
        let platform = case.one.send(&Order::processing(held.id(), &container)).await;
        said_by_platform(platform, 409, text, &[(rule, "$.pharmacyId")]);
    }
    case.change("division", &json!({})).await;
    case.process(&held).await.expect(200);
}

#[tokio::test]
async fn an_outlet_that_is_named_is_judged_before_any_program() {
    let case = Case::new().division_inactive().open().await;
    let of = |name: &str| json!({"programs": [{"id": case.id("program")}], "division_id": case.id(name)});
    let closed = "Division is not active";
    case.qualify(&case.one, &of("division")).await.said(409, "request_conflict", closed);
    let foreign = "Division does not belong to user's legal entity";
    case.qualify(&case.one, &of("other division")).await.said(409, "request_conflict", foreign);
}
