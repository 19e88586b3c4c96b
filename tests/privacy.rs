//! Whom the service names, and where: nowhere but in the registries, the personal bodies and what was
//! signed; and nowhere at all once a person was erased.

use std::collections::HashSet;
use std::path::Path;

use dispense_demo::Demo;
use dispense_signing::development::Holder;
use serde_json::{Value, json};

use crate::demo::{at, order};
use crate::erasing::erase;
use crate::harness::{Database, Instance, PAID, Pharmacy, Terms, Token, World, today, world};

/// Where persons are named by design.
const NAMED_IN: [&str; 6] = [
    "personal_bodies",
    "persons",
    "registry_entries",
    "medication_requests",
    "care_plans",
    "care_plan_activities",
];

/// What a person is known by, and what people write.
const PERSONAL: [&str; 8] =
    ["first_name", "last_name", "second_name", "tax_id", "number", "text", "note", "birth_place"];

/// The words of a text that are long enough to mean somebody: runs of letters and digits. A short
/// number may be a part of any id.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let means = |word: &&str| {
        let length = word.chars().count();
        length >= 7 || length >= 4 && word.chars().any(char::is_alphabetic)
    };
    text.split(|c: char| !c.is_alphanumeric()).filter(means)
}

/// The words by which those registry lines know persons.
pub(crate) fn telling(lines: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        // Numbers of contracts and names of programs are nobody's.
        if ["person", "party", "division", "medication_request"]
            .contains(&line["kind"].as_str().unwrap())
        {
            collect(&line["data"], &mut found);
        }
    }
    found
}

fn collect(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if PERSONAL.contains(&name.as_str()) => {
                        found.extend(words(text).map(ToOwned::to_owned));
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every row of every table, as text.
async fn tables(database: &Database) -> Vec<(String, String)> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let rows = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {name} t");
        let text: String = sqlx::query_scalar(&rows).fetch_one(&database.pool).await.unwrap();
        tables.push((name, text));
    }
    tables
}

/// Those of the words that a text has.
pub(crate) fn found_in<'a>(text: &str, telling: &'a HashSet<String>) -> Vec<&'a String> {
    let words: HashSet<&str> = words(text).collect();
    telling.iter().filter(|word| words.contains(word.as_str())).collect()
}

