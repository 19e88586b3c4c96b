//! Followers: who waits for whom, who stops, and who goes on.

mod instances;
mod rebuilding;
mod tally;

use std::time::Duration;

use dispense_postgres::faults::Faults;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dispenses::told::{Log, Told};
use crate::sample::partition_of;
use tally::Tally;

/// More than a page, so that an event may stand behind one.
const EVENTS: i64 = 700;

/// Followers that run until they are stopped.
struct Running {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    faults: Faults,
}

impl Running {
    async fn of(log: &Log, tallies: &[&Tally]) -> Self {
        let (stop, faults) = (CancellationToken::new(), Faults::default());
        let models: Vec<_> = tallies.iter().map(|tally| tally.model()).collect();
        let tasks = log.following_all(&models, &faults, &stop).await;
        Self { stop, tasks, faults }
    }

    async fn stopped(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    fn told(&self) -> Vec<String> {
        let faults = self.faults.all();
        faults.iter().map(|fault| format!("{}: {}", fault.about, fault.detail)).collect()
    }
}

/// Waits until that is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    /// Far longer than anything takes that happens at all.
    const AWAITED_FOR: Duration = Duration::from_mins(2);
    let asked = std::time::Instant::now();
    while !is_so().await {
        assert!(asked.elapsed() < AWAITED_FOR, "what was waited for did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A log of so many holds on one medication request, and their partition.
async fn told(events: i64) -> (Log, u16) {
    let mut log = Log::new().await;
    let told = Told::on(1);
    for _ in 0..events {
        log.held(&told).await;
    }
    (log, partition_of(told.request))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_cannot_apply_an_event_stops_there_alone_and_goes_on_once_it_can() {
    let (mut log, partition) = told(EVENTS).await;
    let (one, other) = (Tally::new(&log, "one").await, Tally::new(&log, "other").await);
    let poison = 613;
    one.cannot_apply(poison);
    let running = Running::of(&log, &[&one, &other]).await;

    until(async || other.position(&log, partition).await == EVENTS).await;
    let expected = format!("one, partition {partition}: stuck at position {poison}: no such thing");
    until(async || running.told().contains(&expected)).await;
    assert_eq!(one.position(&log, partition).await, poison - 1, "everything before it is applied");
    assert_eq!(one.rows(&log).await, poison - 1);

    // The others go on while it is stuck.
    log.held(&Told::on(1)).await;
    until(async || other.position(&log, partition).await == EVENTS + 1).await;
    assert_eq!(one.position(&log, partition).await, poison - 1, "nothing is skipped");

    one.is_mended();
    until(async || one.position(&log, partition).await == EVENTS + 1).await;
    until(async || !running.told().iter().any(|told| told.contains("stuck"))).await;
    assert_eq!(one.rows(&log).await, other.rows(&log).await);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_new_catches_up_by_itself_and_then_goes_on_with_the_others() {
    let (mut log, partition) = told(EVENTS).await;
    let (one, other) = (Tally::new(&log, "one").await, Tally::new(&log, "other").await);
    let running = Running::of(&log, &[&one]).await;
    until(async || one.position(&log, partition).await == EVENTS).await;
    running.stopped().await;

    let running = Running::of(&log, &[&one, &other]).await;
    until(async || other.position(&log, partition).await == EVENTS).await;
    assert_eq!(other.rows(&log).await, EVENTS);
    log.held(&Told::on(1)).await;
    until(async || one.position(&log, partition).await == EVENTS + 1).await;
    until(async || other.position(&log, partition).await == EVENTS + 1).await;
    let transactions = "SELECT count(DISTINCT xmin::text) FROM followers WHERE position > 0";
    assert_eq!(log.database.number(transactions).await, 1, "one transaction moved both");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_has_leased_is_left_to_them() {
    let (log, partition) = told(3).await;
    let (one, other) = (Tally::new(&log, "one").await, Tally::new(&log, "other").await);
    let running = Running::of(&log, &[&one]).await;
    until(async || one.position(&log, partition).await == 3).await;
    running.stopped().await;
    one.begins_again(&log).await;

    let options = log.database.serving_options.clone();
    let mut elsewhere = PgConnection::connect_with(&options).await.unwrap();
    let mut lease = elsewhere.begin().await.unwrap();
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(&mut *lease)
        .await
        .unwrap();
    let taking = "SELECT position FROM followers WHERE name = 'one' FOR UPDATE";
    sqlx::query(taking).execute(&mut *lease).await.unwrap();

    let running = Running::of(&log, &[&one, &other]).await;
    until(async || other.position(&log, partition).await == 3).await;
    assert_eq!(one.position(&log, partition).await, 0);
    lease.rollback().await.unwrap();
    until(async || one.position(&log, partition).await == 3).await;
    assert_eq!(one.rows(&log).await, 3);
    running.stopped().await;
}

/// Between two pages of an instance, another one brings a model further than the first one is.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_was_brought_further_elsewhere_is_not_taken_for_another_log() {
    let (log, partition) = told(EVENTS).await;
    let (one, other) = (Tally::new(&log, "one").await, Tally::new(&log, "other").await);
    for statement in [
        "INSERT INTO followers (name, partition, position, hash, version)
         SELECT u.name, e.partition, u.position, e.hash, 1
         FROM events e, (VALUES ('one', 1), ('other', 0)) u (name, position) WHERE e.position = 1",
        "CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             UPDATE followers SET position = 600 WHERE name = 'other' AND position = 0
                    AND partition = NEW.partition;
             RETURN NULL;
         END $$",
        "CREATE TRIGGER elsewhere AFTER UPDATE ON followers FOR EACH ROW
         WHEN (NEW.name = 'one' AND NEW.position > 1) EXECUTE FUNCTION elsewhere()",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    let running = Running::of(&log, &[&one, &other]).await;
    until(async || one.position(&log, partition).await == EVENTS).await;
    let is_wrong = |told: &String| told.contains("log-diverged");
    assert!(!running.told().iter().any(is_wrong), "{:?}", running.told());
    until(async || other.position(&log, partition).await == EVENTS).await;
    assert_eq!(other.rows(&log).await, EVENTS - 600);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_tail_stops_every_model_that_read_it() {
    let (log, partition) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    let running = Running::of(&log, &[&tally]).await;
    until(async || tally.position(&log, partition).await == 3).await;
    running.stopped().await;
    for statement in [
        "ALTER TABLE events DISABLE TRIGGER USER",
        "DELETE FROM events WHERE position = 3",
        "UPDATE log_head SET position = 2 WHERE position = 3",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    let running = Running::of(&log, &[&tally]).await;
    until(async || !running.told().is_empty()).await;
    let told = &running.told()[0];
    assert!(told.contains("log-diverged at position 3"), "{told}");
    assert_eq!(tally.rows(&log).await, 3, "nothing is applied on top");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_later_service_stops_everyone_at_it_and_not_before() {
    let (log, partition) = told(5).await;
    for statement in [
        "ALTER TABLE events DISABLE TRIGGER USER",
        "UPDATE events SET event_version = '99.0' WHERE position = 4",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    let tally = Tally::new(&log, "one").await;
    let running = Running::of(&log, &[&tally]).await;
    until(async || running.told().iter().any(|told| told.contains("stuck"))).await;
    let told = running.told().concat();
    assert!(told.contains("position 4: HoldCreated 99.0 is newer than this service"), "{told}");
    assert_eq!(tally.position(&log, partition).await, 3);
    running.stopped().await;
}

/// What is about to be read again for the first time may be long ago.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_far_behind_is_told() {
    let (log, _) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    tally.cannot_apply(1);
    let running = Running::of(&log, &[&tally]).await;
    until(async || running.told().iter().any(|told| told.contains("far behind"))).await;
    let told = running.told().concat();
    assert!(told.contains("3 events are not read; the first is "), "{told}");
    running.stopped().await;
}
