//! Looking back: how things stood, asked with `asOf`, and that the answer stays what it is.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::seq::IndexedRandom;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Answer, Crowd, Database, Instance, Pharmacy, Prescribed, Terms, World};

/// How many commands and questions there are at once, and for how long.
const CLIENTS: usize = 8;
const ASKERS: usize = 6;
const LASTING: Duration = Duration::from_secs(8);

/// How many of each are enough, and how often at most all that is done until there are so many.
const ENOUGH: usize = 50;
const MOST_ROUNDS: usize = 8;

/// An instant as a query has it.
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// What the clock of the database says.
async fn clock(database: &Database) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.pool).await.unwrap()
}

async fn as_of(pharmacy: &Pharmacy, path: &str, at: DateTime<Utc>) -> Answer {
    pharmacy.get(&format!("{path}?asOf={}", written(at))).await
}

/// A hold that is handed over at once, one that is given back, and one that ran out.
#[tokio::test(flavor = "multi_thread")]
async fn each_event_parts_what_was_from_what_came_after() {
    let database = Database::new().await;
    let world = World::new(1, 2);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];
    let instance = Instance::start_with(&database, &short).await;
    let one = world.pharmacies[0].at(&instance);
    // What is given back does not run out before, however slow the machine is.
    let patient = Instance::start(&database).await;
    let what = world.prescribed(Terms::InParts, 0);
    one.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201);
    let given_back = one.at(&patient).dispense(&what, 20).await.expect(201).id();
    one.cancel(given_back).await.expect(200);
    let ran_out = one.dispense(&what, 30).await.expect(201).id();
    let done = one.dispense(&world.prescribed(Terms::InPartsAtOnce, 0), 10).await.expect(201).id();

    let expires_at = instant(&one.look_at(ran_out).await.expect(200).body["expiresAt"]);
    crate::harness::eventually("a hold that has run out", Duration::from_mins(1), async || {
        (clock(&database).await > expires_at + TimeDelta::seconds(1)).then_some(())
    })
    .await;
    let micro = TimeDelta::microseconds(1);
    for id in [given_back, ran_out, done] {
        let path = format!("/api/v1/dispenses/{id}");
        let history = one.get(&format!("{path}/history?diff=true")).await.expect(200).body;
        let items = history["items"].as_array().unwrap();
        let began = instant(&items[0]["recordedAt"]);
        as_of(&one, &path, began - micro).await.refused(404, "not-found");
        for item in items {
            let at = instant(&item["recordedAt"]);
            let then = as_of(&one, &path, at).await.expect(200).body;
            assert_eq!(then["status"], item["status"], "{item:#}");
            for change in item["changes"].as_array().unwrap() {
                let member = change["member"].as_str().unwrap();
                // The two events of a dispense that was recorded at once have one instant.
                if id != done {
                    assert_eq!(then[member], change["to"], "{change}");
                }
            }
            let until_then = as_of(&one, &format!("{path}/history"), at).await.expect(200).body;
            assert_eq!(until_then["status"], item["status"]);
        }
        let now = one.look_at(id).await.expect(200).body;
        assert_eq!(history["status"], now["status"]);
        assert_eq!(as_of(&one, &path, clock(&database).await).await.expect(200).body, now);
    }

    let path = format!("/api/v1/dispenses/{ran_out}");
    let balance = format!("/api/v1/prescriptions/{}", what.id);
    for (at, status, held) in [(expires_at, "HELD", 30), (expires_at + micro, "EXPIRED", 0)] {
        assert_eq!(as_of(&one, &path, at).await.expect(200).body["status"], status);
        let balance = as_of(&one, &balance, at).await.expect(200).body;
        assert_eq!((&balance["held"], &balance["status"]), (&held.into(), &Value::Null));
        assert_eq!(balance["available"], 60 - held);
    }
    let tomorrow = clock(&database).await + TimeDelta::days(1);
    let long_ago = "2000-01-01T00:00:00Z".parse().unwrap();
    for at in [tomorrow, long_ago] {
        let refused = as_of(&one, &path, at).await.refused(422, "as-of-out-of-range");
        let params = &refused.body["errors"][0]["params"];
        assert!(instant(&params["earliest"]) < instant(&params["latest"]), "{params}");
    }
}

/// Somebody who asks for the moment that has just gone by, again and again.
async fn asker(
    pharmacy: Pharmacy,
    database: sqlx::PgPool,
    requests: Vec<Prescribed>,
    until: std::time::Instant,
) -> Vec<(String, Answer)> {
    let mut told = Vec::new();
    while std::time::Instant::now() < until {
        let at: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database).await.unwrap();
        let what = requests.choose(&mut rand::rng()).unwrap();
        for below in ["", "/dispenses"] {
            let path = format!("/api/v1/prescriptions/{}{below}?asOf={}", what.id, written(at));
            let answer = pharmacy.get(&path).await;
            // Before the first event of all, and while a batch takes long.
            match answer.status {
                200 => told.push((path, answer)),
                422 => assert_eq!(answer.code(), "as-of-out-of-range", "{answer:#?}"),
                503 => assert_eq!(answer.code(), "unavailable", "{answer:#?}"),
                _ => panic!("{path}: {answer:#?}"),
            }
        }
    }
    told
}

