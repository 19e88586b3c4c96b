//! `PATCH /api/medication_dispenses/{id}/actions/process`

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::asker::ClientType;
use dispensary::{SignatureFault, Signer};
use serde_json::{Value, json};

use super::super::world::sample::{IN_PARTS, OTHER_PHARMACY};
use super::super::world::{PROCESS, World};
use super::{PREFIXES, action, blamed, create, part, said};

const UNKNOWN: &str = "00000000-0000-8000-8000-000000000099";

/// A hold, and the document of it with a payment.
async fn held(world: &World) -> (String, Value) {
    let answer = world.held("hold", &part(IN_PARTS, 10)).await;
    let mut document = answer.json()["data"].clone();
    document["payment_id"] = json!("12345");
    document["payment_amount"] = json!(20);
    (document["id"].as_str().unwrap().to_owned(), document)
}

/// A hand-over of that document; in this world a container is the document itself.
fn process(id: &str, document: &Value) -> TestRequest {
    action(
        id,
        "process",
        &json!({
            "signed_medication_dispense": BASE64.encode(document.to_string()),
            "signed_content_encoding": "base64",
        }),
    )
}

/// P-01
#[actix_web::test]
async fn what_was_held_is_signed_and_handed_over() {
    let world = World::new().await;
    let (id, document) = held(&world).await;
    let answer =
        world.send(process(&id, &document).insert_header(("x-idempotency-key", "p1"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = &answer.json()["data"];
    assert_eq!(shown["status"], "PROCESSED");
    assert_eq!(shown["payment_id"], "12345");
    assert_eq!(shown["payment_amount"], 20);
    assert_eq!(answer.header("etag"), Some("\"2-PROCESSED\""));
    assert_eq!(answer.header("dispense-position"), Some("0:2"));
    assert_eq!(world.state.get().contents.len(), 1);

    let again =
        world.send(process(&id, &document).insert_header(("x-idempotency-key", "p1"))).await;
    assert_eq!(again.json()["data"], answer.json()["data"]);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[actix_web::test]
async fn what_is_read_on_a_path_is_signed_and_processed_on_that_path() {
    for prefix in PREFIXES {
        let world = World::new().await;
        let uri = format!("{prefix}/medication_dispenses");
        let held = world.send(create(&part(IN_PARTS, 10)).uri(&uri)).await;
        let mut document = held.json()["data"].clone();
        document["payment_amount"] = json!(0);
        let id = document["id"].as_str().unwrap().to_owned();
        let there = format!("{uri}/{id}/actions/process");
        let answer = world.send(process(&id, &document).uri(&there)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["data"]["payment_amount"], 0);
    }
}

/// P-03, P-04, P-15
#[actix_web::test]
async fn a_foreign_hold_is_unknown_before_its_signature_is_looked_at() {
    let world = World::new().await;
    let (id, _) = held(&world).await;
    let expected = said(404, "not_found", "There is no such dispense");
    let foreign = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, PROCESS);
    assert_eq!(world.send_as(&foreign, process(&id, &json!({}))).await.error(), expected);
    for id in [UNKNOWN, "17"] {
        assert_eq!(world.send(process(id, &json!({}))).await.error(), expected);
    }
}

/// P-06
#[actix_web::test]
async fn what_is_missing_is_named_before_the_dispense_is_looked_for() {
    let world = World::new().await;
    for id in [UNKNOWN, "17"] {
        let answer = world.send(action(id, "process", &json!({"test": "test"}))).await;
        let text = |name: &str| format!("required property {name} was not present");
        assert_eq!(
            answer.invalid(),
            ["signed_medication_dispense", "signed_content_encoding"].map(|name| blamed(
                &format!("$.{name}"),
                "required",
                &text(name)
            ))
        );
    }
}

#[actix_web::test]
async fn one_encoding_is_known() {
    let world = World::new().await;
    let body = json!({"signed_medication_dispense": "e30=", "signed_content_encoding": "hex"});
    let answer = world.send(action(UNKNOWN, "process", &body)).await;
    let text = "value is not allowed in enum";
    assert_eq!(answer.invalid(), [blamed("$.signed_content_encoding", "inclusion", text)]);
    let rule = &answer.json()["error"]["invalid"][0]["rules"][0];
    assert_eq!(rule["params"], json!({"values": ["base64"]}));
    assert_eq!(rule["raw_description"], text);
}

/// P-07
#[actix_web::test]
async fn an_amount_that_is_missing_in_the_document_is_told_alone() {
    let world = World::new().await;
    let (id, mut document) = held(&world).await;
    let members = document.as_object_mut().unwrap();
    members.remove("payment_id");
    members.remove("payment_amount");
    let answer = world.send(process(&id, &document)).await;
    let text = "required property payment_amount was not present";
    assert_eq!(answer.invalid(), [blamed("$.payment_amount", "required", text)]);
}

/// P-09
#[actix_web::test]
async fn a_negative_amount_is_told_with_its_bound() {
    let world = World::new().await;
    let (id, mut document) = held(&world).await;
    document["payment_amount"] = json!(-1);
    let answer = world.send(process(&id, &document)).await;
    let text = "expected the value to be >= 0";
    assert_eq!(answer.invalid(), [blamed("$.payment_amount", "number", text)]);
    assert_eq!(
        answer.json()["error"]["invalid"][0]["rules"][0],
        json!({
            "rule": "number",
            "description": text,
            "raw_description": "expected the value to be >= %{greater_than_or_equal_to}",
            "params": {"greater_than_or_equal_to": 0},
        })
    );
}

#[actix_web::test]
async fn every_violation_in_the_document_is_told() {
    let world = World::new().await;
    let (id, mut document) = held(&world).await;
    document["payment_amount"] = json!("20");
    document["payment_id"] = json!(12345);
    let answer = world.send(process(&id, &document)).await;
    assert_eq!(
        answer.invalid(),
        [
            blamed("$.payment_amount", "cast", "type mismatch. Expected number but got string"),
            blamed("$.payment_id", "cast", "type mismatch. Expected string, null but got integer"),
        ]
    );
    assert_eq!(answer.code(), "schema");
}

#[actix_web::test]
async fn a_document_that_differs_is_blamed_as_a_whole() {
    let world = World::new().await;
    let (id, mut document) = held(&world).await;
    document["division"]["name"] = json!("renamed");
    let answer = world.send(process(&id, &document)).await;
    let text = "Signed content does not match the previously created content";
    assert_eq!(answer.invalid(), [blamed("$.content", "invalid", text)]);
}

/// P-10, P-12
#[actix_web::test]
async fn who_signed_is_who_asks() {
    let world = World::new().await;
    let (id, document) = held(&world).await;
    let tax_id = world.state.get().signature.as_ref().unwrap().tax_id.clone();
    let other = |tax_id: Option<&str>, surname: Option<&str>| Signer {
        tax_id: tax_id.map(str::to_owned),
        surname: surname.map(str::to_owned),
    };
    for (signer, text) in [
        (other(None, Some("Shevchenko")), "Invalid drfo"),
        (other(Some("1"), Some("Bondar")), "Does not match the signer drfo"),
        (other(tax_id.as_deref(), None), "Invalid surname"),
        (other(tax_id.as_deref(), Some("Bondar")), "Does not match the signer last name"),
    ] {
        world.state.get().signature = Ok(signer);
        let answer = world.send(process(&id, &document)).await;
        assert_eq!(answer.error(), said(422, "request_malformed", text));
        assert_eq!(
            answer.json()["error"]["invalid"],
            json!([{"entry_type": "request", "rules": [{"rule": "json"}]}])
        );
    }
}

#[actix_web::test]
async fn a_container_that_does_not_hold_is_a_bad_request() {
    let world = World::new().await;
    let (id, document) = held(&world).await;
    let why = "the certificate has expired".to_owned();
    world.state.get().signature = Err(SignatureFault::Invalid { why: why.clone() });
    let answer = world.send(process(&id, &document)).await;
    assert_eq!(answer.error(), said(400, "request_malformed", &why));

    world.state.get().signature =
        Err(SignatureFault::Count { signatures: 0, stamps: 0, why: None });
    let text =
        "document must contain 1 signature and 0 stamps but contains 0 signature(s) and 0 stamp(s)";
    let body = json!({"signed_medication_dispense": "###", "signed_content_encoding": "base64"});
    let answer = world.send(action(&id, "process", &body)).await;
    assert_eq!(answer.error(), said(400, "request_malformed", text));
    assert_eq!(answer.code(), "signature-count");
}

///
#[actix_web::test]
async fn only_a_live_hold_is_handed_over() {
    let world = World::new().await;
    let (id, document) = held(&world).await;
    world.state.get().now += chrono::TimeDelta::minutes(11);
    let answer = world.send(process(&id, &document)).await;
    let text = "Can't update medication dispense status from EXPIRED to PROCESSED";
    assert_eq!(answer.error(), said(409, "request_conflict", text));

    let world = World::new().await;
    let (id, document) = held(&world).await;
    assert_eq!(world.send(action(&id, "reject", &json!({}))).await.status, 200);
    let answer = world.send(process(&id, &document)).await;
    let text = "Can't update medication dispense status from REJECTED to PROCESSED";
    assert_eq!(answer.error(), said(409, "request_conflict", text));
}

///
#[actix_web::test]
async fn a_store_that_fails_changes_nothing() {
    let world = World::new().await;
    let (id, document) = held(&world).await;
    world.state.get().store_is_full = true;
    let answer = world.send(process(&id, &document)).await;
    assert_eq!(answer.error(), said(502, "bad_gateway", "Failed to save signed content"));
    assert_eq!(answer.code(), "content-not-stored");
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    world.state.get().store_is_full = false;
    assert_eq!(world.send(process(&id, &document)).await.status, 200);
}
