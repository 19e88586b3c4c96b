//! The log as it is stored, page by page: a page is a statement of its own, so that nobody who reads
//! slowly keeps a transaction open, or a connection.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispensary::{LogEnd, LogLine, LogPages, LogPosition, Unavailable};
use dispense_audit::line::{self, Line};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::PgLog;
use crate::log::within;
use crate::statements::hash_of;

/// How long a reader waits who is not woken: what other instances wrote is noticed then at the latest.
const POLL: Duration = Duration::from_millis(500);

/// How long somebody waits who has not found what this process wrote: a log that lost its tail does not
/// have it, and is not to be asked again and again.
const NOT_FOUND: Duration = Duration::from_millis(20);

#[async_trait]
impl LogPages for PgLog {
    async fn end(&self, partition: u16) -> Result<LogEnd, Unavailable> {
        let reading = sqlx::query_as::<_, (i64, i64)>(
            "SELECT h.position, s.epoch FROM log_head h CROSS JOIN log_settings s
             WHERE h.partition = $1",
        )
        .bind(partition.cast_signed())
        .fetch_one(self.pool());
        let (position, epoch) = within(reading).await?;
        Ok(LogEnd { place: LogPosition { partition, position }, epoch })
    }

    async fn lines(&self, after: LogPosition, most: u32) -> Result<Vec<LogLine>, Unavailable> {
        let reading = sqlx::query(
            "SELECT position, sequence, event_id, event_type, event_version, recorded_at,
                    aggregate_id, dispense_id, payload::text AS payload,
                    metadata::text AS metadata, hash
             FROM events WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3",
        )
        .bind(after.partition.cast_signed())
        .bind(after.position)
        .bind(i64::from(most))
        .fetch_all(self.pool());
        let rows = within(reading).await?;
        let lines = rows.iter().map(|row| written(after.partition, row));
        lines.collect::<Result<_, _>>().map_err(Unavailable::database)
    }

    async fn more(&self, after: LogPosition) {
        let waiting = async {
            match self.written(after.partition) {
                Some(written) if *written.borrow() > after.position => {
                    tokio::time::sleep(NOT_FOUND).await;
                }
                Some(mut written) => {
                    // Without its sender nothing is written by this process any more.
                    if written.wait_for(|position| *position > after.position).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        let _woken = tokio::time::timeout(POLL, waiting).await;
    }
}

/// A row as the line that it is written on.
fn written(
    partition: u16,
    row: &PgRow,
) -> Result<LogLine, Box<dyn std::error::Error + Send + Sync>> {
    let position = row.try_get("position")?;
    let event_type: &str = row.try_get("event_type")?;
    let recorded_at: DateTime<Utc> = row.try_get("recorded_at")?;
    let (payload, metadata): (&str, &str) = (row.try_get("payload")?, row.try_get("metadata")?);
    let line = Line {
        partition,
        position,
        sequence: row.try_get("sequence")?,
        event_id: row.try_get("event_id")?,
        event_type,
        event_version: row.try_get("event_version")?,
        recorded_at: recorded_at.timestamp_micros(),
        medication_request_id: row.try_get("aggregate_id")?,
        dispense_id: row.try_get("dispense_id")?,
        payload,
        metadata,
        hash: hash_of(row.try_get("hash")?)?,
    };
    // Payload and metadata are most of it.
    let mut text = String::with_capacity(payload.len() + metadata.len() + 512);
    line::write(&line, &mut text)?;
    let place = LogPosition { partition, position };
    Ok(LogLine { place, kind: event_type.to_owned(), text })
}
