//! `PATCH /api/medication_dispenses/{id}/actions/reject`

use actix_web::test::TestRequest;
use dispensary::asker::ClientType;
use serde_json::json;

use super::super::world::sample::{IN_PARTS, OTHER_PHARMACY};
use super::super::world::{REJECT, World};
use super::{PREFIXES, action, blamed, hold, part, said};

///
#[actix_web::test]
async fn a_hold_is_rejected_and_its_receipt_number_kept() {
    let world = World::new().await;
    let id = world.hold_id(&part(IN_PARTS, 10)).await;
    let body = json!({"payment_id": "12345", "reject_reason": "The patient left", "colour": "red"});
    let answer = world.send(action(&id, "reject", &body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["data"]["status"], "REJECTED");
    assert_eq!(answer.json()["data"]["payment_id"], "12345");
    assert_eq!(answer.json()["meta"]["code"], 200);
    assert_eq!(answer.header("etag"), Some("\"2-REJECTED\""));
    assert_eq!(answer.header("location"), None);
}

///
#[actix_web::test]
async fn a_hold_without_a_program_is_rejected_with_an_empty_body_on_both_paths() {
    for prefix in PREFIXES {
        let world = World::new().await;
        let id = world.hold_id(&hold()).await;
        let uri = format!("{prefix}/medication_dispenses/{id}/actions/reject");
        let answer = world.send(TestRequest::patch().uri(&uri)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["data"]["status"], "REJECTED");
        let prescriber = answer.json()["data"]["medication_request"].get("employee").is_some();
        assert_eq!(prescriber, prefix == "/api");
    }
}

///
#[actix_web::test]
async fn what_is_not_ones_own_does_not_exist() {
    let world = World::new().await;
    let id = world.hold_id(&hold()).await;
    let expected = said(404, "not_found", "There is no such dispense");
    let foreign = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, REJECT);
    let answer = world.send_as(&foreign, action(&id, "reject", &json!({}))).await;
    assert_eq!(answer.error(), expected);
    for id in ["00000000-0000-8000-8000-000000000099", "17"] {
        assert_eq!(world.send(action(id, "reject", &json!({}))).await.error(), expected);
    }
    let payer = world.token_of(OTHER_PHARMACY, ClientType::Nhs, REJECT);
    assert_eq!(world.send_as(&payer, action(&id, "reject", &json!({}))).await.status, 200);
}

///
#[actix_web::test]
async fn a_hold_that_ran_out_is_no_longer_rejected() {
    let world = World::new().await;
    let id = world.hold_id(&hold()).await;
    let later = world.state.get().now + chrono::Duration::hours(1);
    world.state.get().now = later;
    let answer = world.send(action(&id, "reject", &json!({}))).await;
    let text = "Can't update medication dispense status from EXPIRED to REJECTED";
    assert_eq!(answer.error(), said(409, "request_conflict", text));
    assert_eq!(answer.code(), "wrong-status");
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
}

#[actix_web::test]
async fn asked_again_it_answers_as_it_did_first() {
    let world = World::new().await;
    let id = world.hold_id(&hold()).await;
    let reject = || action(&id, "reject", &json!({})).insert_header(("x-idempotency-key", "r1"));
    let first = world.send(reject()).await;
    let again = world.send(reject()).await;
    assert_eq!((again.status, &again.json()["data"]), (first.status, &first.json()["data"]));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("dispense-status"), Some("REJECTED"));
}

#[actix_web::test]
async fn a_body_is_believed_no_more_than_any_other() {
    let world = World::new().await;
    let answer = world.send(action("17", "reject", &json!({"payment_id": 1}))).await;
    let text = "type mismatch. Expected string, null but got integer";
    assert_eq!(answer.invalid(), [blamed("$.payment_id", "cast", text)]);
}