/// Looks at everything that a pharmacy, a payer and an auditor can look at.
async fn look_at_everything(pharmacy: &Pharmacy, patient: &str, dispense: uuid::Uuid) {
    let scopes = "medication_dispense:read medication_request:details audit:read \
                  reimbursement_report:read";
    let payer = Token::of(pharmacy.user, pharmacy.legal_entity, "NHS").with("scope", scopes);
    let payer = pharmacy.with_token(&payer);
    for path in [
        format!("/api/v1/dispenses/{dispense}"),
        format!("/api/v1/dispenses/{dispense}/history?diff=true"),
        format!("/api/v1/dispenses?patientId={patient}"),
        format!("/api/v1/patients/{patient}/history"),
        format!("/api/medication_dispenses/{dispense}"),
        "/api/medication_dispenses?page_size=50".to_owned(),
        format!("/api/v1/access-log?patientId={patient}"),
        "/api/v1/access-log/unusual?patients=2".to_owned(),
        format!("/api/v1/registry/changes?kind=person&id={patient}"),
        "/api/v1/events?partition=0".to_owned(),
        format!("/api/v1/reports/dispensing?from={0}&to={0}&groupBy=program", today()),
    ] {
        let request = payer.request("GET", &path).header("X-Purpose-Of-Use", "HPAYMT");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_beside_the_registries_and_the_bodies() {
    let database = Database::new().await;
    let demo = Demo::new(today()).with_requests(120).with_fresh_requests_only();
    let demo_lines: String = demo.lines().map(|line| line + "\n").collect();
    let mut world = World::new(2, 2);
    let unique = ["2953799817", "Винятковська", "Златослава"].map(str::to_owned);
    let [tax_id, surname, given_name] = unique;
    world.pharmacies[0] =
        world.pharmacies[0].clone().of_person(Holder { tax_id, surname, given_name });
    let what = world.prescribed(Terms::InParts, 0);
    let mut patient = world::person(&what);
    patient["last_name"] = json!("Неповторненко");
    patient["first_name"] = json!("Осанна");
    patient["second_name"] = json!("Унікальнівна");
    let world_lines = world.lines() + &world::line("person", &patient);
    database.import(&demo_lines);
    database.import(&world_lines);
    let mut instance = Instance::start_with(&database, &[("RUST_LOG", "debug")]).await;

    // A country dispenses in every way there is.
    let demo_pharmacies: Vec<_> = demo.pharmacies().map(|it| at(&it, &instance)).collect();
    for (pharmacy, wanted) in demo_pharmacies.iter().cycle().zip(demo.holdable(30)) {
        pharmacy.send(&order(pharmacy, &wanted, wanted.quantity)).await.expect(201);
    }
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    let signed = one.dispense(&what, 20).await.expect(201).id();
    one.hand_over(signed, PAID).await.expect(200);
    let held = one.dispense(&what, 10).await.expect(201).id();
    other.dispense(&what, 10).await.refused(403, "already-held");
    one.cancel(held).await.expect(200);
    one.dispense(&world.prescribed(Terms::InPartsAtOnce, 0), 20).await.expect(201);
    let id = patient["id"].as_str().unwrap().to_owned();
    look_at_everything(&one, &id, signed).await;
    database.followed().await;

    let mut known = telling(&(demo_lines + &world_lines));
    known.extend(words("asked for a bag receipt 4711").map(ToOwned::to_owned));
    // An English word that logs and metrics have of their own.
    known.remove("receipt");
    known.remove("asked");
    assert!(known.len() > 200, "{}", known.len());
    let tables_before = tables(&database).await;
    let named = tables_before.iter().filter(|(name, _)| NAMED_IN.contains(&name.as_str()));
    assert!(named.map(|(_, text)| found_in(text, &known).len()).sum::<usize>() > 200);
    for (name, text) in &tables_before {
        if !NAMED_IN.contains(&name.as_str()) && name != "_sqlx_migrations" {
            assert_eq!(found_in(text, &known), Vec::<&String>::new(), "{name} names somebody");
        }
    }
    let metrics = one.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    assert_eq!(found_in(&metrics, &known), Vec::<&String>::new(), "metrics name somebody");

    // Once erased, the two are nowhere at all.
    let gone: HashSet<String> =
        ["Неповторненко", "Осанна", "Унікальнівна", "Винятковська", "Златослава", "2953799817"]
            .map(str::to_owned)
            .into();
    let party = one.party.to_string();
    for whom in [["--person", &id], ["--party", &party]] {
        let (status, said) = erase(&database, &[whom.as_slice(), &["--yes"]].concat());
        assert!(status.success(), "{said}");
        assert_eq!(found_in(&said, &gone), Vec::<&String>::new());
    }
    for (name, text) in tables(&database).await {
        assert_eq!(found_in(&text, &gone), Vec::<&String>::new(), "{name} names somebody erased");
    }
    assert_eq!(stored_names(&database.contents, &gone), Vec::<String>::new());
    look_at_everything(&one, &id, signed).await;
    let said = stopped(&mut instance);
    assert_eq!(found_in(&said, &known), Vec::<&String>::new(), "the log of the service");
}

/// All that an instance has said, once it has stopped.
fn stopped(instance: &mut Instance) -> String {
    instance.kill();
    instance.said()
}

/// Files of the store in which one of those words stands.
fn stored_names(folder: &Path, gone: &HashSet<String>) -> Vec<String> {
    let mut named = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            if gone.iter().any(|word| text.contains(word.as_str())) {
                named.push(path.display().to_string());
            }
        }
    }
    named
}
