//! `POST /api/medication_dispenses`

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::super::world::World;
use super::super::world::sample::{AT_ONCE, DIVISION, IN_PARTS, MEDICATION, PHARMACY, REQUEST};
use super::{PREFIXES, create, create_with, hold, part, said};

/// C-25
#[actix_web::test]
async fn a_hold_without_a_program_is_new_and_shows_no_program() {
    let world = World::new().await;
    let answer = world.held("k1", &hold()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let dispense = &answer.json()["data"];
    assert_eq!(dispense["status"], "NEW");
    assert_eq!(dispense["medication_request"]["id"], REQUEST);
    assert_eq!(dispense["division"]["id"], DIVISION);
    assert_eq!(dispense["legal_entity"]["id"], PHARMACY);
    assert_eq!(dispense["details"][0]["medication"]["id"], MEDICATION);
    assert_eq!(dispense["details"][0]["reimbursement_amount"], 0);
    assert_eq!(dispense.get("medical_program"), None);
    let id = dispense["id"].as_str().unwrap();
    let there = format!("/api/medication_dispenses/{id}");
    assert_eq!(answer.header("location"), Some(there.as_str()));
    assert_eq!(answer.header("etag"), Some("\"1-NEW\""));
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
    assert_eq!(answer.header("x-idempotency-key"), Some("k1"));
    assert_eq!(answer.header("idempotency-key"), None);
    assert_eq!(answer.header("idempotency-replayed"), None);
}

/// C-23
#[actix_web::test]
async fn a_hold_under_a_program_shows_it_and_takes_the_code_of_the_patient() {
    let world = World::new().await;
    let dispense = part(IN_PARTS, 10);
    let body = json!({"code": "0000", "medication_dispense": dispense});
    let answer = world.send(create_with(&body.to_string())).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["data"]["status"], "NEW");
    assert_eq!(answer.json()["data"]["medical_program"]["id"], IN_PARTS);
    assert_eq!(answer.json()["data"]["details"][0]["medication_qty"], 10);
}

#[actix_web::test]
async fn under_a_program_without_signature_it_is_processed_at_once() {
    let world = World::new().await;
    let mut dispense = part(AT_ONCE, 10);
    dispense["payment_amount"] = json!(12.5);
    dispense["payment_id"] = json!("receipt 9");
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = &answer.json()["data"];
    assert_eq!(shown["status"], "PROCESSED");
    assert_eq!(shown["payment_amount"], 12.5);
    assert_eq!(shown["payment_id"], "receipt 9");
    assert_eq!(answer.header("etag"), Some("\"2-PROCESSED\""));
}

#[actix_web::test]
async fn both_paths_hold_and_the_newer_one_leaves_the_prescriber_out() {
    for prefix in PREFIXES {
        let world = World::new().await;
        let uri = format!("{prefix}/medication_dispenses");
        let answer = world.send(create(&hold()).uri(&uri)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["meta"]["url"], format!("http://localhost:8080{uri}"));
        let id = body["data"]["id"].as_str().unwrap();
        assert_eq!(answer.header("location"), Some(format!("{uri}/{id}").as_str()));
        for member in ["legal_entity", "division", "employee"] {
            let shown = body["data"]["medication_request"].get(member).is_some();
            assert_eq!(shown, prefix == "/api", "{member} at {uri}");
        }
    }
}

#[actix_web::test]
async fn what_is_optional_is_kept_and_shown() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["dispensed_by"] = json!("Olena Shevchenko");
    dispense["note"] = json!("in the morning");
    let detail = &mut dispense["dispense_details"][0];
    detail["batch_number"] = json!("A-17");
    detail["expiry_date"] = json!("2027-01-31");
    detail["medication_2d_codes"] = json!(["0104", {"medication_2d_code": "0105"}]);
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = &answer.json()["data"];
    assert_eq!(shown["dispensed_by"], "Olena Shevchenko");
    assert_eq!(shown["note"], "in the morning");
    assert_eq!(shown["details"][0]["batch_number"], "A-17");
    assert_eq!(shown["details"][0]["expiry_date"], "2027-01-31");
    assert_eq!(
        shown["details"][0]["medication_2d_codes"],
        json!([{"medication_2d_code": "0104"}, {"medication_2d_code": "0105"}])
    );
}

