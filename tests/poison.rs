//! Every bad string and number through every member: a documented refusal or a success, never a
//! bug; and nothing that was let in stops a follower.

mod values;

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::harness::{
    Answer, Audit, Database, Instance, Pharmacy, Prescribed, Terms, World, line, within, world,
};
use values::{VALUES, places, with_raw};

/// How many clients send them.
const AT_ONCE: usize = 8;

async fn opened(world: &World) -> (Database, Instance) {
    let database = Database::new().await;
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    (database, instance)
}

/// What was let in is followed to the end, and the log is whole and clean.
async fn drained(database: &Database) -> Audit {
    within("followers that drain", Duration::from_mins(2), database.followed()).await;
    let audit = Audit::of(database).await;
    let bodies: Vec<String> = sqlx::query_scalar("SELECT body::text FROM personal_bodies")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    audit.entries.iter().for_each(|entry| assert_clean(&entry.payload));
    for body in &bodies {
        assert_clean(&serde_json::from_str(body).unwrap());
    }
    audit
}

/// No string and no name has a control character, or is longer than the longest text may be.
fn assert_clean(value: &Value) {
    let is_clean =
        |text: &str| !text.chars().any(char::is_control) && text.chars().count() <= 1_000;
    match value {
        Value::String(text) => assert!(is_clean(text), "{text:?} has reached the log"),
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Object(members) => {
            for (name, value) in members {
                assert!(is_clean(name), "{name:?} has reached the log");
                assert_clean(value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Sends a body as it is.
async fn send_raw(pharmacy: &Pharmacy, path: &str, body: String) -> Answer {
    let request = pharmacy.request("POST", path).header("Content-Type", "application/json");
    let answer = Answer::to(request.body(body.clone())).await.unwrap();
    // 401: the strange text is a code, and a wrong one.
    let statuses = [200, 201, 400, 401, 403, 404, 409, 422];
    assert!(statuses.contains(&answer.status), "{body} {answer:?}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn no_member_of_a_create_carries_poison_into_the_log() {
    let world = World::new(1, 60);
    let (database, instance) = opened(&world).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let whats = [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat();
    let mut sent = Vec::new();
    for (number, raw) in VALUES.iter().enumerate() {
        let what = &whats[number % whats.len()];
        let mut body = pharmacy.order(what, 10).body;
        body["verificationCode"] = "0000".into();
        body["copayment"] = 1.into();
        body["paymentId"] = "receipt".into();
        body["note"] = "note".into();
        sent.extend(places(&body).into_iter().map(|place| with_raw(&body, &place, raw)));
    }
    assert!(sent.len() > 1_000, "{}", sent.len());
    let granted: Vec<bool> = stream::iter(sent)
        .map(|body| {
            let pharmacy = &pharmacy;
            async move {
                let answer = send_raw(pharmacy, "/api/v1/dispenses", body).await;
                if answer.body["status"] == "HELD" {
                    pharmacy.cancel(answer.id()).await.expect(200);
                }
                answer.status == 201
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert!(granted.iter().any(|granted| *granted), "odd but good values are let in");
    let audit = drained(&database).await;
    assert_eq!(audit.count("HoldCreated"), granted.iter().filter(|granted| **granted).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_member_of_a_cancel_carries_poison_into_the_log() {
    let world = World::new(1, 30);
    let (database, instance) = opened(&world).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    for (number, raw) in VALUES.iter().enumerate() {
        let what = world.prescribed(Terms::InParts, number % 30);
        for member in ["reason", "paymentId"] {
            let held = pharmacy.dispense(&what, 10).await.expect(201);
            let path = format!("/api/v1/dispenses/{}/cancel", held.id());
            let body = serde_json::json!({"reason": "why", "paymentId": "receipt"});
            let answer = send_raw(&pharmacy, &path, with_raw(&body, &[member], raw)).await;
            if answer.status != 200 {
                pharmacy.cancel(held.id()).await.expect(200);
            }
        }
    }
    let audit = drained(&database).await;
    assert_eq!(audit.count("Cancelled"), audit.count("HoldCreated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_paths_keys_and_headers_are_refused_or_harmless() {
    let world = World::new(1, 1);
    let (database, instance) = opened(&world).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    for id in ["x", "%00", "..%2f..", "'", "%ff", "00000000-0000-0000-0000-000000000000", "%F0%9F"]
    {
        for path in ["/api/v1/dispenses/", "/api/v1/prescriptions/"] {
            pharmacy.get(&format!("{path}{id}")).await.refused(404, "not-found");
        }
        let path = format!("/api/v1/dispenses/{id}/cancel");
        send_raw(&pharmacy, &path, "{}".to_owned()).await.refused(404, "not-found");
    }
    let what = world.prescribed(Terms::InParts, 0);
    let order = pharmacy.order(&what, 10);
    let long = "k".repeat(256);
    for key in ["", " ", "a b", "\t", "ключ", &long] {
        let mut request = pharmacy.request("POST", &order.path).json(&order.body);
        request = request.header("Idempotency-Key", key.as_bytes());
        Answer::to(request).await.unwrap().refused(400, "idempotency-key-invalid");
    }
    let odd =
        [("X-Request-ID", "\u{feff}'\";--"), ("X-Request-ID", &long), ("traceparent", "00-x")];
    for (name, value) in odd {
        let request = pharmacy.request("POST", &order.path).json(&order.body);
        let answer = Answer::to(request.header(name, value.as_bytes())).await.unwrap();
        let held = answer.expect(201);
        assert_ne!(held.header("x-request-id"), Some(value));
        pharmacy.cancel(held.id()).await.expect(200);
    }
    drained(&database).await;
}

/// A poisoned record of each kind, and after each one that is let in, a dispense that shows it.
#[tokio::test(flavor = "multi_thread")]
async fn no_member_of_a_registry_line_carries_poison_into_the_log() {
    let world = World::new(1, 40);
    let (database, instance) = opened(&world).await;
    let pharmacy = world.pharmacies[0].at(&instance);

    // First all of them at once, of every kind; then the good ones again, but for what is in use.
    let good = world.lines();
    let mut all = String::new();
    for line in one_of_each_kind(&good) {
        let record: Value = serde_json::from_str(line).unwrap();
        for place in places(&record) {
            all.extend(VALUES.iter().map(|raw| with_raw(&record, &place, raw) + "\n"));
        }
    }
    let report = pharmacy.import(&all).await.expect(200);
    assert_eq!(report.body["read"], all.lines().count());
    assert!(report.body["faultyCount"].as_u64().unwrap() > 1_000, "{}", report.body["faultyCount"]);
    assert_eq!(pharmacy.import(&good).await.expect(200).body["faultyCount"], 0);

    let whats = world.all(Terms::InParts);
    let mut granted = 0;
    for (number, raw) in VALUES.iter().enumerate() {
        let what = &whats[number % whats.len()];
        let lines = shown_in_events(&pharmacy, what, raw);
        let report = pharmacy.import(&lines).await.expect(200);
        let answer = pharmacy.dispense(what, 10).await;
        assert!([201, 409, 422].contains(&answer.status), "{raw} {answer:?} {report:?}");
        if answer.status == 201 {
            granted += 1;
            pharmacy.look_at(answer.id()).await.expect(200);
            pharmacy.cancel(answer.id()).await.expect(200);
        }
        pharmacy.import(&good).await.expect(200);
    }
    assert!(granted * 2 > VALUES.len(), "{granted} of {}", VALUES.len());
    drained(&database).await;
}

/// The first line of each kind.
fn one_of_each_kind(lines: &str) -> Vec<&str> {
    let mut kinds = std::collections::BTreeSet::new();
    let kind = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["kind"].as_str().unwrap().to_owned()
    };
    lines.lines().filter(|line| kinds.insert(kind(line))).collect()
}

/// Records that an event copies from, each with a poisoned member; those that were refused leave
/// the good record in force.
fn shown_in_events(pharmacy: &Pharmacy, what: &Prescribed, raw: &str) -> String {
    let records = [
        ("person", world::person(what), vec![&["last_name"][..], &["second_name"]]),
        ("division", world::division(pharmacy), vec![&["name"], &["phones"], &["dls_id"]]),
        ("medical_program", world::program(what), vec![&["name"], &["funding_source"]]),
        (
            "medication_request",
            world::request(what),
            vec![&["note"], &["dosage_instruction"], &["request_number"], &["based_on"]],
        ),
    ];
    let mut lines = String::new();
    for (kind, record, members) in records {
        let mut record: Value = serde_json::from_str(&line(kind, &record)).unwrap();
        for member in members {
            record["data"][member[0]] = "to be poisoned".into();
            lines += &(with_raw(&record, &["data", member[0]], raw) + "\n");
        }
    }
    lines
}
