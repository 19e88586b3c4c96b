//! Looking back: what may still be recorded for an instant is waited for, without a lock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dispensary::past::{Subject, Told};
use dispensary::{Appended, EventLog};
use dispense_demo::Dispensable;
use dispense_domain::{DispenseId, MedicationRequestId};
use sqlx::{PgConnection, Postgres, Transaction};
use tokio::task::JoinHandle;

use crate::database::partitions;
use crate::world::World;

/// Long enough that somebody who does not wait has answered.
const A_WHILE: Duration = Duration::from_millis(300);

/// What whoever waits is told when a batch takes too long.
const TOO_LATE: &str = "the writer does not answer; try again";

/// How often at most a scene is played again for which the machine was too slow.
const TRIES: usize = 5;

/// A hold of all that was prescribed.
struct Held {
    request: MedicationRequestId,
    dispense: DispenseId,
    appended: Appended,
}

async fn hold(world: &World, wanted: &Dispensable) -> Held {
    let command = world.command(&world.pharmacy(0), wanted, "key");
    let (request, dispense) = (command.medication_request_id, command.dispense_id);
    Held { request, dispense, appended: world.hold(command).await.unwrap() }
}

fn holdable(world: &World) -> Vec<Dispensable> {
    world.demo.holdable(300).filter(|it| !it.program.skips_signature()).collect()
}

async fn held(world: &World) -> Held {
    hold(world, &holdable(world)[0]).await
}

/// Takes the head of a partition, as a batch does.
async fn head_of(world: &World, partition: u16) -> Transaction<'static, Postgres> {
    let mut tx = world.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM log_head WHERE partition = $1 FOR UPDATE")
        .bind(partition.cast_signed())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

async fn clock(db: &mut PgConnection) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(db).await.unwrap()
}

/// Records the end of a hold as a batch would, but for the hash.
async fn record_end(db: &mut PgConnection, held: &Held, at: DateTime<Utc>) {
    let partition = partitions().of_request(held.request).cast_signed();
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
                             payload, metadata, partition, position, event_id, dispense_id,
                             recorded_at, hash)
         SELECT 'dispense', $2, 2, 'Expired', '1.0',
                json_build_object('type', 'Expired', 'dispense_id', $3::text, 'expires_at', $4),
                '{}', partition, position + 1, gen_random_uuid(), $3, $4, hash
         FROM log_head WHERE partition = $1",
    )
    .bind(partition)
    .bind(held.request.to_string())
    .bind(held.dispense.uuid())
    .bind(at)
    .execute(&mut *db)
    .await
    .unwrap();
    sqlx::query(
        "UPDATE log_head SET position = position + 1, recorded_at = $2 WHERE partition = $1",
    )
    .bind(partition)
    .bind(at)
    .execute(db)
    .await
    .unwrap();
}

