//! A person is erased: by the command of the operator, while the service runs.

use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::handing_over::opened;
use crate::harness::{
    Audit, Database, Instance, PAID, Pharmacy, Prescribed, Terms, temporary, world,
};

/// How long the command may take; debug builds on busy machines are slow.
const ERASED_WITHIN: Duration = Duration::from_mins(1);

/// Runs `dispense privacy erase`, and returns how it ended and what it said.
pub(crate) fn erase(database: &Database, words: &[&str]) -> (ExitStatus, String) {
    let folder = temporary();
    let arguments = [&["privacy", "erase", "--reason", "letter 17"], words].concat();
    let store = format!("file://{}", database.contents.display());
    let settings = [("CONTENT_STORE_URL", store.as_str())];
    let mut command = database.command(folder.path(), &arguments, &settings);
    let status = command.wait(ERASED_WITHIN);
    (status, command.said())
}

fn patient_of(what: &Prescribed) -> String {
    world::person(what)["id"].as_str().unwrap().to_owned()
}

/// Both a hand-over that was signed for, and one that was recorded at once, of other patients.
async fn dispensed(pharmacy: &Pharmacy, signed: &Prescribed, at_once: &Prescribed) -> [Uuid; 2] {
    let first = pharmacy.dispense(signed, 20).await.expect(201).id();
    pharmacy.hand_over(first, PAID).await.expect(200);
    let second = pharmacy.dispense(at_once, 20).await.expect(201).id();
    [first, second]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_erased_and_the_log_stays_whole() {
    let (database, instance, world, one, other) = opened().await;
    let (what, at_once) =
        (world.prescribed(Terms::InParts, 0), world.prescribed(Terms::InPartsAtOnce, 0));
    let [signed, others] = dispensed(&one, &what, &at_once).await;
    let patient = patient_of(&what);
    let held = one.dispense(&what, 10).await.expect(201).id();
    let before = other.balance(&what).await.expect(200).body;

    // A hold lives: it names the hold and its end, and nothing is done.
    let (status, said) = erase(&database, &["--person", &patient, "--yes"]);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&held.to_string()) && said.contains("is held until"), "{said}");
    one.cancel(held).await.expect(200);

    let (status, said) = erase(&database, &["--person", &patient, "--dry-run"]);
    assert!(status.success() && said.contains("would be erased"), "{said}");
    assert_eq!(one.look_at(signed).await.expect(200).body["erased"], Value::Null);
    let (status, said) = erase(&database, &["--person", &patient]);
    assert_eq!(status.code(), Some(1), "nobody can be asked: {said}");

    let (status, said) = erase(&database, &["--person", &patient, "--yes"]);
    assert!(status.success() && said.contains("recorded as erasure 1"), "{said}");
    shows_the_gap(&instance, &one, &what, signed).await;
    assert_eq!(one.look_at(others).await.expect(200).body["erased"], Value::Null);
    let after = other.balance(&what).await.expect(200).body;
    assert_eq!(
        (&after["dispensed"], &after["prescribed"]),
        (&before["dispensed"], &before["prescribed"])
    );
    assert_eq!(database.stored(), Vec::<String>::new());
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Processed", "HoldCreated", "Cancelled"]);

    for (words, expected) in [
        (["--yes"], "was erased before; nothing more is erased:"),
        (["--dry-run"], "was erased before; nothing more would be erased:"),
    ] {
        let (status, said) = erase(&database, &[&["--person", &patient][..], &words].concat());
        assert!(status.success() && said.contains(expected), "{said}");
        assert!(!said.contains(": emptied"), "{said}");
    }
    for kind in ["--person", "--party"] {
        let unknown = Uuid::from_u128(0xDEAD).to_string();
        let (status, said) = erase(&database, &[kind, &unknown, "--yes"]);
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("was never known here; check the id"), "{said}");
    }

    let (status, said) = erase(&database, &["--person", &patient, "--yes", "--json"]);
    let again: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
    assert!(status.success(), "{said}");
    assert_eq!(again["records"], json!([]));

    // Without the record nothing can be dispensed; an import brings the person back.
    let refused = one.dispense(&what, 10).await;
    refused.refused(422, "medication-request-invalid");
    database.import(&world::line("person", &world::person(&what)));
    let next = one.dispense(&what, 10).await.expect(201).id();
    one.cancel(next).await.expect(200);
    let (status, said) = erase(&database, &["--person", &patient, "--yes"]);
    assert!(status.success() && said.contains("recorded as erasure 2"), "{said}");
    Audit::of(&database).await;
}

