//! The statements of a batch. Each names its partition, is written for one index, and costs the same
//! whether the tables are empty or hold a hundred million rows; a test reads their plans.

use chrono::{DateTime, Utc};
use dispense_audit::chain::Hash;
use dispense_domain::MedicationRequestId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::folded::End;
use crate::rows::NewRows;

/// Begins a batch. READ COMMITTED, so that what is read after the lock is what its last holder left.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// The head lock, a statement by itself: read together with streams, it would return the new head
/// with old events.
pub(crate) const LOCK_HEAD: &str =
    "SELECT position, hash, recorded_at FROM log_head WHERE partition = $1 FOR UPDATE";

/// The streams of those medication requests.
pub(crate) const STREAMS: &str = "
SELECT e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text AS payload
FROM UNNEST($2::text[]) AS k (id)
CROSS JOIN LATERAL (
    SELECT v.aggregate_id, v.sequence, v.event_type, v.event_version, v.payload FROM events v
    WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = k.id AND v.partition = $1
    ORDER BY v.sequence
) e";

/// What others wrote since this writer's last batch, and the hash that it left.
pub(crate) const SINCE: &str = "
SELECT aggregate_id, sequence, event_type, event_version, payload::text AS payload, position, hash
FROM events WHERE partition = $1 AND position >= $2 AND position <= $3 ORDER BY position";

/// The events of a batch. Joined with the head, so that on a cluster it stays one task.
pub(crate) const INSERT_EVENTS: &str = "
INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                    metadata, partition, position, event_id, dispense_id, recorded_at, hash)
SELECT 'dispense', u.aggregate_id, u.sequence, u.event_type, u.event_version, u.payload::json,
       u.metadata::json, h.partition, u.position, u.event_id, u.dispense_id, $2, u.hash
FROM log_head h CROSS JOIN UNNEST($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                                  $8::text[], $9::bigint[], $10::uuid[], $11::uuid[], $12::bytea[])
     AS u (aggregate_id, sequence, event_type, event_version, payload, metadata, position, event_id,
           dispense_id, hash)
WHERE h.partition = $1";

/// The personal bodies of a batch.
pub(crate) const INSERT_BODIES: &str = "
INSERT INTO personal_bodies (partition, position, body)
SELECT h.partition, u.position, u.body::json
FROM log_head h CROSS JOIN UNNEST($2::bigint[], $3::text[]) AS u (position, body)
WHERE h.partition = $1";

/// The head after a batch.
pub(crate) const MOVE_HEAD: &str =
    "UPDATE log_head SET position = $2, hash = $3, recorded_at = $4 WHERE partition = $1";

/// The hash at a position, to learn what became of a commit.
pub(crate) const HASH_AT: &str = "SELECT hash FROM events WHERE partition = $1 AND position = $2";

/// The locked head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) end: End,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// An event of a stream, unparsed.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) aggregate_id: String,
    pub(crate) sequence: i64,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) payload: String,
}

pub(crate) fn hash_of(bytes: &[u8]) -> Result<Hash, sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}

pub(crate) async fn lock_head(db: &mut PgConnection, partition: i16) -> Result<Head, sqlx::Error> {
    let row = sqlx::query(LOCK_HEAD).bind(partition).fetch_one(db).await?;
    let hash = hash_of(row.try_get("hash")?)?;
    let end = End { position: row.try_get("position")?, hash };
    Ok(Head { end, recorded_at: row.try_get("recorded_at")? })
}

pub(crate) async fn streams(
    db: &mut PgConnection,
    partition: i16,
    requests: &[MedicationRequestId],
) -> Result<Vec<Raw>, sqlx::Error> {
    let ids: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let rows = sqlx::query(STREAMS).bind(partition).bind(ids).fetch_all(db).await?;
    rows.iter().map(raw).collect()
}

/// Events from `from` to `to`, both included, with the hash at `from`.
pub(crate) async fn since(
    db: &mut PgConnection,
    partition: i16,
    from: i64,
    to: i64,
) -> Result<Option<(Hash, Vec<Raw>)>, sqlx::Error> {
    let rows = sqlx::query(SINCE).bind(partition).bind(from).bind(to).fetch_all(db).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    if first.try_get::<i64, _>("position")? != from {
        return Ok(None);
    }
    let hash = hash_of(first.try_get("hash")?)?;
    Ok(Some((hash, rows[1..].iter().map(raw).collect::<Result<_, _>>()?)))
}

fn raw(row: &PgRow) -> Result<Raw, sqlx::Error> {
    Ok(Raw {
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: row.try_get("payload")?,
    })
}

pub(crate) async fn insert(
    db: &mut PgConnection,
    partition: i16,
    at: DateTime<Utc>,
    rows: &NewRows,
    end: End,
) -> Result<(), sqlx::Error> {
    sqlx::query(INSERT_EVENTS)
        .bind(partition)
        .bind(at)
        .bind(&rows.aggregate_ids)
        .bind(&rows.sequences)
        .bind(&rows.event_types)
        .bind(&rows.event_versions)
        .bind(&rows.payloads)
        .bind(&rows.metadata)
        .bind(&rows.positions)
        .bind(&rows.event_ids)
        .bind(&rows.dispense_ids)
        .bind(&rows.hashes)
        .execute(&mut *db)
        .await?;
    if !rows.body_positions.is_empty() {
        let bodies: Vec<&str> = rows.bodies.iter().map(AsRef::as_ref).collect();
        sqlx::query(INSERT_BODIES)
            .bind(partition)
            .bind(&rows.body_positions)
            .bind(bodies)
            .execute(&mut *db)
            .await?;
    }
    sqlx::query(MOVE_HEAD)
        .bind(partition)
        .bind(end.position)
        .bind(&end.hash[..])
        .bind(at)
        .execute(db)
        .await?;
    Ok(())
}
