//! `GET /api/v1/dispenses`: filters, pages, cursors, and who is shown what.

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::AppendError;
use dispensary::access::Looked;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{
    self, AT_ONCE, DIVISION, IN_PARTS, MEDICATION, OTHER_PHARMACY, PARTY, PERSON, PHARMACY,
    REQUEST, REQUEST_IN_PARTS,
};
use super::world::{Answer, READ, World};

fn list(query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/dispenses?{query}"))
}

/// A world in which a dispense was handed over, and another one is held: their ids.
async fn two_dispenses() -> (World, [String; 2]) {
    let world = World::new().await;
    let mut at_once = sample::part(AT_ONCE, 5);
    at_once["copayment"] = json!(0);
    at_once["items"][0]["batchNumber"] = json!("B-77");
    let done = world.create("k1", &at_once).await;
    world.state.get().now += TimeDelta::seconds(1);
    let held = world.create("k2", &sample::hold()).await;
    let ids = [done, held].map(|it| it.json()["id"].as_str().unwrap().to_owned());
    (world, ids)
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn what_began_last_comes_first_and_is_shown_as_it_is_alone() {
    let (world, [done, held]) = two_dispenses().await;
    let answer = world.send(TestRequest::get().uri("/api/v1/dispenses")).await;
    assert_eq!(ids(&answer), [held.clone(), done.clone()]);
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(body["next"], Value::Null);
    assert_eq!(answer.header("link"), None);
    assert_eq!(answer.header("dispense-position"), Some("0:3"));
    for (item, id) in body["items"].as_array().unwrap().iter().zip([held, done]) {
        assert_eq!(*item, world.look(&id).await.json());
    }
}

#[actix_web::test]
async fn each_filter_leaves_what_matches() {
    let (world, [done, held]) = two_dispenses().await;
    let both = vec![held.clone(), done.clone()];
    let (done, held) = (vec![done], vec![held]);
    for (query, expected) in [
        (format!("prescriptionId={REQUEST_IN_PARTS}"), &done),
        (format!("prescriptionId={REQUEST}"), &held),
        (format!("patientId={PERSON}"), &both),
        (format!("pharmacyId={DIVISION}"), &both),
        (format!("pharmacistId={PARTY}"), &both),
        (format!("programId={AT_ONCE}"), &done),
        (format!("programId={IN_PARTS}"), &vec![]),
        (format!("medicineCode={MEDICATION}"), &both),
        (format!("medicineCode={}", MEDICATION.replace('-', "")), &both),
        ("batchNumber=B-77".to_owned(), &done),
        ("batchNumber=B%2D77".to_owned(), &done),
        ("status=HELD".to_owned(), &held),
        ("status=COMPLETED,CANCELLED".to_owned(), &done),
        ("status=EXPIRED".to_owned(), &vec![]),
        ("from=2026-03-02&to=2026-03-02".to_owned(), &both),
        ("from=2026-03-03".to_owned(), &vec![]),
        ("to=2026-03-01".to_owned(), &vec![]),
        (format!("pharmacyId={PERSON}&status=HELD"), &vec![]),
    ] {
        assert_eq!(ids(&world.send(list(&query)).await), *expected, "{query}");
    }
}

#[actix_web::test]
async fn a_page_leads_to_the_next_and_the_last_one_to_none() {
    let (world, [done, held]) = two_dispenses().await;
    let query = format!("patientId={PERSON}&limit=1");
    let first = world.send(list(&query)).await;
    assert_eq!(ids(&first), [held]);
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    let link = format!("</api/v1/dispenses?{query}&cursor={cursor}>; rel=\"next\"");
    assert_eq!(first.header("link"), Some(&*link));
    let next = link.split(['<', '>']).nth(1).unwrap().to_owned();
    let second = world.send(TestRequest::get().uri(&next)).await;
    assert_eq!(ids(&second), [done]);
    assert_eq!(second.json()["next"], Value::Null);
    assert_eq!(second.header("link"), None);
}

#[actix_web::test]
async fn the_next_page_is_of_the_moment_of_the_first() {
    let (world, [done, held]) = two_dispenses().await;
    let first = world.send(list("limit=1")).await;
    assert_eq!(ids(&first), vec![held.clone()]);
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    world.create("k3", &sample::part(IN_PARTS, 5)).await;
    world.cancel(&held, "c1").await;
    let second = world.send(list(&format!("limit=300&cursor={cursor}"))).await;
    assert_eq!(ids(&second), [done]);
    assert_eq!(second.header("dispense-position"), Some("0:3"), "that of the first page");

    world.state.get().version_of_lists = 2;
    let gone = world.send(list(&format!("cursor={cursor}"))).await;
    assert_eq!(gone.problem(), (400, "cursor-invalid".to_owned()));
    assert!(gone.json()["detail"].as_str().unwrap().contains("not kept any more"));
}

#[actix_web::test]
async fn a_cursor_is_good_for_one_list_of_one_client() {
    let (world, _) = two_dispenses().await;
    let query = format!("patientId={PERSON}&limit=1");
    let first = world.send(list(&query)).await;
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    let invalid = (400, "cursor-invalid".to_owned());
    let history = format!("/api/v1/patients/{PERSON}/history?cursor={cursor}");
    let others = [
        format!("/api/v1/dispenses?cursor={cursor}"),
        format!("/api/v1/dispenses?{query}&status=HELD&cursor={cursor}"),
        format!("/api/v1/dispenses?patientId={REQUEST}&cursor={cursor}"),
        history,
    ];
    for uri in others {
        let answer = world.send(TestRequest::get().uri(&uri)).await;
        assert_eq!(answer.problem(), invalid, "{uri}");
        assert_eq!(answer.violations()[0].0, "?cursor");
        assert!(answer.json()["detail"].as_str().unwrap().contains("another question"), "{uri}");
    }
    let forged = [&cursor[1..], &cursor[..cursor.len() - 1], "", "x", "%20"];
    for forged in forged {
        let answer = world.send(list(&format!("{query}&cursor={forged}"))).await;
        assert_eq!(answer.problem(), invalid, "{forged}");
    }
    let again = format!("{query}&cursor={cursor}");
    for (client, client_type) in
        [(OTHER_PHARMACY, ClientType::Pharmacy), (PHARMACY, ClientType::Nhs)]
    {
        let token = world.token_of(client, client_type, READ);
        assert_eq!(world.send_as(&token, list(&again)).await.problem(), invalid, "{client_type}");
    }
    assert_eq!(world.send(list(&again)).await.status, 200);
}

#[actix_web::test]
async fn a_pharmacy_is_shown_its_own_and_the_payer_all() {
    let (world, [done, held]) = two_dispenses().await;
    for (client_type, sees) in [
        (ClientType::Pharmacy, false),
        (ClientType::MspPharmacy, false),
        (ClientType::Msp, false),
        (ClientType::Nhs, true),
        (ClientType::Mis, true),
        (ClientType::Cabinet, true),
    ] {
        let token = world.token_of(OTHER_PHARMACY, client_type, READ);
        let answer = world.send_as(&token, list(&format!("pharmacyId={DIVISION}"))).await;
        let all = vec![held.clone(), done.clone()];
        assert_eq!(ids(&answer), if sees { all } else { vec![] }, "{client_type}");
    }
}

#[actix_web::test]
async fn what_is_asked_wrongly_is_told_at_once() {
    let world = World::new().await;
    let query =
        "patientId=7&status=NEW&limit=301&from=2026-03-02&to=2026-03-01&batchNumber=&page=2";
    let answer = world.send(list(query)).await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()));
    let violations = answer.violations();
    let blamed: Vec<(&str, &str)> =
        violations.iter().map(|(path, rule, _)| (path.as_str(), rule.as_str())).collect();
    assert_eq!(
        blamed,
        [
            ("?patientId", "format"),
            ("?batchNumber", "length"),
            ("?status", "inclusion"),
            ("?to", "inclusion"),
            ("?limit", "number"),
            ("?page", "schema"),
        ]
    );
    for (query, path) in [
        ("limit=0", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=5.0", "?limit"),
        ("status=", "?status"),
        ("status=HELD&status=HELD", "?status"),
        ("from=2026-02-30", "?from"),
        ("legalEntityId=1", "?legalEntityId"),
        ("Status=HELD", "?Status"),
    ] {
        let answer = world.send(list(query)).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{query}");
        assert_eq!(answer.violations()[0].0, path, "{query}");
    }
}

