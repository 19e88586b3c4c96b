//! Who looked: recorded before anything is shown, and shown to auditors.

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::access::{Access, Looked};
use dispensary::asker::ClientType;
use dispensary::registry_changes::{Change, ChangePlace, REST};
use dispense_domain::Digest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::sample::{self, IN_PARTS, NUMBER, PERSON, PHARMACY, REQUEST_IN_PARTS, USER};
use super::world::{Answer, READ, World};

const AUDIT: &str = "audit:read";

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

/// Asks as somebody who may look at everything.
async fn look(world: &World, request: TestRequest) -> Answer {
    let scopes = [READ, "medication_request:details", AUDIT].join(" ");
    world.send_as(&world.token(&scopes), request).await
}

async fn held(world: &World) -> String {
    let answer = world.create("held", &sample::part(IN_PARTS, 10)).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn last(world: &World) -> Access {
    world.state.get().accesses.last().cloned().unwrap()
}

/// Every way to look at a dispense or what it was prescribed on, and what is recorded of it.
fn ways(id: &str) -> Vec<(TestRequest, Looked)> {
    let programs = json!({"programs": [{"id": IN_PARTS}]});
    let ask = |path: String| TestRequest::post().uri(&path).set_json(&programs);
    vec![
        (get(&format!("/api/v1/dispenses/{id}")), Looked::Dispense),
        (
            get(&format!("/api/v1/dispenses/{id}")).insert_header(("if-none-match", "*")),
            Looked::Dispense,
        ),
        (get(&format!("/api/v1/dispenses/{id}/history")), Looked::DispenseHistory),
        (get(&format!("/api/v1/dispenses/{id}/content")), Looked::Content),
        (get("/api/v1/dispenses"), Looked::DispenseList),
        (get(&format!("/api/v1/patients/{PERSON}/history")), Looked::PatientHistory),
        (get(&format!("/api/v1/prescriptions/{NUMBER}")), Looked::MedicationRequest),
        (get(&format!("/api/v1/prescriptions/{NUMBER}/dispenses")), Looked::DispenseList),
        (ask(format!("/api/v1/prescriptions/{NUMBER}/qualify")), Looked::Qualification),
        (get(&format!("/api/medication_dispenses/{id}")), Looked::Dispense),
        (get(&format!("/api/pharmacy/medication_dispenses/{id}")), Looked::Dispense),
        (get("/api/medication_dispenses"), Looked::DispenseList),
        (get(&format!("/api/medication_requests/{NUMBER}")), Looked::MedicationRequest),
        (get(&format!("/api/medication_requests/{NUMBER}/dispenses")), Looked::DispenseList),
        (ask(format!("/api/medication_requests/{NUMBER}/actions/qualify")), Looked::Qualification),
    ]
}

#[actix_web::test]
async fn every_look_is_recorded_with_whom_it_concerns() {
    let world = World::new().await;
    let id = held(&world).await;
    assert_eq!(world.state.get().accesses.len(), 0, "a command is in the log");
    for (number, (request, looked)) in ways(&id).into_iter().enumerate() {
        let request = request.insert_header(("x-request-id", format!("r{number}")));
        let answer = look(&world, request.insert_header(("x-purpose-of-use", "TREAT"))).await;
        assert!(answer.status.as_u16() < 400, "{number}: {} {}", answer.status, answer.text());
        assert_eq!(world.state.get().accesses.len(), number + 1, "{looked}");
        let access = last(&world);
        assert_eq!(access.looked, looked, "{number}");
        assert_eq!(access.user.to_string(), USER);
        assert_eq!(access.client.to_string(), PHARMACY);
        assert_eq!(access.client_type, ClientType::Pharmacy);
        assert_eq!(
            (&*access.request_id, access.purpose.as_deref()),
            (&*format!("r{number}"), Some("TREAT"))
        );
        let patients: Vec<String> = access.patients.ids().iter().map(ToString::to_string).collect();
        assert_eq!(patients, [PERSON], "{looked}");
        let requests = access.medication_requests.ids();
        assert_eq!(
            requests.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [REQUEST_IN_PARTS]
        );
        let shows_it = !matches!(looked, Looked::MedicationRequest | Looked::Qualification);
        let dispenses: Vec<String> =
            access.dispenses.ids().iter().map(ToString::to_string).collect();
        assert_eq!(dispenses, if shows_it { vec![id.clone()] } else { Vec::new() }, "{looked}");
    }
}

#[actix_web::test]
async fn nothing_is_shown_that_cannot_be_recorded() {
    let world = World::new().await;
    let id = held(&world).await;
    world.state.get().access_log_is_full = true;
    for (request, looked) in ways(&id) {
        let answer = look(&world, request).await;
        assert_eq!(answer.status, 503, "{looked}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{looked}");
        assert!(!answer.text().contains(PERSON), "{looked}");
        assert!(!answer.text().contains("secret"), "{looked}");
    }
    // Whoever hands out medication goes on: what they do stands in the log.
    assert_eq!(world.cancel(&id, "cancel").await.status, 200);
}

#[actix_web::test]
async fn what_is_not_found_is_not_recorded() {
    let world = World::new().await;
    let nobodys = Uuid::nil();
    assert_eq!(look(&world, get(&format!("/api/v1/dispenses/{nobodys}"))).await.status, 404);
    assert_eq!(world.state.get().accesses.len(), 0);
}

#[actix_web::test]
async fn who_finds_no_dispense_has_looked_at_a_patient_all_the_same() {
    let world = World::new().await;
    let list = get(&format!("/api/medication_requests/{NUMBER}/dispenses"));
    assert_eq!(look(&world, list).await.status, 200);
    assert_eq!(last(&world).patients.ids().len(), 1);
}

#[actix_web::test]
async fn a_purpose_is_one_word() {
    let world = World::new().await;
    let id = held(&world).await;
    let dispense = || get(&format!("/api/v1/dispenses/{id}"));
    assert_eq!(look(&world, dispense()).await.status, 200);
    assert_eq!(last(&world).purpose, None);
    let longest = "x".repeat(255);
    let asked = dispense().insert_header(("x-purpose-of-use", longest.as_str()));
    assert_eq!(look(&world, asked).await.status, 200);
    assert_eq!(last(&world).purpose.as_deref(), Some(longest.as_str()));
    for bad in ["", "to treat", &"x".repeat(256), "лікування"] {
        let answer = look(&world, dispense().insert_header(("x-purpose-of-use", bad))).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{bad}");
        assert_eq!(answer.violations()[0].0, "X-Purpose-Of-Use");
    }
    let twice = dispense()
        .append_header(("x-purpose-of-use", "TREAT"))
        .append_header(("x-purpose-of-use", "HPAYMT"));
    assert_eq!(look(&world, twice).await.problem().0, 422);
}

#[actix_web::test]
async fn auditors_read_page_by_page_who_looked() {
    let world = World::new().await;
    let id = held(&world).await;
    for _ in 0..3 {
        look(&world, get(&format!("/api/v1/dispenses/{id}"))).await;
    }
    let path = format!("/api/v1/access-log?patientId={PERSON}&limit=2");
    let first = look(&world, get(&path)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let page = first.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let record = &page["items"][0];
    assert_eq!(record["userId"], USER);
    assert_eq!(record["clientType"], "PHARMACY");
    assert_eq!(record["looked"], "dispense");
    assert_eq!((&record["patientIds"], &record["dispenseIds"]), (&json!([PERSON]), &json!([id])));
    assert_eq!(record["prescriptionIds"], json!([REQUEST_IN_PARTS]));
    assert_eq!((&record["purpose"], &record["beyond"]), (&json!(null), &json!(0)));
    let next = page["next"].as_str().unwrap();
    let path = format!("{path}&cursor={next}");
    let link = format!("<{path}>; rel=\"next\"");
    assert_eq!(first.header("link"), Some(link.as_str()));
    let second = look(&world, get(&path)).await;
    assert_eq!(second.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!((&second.json()["next"], second.header("link")), (&json!(null), None));
    let of_another = format!("/api/v1/access-log?userId={USER}&cursor={next}");
    let answer = look(&world, get(&of_another)).await;
    assert_eq!(answer.problem(), (400, "cursor-invalid".to_owned()));

    // Who asks is recorded, with whom it was about.
    assert_eq!(last(&world).looked, Looked::AccessLog);
    assert_eq!(last(&world).patients.ids().len(), 1);
    let of_user = look(&world, get(&format!("/api/v1/access-log?userId={USER}"))).await;
    assert_eq!(of_user.json()["items"][0]["looked"], "access_log");
    assert_eq!(of_user.json()["items"].as_array().unwrap().len(), 5);
}

/// Status and the paths that are to blame.
async fn refused(world: &World, path: &str) -> (u16, Vec<String>) {
    let answer = look(world, get(path)).await;
    let paths = answer.violations().into_iter().map(|(path, _, _)| path);
    (answer.status.as_u16(), paths.collect())
}

#[actix_web::test]
async fn a_question_about_looks_says_whose_and_nothing_else() {
    let world = World::new().await;
    for (query, blamed) in [
        ("", vec!["?patientId"]),
        ("?patientId=17", vec!["?patientId"]),
        ("?userId=17", vec!["?userId"]),
        ("?limit=0", vec!["?limit", "?patientId"]),
        (&*format!("?userId={USER}&limit=301"), vec!["?limit"]),
        (&*format!("?userId={USER}&from=yesterday"), vec!["?from"]),
        (
            &*format!("?userId={USER}&from=2026-03-02T10:00:00Z&to=2026-03-02T09:00:00Z"),
            vec!["?to"],
        ),
        (&*format!("?userId={USER}&client={USER}"), vec!["?client"]),
    ] {
        let paths = blamed.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(refused(&world, &format!("/api/v1/access-log{query}")).await, (422, paths));
    }
    let whose = look(&world, get("/api/v1/access-log")).await.json();
    assert_eq!(whose["detail"], "expected patientId, userId or both");
    for path in ["/api/v1/access-log", "/api/v1/access-log/unusual", "/api/v1/registry/changes"] {
        let answer = world.send_as(&world.token(READ), get(path)).await;
        assert_eq!(answer.problem(), (403, "missing-scope".to_owned()), "{path}");
    }
}

#[actix_web::test]
async fn the_report_has_bounds() {
    let world = World::new().await;
    held(&world).await;
    look(&world, get(&format!("/api/v1/prescriptions/{NUMBER}"))).await;
    let path = "/api/v1/access-log/unusual?minutes=30&patients=9&hours=5&limit=1";
    let report = look(&world, get(path)).await.json();
    let user = &report["items"][0];
    assert_eq!((&user["userId"], &user["clientId"]), (&json!(USER), &json!(PHARMACY)));
    assert_eq!((&user["patients"], &user["looks"]), (&json!(9), &json!(5)));
    let now = world.state.get().now;
    let told = |at: chrono::DateTime<chrono::Utc>| {
        json!(at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    };
    assert_eq!((&user["from"], &user["to"]), (&told(now - TimeDelta::minutes(30)), &told(now)));
    for query in
        ["minutes=1", "minutes=721", "patients=1", "hours=0", "hours=25", "limit=301", "x=1"]
    {
        let (status, blamed) =
            refused(&world, &format!("/api/v1/access-log/unusual?{query}")).await;
        let name = query.split('=').next().unwrap();
        assert_eq!((status, blamed), (422, vec![format!("?{name}")]), "{query}");
    }
}

fn change(number: i64, kind: &str, version: i64) -> Change {
    Change {
        place: ChangePlace { partition: REST, number },
        kind: kind.to_owned(),
        id: PERSON.parse().unwrap(),
        version,
        digest: Digest::of(&[b"record"]),
        by_user: USER.parse().unwrap(),
        by_client: None,
        source: (kind == "party").then(|| format!("ndp.registry.party/0/{number}")),
        at: format!("2026-03-0{number}T10:00:00Z").parse().unwrap(),
        hash: Digest::of(&[b"row"]),
    }
}

async fn numbers(world: &World, query: &str) -> Vec<Value> {
    let answer = look(world, get(&format!("/api/v1/registry/changes?{query}"))).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.into_iter().map(|item| item["number"].clone()).collect()
}

#[actix_web::test]
async fn auditors_see_what_was_known_when() {
    let world = World::new().await;
    world.state.get().changes =
        vec![change(1, "person", 3), change(2, "party", 4), change(3, "person", 5)];
    let record = format!("kind=person&id={PERSON}");
    assert_eq!(numbers(&world, &record).await, [3, 1]);
    assert_eq!(last(&world).patients.ids().len(), 1, "it is about a patient");
    assert_eq!(numbers(&world, &format!("{record}&atVersion=4")).await, [1]);
    assert_eq!(numbers(&world, &format!("{record}&at=2026-03-02T00:00:00Z")).await, [1]);
    assert_eq!(numbers(&world, "partition=-1").await, [3, 2, 1]);
    assert_eq!(numbers(&world, "partition=-1&fromNumber=2&toNumber=2").await, [2]);
    assert_eq!(numbers(&world, "partition=0").await, Vec::<Value>::new());

    let first = look(&world, get("/api/v1/registry/changes?partition=-1&limit=2")).await.json();
    let next = first["next"].as_str().unwrap();
    assert_eq!(numbers(&world, &format!("partition=-1&limit=2&cursor={next}")).await, [1]);
    let item = &first["items"][0];
    assert_eq!(item["digest"].as_str().unwrap().len(), 64);
    assert_eq!((&item["byUserId"], &item["byClientId"]), (&json!(USER), &json!(null)));
    assert_eq!((&item["at"], &item["version"]), (&json!("2026-03-03T10:00:00.000000Z"), &json!(5)));
    let sources = [0, 1].map(|n| first["items"][n]["source"].clone());
    assert_eq!(sources, [json!(null), json!("ndp.registry.party/0/2")]);

    for (query, blamed) in [
        ("", vec!["?kind", "?id"]),
        ("kind=person", vec!["?id"]),
        ("kind=cat&id=17", vec!["?kind", "?id"]),
        ("partition=1024", vec!["?partition"]),
        ("partition=-1&kind=person", vec!["?kind"]),
        ("partition=0&fromNumber=3&toNumber=2", vec!["?toNumber"]),
        ("partition=0&atVersion=1&at=2026-03-02T00:00:00Z", vec!["?at"]),
    ] {
        let blamed: Vec<String> = blamed.into_iter().map(ToOwned::to_owned).collect();
        let path = format!("/api/v1/registry/changes?{query}");
        assert_eq!(refused(&world, &path).await, (422, blamed), "{query}");
    }
}