/// What is shown of that dispense after its patient was erased.
async fn shows_the_gap(instance: &Instance, one: &Pharmacy, what: &Prescribed, signed: Uuid) {
    let ours = one.look_at(signed).await.expect(200).body;
    assert_eq!((&ours["erased"], &ours["pharmacistName"]), (&json!(true), &Value::Null));
    assert_eq!((&ours["status"], &ours["copayment"]), (&json!("COMPLETED"), &json!(20)));
    assert_eq!(ours["items"][0]["quantityDispensed"], 20);
    for path in [
        format!("/api/v1/dispenses/{signed}/history"),
        format!("/api/v1/dispenses/{signed}/history?diff=true"),
        format!("/api/v1/prescriptions/{}", what.id),
        format!("/api/v1/prescriptions/{}/dispenses", what.id),
        format!("/api/v1/dispenses?prescriptionId={}", what.id),
        format!("/api/v1/patients/{}/history", patient_of(what)),
        format!("/api/medication_dispenses/{signed}"),
        format!("/api/pharmacy/medication_dispenses/{signed}"),
        format!("/api/medication_dispenses?medication_request_id={}", what.id),
        format!("/api/medication_requests/{}/dispenses", what.id),
    ] {
        let answer = one.get(&path).await.expect(200);
        let text = answer.body.to_string();
        for name in ["Коваль", "Шевчук", "Гнатюк", "one in the morning", "12345"]
        {
            assert!(!text.contains(name), "{path} shows {name}: {text}");
        }
    }
    let content = format!("/api/v1/dispenses/{signed}/content");
    one.get(&content).await.refused(410, "erased");
    let container = one.request("GET", &content).header("Accept", "application/pkcs7-mime");
    assert_eq!(container.send().await.unwrap().status(), 410);
    let request = format!("{}/api/medication_requests/{}", instance.url, what.id);
    let answer = one.get(&request.replace(&instance.url, "")).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (410, &json!("erased")));
    // What every rule says of it is a refusal and no mistake of ours.
    let qualify = one.request("POST", &format!("/api/v1/prescriptions/{}/qualify", what.id));
    let qualify = qualify.json(&json!({"programs": [{"id": what.program}]})).send().await.unwrap();
    assert!(qualify.status().as_u16() < 500, "{qualify:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacist_is_erased_and_every_instance_hears_of_it() {
    let (database, first, world, one, other) = opened().await;
    let second = Instance::start(&database).await;
    let what = world.prescribed(Terms::InParts, 0);
    let [signed, _] = dispensed(&one, &what, &world.prescribed(Terms::InPartsAtOnce, 0)).await;
    let party = one.party.to_string();
    let (status, said) =
        erase(&database, &["--party", &party, "--yes", "--keep-signed", "five years by law"]);
    assert!(status.success() && said.contains("kept, five years by law"), "{said}");
    assert_eq!(database.stored().len(), 1, "the container stays");
    assert!(!one.container(signed).await.is_empty());
    for instance in [&first, &second] {
        let refused = one.at(instance).dispense(&what, 10).await;
        refused.refused(400, "party-not-found");
    }
    assert_eq!(other.look_at(signed).await.status, 404, "as ever");
    other.dispense(&what, 10).await.expect(201);
    Audit::of(&database).await;

    // The record says that the container was kept, so one that is missing was stolen.
    std::fs::remove_file(database.contents.join(&database.stored()[0])).unwrap();
    let checked = one.request("POST", &format!("/api/v1/dispenses/{signed}/verify"));
    let checked: Value = checked.send().await.unwrap().json().await.unwrap();
    assert_eq!(checked["checks"][1]["ok"], true, "the bodies were erased: {checked}");
    for check in [&checked["checks"][3], &checked["checks"][4]] {
        assert_eq!(check["ok"], false, "{checked}");
        assert!(check["detail"].as_str().unwrap().contains("no erasure record names it"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_short_is_finished_by_the_next() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let id = one.dispense(&what, 20).await.expect(201).id();
    one.hand_over(id, PAID).await.expect(200);
    let patient = patient_of(&what);
    let stored = database.stored();

    // It is another store, where none of the containers is.
    let folder = temporary();
    let arguments = ["privacy", "erase", "--reason", "x", "--person", &patient, "--yes"];
    let mut elsewhere = database.command(folder.path(), &arguments, &[]);
    assert_eq!(elsewhere.wait(ERASED_WITHIN).code(), Some(1));
    assert!(elsewhere.said().contains("let CONTENT_STORE_URL be that of"), "{}", elsewhere.said());
    assert_eq!(one.look_at(id).await.expect(200).body["erased"], Value::Null, "nothing was done");

    // The record was written, and the container came back as if it had never been removed.
    let bytes = std::fs::read(database.contents.join(&stored[0])).unwrap();
    assert!(erase(&database, &["--person", &patient, "--yes"]).0.success());
    let place = database.contents.join(&stored[0]);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, bytes).unwrap();
    let (status, said) = erase(&database, &["--person", &patient, "--yes"]);
    assert!(status.success() && !said.contains("recorded as"), "{said}");
    assert_eq!(database.stored(), Vec::<String>::new());
    Audit::of(&database).await;
}
