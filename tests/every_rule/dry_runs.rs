//! `POST /api/v1/dispenses?dryRun=true`: what would be, and nothing done.

use serde_json::{Value, json};

use crate::harness::{Answer, Asking, Audit, Case, Order, Running, Switches};

async fn tried(case: &crate::harness::Opened, asks: &Asking) -> Answer {
    let order = asks.platform_order();
    let order = Order { path: format!("{}?dryRun=true", order.path), ..order };
    case.one.send(&order).await
}

/// What each rule said, by its number.
fn results(answer: &Answer) -> Vec<(&str, &str)> {
    let rules = answer.body["rules"].as_array().unwrap().iter();
    rules.map(|it| (it["rule"].as_str().unwrap(), it["result"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_whatever_is_tried() {
    let running = Running::alone(Switches::Usual).await;
    let case = Case::new().code("1234").discount(50).open_at(running).await;
    let granted = tried(&case, &case.asks()).await.expect(200);
    assert_eq!((&granted.body["dryRun"], &granted.body["wouldBe"]), (&json!(true), &json!("HELD")));
    let position = granted.header("dispense-position").unwrap().to_owned();
    for asks in [
        case.asks().discount(150),
        case.asks().quantity(20).discount(100),
        case.asks().request(case.id("nothing")),
        case.asks().without_code(),
    ] {
        let refused = tried(&case, &asks).await;
        assert!((400..500).contains(&refused.status), "{refused:#?}");
    }
    let again = tried(&case, &case.asks()).await.expect(200);
    assert_eq!(again.header("dispense-position"), Some(&*position));
    assert_eq!(again.body["rules"], granted.body["rules"], "as if nobody had tried");
    // A wrong code counts, but stands beside the log.
    tried(&case, &case.asks().code("9999")).await.refused(401, "wrong-code");
    let again = tried(&case, &case.asks()).await.expect(200);
    assert_eq!(again.header("dispense-position"), Some(&*position));
    assert!(Audit::of(&case.running().database).await.entries.is_empty());
    let balance = format!("/api/v1/prescriptions/{}", case.id("request"));
    assert_eq!(case.one.get(&balance).await.expect(200).body["available"], 10);

    // The key of a try is not spent, and what was tried can be done.
    let order = case.asks().platform_order();
    let try_out = Order { path: format!("{}?dryRun=true", order.path), ..order.clone() };
    case.one.send(&try_out).await.expect(200);
    case.one.send(&order).await.expect(201);
    assert_eq!(
        Audit::of(&case.running().database).await.kinds(case.id("request")),
        ["HoldCreated"]
    );
}

#[tokio::test]
async fn what_would_be_refused_is_the_same_problem_with_what_every_rule_says() {
    let case = Case::new().division_inactive().contract_suspended().open().await;
    let refused = tried(&case, &case.asks()).await.refused(409, "division-not-active");
    let done = case.asks().ndp().await;
    for member in ["code", "status", "title", "detail", "errors"] {
        assert_eq!(refused.body[member], done.body[member], "{member}");
    }
    let results = results(&refused);
    let of = |number: &str| results.iter().find(|it| it.0 == number).map(|it| it.1);
    assert_eq!(of("10a"), Some("passed"));
    assert_eq!(of("10b"), Some("failed"));
    assert_eq!(of("13b"), Some("failed"));
    assert_eq!(of("13c"), Some("not-evaluated"));
    assert_eq!(of("16a"), Some("not-evaluated"), "the code has no turn");
    let failed = results.iter().filter(|it| it.1 == "failed").count();
    assert_eq!(failed, done.body["errors"].as_array().unwrap().len());
}

#[tokio::test]
async fn under_a_program_without_signature_it_would_be_completed() {
    let at_once = json!({"skip_medication_dispense_sign": true});
    let case = Case::new().settings(&at_once).discount(50).open().await;
    let asks = case.asks().payment(json!({"payment_amount": 0}));
    let granted = tried(&case, &asks).await.expect(200);
    assert_eq!(granted.body["wouldBe"], "COMPLETED");
    tried(&case, &case.asks()).await.refused(422, "payment-required");
    let created = asks.ndp().await.expect(201).body;
    assert_eq!((&created["status"], &created["paymentId"]), (&json!("COMPLETED"), &Value::Null));
}
