//! Which containers no event names: what the log says is removed, so each case has both its sides.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use dispensary::{EventLog, Unnamed};
use dispense_domain::{DispenseEvent, DispenseId, Terms};
use dispense_postgres::{PgLog, pool};
use serde_json::json;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::{Database, partitions};
use crate::sample::{PHARMACY, append, cancelled, held, partition_of, processed};

/// The medication request of all dispenses here.
const REQUEST: Uuid = Uuid::from_u128(0xD1);

/// A log, and the one connection that it reads with.
struct World {
    database: Database,
    log: PgLog,
    reading: PgPool,
    now: DateTime<Utc>,
    stop: CancellationToken,
}

impl World {
    async fn new() -> Self {
        let database = Database::new().await;
        let stop = CancellationToken::new();
        let reading = pool(&database.serving_options, 1);
        let (log, _running) = PgLog::start(
            reading.clone(),
            &database.serving_options,
            PgLog::settings(&database.serving, Some(partitions())).await.unwrap(),
            &Arc::new(database.registry()),
            &Arc::new(Terms::default()),
            &stop,
        );
        let now = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&database.admin)
            .await
            .unwrap();
        Self { database, log, reading, now, stop }
    }

    /// A hold that runs out after that time, and what became of it.
    async fn hold(&self, name: &str, lasts: TimeDelta, then: &[DispenseEvent]) {
        let hold = held(REQUEST, dispense(name), self.now + lasts);
        append(&self.database, REQUEST, &[hold]).await;
        append(&self.database, REQUEST, then).await;
    }

    /// What the log says, in the order of the keys.
    async fn unnamed(&self, keys: &[String]) -> Vec<String> {
        let mut unnamed = self.log.unnamed(keys.to_vec()).await.unwrap();
        assert!(unnamed.unknown.is_empty());
        unnamed.over.sort();
        unnamed.over
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The dispense that was asked for under that name.
fn dispense(name: &str) -> Uuid {
    DispenseId::asked_for(REQUEST.into(), PHARMACY.into(), name).uuid()
}

/// The key of a container of that dispense.
fn key(name: &str, container: u8) -> String {
    format!("{}/{}", dispense(name), hex::encode([container; 32]))
}

/// The hand-over of that dispense, with that container.
fn handed_over(name: &str, container: u8) -> DispenseEvent {
    let mut event = serde_json::to_value(processed(dispense(name))).unwrap();
    let digest = hex::encode([container; 32]);
    event["content"] = json!({"key": key(name, container), "digest": digest});
    serde_json::from_value(event).unwrap()
}

fn expired(name: &str) -> DispenseEvent {
    let expired = json!({"type": "Expired", "dispense_id": dispense(name),
        "expires_at": "2026-01-31T10:00:00Z"});
    serde_json::from_value(expired).unwrap()
}

#[tokio::test]
async fn a_container_that_an_event_names_is_kept_and_the_others_of_its_dispense_are_not() {
    let world = World::new().await;
    world.hold("a", TimeDelta::minutes(10), &[handed_over("a", 1)]).await;
    world.hold("b", TimeDelta::minutes(-999), &[handed_over("b", 2)]).await;
    let asked = [key("a", 1), key("a", 2), key("b", 1), key("b", 2)];
    let mut orphans = [key("a", 2), key("b", 1)];
    orphans.sort();
    assert_eq!(world.unnamed(&asked).await, orphans);
}

#[tokio::test]
async fn a_container_of_a_hold_that_may_still_be_handed_over_is_kept() {
    let world = World::new().await;
    world.hold("alive", TimeDelta::minutes(10), &[]).await;
    world.hold("lately", TimeDelta::minutes(-59), &[]).await;
    world.hold("long ago", TimeDelta::minutes(-61), &[]).await;
    let asked = [key("alive", 1), key("lately", 1), key("long ago", 1)];
    assert_eq!(world.unnamed(&asked).await, [key("long ago", 1)]);
}

#[tokio::test]
async fn a_dispense_that_is_over_needs_no_container() {
    let world = World::new().await;
    world.hold("given back", TimeDelta::minutes(10), &[cancelled(dispense("given back"))]).await;
    assert_eq!(world.unnamed(&[key("given back", 1)]).await, [key("given back", 1)]);
    world.hold("ran out", TimeDelta::minutes(-1), &[expired("ran out")]).await;
    assert_eq!(world.unnamed(&[key("ran out", 1)]).await, [key("ran out", 1)]);
    world.hold("unsigned", TimeDelta::minutes(10), &[processed(dispense("unsigned"))]).await;
    assert_eq!(world.unnamed(&[key("unsigned", 1)]).await, [key("unsigned", 1)]);
}

#[tokio::test]
async fn a_container_of_a_dispense_that_the_log_does_not_know_is_told_apart() {
    let world = World::new().await;
    let unnamed = world.log.unnamed(vec![key("unknown", 1)]).await.unwrap();
    assert_eq!((unnamed.over, unnamed.unknown), (Vec::new(), vec![key("unknown", 1)]));
    world.hold("unknown", TimeDelta::minutes(10), &[]).await;
    assert!(world.unnamed(&[key("unknown", 1)]).await.is_empty());
}

#[tokio::test]
async fn what_a_later_version_names_in_its_own_way_is_kept() {
    let world = World::new().await;
    world.hold("a", TimeDelta::minutes(-999), &[]).await;
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
             payload, metadata, partition, position, event_id, dispense_id, recorded_at, hash)
         VALUES ('dispense', $1, 2, 'SignedAgain', '9.0', $2::json, '{}', $3, 99, $4, $4,
                 clock_timestamp(), sha256('x'))",
    )
    .bind(REQUEST.to_string())
    .bind(json!({"containers": [{"at": key("a", 1)}]}).to_string())
    .bind(partition_of(REQUEST).cast_signed())
    .bind(dispense("a"))
    .execute(&world.database.admin)
    .await
    .unwrap();
    assert_eq!(world.unnamed(&[key("a", 1), key("a", 2)]).await, [key("a", 2)]);
}

