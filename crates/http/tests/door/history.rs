//! `GET /api/v1/dispenses/{id}/history`

use std::path::PathBuf;

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::access::Looked;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{self, AT_ONCE, IN_PARTS, OTHER_PHARMACY};
use super::world::{Answer, READ, World, create};

/// What is held, with all that somebody can write down.
fn hold() -> Value {
    let mut hold = sample::part(IN_PARTS, 10);
    hold["note"] = json!("asked for a bag");
    hold
}

async fn held(world: &World) -> String {
    let request = create(&hold().to_string())
        .insert_header(("idempotency-key", "hold"))
        .insert_header(("x-request-id", "hold-1"))
        .insert_header(("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    let answer = world.send(request).await;
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

/// Gives it back a minute later.
async fn cancelled(world: &World, id: &str) {
    world.state.get().now += TimeDelta::minutes(1);
    let request = TestRequest::post()
        .uri(&format!("/api/v1/dispenses/{id}/cancel"))
        .insert_header(("x-request-id", "cancel-1"))
        .set_json(json!({"reason": "the patient comes back tomorrow", "paymentId": "R-17"}));
    assert_eq!(world.send(request).await.status, 200);
}

fn history_of(id: &str, query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/history{query}"))
}

async fn history(world: &World, id: &str, query: &str) -> Value {
    let answer = world.send(history_of(id, query)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// One member of every event.
fn each(history: &Value, member: &str) -> Vec<Value> {
    history["items"].as_array().unwrap().iter().map(|it| it[member].clone()).collect()
}

/// Holds an answer against the file of that name, letter by letter; `UPDATE_DOCS=1` writes it.
fn is_golden(name: &str, answer: &Answer) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let said = format!("{}\n", answer.text());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, said, "tests/golden/{name} is not what is answered");
}

#[actix_web::test]
async fn a_history_tells_what_each_event_changed_and_who_did_it() {
    let world = World::new().await;
    let id = held(&world).await;
    cancelled(&world, &id).await;
    let answer = world.send(history_of(&id, "?diff=true")).await;
    is_golden("dispense-history.json", &answer);
    let told = answer.json();
    assert_eq!(told["status"], "CANCELLED");
    assert_eq!(each(&told, "type"), ["HoldCreated", "Cancelled"]);
    assert_eq!(each(&told, "status"), ["HELD", "CANCELLED"]);
    assert_eq!(each(&told, "position"), ["0:1", "0:2"]);
    assert_eq!(each(&told, "requestId"), ["hold-1", "cancel-1"]);
    assert_eq!(each(&told, "note"), [json!("asked for a bag"), json!(null)]);
    assert_eq!(each(&told, "reason"), [json!(null), json!("the patient comes back tomorrow")]);
    assert_eq!(each(&told, "paymentId"), [json!(null), json!("R-17")]);
    let by = json!({"user": sample::USER, "client": sample::PHARMACY, "clientType": "PHARMACY"});
    assert_eq!(each(&told, "by"), [by.clone(), by]);
    assert_eq!(
        told["items"][1]["changes"],
        json!([
            {"member": "paymentId", "from": null, "to": "R-17"},
            {"member": "status", "from": "HELD", "to": "CANCELLED"},
            {"member": "updatedAt", "from": "2026-03-02T10:00:00.123456Z",
             "to": "2026-03-02T10:01:00.123456Z"},
            {"member": "version", "from": 1, "to": 2},
        ])
    );
}

/// What began a dispense changed all that it says, and nothing that it leaves open.
#[actix_web::test]
async fn the_first_changes_are_the_whole_dispense() {
    let world = World::new().await;
    let id = held(&world).await;
    let told = history(&world, &id, "?diff=true").await;
    let shown = world.look(&id).await.json();
    let changes = told["items"][0]["changes"].as_array().unwrap();
    for change in changes {
        assert_eq!(change["from"], json!(null), "{change}");
        assert_eq!(change["to"], shown[change["member"].as_str().unwrap()], "{change}");
    }
    let said = shown.as_object().unwrap().values().filter(|value| !value.is_null());
    assert_eq!(changes.len(), said.count());
}

#[actix_web::test]
async fn changes_are_told_to_whoever_asks_for_them() {
    let world = World::new().await;
    let id = held(&world).await;
    for query in ["", "?diff=false"] {
        let told = history(&world, &id, query).await;
        assert_eq!(told["items"][0].get("changes"), None, "{query:?}");
    }
}

#[actix_web::test]
async fn a_hold_that_ran_out_is_expired_and_its_history_ends_with_what_was_recorded() {
    let world = World::new().await;
    let id = held(&world).await;
    world.state.get().now += TimeDelta::minutes(11);
    let answer = world.send(history_of(&id, "")).await;
    assert_eq!(answer.json()["status"], "EXPIRED");
    assert_eq!(each(&answer.json(), "status"), ["HELD"]);
    assert_eq!(answer.header("etag"), Some("\"1-EXPIRED\""));
}

#[actix_web::test]
async fn a_dispense_that_was_recorded_at_once_was_never_held() {
    let world = World::new().await;
    let mut done = sample::part(AT_ONCE, 5);
    done["copayment"] = json!(20);
    done["paymentId"] = json!("R-1");
    let id = world.create("at-once", &done).await.json()["id"].as_str().unwrap().to_owned();
    let told = history(&world, &id, "?diff=true").await;
    assert_eq!(each(&told, "status"), ["COMPLETED", "COMPLETED"]);
    assert_eq!(each(&told, "sequence"), [1, 2]);
    let changed: Vec<&str> = told["items"][1]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["member"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["copayment", "paymentId", "version"]);
}

#[actix_web::test]
async fn what_was_erased_is_a_gap_that_says_so() {
    let world = World::new().await;
    let id = held(&world).await;
    cancelled(&world, &id).await;
    let whole = world.look(&id).await;
    assert_eq!((whole.header("etag"), whole.json().get("erased")), (Some("\"2-CANCELLED\""), None));
    assert_eq!(each(&history(&world, &id, "").await, "erased"), [false, false]);
    for (_, recorded) in &mut world.state.get().events {
        recorded.body = None;
    }
    let told = history(&world, &id, "?diff=true").await;
    assert_eq!(each(&told, "erased"), [true, true]);
    for member in ["note", "reason", "paymentId"] {
        assert_eq!(each(&told, member), [json!(null), json!(null)], "{member}");
    }

    let shown = world.look(&id).await;
    assert_eq!(shown.header("etag"), Some("\"2-CANCELLED-erased\""), "nobody keeps what was");
    let shown = shown.json();
    assert_eq!(shown["erased"], true);
    assert_eq!((&shown["pharmacistName"], &shown["paymentId"]), (&json!(null), &json!(null)));
    assert_eq!(shown["items"][0]["quantityDispensed"], 10, "the rest stays");
    for path in ["/api/medication_dispenses", "/api/pharmacy/medication_dispenses"] {
        let answer = world.send(TestRequest::get().uri(&format!("{path}/{id}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let data = answer.json()["data"].clone();
        assert_eq!((&data["erased"], &data["payment_id"]), (&json!(true), &json!(null)));
        assert_eq!(data["id"], id);
    }
}

/// The receipt of a cancel alone may have been erased.
#[actix_web::test]
async fn one_gap_is_enough_to_say_so() {
    let world = World::new().await;
    let id = held(&world).await;
    cancelled(&world, &id).await;
    world.state.get().events[1].1.body = None;
    assert_eq!(each(&history(&world, &id, "").await, "erased"), [false, true]);
    let shown = world.look(&id).await.json();
    assert_eq!(shown["erased"], true);
    assert!(shown["pharmacistName"].is_string());
}

#[actix_web::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let world = World::new().await;
    let id = held(&world).await;
    let known = ("if-none-match", "W/\"1-HELD\"");
    let answer = world.send(history_of(&id, "").insert_header(known)).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (304, Some("\"1-HELD\"")));
    assert_eq!(answer.text(), "");
    cancelled(&world, &id).await;
    assert_eq!(world.send(history_of(&id, "").insert_header(known)).await.status, 200);
}

#[actix_web::test]
async fn a_history_is_shown_to_whoever_is_shown_the_dispense() {
    let world = World::new().await;
    let id = held(&world).await;
    for (client_type, status) in [
        (ClientType::Pharmacy, 404),
        (ClientType::MspPharmacy, 404),
        (ClientType::Msp, 404),
        (ClientType::Nhs, 200),
        (ClientType::Mis, 200),
        (ClientType::Cabinet, 200),
    ] {
        let token = world.token_of(OTHER_PHARMACY, client_type, READ);
        let answer = world.send_as(&token, history_of(&id, "")).await;
        assert_eq!(answer.status, status, "{client_type}");
    }
    for unknown in ["17", "00000000-0000-4000-8000-0000000000ff"] {
        let answer = world.send(history_of(unknown, "")).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{unknown}");
    }
}

#[actix_web::test]
async fn a_look_at_a_history_is_recorded() {
    let world = World::new().await;
    let id = held(&world).await;
    history(&world, &id, "").await;
    let looked = world.state.get().accesses.iter().map(|it| it.looked).collect::<Vec<_>>();
    assert_eq!(looked, [Looked::DispenseHistory]);
}

#[actix_web::test]
async fn what_a_history_is_asked_for_has_to_be_known() {
    let world = World::new().await;
    let id = held(&world).await;
    for (query, path, rule) in [
        ("?diff=yes", "?diff", "inclusion"),
        ("?diff=", "?diff", "inclusion"),
        ("?diff=true&diff=true", "?diff", "schema"),
        ("?asOf=yesterday", "?asOf", "format"),
        ("?asOf=2026-03-02", "?asOf", "format"),
        ("?asOf=2026-02-30T00:00:00Z", "?asOf", "format"),
        ("?limit=1", "?limit", "schema"),
    ] {
        let answer = world.send(history_of(&id, query)).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{query}");
        let first = answer.violations().swap_remove(0);
        assert_eq!((first.0.as_str(), first.1.as_str()), (path, rule), "{query}");
    }
}
