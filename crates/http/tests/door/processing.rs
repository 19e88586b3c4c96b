//! `POST /api/v1/dispenses/{id}/process` and `GET /api/v1/dispenses/{id}/content`

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::SignatureFault;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{self, IN_PARTS, OTHER_PHARMACY};
use super::world::{Answer, PROCESS, READ, WRITE, World};

async fn held(world: &World) -> String {
    let answer = world.create("hold", &sample::part(IN_PARTS, 10)).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The document to sign, with a payment.
async fn document(world: &World, id: &str) -> Value {
    let answer = content(world, id).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut document = answer.json();
    document["payment_amount"] = json!(100.05);
    document["payment_id"] = json!("R-1");
    document
}

async fn content(world: &World, id: &str) -> Answer {
    world.send(TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"))).await
}

fn signed(id: &str, document: &Value) -> TestRequest {
    process(
        id,
        &json!({
            "signedContent": BASE64.encode(document.to_string()),
            "signedContentEncoding": "base64",
        }),
    )
}

fn process(id: &str, body: &Value) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/process")).set_json(body)
}

#[actix_web::test]
async fn what_was_held_is_signed_and_handed_over() {
    let world = World::new().await;
    let id = held(&world).await;
    let document = document(&world, &id).await;
    let answer = world.send(signed(&id, &document).insert_header(("idempotency-key", "k"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = answer.json();
    assert_eq!(shown["status"], "COMPLETED");
    assert_eq!(shown["copayment"], 100.05);
    assert_eq!(shown["paymentId"], "R-1");
    assert_eq!(shown["version"], 2);
    assert_eq!(answer.header("etag"), Some("\"2-COMPLETED\""));
    assert_eq!(answer.header("dispense-position"), Some("0:2"));
    assert_eq!(answer.header("idempotency-key"), Some("k"));
    assert_eq!(world.look(&id).await.json(), shown);
    assert_eq!(world.state.get().contents.len(), 1);
}

#[actix_web::test]
async fn the_content_is_what_was_signed_whatever_happens_later() {
    let world = World::new().await;
    let id = held(&world).await;
    let before = content(&world, &id).await;
    assert_eq!(before.header("content-type"), Some("application/json"));
    assert_eq!(before.json()["status"], "NEW");
    assert_eq!(before.json()["payment_amount"], Value::Null);
    let document = document(&world, &id).await;
    world.send(signed(&id, &document)).await;
    assert_eq!(content(&world, &id).await.json(), document);

    let container = TestRequest::get()
        .uri(&format!("/api/v1/dispenses/{id}/content"))
        .insert_header(("accept", "application/pkcs7-mime;q=0.9, text/plain"));
    let container = world.send(container).await;
    assert_eq!(container.header("content-type"), Some("application/pkcs7-mime"));
    assert_eq!(container.text(), document.to_string());

    // To others there is neither document nor container.
    let token = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, READ);
    for accept in ["application/json", "application/pkcs7-mime"] {
        let look = TestRequest::get()
            .uri(&format!("/api/v1/dispenses/{id}/content"))
            .insert_header(("accept", accept));
        let foreign = world.send_as(&token, look).await;
        assert_eq!(foreign.problem(), (404, "not-found".to_owned()), "{accept}");
    }
    let anything_but = TestRequest::get()
        .uri(&format!("/api/v1/dispenses/{id}/content"))
        .insert_header(("accept", "application/pkcs7-mime;q=0.0, application/json"));
    let anything_but = world.send(anything_but).await;
    assert_eq!(anything_but.header("content-type"), Some("application/json"));
    assert_eq!(anything_but.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn where_nothing_was_signed_there_is_no_container() {
    let world = World::new().await;
    let id = held(&world).await;
    let container = TestRequest::get()
        .uri(&format!("/api/v1/dispenses/{id}/content"))
        .insert_header(("accept", "application/pkcs7-mime"));
    assert_eq!(world.send(container).await.problem(), (404, "not-found".to_owned()));
    let cancelled = json!({"paymentId": "of the cancel"});
    let cancel = TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/cancel"));
    assert_eq!(world.send(cancel.set_json(cancelled)).await.status, 200);
    assert_eq!(content(&world, &id).await.json()["payment_id"], Value::Null);
}

#[actix_web::test]
async fn both_members_are_missed_at_once_and_before_the_dispense_is_looked_for() {
    let world = World::new().await;
    let unknown = "00000000-0000-8000-8000-000000000000";
    let answer = world.send(process(unknown, &json!({}))).await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()));
    let paths: Vec<String> = answer.violations().into_iter().map(|it| it.0).collect();
    assert_eq!(paths, ["$.signedContent", "$.signedContentEncoding"]);
    let encoding = json!({"signedContent": "e30=", "signedContentEncoding": "hex", "more": 1});
    let answer = world.send(process(unknown, &encoding)).await;
    let rules: Vec<_> = answer.violations().into_iter().map(|it| (it.0, it.1)).collect();
    let wanted = [("$.signedContentEncoding", "inclusion"), ("$.more", "schema")];
    assert_eq!(rules, wanted.map(|(path, rule)| (path.to_owned(), rule.to_owned())));
    let params = &answer.json()["errors"][0]["params"];
    assert_eq!(params, &json!({"values": ["base64"]}));
    let answer = world.send(signed(unknown, &json!({}))).await;
    assert_eq!(answer.problem(), (404, "not-found".to_owned()));
}

#[actix_web::test]
async fn a_status_that_a_document_may_not_have_is_told_with_the_one_it_has() {
    let world = World::new().await;
    let id = held(&world).await;
    let mut document = document(&world, &id).await;
    document["status"] = json!("PROCESSED");
    let answer = world.send(signed(&id, &document)).await;
    let wrong = &answer.json()["errors"][0];
    assert_eq!(wrong["path"], "$.status", "{}", answer.text());
    assert_eq!(wrong["params"], json!({"values": ["NEW"]}));
}

#[actix_web::test]
async fn a_foreign_hold_is_unknown_before_its_signature_is_looked_at() {
    let world = World::new().await;
    let id = held(&world).await;
    let token = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, PROCESS);
    let answer = world.send_as(&token, signed(&id, &json!({}))).await;
    assert_eq!(answer.problem(), (404, "not-found".to_owned()));
    let token = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, READ);
    let look = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"));
    assert_eq!(world.send_as(&token, look).await.problem().0, 404);
    let token = world.token(&[READ, WRITE].join(" "));
    let answer = world.send_as(&token, signed(&id, &json!({}))).await;
    assert_eq!(answer.problem(), (403, "missing-scope".to_owned()));
}

#[actix_web::test]
async fn every_rule_that_is_broken_is_told() {
    let world = World::new().await;
    let id = held(&world).await;
    let mut document = document(&world, &id).await;
    document["payment_amount"] = json!("100");
    document["division"]["name"] = json!("renamed");
    let why = "the certificate has expired".to_owned();
    world.state.get().signature = Err(SignatureFault::Invalid { why });
    let answer = world.send(signed(&id, &document)).await;
    assert_eq!(answer.problem(), (400, "signature-invalid".to_owned()));
    assert_eq!(answer.json()["detail"], "the certificate has expired");
    let told: Vec<_> = answer.violations().into_iter().map(|it| (it.0, it.1)).collect();
    let wanted = [("$.signedContent", "P4b"), ("$.copayment", "cast"), ("$.signedContent", "P10")];
    assert_eq!(told, wanted.map(|(path, rule)| (path.to_owned(), rule.to_owned())));
    assert!(world.state.get().contents.is_empty(), "nothing is stored for what is refused");
}

#[actix_web::test]
async fn what_is_not_base64_is_no_container() {
    let world = World::new().await;
    let id = held(&world).await;
    world.state.get().signature =
        Err(SignatureFault::Count { signatures: 0, stamps: 0, why: None });
    let body = json!({"signedContent": "###", "signedContentEncoding": "base64"});
    let answer = world.send(process(&id, &body)).await;
    assert_eq!(answer.problem(), (400, "signature-count".to_owned()));
}

#[actix_web::test]
async fn the_place_that_differs_is_named() {
    let world = World::new().await;
    let id = held(&world).await;
    let mut document = document(&world, &id).await;
    document["details"][0]["sell_price"] = json!(4.49);
    let answer = world.send(signed(&id, &document)).await;
    assert_eq!(answer.problem(), (422, "content-mismatch".to_owned()));
    let params = &answer.json()["errors"][0]["params"];
    assert_eq!(params["difference"], "$.details.[0].sell_price");
}

/// A client that speaks both APIs, and mixes up how they call it.
#[actix_web::test]
async fn the_key_is_taken_from_the_header_of_the_other_api_as_well() {
    let world = World::new().await;
    let body = sample::part(IN_PARTS, 10).to_string();
    let hold = || super::world::create(&body).insert_header(("x-idempotency-key", "k"));
    let first = world.send(hold()).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-key")), (201, Some("k")));
    let again = world.send(hold()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let both = world.send(hold().insert_header(("idempotency-key", "other"))).await;
    assert_eq!(both.problem(), (400, "idempotency-key-invalid".to_owned()));
}

#[actix_web::test]
async fn a_store_that_fails_changes_nothing() {
    let world = World::new().await;
    let id = held(&world).await;
    let document = document(&world, &id).await;
    world.state.get().store_is_full = true;
    let failed = world.send(signed(&id, &document).insert_header(("idempotency-key", "k"))).await;
    assert_eq!(failed.problem(), (502, "content-not-stored".to_owned()));
    assert_eq!(failed.json()["detail"], "Failed to save signed content");
    assert!(!failed.text().contains("secret"), "{}", failed.text());
    assert_eq!(world.look(&id).await.json()["status"], "HELD");
    world.state.get().store_is_full = false;
    let again = world.send(signed(&id, &document).insert_header(("idempotency-key", "k"))).await;
    assert_eq!(again.status, 200, "{}", again.text());
}

#[actix_web::test]
async fn the_same_document_signed_anew_is_answered_as_it_was_first() {
    let world = World::new().await;
    let id = held(&world).await;
    let document = document(&world, &id).await;
    let first = world.send(signed(&id, &document).insert_header(("idempotency-key", "k"))).await;
    // Another text of the same value stands for another container.
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    let body = json!({"signedContent": BASE64.encode(pretty), "signedContentEncoding": "base64"});
    let again = world.send(process(&id, &body).insert_header(("idempotency-key", "k"))).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.state.get().contents.len(), 1, "nothing is stored for a replay");
    // The same without a receipt is another question; without one or with null is the same.
    let mut other = document.clone();
    other["payment_amount"] = json!(1);
    let reused = world.send(signed(&id, &other).insert_header(("idempotency-key", "k"))).await;
    assert_eq!(reused.problem(), (422, "idempotency-key-reused".to_owned()));
    let late = world.send(signed(&id, &document)).await;
    assert_eq!(late.problem(), (409, "wrong-status".to_owned()));
}

#[actix_web::test]
async fn a_hold_that_ran_out_is_not_handed_over() {
    let world = World::new().await;
    let id = held(&world).await;
    let document = document(&world, &id).await;
    world.state.get().now += chrono::TimeDelta::minutes(11);
    let late = world.send(signed(&id, &document)).await;
    assert_eq!(late.problem(), (409, "wrong-status".to_owned()));
    assert_eq!(
        late.json()["detail"],
        "Can't update medication dispense status from EXPIRED to PROCESSED"
    );
}
