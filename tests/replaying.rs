//! How things stood at an earlier moment: `dispense log replay`, held against figures that are
//! counted here from the events alone.

mod counted;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use sqlx::Row;

use crate::harness::{Audit, Database, Instance, PAID, Terms, World, eventually, temporary};
use counted::{Cut, counted};

/// How long a replay may take here.
const REPLAYED_WITHIN: Duration = Duration::from_mins(2);

/// A log with all kinds of events under several programs: some holds ran out, one of them without
/// anybody having written that down.
async fn told() -> (Database, World, Audit) {
    let database = Database::new().await;
    let world = World::new(2, 6);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let other = world.pharmacies[1].at(&instance);
    let parts = |n| world.prescribed(Terms::InParts, n);
    for (n, quantity) in [(0, 20), (1, 60), (2, 10)] {
        let held = pharmacy.dispense(&parts(n), quantity).await.expect(201);
        pharmacy.hand_over(held.id(), PAID).await.expect(200);
    }
    // A second dispense of one medication request, given back, and a third that stays.
    let held = other.dispense(&parts(0), 30).await.expect(201);
    other.cancel(held.id()).await.expect(200);
    other.dispense(&parts(0), 40).await.expect(201);
    for (n, quantity) in [(0, 10), (1, 20)] {
        pharmacy.dispense(&world.prescribed(Terms::InPartsAtOnce, n), quantity).await.expect(201);
    }
    pharmacy.dispense(&world.prescribed(Terms::WholeAtOnce, 0), 60).await.expect(201);
    drop(instance);

    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let instance = Instance::start_with(&database, &short).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let held = pharmacy.dispense(&parts(3), 50).await.expect(201);
    eventually("the sweep", Duration::from_mins(1), async || {
        let seen = pharmacy.look_at(held.id()).await;
        (seen.header("etag") == Some("\"2-EXPIRED\"")).then_some(())
    })
    .await;
    let held = pharmacy.dispense(&parts(4), 60).await.expect(201);
    drop(instance);
    // It ran out, and nobody was there to write it down.
    let ends: DateTime<Utc> = held.body["expiresAt"].as_str().unwrap().parse().unwrap();
    eventually("a hold that ran out", Duration::from_mins(1), async || {
        (now(&database).await > ends).then_some(())
    })
    .await;
    let audit = Audit::of(&database).await;
    for kind in ["HoldCreated", "Processed", "Cancelled", "Expired"] {
        assert!(audit.count(kind) > 0, "no {kind}");
    }
    (database, world, audit)
}

