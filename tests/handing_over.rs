//! Handing over what was held, signed for: the whole way through either API.

use serde_json::{Value, json};

use crate::harness::{
    Answer, Audit, Database, Instance, Order, PAID, Payment, Pharmacy, Terms, World, sign_as,
};

/// A service with a world, and its first two pharmacies.
async fn opened() -> (Database, Instance, World, Pharmacy, Pharmacy) {
    let database = Database::new().await;
    let world = World::new(2, 4);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    (database, instance, world, one, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_on_the_platform() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let id = one.dispense(&what, 20).await.expect(201).id();

    let content = one.content(id).await;
    assert_eq!(content["status"], "NEW");
    assert_eq!((&content["payment_amount"], &content["payment_id"]), (&Value::Null, &Value::Null));
    let container = one.sign(&content, PAID);
    let processed = one.process(id, &container, "the-till").await.expect(200);
    assert_eq!(processed.body["status"], "COMPLETED");
    assert_eq!(processed.body["copayment"], 20);
    assert_eq!(processed.body["paymentId"], "12345");
    assert_eq!(processed.body["version"], 2);
    assert_eq!(processed.header("etag"), Some("\"2-COMPLETED\""));

    assert_eq!(one.look_at(id).await.expect(200).body, processed.body);
    assert_eq!(one.content(id).await, PAID.in_document(&content));
    assert_eq!(one.container(id).await, container, "byte for byte");
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Processed"]);
    assert_eq!(database.stored().len(), 1);
}
