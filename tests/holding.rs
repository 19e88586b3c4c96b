//! Holding medication, giving it back, and having it recorded at once.

use crate::harness::{Answer, Audit, Database, Instance, Order, Pharmacy, Terms, World};

/// A service with a world, and its first two pharmacies.
async fn opened() -> (Database, Instance, World, Pharmacy, Pharmacy) {
    let database = Database::new().await;
    let world = World::new(2, 2);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    (database, instance, world, one, other)
}

/// Status and amounts of a balance: prescribed, held, dispensed, available.
fn amounts(balance: &Answer) -> (&str, [i64; 4]) {
    let amount = |name: &str| balance.body[name].as_i64().unwrap_or_else(|| panic!("{balance:?}"));
    let status = balance.body["status"].as_str().unwrap();
    (status, ["prescribed", "held", "dispensed", "available"].map(amount))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_keeps_others_out_until_it_is_given_back() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);

    let held = one.dispense(&what, 20).await.expect(201);
    assert_eq!(held.body["status"], "HELD");
    assert_eq!(held.body["isPartial"], true);
    let id = held.id();
    assert_eq!(held.header("location"), Some(&*format!("/api/v1/dispenses/{id}")));
    assert_eq!(amounts(&one.balance(&what).await.expect(200)), ("ACTIVE", [60, 20, 0, 40]));

    let refused = other.dispense(&what, 20).await.refused(403, "already-held");
    assert_eq!(refused.body["errors"][0]["params"], serde_json::json!({}), "a stranger's hold");
    let refused = one.dispense(&what, 20).await.refused(403, "already-held");
    assert_eq!(refused.body["errors"][0]["params"]["dispenseId"], *id.to_string(), "its own");

    other.cancel(id).await.refused(404, "not-found");
    other.look_at(id).await.refused(404, "not-found");
    let cancelled = one.cancel(id).await.expect(200);
    assert_eq!(cancelled.body["status"], "CANCELLED");
    assert_eq!(cancelled.body["version"], 2);
    one.cancel(id).await.refused(409, "wrong-status");

    other.dispense(&what, 60).await.expect(201);
    assert_eq!(amounts(&one.balance(&what).await.expect(200)), ("ACTIVE", [60, 60, 0, 0]));
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Cancelled", "HoldCreated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_signature_it_is_recorded_at_once_and_in_parts() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InPartsAtOnce, 0);

    let first = one.dispense(&what, 10).await.expect(201);
    assert_eq!(first.body["status"], "COMPLETED");
    assert_eq!(first.body["copayment"], 10);
    assert_eq!(first.body["paymentId"], "receipt 4711");
    assert_eq!(first.body["expiresAt"], serde_json::Value::Null);
    assert_eq!(first.body["version"], 2);
    one.cancel(first.id()).await.refused(409, "wrong-status");

    let refused = other.dispense(&what, 60).await.refused(422, "quantity-exceeds-available");
    assert_eq!(refused.body["errors"][0]["params"]["available"], 50);
    other.dispense(&what, 50).await.expect(201);
    assert_eq!(amounts(&one.balance(&what).await.expect(200)), ("COMPLETED", [60, 0, 60, 0]));
    let refused = one.dispense(&what, 10).await.refused(409, "medication-request-not-active");
    assert!(refused.codes().contains(&"nothing-left"), "every rule is named: {refused:?}");

    let audit = Audit::of(&database).await;
    let expected = ["HoldCreated", "Processed", "HoldCreated", "Processed"];
    assert_eq!(audit.kinds(what.id), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_parts_are_not_allowed_it_is_all_or_nothing() {
    let (_database, _instance, world, one, other) = opened().await;
    let held = world.prescribed(Terms::Whole, 0);
    let refused = one.dispense(&held, 20).await.refused(422, "quantity-not-equal");
    assert_eq!(refused.body["errors"][0]["path"], "$.items");
    one.dispense(&held, 60).await.expect(201);
    other.dispense(&held, 60).await.refused(403, "already-held");

    let at_once = world.prescribed(Terms::WholeAtOnce, 0);
    other.dispense(&at_once, 60).await.expect(201);
    one.dispense(&at_once, 60).await.refused(409, "medication-request-not-active");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_gets_the_same_answer() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let order = one.order(&what, 30);
    let first = one.send(&order).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);

    let again = one.send(&order).await.expect(201);
    assert_eq!(again.body, first.body);
    for name in ["etag", "dispense-position", "location"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("dispense-status"), Some("HELD"));

    let mut another = order.clone();
    another.body["items"][0]["quantityDispensed"] = 20.into();
    one.send(&another).await.refused(422, "idempotency-key-reused");

    let cancellation = Order::cancelling(first.id());
    let cancelled = one.send(&cancellation).await.expect(200);
    let again = one.send(&cancellation).await.expect(200);
    assert_eq!(again.body, cancelled.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let mut another = cancellation.clone();
    another.body = serde_json::json!({"reason": "another reason"});
    one.send(&another).await.refused(422, "idempotency-key-reused");

    // The first answer stays what it was; the header says what has become of it.
    let again = one.send(&order).await.expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("dispense-status"), Some("CANCELLED"));

    // A key belongs to its client: with another one it is another question.
    let theirs = Order { key: order.key.clone(), ..other.order(&what, 30) };
    let theirs = other.send(&theirs).await.expect(201);
    assert_ne!(theirs.id(), first.id());
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Cancelled", "HoldCreated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispense_that_has_not_changed_is_not_sent_again() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let held = one.dispense(&what, 30).await.expect(201);
    let path = format!("/api/v1/dispenses/{}", held.id());
    let seen = one.get(&path).await.expect(200);
    assert_eq!(seen.body, held.body);
    assert_eq!(seen.header("etag"), Some("\"1-HELD\""));

    let with_tag = || one.request("GET", &path).header("If-None-Match", "\"1-HELD\"");
    Answer::to(with_tag()).await.unwrap().expect(304);
    one.cancel(held.id()).await.expect(200);
    let changed = Answer::to(with_tag()).await.unwrap().expect(200);
    assert_eq!(changed.header("etag"), Some("\"2-CANCELLED\""));
}