#[actix_web::test]
async fn a_first_page_waits_for_what_the_caller_knows() {
    let (world, _) = two_dispenses().await;
    let first = world.send(list("limit=1")).await;
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    world.create("k3", &sample::part(IN_PARTS, 5)).await;
    world.state.get().read_models_lag = 1;
    let knows = |query: &str| list(query).insert_header(("dispense-position", "0:4"));
    let behind = world.send(knows("limit=1")).await;
    assert_eq!(behind.problem(), (503, "read-model-behind".to_owned()));
    assert_eq!(world.send(knows(&format!("cursor={cursor}"))).await.status, 200);
    let beyond = list(&format!("cursor={cursor}")).insert_header(("dispense-position", "0:9"));
    assert_eq!(world.send(beyond).await.problem(), (400, "position-invalid".to_owned()));
}

#[actix_web::test]
async fn who_lists_is_recorded_with_whom_was_asked_for() {
    let (world, _) = two_dispenses().await;
    let before = world.state.get().accesses.len();
    world.send(list(&format!("patientId={PERSON}&status=EXPIRED"))).await;
    let accesses = world.state.get().accesses.split_off(before);
    assert_eq!(accesses.len(), 1);
    assert_eq!(accesses[0].looked, Looked::DispenseList);
    let patients: Vec<String> =
        accesses[0].patients.ids().iter().map(ToString::to_string).collect();
    assert_eq!(patients, [PERSON], "though nothing was found");
    world.state.get().access_log_is_full = true;
    assert_eq!(world.send(list("")).await.problem().0, 503);
}

#[actix_web::test]
async fn a_silent_database_is_no_empty_list() {
    let (world, _) = two_dispenses().await;
    world.state.get().failure = Some(|| AppendError::Busy);
    let answer = world.send(list("")).await;
    assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
    assert!(!answer.text().contains("secret"));
}
