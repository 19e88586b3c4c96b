//! What is around every answer.

use actix_web::test::TestRequest;
use serde_json::json;

use super::super::world::World;
use super::{create, hold};

#[actix_web::test]
async fn the_members_stand_in_the_order_of_the_contract() {
    let world = World::new().await;
    let answer = world.held("k1", &hold()).await;
    let text = answer.text();
    let expected = [
        "{\"meta\":{\"code\":201,",
        "\"url\":\"http://localhost:8080/api/medication_dispenses\",",
        "\"type\":\"object\",",
        "\"request_id\":\"",
        "\"idempotency_key\":\"k1\"},",
        "\"data\":{",
    ];
    let places: Vec<usize> = expected.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert_eq!(answer.json().get("paging"), None);
}

#[actix_web::test]
async fn the_address_is_the_callers_behind_a_proxy_too_and_without_the_query() {
    let world = World::new().await;
    let request = create(&hold())
        .uri("/api/medication_dispenses?code=1234")
        .insert_header(("host", "dispense.internal"))
        .insert_header(("x-forwarded-proto", "https"))
        .insert_header(("x-forwarded-host", "ehealth.example.org"));
    let answer = world.send(request).await;
    let url = "https://ehealth.example.org/api/medication_dispenses";
    assert_eq!(answer.json()["meta"]["url"], url);
}

#[actix_web::test]
async fn the_name_of_the_request_is_told() {
    let world = World::new().await;
    let named = TestRequest::get().uri("/api/nothing").insert_header(("x-request-id", "till-4/77"));
    let answer = world.send_bare(named).await;
    assert_eq!(answer.json()["meta"]["request_id"], "till-4/77");
    let drawn = world.send_bare(TestRequest::get().uri("/api/nothing")).await;
    let id = drawn.json()["meta"]["request_id"].clone();
    assert!(uuid::Uuid::parse_str(id.as_str().unwrap()).is_ok());
    assert_eq!(drawn.json()["meta"].get("idempotency_key"), None);
}

#[actix_web::test]
async fn a_key_is_drawn_where_none_is_sent_and_the_other_apis_header_is_one() {
    let world = World::new().await;
    let answer = world.send(create(&hold())).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let key = answer.header("x-idempotency-key").unwrap();
    assert_eq!(uuid::Uuid::parse_str(key).unwrap().get_version_num(), 4);
    assert_eq!(answer.json()["meta"]["idempotency_key"], json!(key));
    // A key that was overlooked would let a retry dispense a second time.
    let again = create(&hold()).insert_header(("idempotency-key", key.to_owned()));
    let again = world.send(again).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.text());
}
