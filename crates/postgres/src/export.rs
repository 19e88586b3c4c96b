//! What an export of the log has beside its rows: checkpoints, erasures, and where it went on.

use chrono::{DateTime, Utc};
use dispense_audit::chain::Hash;
use dispense_audit::erasure::Erasure;
use dispense_audit::line;
use sqlx::{PgPool, Row};

use crate::statements::hash_of;

/// A checkpoint as it is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedCheckpoint {
    /// Its number in its partition.
    pub number: i64,
    /// How many rows it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// The hash of a row, if it is there.
///
/// # Errors
///
/// The database does not answer.
pub async fn row_hash(
    pool: &PgPool,
    partition: u16,
    position: u64,
) -> Result<Option<Hash>, sqlx::Error> {
    let hash: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM events WHERE partition = $1 AND position = $2")
            .bind(partition.cast_signed())
            .bind(position.cast_signed())
            .fetch_optional(pool)
            .await?;
    hash.map(|hash| hash_of(&hash)).transpose()
}

/// How many rows the largest checkpoint of a partition covers; 0 if there is none.
///
/// # Errors
///
/// The database does not answer.
pub async fn most_covered(pool: &PgPool, partition: u16) -> Result<u64, sqlx::Error> {
    // The largest is not always the latest: a log that lost its tail goes on from less.
    let size: Option<i64> =
        sqlx::query_scalar("SELECT max(size) FROM checkpoints WHERE partition = $1")
            .bind(partition.cast_signed())
            .fetch_one(pool)
            .await?;
    Ok(size.unwrap_or_default().cast_unsigned())
}

/// Checkpoints of a partition behind that number, in order, which cover no fewer rows than `least`.
///
/// # Errors
///
/// The database does not answer.
pub async fn checkpoints_behind(
    pool: &PgPool,
    partition: u16,
    number: i64,
    least: u64,
    most: u16,
) -> Result<Vec<ExportedCheckpoint>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT number, size, note FROM checkpoints
         WHERE partition = $1 AND number > $2 AND size >= $3 ORDER BY number LIMIT $4",
    )
    .bind(partition.cast_signed())
    .bind(number)
    .bind(least.cast_signed())
    .bind(i64::from(most))
    .fetch_all(pool)
    .await?;
    let exported = |row: &sqlx::postgres::PgRow| {
        Ok(ExportedCheckpoint {
            number: row.try_get("number")?,
            size: row.try_get::<i64, _>("size")?.cast_unsigned(),
            note: row.try_get("note")?,
        })
    };
    rows.iter().map(exported).collect()
}

/// Erasures behind that number, in order: the number of each, and its line without the line's end.
///
/// # Errors
///
/// The database does not answer, or has what the service does not write.
pub async fn erasures_behind(
    pool: &PgPool,
    number: i64,
    most: u16,
) -> Result<Vec<(i64, String)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT number, kind, id, reason, by_user, at, places::text AS places, hash
         FROM erasures WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(number)
    .bind(i64::from(most))
    .fetch_all(pool)
    .await?;
    let written = |row: &sqlx::postgres::PgRow| {
        let at: DateTime<Utc> = row.try_get("at")?;
        let erasure = Erasure {
            number: row.try_get("number")?,
            kind: row.try_get("kind")?,
            id: row.try_get("id")?,
            reason: row.try_get("reason")?,
            by_user: row.try_get("by_user")?,
            at: at.timestamp_micros(),
            places: row.try_get("places")?,
        };
        let mut text = String::new();
        let hash = hash_of(row.try_get("hash")?)?;
        line::write_erasure(&erasure, hash, &mut text)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok((erasure.number, text))
    };
    rows.iter().map(written).collect()
}
