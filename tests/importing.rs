//! Registry data over HTTP, and what decisions make of it.

use serde_json::{Value, json};

use crate::harness::{
    Answer, Audit, Database, Instance, PRESCRIBED, Pharmacy, Prescribed, Terms, World, line, world,
};

fn codes(report: &Answer) -> Vec<(u64, &str)> {
    let faulty = report.body["faulty"].as_array().unwrap();
    faulty
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["code"].as_str().unwrap()))
        .collect()
}

fn with(mut record: Value, member: &str, value: impl Into<Value>) -> Value {
    record[member] = value.into();
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn good_lines_are_applied_and_faulty_ones_listed() {
    let database = Database::new().await;
    let world = World::new(1, 2);
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let what = world.prescribed(Terms::InParts, 0);

    let mut lines = world.lines();
    let good = lines.lines().count();
    lines.push_str("no json\n");
    lines.push_str(&line("unicorn", &json!({"id": what.id})));
    lines.push_str(&line("person", &with(world::person(&what), "shoe_size", 42)));
    lines.push_str(&line("person", &with(world::person(&what), "birth_date", "yesterday")));
    let report = pharmacy.import(&lines).await.expect(200);
    assert_eq!(report.body["read"], good + 4);
    assert_eq!(report.body["applied"], good);
    let listed: Vec<u64> = codes(&report).into_iter().map(|(number, _)| number).collect();
    let first = u64::try_from(good).unwrap() + 1;
    assert_eq!(listed, (first..first + 4).collect::<Vec<_>>(), "{report:#?}");

    pharmacy.dispense(&what, 20).await.expect(201);
    // The same once more changes nothing, also for what is in use.
    assert_eq!(codes(&pharmacy.import(&world.lines()).await.expect(200)), []);
}

/// What has events keeps its quantity, medication and person; what is held or was handed over
/// cannot be rejected. The rest of its record may change.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_keeps_what_was_decided_on() {
    let database = Database::new().await;
    let world = World::new(1, 2);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let (used, unused) = (world.prescribed(Terms::InParts, 0), world.prescribed(Terms::InParts, 1));
    let held = pharmacy.dispense(&used, 20).await.expect(201);

    let lines = |what: &Prescribed| {
        let record = world::request(what);
        [
            with(record.clone(), "medication_qty", PRESCRIBED + 1),
            with(record.clone(), "medication_id", what.brand.to_string()),
            with(record.clone(), "person_id", world.pharmacies[0].user.to_string()),
            with(record.clone(), "status", "REJECTED"),
            with(record, "note", "with water"),
        ]
        .map(|record| line("medication_request", &record))
        .concat()
    };
    let report = pharmacy.import(&lines(&used)).await.expect(200);
    let in_use = "medication-request-in-use";
    assert_eq!(codes(&report), [(1, in_use), (2, in_use), (3, in_use), (4, in_use)]);
    assert_eq!(codes(&pharmacy.import(&lines(&unused)).await.expect(200)), []);

    pharmacy.cancel(held.id()).await.expect(200);
    let rejected = with(world::request(&used), "status", "REJECTED");
    let report = pharmacy.import(&line("medication_request", &rejected)).await.expect(200);
    assert_eq!(codes(&report), [], "no hold lives, and nothing was handed over");
    pharmacy.dispense(&used, 20).await.refused(409, "medication-request-not-active");
}

/// No import can undo a completed medication request.
#[tokio::test(flavor = "multi_thread")]
async fn a_completed_request_stays_completed() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let what = world.prescribed(Terms::WholeAtOnce, 0);
    pharmacy.dispense(&what, 60).await.expect(201);
    pharmacy.import(&line("medication_request", &world::request(&what))).await.expect(200);
    assert_eq!(pharmacy.balance(&what).await.expect(200).body["status"], "COMPLETED");
    pharmacy.dispense(&what, 60).await.refused(409, "medication-request-not-active");
    Audit::of(&database).await;
}

/// Right after the answer to an import, every instance decides on it.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_every_instance_decides_on_the_new_version() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instances = [Instance::start(&database).await, Instance::start(&database).await];
    let doors = instances.each_ref().map(|instance| world.pharmacies[0].at(instance));
    let (held, at_once) =
        (world.prescribed(Terms::InParts, 0), world.prescribed(Terms::InPartsAtOnce, 0));
    for (round, importer) in (0..6).map(|round| (round, &doors[round % 2])) {
        let closed = with(world::division(importer), "status", "INACTIVE");
        importer.import(&line("division", &closed)).await.expect(200);
        refused_everywhere(&doors, &held, "division-not-active").await;

        let blocked = with(world::request(&at_once), "is_blocked", true);
        let lines =
            line("division", &world::division(importer)) + &line("medication_request", &blocked);
        importer.import(&lines).await.expect(200);
        refused_everywhere(&doors, &at_once, "medication-request-blocked").await;
        importer.import(&line("medication_request", &world::request(&at_once))).await.expect(200);

        let other = &doors[(round + 1) % 2];
        let dispense = other.dispense(&held, 10).await.expect(201);
        importer.cancel(dispense.id()).await.expect(200);
        other.dispense(&at_once, 10).await.expect(201);
    }
}

async fn refused_everywhere(doors: &[Pharmacy], what: &Prescribed, code: &str) {
    for door in doors.iter().rev() {
        let refused = door.dispense(what, 10).await;
        assert_eq!(refused.code(), code, "{refused:#?}");
    }
}
