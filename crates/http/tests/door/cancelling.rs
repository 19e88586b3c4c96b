//! `POST /api/v1/dispenses/{id}/cancel`

use actix_web::test::TestRequest;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{self, OTHER_PHARMACY};
use super::world::{REJECT, World};

async fn held(world: &World) -> String {
    let answer = world.create("hold", &sample::hold()).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn cancel(id: &str, body: &Value) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/cancel")).set_json(body)
}

#[actix_web::test]
async fn an_empty_body_is_enough() {
    let world = World::new().await;
    let id = held(&world).await;
    let answer = world.cancel(&id, "k1").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["status"], "CANCELLED");
    assert_eq!(answer.json()["version"], 2);
    assert_eq!(answer.header("etag"), Some("\"2-CANCELLED\""));
    assert_eq!(answer.header("dispense-position"), Some("0:2"));
    assert_eq!(answer.header("idempotency-key"), Some("k1"));
    assert_eq!(answer.header("location"), None);
}

#[actix_web::test]
async fn a_receipt_number_is_kept_and_shown() {
    let world = World::new().await;
    let id = held(&world).await;
    let body = json!({"reason": "The patient left", "paymentId": "R-1"});
    let answer = world.send(cancel(&id, &body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["paymentId"], "R-1");
}

#[actix_web::test]
async fn asked_again_it_answers_as_it_did_first() {
    let world = World::new().await;
    let id = held(&world).await;
    let first = world.cancel(&id, "k1").await;
    let again = world.cancel(&id, "k1").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("dispense-status"), Some("CANCELLED"));
    let other = world.cancel(&id, "k2").await;
    assert_eq!(other.problem(), (409, "wrong-status".to_owned()));
    assert_eq!(
        other.json()["detail"],
        "Can't update medication dispense status from REJECTED to REJECTED"
    );
}

#[actix_web::test]
async fn what_is_not_ones_own_does_not_exist() {
    let world = World::new().await;
    let id = held(&world).await;
    let unknown = "00000000-0000-8000-8000-000000000099";
    assert_eq!(world.cancel(unknown, "k1").await.problem(), (404, "not-found".to_owned()));
    assert_eq!(world.cancel("17", "k1").await.problem(), (404, "not-found".to_owned()));

    let foreign = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, REJECT);
    let answer = world.send_as(&foreign, cancel(&id, &json!({}))).await;
    assert_eq!(answer.problem(), (404, "not-found".to_owned()));
    let payer = world.token_of(OTHER_PHARMACY, ClientType::Nhs, REJECT);
    assert_eq!(world.send_as(&payer, cancel(&id, &json!({}))).await.status, 200);
}

#[actix_web::test]
async fn a_body_is_believed_no_more_than_any_other() {
    let world = World::new().await;
    let id = held(&world).await;
    let answer = world.send(cancel(&id, &json!({"reason": 1, "why": "x"}))).await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()));
    assert_eq!(
        answer.violations(),
        [
            (
                "$.reason".to_owned(),
                "cast".to_owned(),
                "type mismatch. Expected string, null but got integer".to_owned()
            ),
            (
                "$.why".to_owned(),
                "schema".to_owned(),
                "schema does not allow additional properties".to_owned()
            ),
        ]
    );
    let plain = TestRequest::post()
        .uri(&format!("/api/v1/dispenses/{id}/cancel"))
        .insert_header(("content-type", "text/plain"))
        .set_payload("{}");
    assert_eq!(world.send(plain).await.problem(), (415, "unsupported-media-type".to_owned()));
}
