//! The log for the relay: who may announce, where to go on, and what stands behind.

mod facts;
mod leases;
mod places;

use std::sync::Arc;

use dispensary::relay::{RelayLog, RelayPlace};
use dispensary::{LogHash, LogPosition};
use dispense_postgres::{PgLog, PgRelayLog};
use sqlx::Executor;

use crate::dispenses::told::{Log, Told};
use crate::sample::partition_of;

/// The relay of one instance.
async fn relay(log: &Log) -> PgRelayLog {
    let settings = PgLog::settings(&log.database.serving, None).await.unwrap();
    let reading = Arc::new(PgLog::to_read(log.database.serving.clone(), settings));
    PgRelayLog::new(reading, &log.database.serving_options).unwrap()
}

/// The medication request of these tests.
fn told() -> Told {
    Told::on(1)
}

/// Its partition.
fn partition() -> u16 {
    partition_of(told().request)
}

/// Does what the service cannot do, and no trigger minds.
async fn force(log: &Log, statements: &str) {
    let mut db = log.database.admin.acquire().await.unwrap();
    db.execute("SET session_replication_role = replica").await.unwrap();
    db.execute(sqlx::raw_sql(statements)).await.unwrap();
    db.execute("RESET session_replication_role").await.unwrap();
}

/// Gives each row a hash of its own, as rows have that were written by the service.
async fn hash(log: &Log) {
    force(
        log,
        "UPDATE events SET hash = sha256(event_id::text::bytea) WHERE hash = ALL (
             SELECT hash FROM events GROUP BY hash HAVING count(*) > 1);
         UPDATE log_head h SET hash = e.hash FROM events e
         WHERE e.partition = h.partition AND e.position = h.position;",
    )
    .await;
}

/// A log with so many ended holds on one medication request, two events each.
async fn log_of(dispenses: usize) -> Log {
    let mut log = Log::new().await;
    for _ in 0..dispenses {
        log.dispensed(&told(), "Cancelled").await;
    }
    hash(&log).await;
    log
}

/// The log loses everything behind a position, and what is read there later is something else.
async fn cut(log: &Log, position: i64) {
    force(
        log,
        &format!(
            "DELETE FROM events WHERE position > {position};
             DELETE FROM personal_bodies WHERE position > {position};
             UPDATE log_head h SET position = {position}, hash = e.hash FROM events e
             WHERE e.partition = h.partition AND e.position = {position};"
        ),
    )
    .await;
}

/// A position of the log, as the streams would have it from epoch 1.
async fn place(log: &Log, position: i64) -> RelayPlace {
    let hash: Vec<u8> = sqlx::query_scalar("SELECT hash FROM events WHERE position = $1")
        .bind(position)
        .fetch_one(&log.database.admin)
        .await
        .unwrap();
    at(position, hash.try_into().unwrap())
}

fn at(position: i64, hash: LogHash) -> RelayPlace {
    RelayPlace { place: LogPosition { partition: partition(), position }, hash, epoch: 1 }
}

/// Where everything begins.
async fn beginning(relay: &PgRelayLog) -> RelayPlace {
    relay.goes_on(partition(), None).await.unwrap()
}