#[actix_web::test]
async fn a_day_of_dispensing_is_taken_as_it_is_stated() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["dispensed_at"] = json!("2026-04-30");
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["data"]["dispensed_at"], "2026-04-30");
}

#[actix_web::test]
async fn ids_may_come_without_dashes_and_in_capitals() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["division_id"] = json!(DIVISION.replace('-', ""));
    dispense["medication_request_id"] = json!(REQUEST.to_uppercase());
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["data"]["division"]["id"], DIVISION);
    assert_eq!(answer.json()["data"]["medication_request"]["id"], REQUEST);
}

#[actix_web::test]
async fn what_stands_beside_the_dispense_is_ignored() {
    let world = World::new().await;
    let body = json!({"medication_dispense": hold(), "colour": "red"});
    let uri = "/api/medication_dispenses?expand=all";
    let answer = world.send(create_with(&body.to_string()).uri(uri)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[actix_web::test]
async fn the_code_of_the_patient_may_stand_in_the_query_and_goes_nowhere() {
    let world = World::on(|ground| {
        ground.request(REQUEST).verification_code = Some("1234".try_into().unwrap());
    })
    .await;
    let there = |code: &str| create(&hold()).uri(&format!("/api/medication_dispenses?code={code}"));
    let answer = world.send(there("%31234")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["meta"]["url"], "http://localhost:8080/api/medication_dispenses");
    let bad = world.send(there("%00")).await;
    let text = "control character U+0000 is not allowed";
    assert_eq!(bad.invalid(), [super::blamed("$.code", "format", text)]);
}

#[actix_web::test]
async fn asked_again_it_answers_as_it_did_first_and_says_where_the_dispense_stands_now() {
    let world = World::new().await;
    let first = world.held("k1", &hold()).await;
    let id = first.json()["data"]["id"].as_str().unwrap().to_owned();
    let uri = format!("/api/medication_dispenses/{id}/actions/reject");
    assert_eq!(world.send(TestRequest::patch().uri(&uri)).await.status, 200);

    let again = world.held("k1", &hold()).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.json()["data"], first.json()["data"]);
    assert_eq!(again.json()["meta"]["idempotency_key"], "k1");
    for name in ["etag", "location", "dispense-position", "x-idempotency-key"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("dispense-status"), Some("REJECTED"));
}

#[actix_web::test]
async fn a_key_that_was_used_for_something_else_is_a_conflict() {
    let world = World::new().await;
    world.held("k1", &hold()).await;
    let mut other = hold();
    other["note"] = json!("something else");
    let answer = world.held("k1", &other).await;
    let text = "The idempotency key was used for another request";
    assert_eq!(answer.error(), said(409, "request_conflict", text));
    assert_eq!(answer.code(), "idempotency-key-reused");
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
}

/// Both APIs ask the same question in other words.
#[actix_web::test]
async fn a_key_counts_on_both_apis() {
    let world = World::new().await;
    let first = world.held("k1", &hold()).await;
    let mut again = super::super::world::sample::hold();
    for member in ["batchNumber", "expiryDate"] {
        again["items"][0][member] = json!("2027-01-31");
    }
    let other = world.create("k1", &again).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused".to_owned()));

    let mut whole = hold();
    whole["dispense_details"][0]["batch_number"] = json!("A-17");
    whole["dispense_details"][0]["expiry_date"] = json!("2027-01-31");
    let world = World::new().await;
    let first_there = world.held("k1", &whole).await;
    let again = world.create("k1", &super::super::world::sample::hold()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.text());
    assert_eq!(again.json()["id"], first_there.json()["data"]["id"]);
    assert_ne!(first.json()["data"]["id"], Value::Null);
}
