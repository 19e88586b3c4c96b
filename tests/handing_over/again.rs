//! One key, one hand-over. Every signature differs from the last, so what counts is the document.

use serde_json::{Value, json};
use uuid::Uuid;

use super::opened;
use crate::harness::{Answer, Audit, Order, PAID, Payment, Pharmacy, Prescribed, Terms};

/// The same hand-over through both APIs, under one key.
fn both(id: Uuid, container: &[u8], key: &str) -> [Order; 2] {
    [Order::processing(id, container), Order::processing_in_register(id, container)]
        .map(|order| Order { key: key.to_owned(), ..order })
}

#[track_caller]
fn assert_replayed(again: &Answer, first: &Answer, now: &str) {
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:#?}");
    assert_eq!(again.header("dispense-status"), Some(now));
    assert_eq!(first.header("idempotency-replayed"), None, "{first:#?}");
    assert_eq!(again.header("dispense-position"), first.header("dispense-position"));
}

async fn held(pharmacy: &Pharmacy, what: &Prescribed) -> (Uuid, Value) {
    let id = pharmacy.dispense(what, 20).await.expect(201).id();
    (id, pharmacy.content(id).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_signed_anew_is_answered_as_it_was_first() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, document) = held(&one, &what).await;
    let container = one.sign(&document, PAID);
    let first = one.process(id, &container, "p1").await.expect(200);

    let anew = one.sign(&document, PAID);
    assert_ne!(anew, container, "no two signatures are alike");
    // As a program would write it that keeps its members in another order, with blanks and zeros.
    let paid = PAID.in_document(&document);
    let pretty = serde_json::to_string_pretty(&paid).unwrap();
    let written = pretty.replace("\"payment_amount\": 20", "\"payment_amount\": 2.00e1");
    assert_ne!(written, pretty);
    let written = one.identity().sign(written.as_bytes()).unwrap();
    for container in [container, anew, written] {
        let again = one.process(id, &container, "p1").await.expect(200);
        assert_eq!((&again.body, again.header("etag")), (&first.body, first.header("etag")));
        assert_replayed(&again, &first, "COMPLETED");
    }
    assert_eq!(database.stored().len(), 1, "a replay stores nothing");
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated", "Processed"]);
}

/// What was answered is answered, even if nobody would believe the signature today.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_does_not_ask_who_signed() {
    let (_database, _instance, world, one, other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let first = one.process(id, &one.sign(&document, PAID), "p1").await.expect(200);
    let again = one.process(id, &other.sign(&document, PAID), "p1").await.expect(200);
    assert_replayed(&again, &first, "COMPLETED");
    // But it does ask whose dispense it is.
    other.process(id, &one.sign(&document, PAID), "p1").await.refused(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_document_under_the_same_key_is_refused() {
    let (database, _instance, world, one, _other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    one.process(id, &one.sign(&document, PAID), "p1").await.expect(200);
    let text = "The idempotency key was used for another request";
    for payment in [
        Payment { amount: "20.01", ..PAID },
        Payment { receipt: None, ..PAID },
        Payment { receipt: Some("12346"), ..PAID },
    ] {
        let [platform, register] = both(id, &one.sign(&document, payment), "p1");
        one.send(&platform).await.refused(422, "idempotency-key-reused");
        let refused = one.send(&register).await.said(409, "request_conflict", text);
        assert_eq!(refused.code(), "idempotency-key-reused");
    }
    assert_eq!(database.stored().len(), 1, "nothing is stored for what is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_another_question() {
    let (_database, _instance, world, one, _other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let container = one.sign(&document, PAID);
    one.process(id, &container, "p1").await.expect(200);
    let [platform, register] = both(id, &container, "p2");
    one.send(&platform).await.refused(409, "wrong-status");
    let text = "Can't update medication dispense status from PROCESSED to PROCESSED";
    one.send(&register).await.said(409, "request_conflict", text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_is_asked_for_again_through_the_other_api_is_a_replay() {
    let (database, _instance, world, one, _other) = opened().await;
    for (n, what) in [0, 1].map(|n| (n, world.prescribed(Terms::InParts, n))) {
        let (id, document) = held(&one, &what).await;
        let mut orders = both(id, &one.sign(&document, PAID), "one-key");
        orders.rotate_left(n);
        let first = one.send(&orders[0]).await.expect(200);
        let again = one.send(&orders[1]).await.expect(200);
        assert_replayed(&again, &first, ["PROCESSED", "COMPLETED"][n]);
        assert_eq!(again.id(), id);
    }
    assert_eq!(Audit::of(&database).await.count("Processed"), 2);
}

/// A key is good once for each operation and dispense.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_hold_may_name_its_hand_over_too() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let hold = Order { key: "receipt-4711".to_owned(), ..one.order(&what, 20) };
    let first = one.send(&hold).await.expect(201);
    let container = one.sign(&one.content(first.id()).await, PAID);
    let processed = one.process(first.id(), &container, "receipt-4711").await.expect(200);
    assert_eq!(processed.header("idempotency-replayed"), None);

    // Each is still answered as it was.
    let again = one.send(&hold).await.expect(201);
    assert_eq!(again.body, first.body);
    assert_replayed(&again, &first, "COMPLETED");
    let again = one.process(first.id(), &container, "receipt-4711").await.expect(200);
    assert_replayed(&again, &processed, "COMPLETED");

    // And for another dispense it is a new one.
    let next = one.dispense(&what, 20).await.expect(201).id();
    let container = one.sign(&one.content(next).await, PAID);
    one.process(next, &container, "receipt-4711").await.expect(200);
    assert_eq!(Audit::of(&database).await.count("Processed"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_hand_over_leaves_its_key_free() {
    let (database, _instance, world, one, other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    one.process(id, &other.sign(&document, PAID), "p1").await.refused(422, "signer-tax-id");
    let wrong = json!({"id": id});
    one.process(id, &one.sign(&wrong, PAID), "p1").await.refused(422, "schema");
    assert_eq!(database.stored(), [""; 0], "nothing is stored for what is refused");
    one.process(id, &one.sign(&document, PAID), "p1").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_answer() {
    let (database, mut instance, world, one, _other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let [platform, register] = both(id, &one.sign(&document, PAID), "p1");
    let first = one.send(&platform).await.expect(200);
    let shown = one.ehealth_get(id).await.expect(200);
    instance.start_again().await;

    let again = one.send(&platform).await.expect(200);
    assert_eq!(again.body, first.body);
    assert_replayed(&again, &first, "COMPLETED");
    let again = one.send(&register).await.expect(200);
    assert_eq!(again.data(), shown.data());
    assert_replayed(&again, &first, "PROCESSED");
    one.process(id, &one.sign(&document, Payment { amount: "1", ..PAID }), "p1")
        .await
        .refused(422, "idempotency-key-reused");
    assert_eq!(Audit::of(&database).await.count("Processed"), 1);
}
