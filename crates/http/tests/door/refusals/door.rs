//! The problems of the door itself, each really met.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::AppendError;
use futures::stream;
use futures::{Stream, StreamExt};
use serde_json::json;

use super::super::world::{AUDIT, Answer, READ, World, create};
use super::wanted::Wanted;

/// An answer with each code of the door.
pub(super) async fn answers() -> Vec<Answer> {
    let mut answers = of_askers().await;
    answers.extend(of_bodies().await);
    answers.extend(of_looks().await);
    answers.extend(of_service().await);
    answers
}

async fn of_askers() -> Vec<Answer> {
    let world = World::new().await;
    let body = Wanted::part().in_ndp().to_string();
    vec![
        world.send_bare(create(&body)).await,
        world.send_as(&world.token(READ), create(&body)).await,
        world.send(TestRequest::get().uri("/api/v1/nowhere")).await,
        world.send(TestRequest::delete().uri("/api/v1/dispenses/17")).await,
        world.send(create(&body).insert_header(("idempotency-key", "a b"))).await,
    ]
}

async fn of_bodies() -> Vec<Answer> {
    let world = World::new().await;
    let body = Wanted::part().in_ndp().to_string();
    let begun = || stream::iter([Ok(Bytes::from_static(b"{"))]);
    let broken = begun().chain(stream::iter([Err(PayloadError::Incomplete(None))]));
    let broken = world.send_in_pieces(create(""), payload(broken)).await;
    // Nobody waits: where all else has come to rest, the clock of the tests moves on by itself.
    tokio::time::pause();
    let late = tokio::time::timeout(Duration::from_mins(1), async {
        world.send_in_pieces(create(""), payload(begun().chain(stream::pending()))).await
    });
    let late = late.await.unwrap();
    tokio::time::resume();
    vec![
        world.send(create(&" ".repeat(256 * 1024 + 1))).await,
        late,
        broken,
        world.send(create(&body).insert_header(("content-type", "text/plain"))).await,
        world.send(create("{\"prescriptionId\": ")).await,
        world.send(create(&wrong_in_every_way().to_string())).await,
    ]
}

fn payload(pieces: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream { payload: Box::pin(pieces) }
}

async fn of_looks() -> Vec<Answer> {
    let world = World::new().await;
    let held = world.create("held", &Wanted::part().in_ndp()).await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    let look = |query: &str| TestRequest::get().uri(&format!("/api/v1/dispenses/{id}{query}"));
    vec![
        world.send(look("").insert_header(("dispense-position", "0:2"))).await,
        world.send(TestRequest::get().uri("/api/v1/dispenses?cursor=AQ")).await,
        world.send(look("?asOf=2026-03-03T00:00:00Z")).await,
        {
            world.state.get().events[0].1.body = None;
            world.send(look("/content")).await
        },
        behind(&world).await,
    ]
}

/// Somebody knows more of the log than the read model has read.
async fn behind(world: &World) -> Answer {
    world.state.get().read_models_lag = 1;
    let list = TestRequest::get().uri("/api/v1/dispenses");
    world.send(list.insert_header(("dispense-position", "0:1"))).await
}

/// A body whose members are wrong in each way that brings values with it.
fn wrong_in_every_way() -> serde_json::Value {
    let mut body = Wanted::part().in_ndp();
    body.as_object_mut().unwrap().remove("prescriptionId");
    let item = &mut body["items"][0];
    item["quantityDispensed"] = json!("10");
    item["unitPrice"] = json!(-1);
    item["totalPrice"] = json!(0);
    item["discountAmount"] = json!(1_000_000_000);
    item["batchNumber"] = json!("");
    body["note"] = json!("long ".repeat(201));
    body["copayment"] = json!(0.000_000_1);
    body["more"] = json!(1);
    body
}

async fn of_service() -> Vec<Answer> {
    let world = World::new().await;
    let wanted = Wanted::part().in_ndp();
    let held = world.create("held", &wanted).await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    let content = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"));
    let mut document = world.send(content).await.json();
    document["payment_amount"] = json!(20);
    world.state.get().store_is_full = true;
    let hand_over =
        TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/process")).set_json(json!({
            "signedContent": BASE64.encode(document.to_string()),
            "signedContentEncoding": "base64",
        }));
    let mut answers = vec![world.send(hand_over).await];

    let failures: [fn() -> AppendError; 4] = [
        || AppendError::Busy,
        || AppendError::OutcomeUnknown,
        || AppendError::ClockUnsound,
        || AppendError::Bug,
    ];
    for failure in failures {
        world.state.get().failure = Some(failure);
        answers.push(world.create("k", &wanted).await);
    }
    world.state.get().failure = None;
    world.state.get().proved.diverged = Some("the first 300 events are not those that it covers");
    let proof = TestRequest::get().uri("/api/v1/audit/proof?partition=0&position=1");
    answers.push(world.send_as(&world.token(AUDIT), proof).await);
    world.state.get().takes_batches = 0;
    let lines = TestRequest::default().method(Method::POST).uri("/api/v1/registry/import");
    let lines = lines.insert_header(("content-type", "application/x-ndjson")).set_payload("{}\n");
    answers.push(world.send(lines).await);
    answers
}
