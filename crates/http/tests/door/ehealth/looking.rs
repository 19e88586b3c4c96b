//! `GET /api/medication_dispenses/{id}`

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use crate::world::sample::{AT_ONCE, IN_PARTS, NOW, OTHER_PHARMACY, PHARMACY, USER, hold, part};
use crate::world::{Answer, READ, World};

async fn get(world: &World, path: &str) -> Answer {
    world.send(TestRequest::get().uri(path)).await
}

async fn look(world: &World, id: &str) -> Answer {
    get(world, &format!("/api/medication_dispenses/{id}")).await
}

async fn created(world: &World, body: &Value) -> String {
    world.create("key", body).await.json()["id"].as_str().unwrap().to_owned()
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// G-01.
#[actix_web::test]
async fn a_dispense_is_shown_in_the_words_of_the_register() {
    let world = World::new().await;
    let id = created(&world, &part(IN_PARTS, 20)).await;
    let answer = look(&world, &id).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(names(&body), ["data", "meta"]);
    assert_eq!((&body["meta"]["code"], &body["meta"]["type"]), (&json!(200), &json!("object")));
    assert_eq!(body["meta"]["request_id"].as_str(), answer.header("x-request-id"));
    let data = &body["data"];
    assert_eq!(
        names(data),
        [
            "details",
            "dispensed_at",
            "dispensed_by",
            "division",
            "id",
            "inserted_at",
            "inserted_by",
            "legal_entity",
            "medical_program",
            "medication_request",
            "party",
            "payment_amount",
            "payment_id",
            "status",
            "updated_at",
            "updated_by"
        ],
    );
    assert_eq!(data["id"], *id);
    assert_eq!(data["status"], "NEW");
    assert_eq!(data["dispensed_at"], "2026-03-02");
    assert_eq!((&data["inserted_at"], &data["updated_at"]), (&json!(NOW), &json!(NOW)));
    assert_eq!((&data["inserted_by"], &data["updated_by"]), (&json!(USER), &json!(USER)));
    assert_eq!(data["legal_entity"]["id"], PHARMACY);
    assert_eq!(data["medical_program"]["id"], IN_PARTS);
    assert_eq!(data["medication_request"]["medication_info"]["medication_remaining_qty"], 30);
    let text = answer.text();
    for number in [r#""medication_qty":20,"#, r#""sell_price":4.5,"#, r#""discount_amount":23.47,"#]
    {
        assert!(text.contains(number), "{number} in {text}");
    }
}

#[actix_web::test]
async fn a_dispense_is_found_by_its_id_with_dashes_or_without() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    let data = look(&world, &id).await.json()["data"].clone();
    assert_eq!(look(&world, &id.replace('-', "")).await.json()["data"], data);
}

/// G-04.
#[actix_web::test]
async fn outside_any_program_there_is_no_such_member() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    let data = look(&world, &id).await.json()["data"].clone();
    assert!(!names(&data).contains(&"medical_program"));
    assert!(!names(&data["medication_request"]).contains(&"medical_program"));
    assert_eq!(data["details"][0]["reimbursement_amount"], 0);
}

#[actix_web::test]
async fn the_paths_of_pharmacies_do_not_show_who_prescribed() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    let mut whole = look(&world, &id).await.json()["data"].clone();
    let path = format!("/api/pharmacy/medication_dispenses/{id}");
    let trimmed = get(&world, &path).await.json()["data"].clone();
    for prescriber in ["legal_entity", "division", "employee"] {
        whole["medication_request"].as_object_mut().unwrap().remove(prescriber).unwrap();
    }
    assert_eq!(trimmed, whole);
}

#[actix_web::test]
async fn a_dispense_says_where_it_stands_now() {
    let world = World::new().await;
    let lapsing = created(&world, &hold()).await;
    world.state.get().now += TimeDelta::minutes(11);
    assert_eq!(look(&world, &lapsing).await.json()["data"]["status"], "EXPIRED");

    let world = World::new().await;
    let mut at_once = part(AT_ONCE, 10);
    at_once["copayment"] = json!(12.5);
    let at_once = created(&world, &at_once).await;
    let data = look(&world, &at_once).await.json()["data"].clone();
    assert_eq!((&data["status"], &data["payment_amount"]), (&json!("PROCESSED"), &json!(12.5)));
}

#[actix_web::test]
async fn a_dispense_of_another_company_is_shown_to_those_who_see_all() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    let path = format!("/api/medication_dispenses/{id}");
    for (client_type, status) in [
        (ClientType::Pharmacy, 404),
        (ClientType::MspPharmacy, 404),
        (ClientType::Msp, 404),
        (ClientType::Nhs, 200),
        (ClientType::Mis, 200),
    ] {
        let token = world.token_of(OTHER_PHARMACY, client_type, READ);
        let answer = world.send_as(&token, TestRequest::get().uri(&path)).await;
        assert_eq!(answer.status, status, "{client_type}");
    }
}

#[actix_web::test]
async fn what_is_no_dispense_is_not_found() {
    let world = World::new().await;
    for id in ["17", "00000000-0000-4000-8000-000000000000", "%7B00000000%7D"] {
        let answer = look(&world, id).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.json()["error"]["type"], "not_found");
    }
}

#[actix_web::test]
async fn nobody_looks_without_the_scope() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    let path = format!("/api/medication_dispenses/{id}");
    let token = world.token("medication_request:details");
    let answer = world.send_as(&token, TestRequest::get().uri(&path)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]["type"]),
        (403, &json!("forbidden"))
    );
    let answer = world.send_bare(TestRequest::get().uri(&path)).await;
    assert_eq!(answer.status, 401);
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_is_our_fault_and_nothing_of_it_is_told() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    world.state.get().events[0].1.body = Some("{\"secret\": 1}".into());
    let answer = look(&world, &id).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["error"]["type"], "internal_error");
    assert!(!answer.text().contains("salt"), "{}", answer.text());
}

#[actix_web::test]
async fn a_log_that_does_not_answer_is_said_to_be_away() {
    let world = World::new().await;
    let id = created(&world, &hold()).await;
    world.state.get().failure = Some(|| dispensary::AppendError::Busy);
    let answer = look(&world, &id).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}
