//! What became of a COMMIT that nobody answered.
//!
//! The old backend may still be committing, so the outcome is read only after taking the head lock
//! on a new connection: until then the old one holds it.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor, PgConnection, Row};

use crate::connect;
use crate::folded::End;
use crate::statements::{BEGIN, HASH_AT, LOCK_HEAD, hash_of};

/// How long the outcome is asked for before it counts as unknown.
const WITHIN: Duration = Duration::from_millis(1_500);

/// Whether the log has, at the last position of the batch, the hash that the batch computed: then
/// it was committed, and so was all of it. `None` if that could not be learnt in time. The
/// connection, if it was learnt, is a new one that works.
pub(crate) async fn committed(
    options: &PgConnectOptions,
    partition: i16,
    batch_end: End,
) -> Option<(bool, PgConnection)> {
    let start = Instant::now();
    while start.elapsed() < WITHIN {
        let left = WITHIN.saturating_sub(start.elapsed());
        match tokio::time::timeout(left, read(options, partition, batch_end)).await {
            Ok(Ok(outcome)) => return Some(outcome),
            Ok(Err(error)) => {
                tracing::warn!("the outcome of a commit is not readable yet: {error}");
            }
            Err(_) => break,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

async fn read(
    options: &PgConnectOptions,
    partition: i16,
    batch_end: End,
) -> Result<(bool, PgConnection), sqlx::Error> {
    let mut db = connect::writer(options).await?;
    db.execute(BEGIN).await?;
    sqlx::query(LOCK_HEAD).bind(partition).fetch_one(&mut db).await?;
    let found = sqlx::query(HASH_AT)
        .bind(partition)
        .bind(batch_end.position)
        .fetch_optional(&mut db)
        .await?;
    let committed = match found {
        Some(row) => hash_of(row.try_get("hash")?)? == batch_end.hash,
        None => false,
    };
    db.execute("ROLLBACK").await?;
    Ok((committed, db))
}
