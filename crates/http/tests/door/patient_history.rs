//! `GET /api/v1/patients/{id}/history`

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::access::Looked;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{
    self, AT_ONCE, DIVISION, OTHER_PHARMACY, PERSON, PHARMACY, REQUEST, REQUEST_IN_PARTS, USER,
};
use super::world::{Answer, READ, World};

fn history(query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/patients/{PERSON}/history?{query}"))
}

/// A world in which a hold was given back, and something recorded at once: their ids.
async fn eventful() -> (World, [String; 2]) {
    let world = World::new().await;
    let held = world.create("k1", &sample::hold()).await.json()["id"].as_str().unwrap().to_owned();
    world.state.get().now += TimeDelta::seconds(1);
    world.cancel(&held, "c1").await;
    world.state.get().now += TimeDelta::days(1);
    let mut at_once = sample::part(AT_ONCE, 5);
    at_once["copayment"] = json!(0);
    let done = world.create("k2", &at_once).await.json()["id"].as_str().unwrap().to_owned();
    (world, [held, done])
}

fn types(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|it| (text(&it["type"]), text(&it["status"]))).collect()
}

fn entry(kind: &str, status: &str) -> (String, String) {
    (kind.to_owned(), status.to_owned())
}

#[actix_web::test]
async fn each_event_is_told_with_who_caused_it_the_last_one_first() {
    let (world, [held, done]) = eventful().await;
    let answer = world.send(history("")).await;
    assert_eq!(
        types(&answer),
        [
            entry("Processed", "COMPLETED"),
            entry("HoldCreated", "COMPLETED"),
            entry("Cancelled", "CANCELLED"),
            entry("HoldCreated", "HELD"),
        ]
    );
    assert_eq!(answer.header("dispense-position"), Some("0:4"));
    let body = answer.json();
    assert_eq!(body["next"], Value::Null);
    let cancelled = &body["items"][2];
    assert_eq!(
        *cancelled,
        json!({
            "position": "0:2", "eventId": cancelled["eventId"], "type": "Cancelled",
            "recordedAt": "2026-03-02T10:00:01.123456Z", "dispenseId": held,
            "prescriptionId": REQUEST, "pharmacyId": DIVISION, "status": "CANCELLED",
            "by": {"user": USER, "client": PHARMACY, "clientType": "PHARMACY"},
            "requestId": cancelled["requestId"],
        })
    );
    assert!(cancelled["requestId"].is_string());
    assert_eq!(body["items"][0]["dispenseId"], json!(done));
    assert_eq!(body["items"][0]["prescriptionId"], json!(REQUEST_IN_PARTS));
}

#[actix_web::test]
async fn days_are_those_on_which_was_recorded_where_the_patient_is() {
    let (world, _) = eventful().await;
    for (query, count) in [
        ("from=2026-03-02&to=2026-03-02", 2),
        ("from=2026-03-03", 2),
        ("to=2026-03-02", 2),
        ("from=2026-03-02&to=2026-03-03", 4),
        ("from=2026-03-04", 0),
        ("to=2026-03-01", 0),
    ] {
        assert_eq!(types(&world.send(history(query)).await).len(), count, "{query}");
    }
    let reversed = world.send(history("from=2026-03-03&to=2026-03-02")).await;
    assert_eq!(reversed.problem(), (422, "schema".to_owned()));
    assert_eq!(reversed.violations()[0].0, "?to");
    let unknown = world.send(history("status=HELD")).await;
    assert_eq!(unknown.violations()[0].0, "?status");
}

#[actix_web::test]
async fn a_walk_is_of_one_moment() {
    let (world, [held, _]) = eventful().await;
    let first = world.send(history("limit=3")).await;
    assert_eq!(types(&first).len(), 3);
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    let link = format!("</api/v1/patients/{PERSON}/history?limit=3&cursor={cursor}>; rel=\"next\"");
    assert_eq!(first.header("link"), Some(&*link));
    world.create("k3", &sample::hold()).await;
    let second = world.send(history(&format!("limit=3&cursor={cursor}"))).await;
    assert_eq!(types(&second), [entry("HoldCreated", "HELD")]);
    assert_eq!(second.json()["items"][0]["dispenseId"], json!(held));
    assert_eq!(second.header("dispense-position"), Some("0:4"));
    for uri in [
        format!("/api/v1/patients/{REQUEST}/history?cursor={cursor}"),
        format!("/api/v1/patients/{PERSON}/history?from=2026-03-01&cursor={cursor}"),
        format!("/api/v1/patients/{PERSON}/history?cursor={}", &cursor[1..]),
        format!("/api/v1/dispenses?cursor={cursor}"),
    ] {
        let answer = world.send(TestRequest::get().uri(&uri)).await;
        assert_eq!(answer.problem(), (400, "cursor-invalid".to_owned()), "{uri}");
    }
}

#[actix_web::test]
async fn a_pharmacy_is_told_of_its_own_dispenses_alone() {
    let (world, _) = eventful().await;
    for (client_type, count) in [
        (ClientType::Pharmacy, 0),
        (ClientType::MspPharmacy, 0),
        (ClientType::Msp, 0),
        (ClientType::Nhs, 4),
        (ClientType::Mis, 4),
        (ClientType::Cabinet, 4),
    ] {
        let token = world.token_of(OTHER_PHARMACY, client_type, READ);
        let answer = world.send_as(&token, history("")).await;
        assert_eq!(types(&answer).len(), count, "{client_type}");
    }
}

#[actix_web::test]
async fn who_is_known_has_a_history_and_who_is_not_has_none() {
    let world = World::new().await;
    assert_eq!(types(&world.send(history("")).await), []);
    world.state.get().patients.clear();
    let unknown = world.send(history("")).await;
    assert_eq!(unknown.problem(), (404, "not-found".to_owned()));
    assert_eq!(unknown.json()["detail"], "There is no such patient");
    for malformed in ["17", "x", "%7B%7D"] {
        let uri = format!("/api/v1/patients/{malformed}/history");
        let answer = world.send(TestRequest::get().uri(&uri)).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{malformed}");
    }
}

#[actix_web::test]
async fn who_looks_is_recorded_though_nothing_was_found() {
    let world = World::new().await;
    let before = world.state.get().accesses.len();
    world.send(history("")).await;
    let accesses = world.state.get().accesses.split_off(before);
    assert_eq!(accesses.len(), 1);
    assert_eq!(accesses[0].looked, Looked::PatientHistory);
    assert_eq!(accesses[0].patients.ids().len(), 1);
}