/// Lets every commit of the service take a while, so that a batch is often in hand.
async fn slow_commits(database: &Database) {
    for setting in ["commit_delay = 30000", "commit_siblings = 0"] {
        let alter = format!(
            "DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET {setting}', 'serve_' || current_database());
             END $$"
        );
        database.execute(&alter).await;
    }
}

/// Questions for the moment that has just gone by, while many are at work: each has the same answer
/// ever after. Without waiting for the batch in hand it would not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_the_past_stays_true() {
    let database = Database::new().await;
    let world = World::new(4, 2);
    database.import(&world.lines());
    slow_commits(&database).await;
    let instances = [Instance::start(&database).await, Instance::start(&database).await];
    let doors: Vec<String> = instances.iter().map(|instance| instance.url.clone()).collect();
    let requests = [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat();
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors,
        requests: requests.clone(),
        insists: false,
    };
    let (mut done, mut told): (usize, Vec<(String, Answer)>) = (0, Vec::new());
    for round in 0..MOST_ROUNDS {
        let until = std::time::Instant::now() + LASTING;
        let mut askers = JoinSet::new();
        for n in 0..ASKERS {
            let pharmacy = world.pharmacies[n % 4].at(&instances[n % 2]);
            askers.spawn(asker(pharmacy, database.pool.clone(), requests.clone(), until));
        }
        done += crowd.clone().go_on(CLIENTS, LASTING).await.len();
        told.extend(askers.join_all().await.into_iter().flatten());
        println!("round {round}: {done} commands, {} questions", told.len());
        if told.len() > ENOUGH && done > ENOUGH {
            break;
        }
    }
    assert!(told.len() > ENOUGH && done > ENOUGH, "too little happened");

    let reader = world.pharmacies[0].at(&instances[1]);
    for (path, then) in told {
        let again = reader.get(&path).await.expect(200);
        assert_eq!(again.body, then.body, "{path}");
    }
}

/// A batch has asked for the time and is not committed yet: whoever asks for a later instant waits
/// for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_recorded_is_waited_for() {
    for _ in 0..MOST_ROUNDS {
        if is_waited_for().await {
            return;
        }
    }
    panic!("what is being recorded is not waited for");
}

/// Whether it was; it is not if the machine leaves a batch no time to end before nobody waits any more.
async fn is_waited_for() -> bool {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let one = world.pharmacies[0].at(&instance);
    let held = one.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201);
    let path = format!("/api/v1/dispenses/{}", held.id());
    let (partition, _) = held.header("dispense-position").unwrap().split_once(':').unwrap();
    let partition: i16 = partition.parse().unwrap();
    database.followed().await;

    let mut batch = database.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM log_head WHERE partition = $1 FOR UPDATE")
        .bind(partition)
        .execute(&mut *batch)
        .await
        .unwrap();
    // The end of the hold, as a batch would record it, but for its hash.
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
                             payload, metadata, partition, position, event_id, dispense_id,
                             recorded_at, hash)
         SELECT e.aggregate_type, e.aggregate_id, 2, 'Expired', '1.0',
                json_build_object('type', 'Expired', 'dispense_id', $1::text,
                                  'expires_at', clock_timestamp()),
                '{}', e.partition, e.position + 1, gen_random_uuid(), $1, clock_timestamp(), e.hash
         FROM events e WHERE e.dispense_id = $1",
    )
    .bind(held.id())
    .execute(&mut *batch)
    .await
    .unwrap();
    let at = clock(&database).await;
    let mut asking = {
        let (one, path) = (one.clone(), path.clone());
        tokio::spawn(async move { as_of(&one, &path, at).await })
    };
    let early = tokio::time::timeout(Duration::from_millis(300), &mut asking).await;
    assert!(early.is_err(), "it waits: {early:?}");
    let long_before = instant(&held.body["createdAt"]);
    let is_within_reach = clock(&database).await - long_before < TimeDelta::seconds(10);
    batch.commit().await.unwrap();
    let answer = asking.await.unwrap();
    if answer.status == 503 || !is_within_reach {
        return false;
    }
    assert_eq!(answer.expect(200).body["status"], "EXPIRED");

    // One that does not end is not waited for for ever.
    let mut batch = database.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM log_head FOR UPDATE").execute(&mut *batch).await.unwrap();
    let at = clock(&database).await;
    as_of(&one, &path, at).await.refused(503, "unavailable");
    batch.rollback().await.unwrap();
    let now = as_of(&one, &path, at).await.expect(200);
    assert_eq!(now.body["version"], 2);
    true
}