async fn now(database: &Database) -> DateTime<Utc> {
    sqlx::query("SELECT clock_timestamp() AS now").fetch_one(&database.pool).await.unwrap().get(0)
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What a replay prints, and whether it went well.
fn replay(database: &Database, arguments: &[&str]) -> (bool, String) {
    let folder = temporary();
    let arguments = [&["log", "replay"], arguments].concat();
    let mut process = database.command(folder.path(), &arguments, &[]);
    let status = process.wait(REPLAYED_WITHIN);
    (status.success(), process.said())
}

/// The document that a replay prints; lines about its progress stand before it.
fn document(database: &Database, arguments: &[&str]) -> Value {
    let (done, said) = replay(database, &[arguments, &["--json"]].concat());
    assert!(done, "{arguments:?}: {said}");
    let begin = said.find("{\n").unwrap_or_else(|| panic!("no document: {said}"));
    serde_json::from_str(&said[begin..]).unwrap()
}

async fn schemas(database: &Database) -> Vec<String> {
    let names = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'replay\\_%'";
    sqlx::query_scalar(names).fetch_all(&database.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_is_what_its_events_add_up_to() {
    let (database, _world, audit) = told().await;
    let mut times: Vec<_> = audit.entries.iter().map(|it| it.recorded_at).collect();
    times.sort();
    let middle = times[times.len() / 2];
    // At an instant counts what was recorded then; a microsecond before, it does not.
    for at in [middle, middle - TimeDelta::microseconds(1), now(&database).await] {
        let document = document(&database, &["--to", &text(at)]);
        assert_eq!(document["to"], counted(&audit, &Cut::At(at)), "{at}");
    }
    // Between two events of one request: held, and not yet handed over in the same commit.
    let between = audit.entries.iter().find(|it| it.payload["processed_at_once"] == true).unwrap();
    let last_hold = audit
        .entries
        .iter()
        .filter(|it| it.kind == "HoldCreated")
        .max_by_key(|it| (it.recorded_at, it.position));
    for entry in [between, last_hold.unwrap()] {
        let place = format!("{}:{}", entry.partition, entry.position);
        let document = document(&database, &["--to", &place]);
        let cut = Cut::UpTo(vec![(entry.partition, entry.position)]);
        assert_eq!(document["to"], counted(&audit, &cut), "{place}");
    }
    let before = document(&database, &["--to", "0:0"]);
    assert_eq!(before["to"]["events"], 0);
    assert_eq!(before["to"]["programs"], serde_json::json!([]));
    assert_eq!(schemas(&database).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moments_are_compared_and_the_tables_kept_if_asked() {
    let (database, _world, audit) = told().await;
    let first = audit.entries.iter().map(|it| it.recorded_at).min().unwrap();
    let last = now(&database).await;
    let arguments = ["--to", &text(last), "--compare", &text(first), "--keep"];
    let document = document(&database, &arguments);
    let (to, compare) = (counted(&audit, &Cut::At(last)), counted(&audit, &Cut::At(first)));
    let mut shown = document.clone();
    for side in ["to", "compare"] {
        let schema = shown[side]["schema"].take().as_str().unwrap().to_owned();
        assert!(schemas(&database).await.contains(&schema));
        let rows = format!("SELECT count(*) FROM {schema}.dispenses_v1");
        let rows: i64 = sqlx::query_scalar(&rows).fetch_one(&database.pool).await.unwrap();
        let sum = ["HELD", "COMPLETED", "CANCELLED", "EXPIRED"];
        let sum: i64 = sum.iter().map(|name| shown[side][name].as_i64().unwrap()).sum();
        assert_eq!(rows, sum);
    }
    assert_eq!((&shown["to"], &shown["compare"]), (&to, &compare));
    for name in ["events", "medicationRequests", "COMPLETED", "EXPIRED"] {
        let difference = to[name].as_i64().unwrap() - compare[name].as_i64().unwrap();
        assert_eq!(document["difference"][name], difference, "{name}");
    }
    // The next replay leaves what is kept, and removes what a dead process left.
    database.execute("CREATE SCHEMA replay_of_a_dead_process").await;
    let under_way =
        "COMMENT ON SCHEMA replay_of_a_dead_process IS 'dispense log replay: under way'";
    database.execute(under_way).await;
    let (done, said) = replay(&database, &["--to", "0:0"]);
    assert!(done, "{said}");
    assert!(said.contains("without partition 1, 2, 3"), "{said}");
    assert_eq!(schemas(&database).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_not_is_refused() {
    let (database, _world, audit) = told().await;
    let head = audit.entries.iter().filter(|it| it.partition == 0).count();
    let beyond = format!("0:{}", head + 1);
    let ahead = text(now(&database).await + TimeDelta::hours(1));
    let first = audit.entries.iter().map(|it| it.recorded_at).min().unwrap();
    let before = text(first - TimeDelta::microseconds(1));
    for (moment, says) in [
        (&*beyond, format!("the log ends at 0:{head}, before {beyond}")),
        ("4:1", "the log has no partition 4; they are 0 to 3".to_owned()),
        (&*ahead, "is in the future".to_owned()),
        (&*before, format!("expected a time between {} and ", text(first))),
        ("yesterday", "expected a time as of RFC 3339".to_owned()),
        ("0:1,0:2", "expected a time as of RFC 3339".to_owned()),
    ] {
        let (done, said) = replay(&database, &["--to", moment]);
        assert!(!done && said.contains(&says), "{moment}: {said}");
        let (done, said) = replay(&database, &["--to", "0:0", "--compare", moment]);
        assert!(!done && said.contains(&says), "{moment}: {said}");
    }
    assert_eq!(schemas(&database).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_stopped_leaves_nothing_for_long() {
    let (database, _world, _audit) = told().await;
    let folder = temporary();
    let at = text(now(&database).await);
    let start = || database.command(folder.path(), &["log", "replay", "--to", &at], &[]);
    let begun = async || {
        eventually("a schema", REPLAYED_WITHIN, async || schemas(&database).await.pop()).await
    };
    for signal in ["INT", "TERM"] {
        // It waits in the middle of its work, because somebody has what it reads.
        let mut lock = database.pool.begin().await.unwrap();
        let statement = "LOCK TABLE personal_bodies IN ACCESS EXCLUSIVE MODE";
        sqlx::query(statement).execute(&mut *lock).await.unwrap();
        let mut replay = start();
        begun().await;
        replay.signal(signal);
        let status = replay.wait(REPLAYED_WITHIN);
        assert_eq!(status.code(), Some(1), "{}", replay.said());
        assert!(replay.said().contains("nothing was left behind"), "{}", replay.said());
        assert_eq!(schemas(&database).await, Vec::<String>::new());
        lock.rollback().await.unwrap();
    }

    let mut lock = database.pool.begin().await.unwrap();
    let statement = "LOCK TABLE personal_bodies IN ACCESS EXCLUSIVE MODE";
    sqlx::query(statement).execute(&mut *lock).await.unwrap();
    let mut replay = start();
    let left = begun().await;
    replay.kill();
    lock.rollback().await.unwrap();
    assert_eq!(schemas(&database).await, [left]);
    // Two at once do not meet, and remove it.
    let (mut one, mut two) = (start(), start());
    for replay in [&mut one, &mut two] {
        let status = replay.wait(REPLAYED_WITHIN);
        assert!(status.success(), "{}", replay.said());
    }
    assert_eq!(schemas(&database).await, Vec::<String>::new());
}