fn settling(world: &World, subject: Subject) -> JoinHandle<Result<(), String>> {
    let log = world.log.clone();
    tokio::spawn(async move { log.settle(subject).await.map_err(|error| error.to_string()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_commits_late_is_there_once_it_was_waited_for() {
    for _ in 0..TRIES {
        if is_there_once_it_was_waited_for().await {
            return;
        }
    }
    panic!("what a batch commits late is not waited for");
}

/// Whether it is; it is not if the machine leaves the batch no time before nobody waits any more.
async fn is_there_once_it_was_waited_for() -> bool {
    let world = World::new().await;
    let held = held(&world).await;
    let partition = partitions().of_request(held.request);
    for subject in [Subject::Dispense(held.dispense), Subject::Request(held.request)] {
        let mut batch = head_of(&world, partition).await;
        let at = clock(&mut batch).await;
        // Somebody asks for an instant at which the batch has recorded already.
        let asked = world.log.told().await.unwrap().latest;
        assert!(asked > at);
        let mut waiting = settling(&world, subject);
        assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "it waits");
        assert_eq!(world.log.stream(held.request).await.unwrap().events.len(), 1);
        record_end(&mut batch, &held, at).await;
        batch.commit().await.unwrap();
        if let Err(error) = waiting.await.unwrap() {
            assert_eq!(error, TOO_LATE);
            return false;
        }
        let stream = world.log.stream(held.request).await.unwrap();
        let last = stream.events.last().unwrap();
        assert!(last.event.name() == "Expired" && last.recorded_at <= asked);
        sqlx::raw_sql(
            "ALTER TABLE events DISABLE TRIGGER events_append_only;
                       DELETE FROM events WHERE event_type = 'Expired';
                       UPDATE log_head SET position = position - 1 WHERE recorded_at =
                           (SELECT max(recorded_at) FROM log_head)",
        )
        .execute(&world.database.admin)
        .await
        .unwrap();
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_where_nothing_is_being_recorded() {
    let world = World::new().await;
    let held = held(&world).await;
    let partition = partitions().of_request(held.request);
    let subject = Subject::Dispense(held.dispense);
    settling(&world, subject).await.unwrap().unwrap();

    // The head still bears the mark of a batch that was rolled back.
    head_of(&world, partition).await.rollback().await.unwrap();
    settling(&world, subject).await.unwrap().unwrap();

    let others = (0..partitions().count()).filter(|it| *it != partition);
    let mut heads = Vec::new();
    for other in others {
        heads.push(head_of(&world, other).await);
    }
    settling(&world, subject).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_takes_too_long_is_not_waited_for() {
    let world = World::new().await;
    let held = held(&world).await;
    let batch = head_of(&world, partitions().of_request(held.request)).await;
    let error = settling(&world, Subject::Request(held.request)).await.unwrap().unwrap_err();
    assert_eq!(error, TOO_LATE);
    batch.rollback().await.unwrap();
}

/// Batches that follow each other without a pause: the one in hand is waited for, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_partition_lets_nobody_wait_for_ever() {
    for _ in 0..TRIES {
        if the_next_one_is_not_waited_for().await {
            return;
        }
    }
    panic!("more than the batch in hand is waited for");
}

/// Whether it is not; nobody knows if the machine leaves the first batch no time.
async fn the_next_one_is_not_waited_for() -> bool {
    let world = Arc::new(World::new().await);
    let held = held(&world).await;
    let partition = partitions().of_request(held.request);
    let mut first = head_of(&world, partition).await;
    sqlx::query("SELECT set_config('lock_timeout', '0', true)").execute(&mut *first).await.unwrap();
    let mut waiting = settling(&world, Subject::Request(held.request));
    assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err());
    // The next one stands in line for the head, and keeps it until the test is over.
    let next = {
        let world = world.clone();
        tokio::spawn(async move { head_of(&world, partition).await })
    };
    while world.database.number("SELECT count(*) FROM pg_locks WHERE NOT granted").await == 0 {
        tokio::task::yield_now().await;
    }
    first.rollback().await.unwrap();
    let next = next.await.unwrap();
    let waited = waiting.await.unwrap();
    next.rollback().await.unwrap();
    waited.inspect_err(|error| assert_eq!(error, TOO_LATE)).is_ok()
}

/// Whoever looks back leaves no mark on the head: the writer has nothing to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_back_locks_nothing() {
    let world = World::new().await;
    let held = held(&world).await;
    let mark = "SELECT sum(xmax::text::bigint + xmin::text::bigint)::bigint FROM log_head";
    let before = world.database.number(mark).await;
    for _ in 0..20 {
        settling(&world, Subject::Request(held.request)).await.unwrap().unwrap();
    }
    assert_eq!(world.database.number(mark).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_begins_with_the_first_event_of_any_partition() {
    let world = World::new().await;
    let Told { earliest, latest } = world.log.told().await.unwrap();
    assert_eq!(earliest, None);
    let mut recorded = Vec::new();
    let wanted = holdable(&world);
    for partition in (0..partitions().count()).rev() {
        let of = |it: &&Dispensable| {
            partitions().of_request(it.medication_request_id.into()) == partition
        };
        for wanted in wanted.iter().filter(of).take(2) {
            recorded.push(hold(&world, wanted).await.appended.at);
        }
    }
    assert_eq!(recorded.len(), 2 * usize::from(partitions().count()));
    let told = world.log.told().await.unwrap();
    assert_eq!(told.earliest, Some(recorded[0]));
    assert!(told.latest > *recorded.last().unwrap() && told.latest > latest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_where_its_partition_ends() {
    let world = World::new().await;
    let wanted = holdable(&world);
    let one = hold(&world, &wanted[0]).await;
    let home = partitions().of_request(one.request);
    let of_home =
        |it: &&Dispensable| partitions().of_request(it.medication_request_id.into()) == home;
    let other = hold(&world, wanted[1..].iter().find(of_home).unwrap()).await;
    for held in [&one, &other] {
        let stream = world.log.stream(held.request).await.unwrap();
        assert_eq!(stream.position, other.appended.position);
        assert_eq!(stream.events.len(), 1);
    }
}
