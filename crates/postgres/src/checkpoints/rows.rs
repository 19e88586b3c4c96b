//! The table `checkpoints`, and what a checkpoint is made of.

use dispensary::SignedCheckpoint;
use dispense_audit::chain::Hash;
use dispense_audit::checkpoint::Erasures;
use dispense_audit::erasure;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::statements::hash_of;

fn checkpoint(row: &PgRow) -> Result<SignedCheckpoint, sqlx::Error> {
    let note: String = row.try_get("note")?;
    Ok(SignedCheckpoint {
        partition: row.try_get::<i16, _>("partition")?.cast_unsigned(),
        number: row.try_get("number")?,
        size: row.try_get::<i64, _>("size")?.cast_unsigned(),
        root: hash_of(row.try_get("root")?)?,
        epoch: row.try_get::<i64, _>("epoch")?.cast_unsigned(),
        erasures: row.try_get::<i64, _>("erasures")?.cast_unsigned(),
        note: note.into(),
        signed_by: key_id(row.try_get("signed_by")?)?,
        at: row.try_get("at")?,
    })
}

fn key_id(bytes: &[u8]) -> Result<[u8; 4], sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("the id of a key has 4 bytes".into()))
}

/// The latest checkpoint of a partition.
pub(crate) async fn latest(
    db: impl PgExecutor<'_>,
    partition: u16,
) -> Result<Option<SignedCheckpoint>, sqlx::Error> {
    let rows = page(db, partition, None, 1).await?;
    Ok(rows.into_iter().next())
}

/// The latest checkpoint of a partition that the key of that id has signed: a new key signs again what
/// an older one did, but not at once.
pub(super) async fn latest_signed_by(
    pool: &PgPool,
    partition: u16,
    id: [u8; 4],
) -> Result<Option<SignedCheckpoint>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT partition, number, size, root, epoch, erasures, note, signed_by, at
         FROM checkpoints
         WHERE partition = $1 AND signed_by = $2 ORDER BY number DESC LIMIT 1",
    )
    .bind(partition.cast_signed())
    .bind(&id[..])
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(checkpoint).transpose()
}

/// The checkpoints of a partition before that number, the newest first.
pub(crate) async fn page(
    db: impl PgExecutor<'_>,
    partition: u16,
    before: Option<i64>,
    most: u16,
) -> Result<Vec<SignedCheckpoint>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT partition, number, size, root, epoch, erasures, note, signed_by, at
         FROM checkpoints
         WHERE partition = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
    )
    .bind(partition.cast_signed())
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(most))
    .fetch_all(db)
    .await?;
    rows.iter().map(checkpoint).collect()
}

/// The checkpoints of a partition with those numbers.
pub(super) async fn numbered(
    pool: &PgPool,
    partition: u16,
    numbers: &[i64],
) -> Result<Vec<SignedCheckpoint>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT partition, number, size, root, epoch, erasures, note, signed_by, at
         FROM checkpoints
         WHERE partition = $1 AND number = ANY($2) ORDER BY number DESC",
    )
    .bind(partition.cast_signed())
    .bind(numbers)
    .fetch_all(pool)
    .await?;
    rows.iter().map(checkpoint).collect()
}

/// The latest checkpoint of each partition that has one.
pub(crate) async fn latest_of_each(
    pool: &PgPool,
    partitions: u16,
) -> Result<Vec<SignedCheckpoint>, sqlx::Error> {
    let all: Vec<i16> = (0..partitions).map(u16::cast_signed).collect();
    let rows = sqlx::query(
        "SELECT c.partition, c.number, c.size, c.root, c.epoch, c.erasures, c.note,
                c.signed_by, c.at
         FROM UNNEST($1::smallint[]) AS p (partition)
         CROSS JOIN LATERAL (
             SELECT partition, number, size, root, epoch, erasures, note, signed_by, at
         FROM checkpoints
             WHERE partition = p.partition ORDER BY number DESC LIMIT 1
         ) c ORDER BY c.partition",
    )
    .bind(all)
    .fetch_all(pool)
    .await?;
    rows.iter().map(checkpoint).collect()
}

/// Keeps a checkpoint, with the hash of the erasures that it covers; not if another instance was
/// first with one of its number.
pub(super) async fn keep(
    pool: &PgPool,
    checkpoint: &SignedCheckpoint,
    erasures: &Hash,
) -> Result<bool, sqlx::Error> {
    let SignedCheckpoint { partition, number, size, root, epoch, note, at, .. } = checkpoint;
    sqlx::query(
        "INSERT INTO checkpoints
             (partition, number, size, root, epoch, erasures, erasures_hash, note, signed_by, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(partition.cast_signed())
    .bind(number)
    .bind(size.cast_signed())
    .bind(&root[..])
    .bind(epoch.cast_signed())
    .bind(checkpoint.erasures.cast_signed())
    .bind(&erasures[..])
    .bind(&**note)
    .bind(&checkpoint.signed_by[..])
    .bind(at)
    .execute(pool)
    .await
    .map(|done| done.rows_affected() > 0)
}

/// How far the chain of erasures has come.
pub(super) async fn erasures(pool: &PgPool, log_id: Uuid) -> Result<Erasures, sqlx::Error> {
    let last = sqlx::query("SELECT number, hash FROM erasures ORDER BY number DESC LIMIT 1");
    let Some(last) = last.fetch_optional(pool).await? else {
        return Ok(Erasures { number: 0, hash: erasure::first(log_id) });
    };
    Ok(Erasures {
        number: last.try_get::<i64, _>("number")?.cast_unsigned(),
        hash: hash_of(last.try_get("hash")?)?,
    })
}

/// The hash of an erasure; of number 0 what stands before the first.
pub(super) async fn erasure_hash(
    pool: &PgPool,
    log_id: Uuid,
    number: u64,
) -> Result<Option<Hash>, sqlx::Error> {
    if number == 0 {
        return Ok(Some(erasure::first(log_id)));
    }
    let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM erasures WHERE number = $1")
        .bind(number.cast_signed())
        .fetch_optional(pool)
        .await?;
    hash.map(|hash| hash_of(&hash)).transpose()
}

/// What a checkpoint is made of beside the tree.
pub(super) struct Now {
    pub(super) epoch: u64,
    /// The last position of the partition.
    pub(super) head: u64,
    pub(super) at: chrono::DateTime<chrono::Utc>,
}

/// Reads it.
pub(super) async fn now(pool: &PgPool, partition: u16) -> Result<Now, sqlx::Error> {
    let row = sqlx::query(
        "SELECT s.epoch, h.position, (SELECT clock_timestamp()) AS at
         FROM log_settings s CROSS JOIN log_head h WHERE h.partition = $1",
    )
    .bind(partition.cast_signed())
    .fetch_one(pool)
    .await?;
    Ok(Now {
        epoch: row.try_get::<i64, _>("epoch")?.cast_unsigned(),
        head: row.try_get::<i64, _>("position")?.cast_unsigned(),
        at: row.try_get("at")?,
    })
}