#[tokio::test]
async fn a_key_of_another_form_is_never_among_them() {
    let world = World::new().await;
    let strange = ["", "probe-1", "a/b", "x'; --/y"].map(str::to_owned);
    let upper = key("unknown", 0xAB).to_uppercase();
    let mut asked = strange.to_vec();
    world.hold("over", TimeDelta::minutes(-999), &[]).await;
    asked.extend([upper, key("over", 1) + "0", key("over", 1)]);
    assert_eq!(world.unnamed(&asked).await, [key("over", 1)]);
    assert!(world.unnamed(&strange).await.is_empty());
    assert!(world.unnamed(&[]).await.is_empty());
}

/// How often the log was read from its beginning to its end, and how many entries of its indexes
/// were read.
async fn reads(world: &World) -> (i64, i64) {
    // The connection hands over what it has counted.
    sqlx::query("SELECT pg_stat_force_next_flush()").execute(&world.reading).await.unwrap();
    let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'";
    let entries = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes
                   WHERE relname = 'events'";
    (world.database.number(scans).await, world.database.number(entries).await)
}

#[tokio::test]
async fn no_question_reads_a_whole_table_young_or_old() {
    const ASKED: i64 = 100;
    let world = World::new().await;
    let mut keys = Vec::new();
    for number in 0..ASKED {
        let request = Uuid::from_u128(0xE000 + u128::try_from(number).unwrap());
        let dispense = DispenseId::asked_for(request.into(), PHARMACY.into(), "key").uuid();
        append(&world.database, request, &[held(request, dispense, world.now)]).await;
        keys.push(format!("{dispense}/{}", "00".repeat(32)));
    }
    for fill in [0, 40_000] {
        sqlx::query(
            "INSERT INTO events
             SELECT 'dispense', gen_random_uuid()::text, 1, 'HoldCreated', '1.0', '{}', '{}', n % 4,
                    1000 + n, gen_random_uuid(), gen_random_uuid(), clock_timestamp(), sha256('x')
             FROM generate_series(1, $1) n",
        )
        .bind(fill)
        .execute(&world.database.admin)
        .await
        .unwrap();
        for analysed in [false, true] {
            if analysed {
                sqlx::query("ANALYZE events").execute(&world.database.admin).await.unwrap();
            }
            let before = reads(&world).await;
            // More often than a prepared statement is planned anew.
            for _ in 0..7 {
                assert_eq!(world.log.unnamed(keys.clone()).await.unwrap(), Unnamed::default());
            }
            let after = reads(&world).await;
            let when = format!("{fill} events, analysed: {analysed}");
            assert_eq!(after.0 - before.0, 0, "{when}: the table was read whole");
            let entries = (after.1 - before.1) / (7 * ASKED);
            assert!((2..=4).contains(&entries), "{when}: {entries} entries for each key");
        }
    }
}
