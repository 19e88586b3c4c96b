//! Messages beside importers, writers and whoever stops them all: nobody waits in a circle.

use std::time::Duration;

use dispensary::registry_stream::{NotApplied, RegistryStream};
use dispense_domain::registry::RegistryKind;
use sqlx::PgPool;
use sqlx::error::DatabaseError;
use uuid::Uuid;

use super::{messages, next, stream};
use crate::database::{Database, PARTITIONS};
use crate::import::chain::verify;
use crate::sample::{importer, lines, partition_of, request, with};

/// How often a writer has to get its lock, and how often at most it tries.
const TIMES: usize = 5;
const TRIES: usize = 10;

/// What PostgreSQL says to whoever has waited for a lock for as long as allowed.
const LATE: &str = "55P03";

/// The fewest ids that are in every partition.
fn ids() -> Vec<Uuid> {
    let ids: Vec<Uuid> = (0..40).map(Uuid::from_u128).collect();
    assert!((0..PARTITIONS).all(|partition| ids.iter().any(|id| partition_of(*id) == partition)));
    ids
}

/// Takes heads in ascending order, as an erasure does, or one alone, as writers do.
async fn lock(pool: PgPool, heads: &str) {
    for _ in 0..60 {
        let mut tx = pool.begin().await.unwrap();
        sqlx::query(heads).fetch_all(&mut *tx).await.unwrap();
        sqlx::query("SELECT pg_sleep(0.004)").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_of_several_partitions_never_wait_in_a_circle() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let others = [
        "SELECT position FROM log_head ORDER BY partition FOR UPDATE",
        "SELECT position FROM log_head WHERE partition = 0 FOR UPDATE",
        "SELECT position FROM log_head WHERE partition = 3 FOR UPDATE",
    ];
    let others = others.map(|heads| tokio::spawn(lock(database.admin.clone(), heads)));
    let imports = database.importer();
    let importing = tokio::spawn(async move {
        for round in 0..15 {
            let records: Vec<_> = ids()
                .into_iter()
                .rev()
                .map(|id| with(&request(id), "category", format!("import {round}")))
                .collect();
            assert_eq!(imports.import(lines(records), &importer()).await.unwrap(), []);
        }
    });
    let mut from = None;
    for round in 0..40 {
        let begin = from.unwrap_or_default();
        let line = |id| with(&request(id), "category", format!("message {round}"));
        let batch = || {
            let lines = ids().into_iter().rev().map(line);
            messages(RegistryKind::MedicationRequest, from, begin, lines)
        };
        // Who waited for too long is told so, and tries again.
        while let Err(not) = stream.apply(batch()).await {
            assert!(matches!(not, NotApplied::Unavailable(_)), "{not:?}");
        }
        from = Some(begin + 40);
    }
    let all = async {
        importing.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    assert_eq!(next(&stream).await, 40 * 40);
    verify(&database).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(database.number(deadlocks).await, 0);
}

/// A writer that waits behind a lock of ours must not wait for somebody else's.
#[tokio::test]
async fn who_waits_for_the_second_lock_soon_lets_go_of_the_first() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let mut busy = database.admin.begin().await.unwrap();
    sqlx::query("SELECT position FROM log_head WHERE partition = 3 FOR UPDATE")
        .execute(&mut *busy)
        .await
        .unwrap();
    let batch =
        || messages(RegistryKind::MedicationRequest, None, 0, ids().into_iter().map(request));
    let reading = stream.apply(batch());
    let writing = async {
        let mut times = 0;
        for _ in 0..TRIES {
            // Within half of the time that a writer has for it, but where the machine is slow for a
            // moment.
            let mut tx = database.serving.begin().await.unwrap();
            sqlx::query("SET LOCAL lock_timeout = '500ms'").execute(&mut *tx).await.unwrap();
            let head = "SELECT position FROM log_head WHERE partition = 0 FOR UPDATE";
            match sqlx::query(head).execute(&mut *tx).await {
                Ok(_) => times += 1,
                Err(error) => {
                    let code = error.as_database_error().and_then(DatabaseError::code);
                    assert_eq!(code.as_deref(), Some(LATE), "{error}");
                }
            }
            tx.rollback().await.unwrap();
            if times == TIMES {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        busy.commit().await.unwrap();
        times
    };
    let (read, times) = tokio::join!(reading, writing);
    assert_eq!(times, TIMES, "a writer had to wait for somebody else's lock");
    // Who waited for too long is told so, and tries again.
    let read = match read {
        Err(NotApplied::Unavailable(_)) => stream.apply(batch()).await,
        read => read,
    };
    assert_eq!(read.unwrap(), []);
    assert_eq!(next(&stream).await, 40);
}

#[tokio::test]
async fn what_takes_too_long_at_once_is_done_in_halves() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    for statement in [
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$",
        "CREATE TRIGGER dawdle BEFORE INSERT ON medication_requests
         FOR EACH ROW EXECUTE FUNCTION dawdle()",
    ] {
        sqlx::query(statement).execute(&database.admin).await.unwrap();
    }
    let ids = (1..).map(Uuid::from_u128).filter(|id| partition_of(*id) == 0).take(100);
    let lines = ids.map(request);
    let faulty =
        stream.apply(messages(RegistryKind::MedicationRequest, None, 0, lines)).await.unwrap();
    assert_eq!(faulty, []);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 100);
    assert_eq!(next(&stream).await, 100);
    assert_eq!(verify(&database).await, 100);
}
