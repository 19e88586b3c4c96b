//! `POST /api/v1/dispenses/{id}/verify`

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::access::Looked;
use dispensary::asker::ClientType;
use dispensary::{Covered, SignatureFault};
use serde_json::{Value, json};

use super::world::sample::{self, IN_PARTS, OTHER_PHARMACY};
use super::world::{Answer, READ, World};

const NAMES: [&str; 8] = [
    "stream",
    "hash_chain",
    "inclusion",
    "signature",
    "stored_content",
    "medication_request",
    "quantity",
    "medicine_expiry",
];

fn verify(id: &str) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/verify"))
}

async fn held(world: &World) -> String {
    let answer = world.create("hold", &sample::part(IN_PARTS, 10)).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The id of a dispense that was handed over against a signature.
pub(super) async fn handed_over(world: &World) -> String {
    let id = held(world).await;
    let content = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"));
    let mut document = world.send(content).await.json();
    document["payment_amount"] = json!(20);
    let signed = json!({
        "signedContent": BASE64.encode(document.to_string()), "signedContentEncoding": "base64",
    });
    let process =
        TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/process")).set_json(signed);
    let answer = world.send(process).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    id
}

/// What each check says.
fn said(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let checks = answer.json()["checks"].clone();
    let names: Vec<&Value> = checks.as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, NAMES);
    checks.as_array().unwrap().iter().map(|it| it["ok"].clone()).collect()
}

/// What is false after something was done to the world.
async fn false_after(change: impl FnOnce(&World)) -> Vec<&'static str> {
    let world = World::new().await;
    let id = handed_over(&world).await;
    change(&world);
    let answer = world.send(verify(&id)).await;
    let wrong: Vec<&str> =
        NAMES.into_iter().zip(said(&answer)).filter(|it| it.1 == false).map(|it| it.0).collect();
    assert_eq!(answer.json()["valid"], wrong.is_empty());
    wrong
}

#[actix_web::test]
async fn of_a_hold_all_is_said_that_applies_already() {
    let world = World::new().await;
    let id = held(&world).await;
    let answer = world.send(verify(&id)).await;
    let (yes, not_yet) = (json!(true), Value::Null);
    let expected = [&yes, &yes, &not_yet, &not_yet, &not_yet, &yes, &yes, &yes];
    assert_eq!(said(&answer).iter().collect::<Vec<_>>(), expected, "{}", answer.text());
    assert_eq!(answer.json()["valid"], true);
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
    assert_eq!(world.state.get().accesses.last().unwrap().looked, Looked::Verification);
    assert_eq!(world.state.get().events.len(), 1, "nothing was changed");
}

#[actix_web::test]
async fn a_hand_over_that_is_covered_is_true_in_everything() {
    let world = World::new().await;
    let id = handed_over(&world).await;
    world.state.get().proved.covered = Covered::Within { size: 300 };
    let answer = world.send(verify(&id).set_json(json!({}))).await;
    assert_eq!(said(&answer), vec![json!(true); 8], "{}", answer.text());
    assert!(answer.text().contains("size 300"), "{}", answer.text());
}

#[actix_web::test]
async fn each_kind_of_evidence_fails_alone() {
    assert_eq!(false_after(|_| ()).await, [""; 0]);
    let chain = false_after(|world| world.state.get().proved.is_chained = false);
    assert_eq!(chain.await, ["hash_chain"]);
    let tree = false_after(|world| world.state.get().proved.covered = Covered::Not);
    assert_eq!(tree.await, ["inclusion"]);
    let lost = false_after(|world| world.state.get().contents.clear());
    assert_eq!(lost.await, ["signature", "stored_content"]);
    let broken = SignatureFault::Invalid { why: "the certificate of Коваль".to_owned() };
    let broken = false_after(|world| world.state.get().signature = Err(broken));
    assert_eq!(broken.await, ["signature"]);
    let other = false_after(|world| {
        let signature = &mut world.state.get().signature;
        signature.as_mut().unwrap().surname = Some("Інша".to_owned());
    });
    assert_eq!(other.await, ["signature"]);
    let sequence = false_after(|world| world.state.get().events[1].1.sequence = 3);
    assert_eq!(sequence.await, ["stream"]);
    let twice = false_after(|world| {
        let mut inner = world.state.get();
        let mut again = inner.events[1].clone();
        again.1.sequence = 3;
        inner.events.push(again);
    });
    assert_eq!(twice.await, ["stream"]);
}

#[actix_web::test]
async fn no_answer_names_a_person() {
    let world = World::new().await;
    let id = handed_over(&world).await;
    let why = "the certificate of Коваль has expired".to_owned();
    world.state.get().signature = Err(SignatureFault::Invalid { why });
    let answer = world.send(verify(&id)).await;
    assert!(!answer.text().contains("Коваль"), "{}", answer.text());
}

#[actix_web::test]
async fn only_whoever_sees_the_dispense_has_it_checked() {
    let world = World::new().await;
    let id = held(&world).await;
    let stranger = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, READ);
    assert_eq!(
        world.send_as(&stranger, verify(&id)).await.problem(),
        (404, "not-found".to_owned())
    );
    let nothing = world.token(super::world::WRITE);
    let answer = world.send_as(&nothing, verify(&id)).await;
    assert_eq!(answer.problem(), (403, "missing-scope".to_owned()));
}

#[actix_web::test]
async fn the_body_is_empty_or_has_no_members() {
    let world = World::new().await;
    let id = held(&world).await;
    let more = world.send(verify(&id).set_json(json!({"deep": true}))).await;
    assert_eq!(more.problem(), (422, "schema".to_owned()));
    let list = world.send(verify(&id).set_json(json!([]))).await;
    assert_eq!(list.problem(), (422, "schema".to_owned()));
    let query = TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/verify?deep=true"));
    assert_eq!(world.send(query).await.problem(), (422, "schema".to_owned()));
}
