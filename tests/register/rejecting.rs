//! `PATCH /api/medication_dispenses/{id}/actions/reject`, and cancel on the platform's API.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{UNKNOWN, held, opened, outside, without_program};
use crate::harness::{Answer, Audit, Database, Instance, Order, Terms, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn r_01_a_hold_is_given_back_with_its_receipt() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, document) = held(&one, &what).await;
    let rejected = one.ehealth_reject(id).await.expect(200);
    assert_eq!(rejected.data()["status"], "REJECTED");
    assert_eq!(rejected.data()["payment_id"], "12345");
    assert_eq!(rejected.data()["payment_amount"], Value::Null);
    assert_eq!(one.ehealth_get(id).await.expect(200).data(), rejected.data());
    assert_eq!(one.content(id).await, document, "what would have been signed has no receipt");
    let shown = one.look_at(id).await.expect(200).body;
    assert_eq!((&shown["status"], &shown["paymentId"]), (&json!("CANCELLED"), &json!("12345")));

    // The quantity is free again at once.
    let balance = one.balance(&what).await.expect(200).body;
    assert_eq!((&balance["held"], &balance["available"]), (&json!(0), &json!(60)));
    let (id, _) = held(&one, &what).await;
    let empty = one.ehealth("PATCH", &format!("/medication_dispenses/{id}/actions/reject"));
    let empty = Answer::to(empty).await.unwrap().expect(200);
    assert_eq!(empty.data()["payment_id"], Value::Null, "the body may be empty");
    let kinds = ["HoldCreated", "Cancelled", "HoldCreated", "Cancelled"];
    assert_eq!(Audit::of(&database).await.kinds(what.id), kinds);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_02_a_hold_outside_any_program_is_given_back() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::Whole, 0);
    without_program(&one, &what).await;
    for cancels in [false, true] {
        let id = one.send(&outside(&one, &what)).await.expect(201).id();
        if cancels {
            assert_eq!(one.cancel(id).await.expect(200).body["programId"], Value::Null);
        } else {
            let rejected = one.ehealth_reject(id).await.expect(200);
            assert_eq!(rejected.data()["status"], "REJECTED");
            assert_eq!(rejected.data().get("medical_program"), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_04_a_foreign_hold_is_not_found() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, _) = held(&one, &what).await;
    for id in [id, Uuid::nil()] {
        other.ehealth_reject(id).await.said(404, "not_found", UNKNOWN);
        other.cancel(id).await.refused(404, "not-found");
    }
    let malformed = Order {
        path: "/api/medication_dispenses/17/actions/reject".to_owned(),
        ..Order::rejecting(id)
    };
    one.send(&malformed).await.said(404, "not_found", UNKNOWN);
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated"]);
    // The payer rejects any.
    let payer = other.with_token(&other.token().with("client_type", "NHS"));
    let rejected = payer.ehealth_reject(id).await.expect(200);
    assert_eq!(rejected.data()["status"], "REJECTED");
    assert_eq!(rejected.data()["updated_by"], json!(other.user));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_05_a_hold_that_ran_out_is_not_given_back() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];
    let instance = Instance::start_with(&database, &short).await;
    let one = world.pharmacies[0].at(&instance);
    let (id, _) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    eventually("a hold that has run out", Duration::from_mins(1), async || {
        (one.ehealth_get(id).await.data()["status"] == "EXPIRED").then_some(())
    })
    .await;
    let text = "Can't update medication dispense status from EXPIRED to REJECTED";
    one.ehealth_reject(id).await.said(409, "request_conflict", text);
    one.cancel(id).await.refused(409, "wrong-status");
}
