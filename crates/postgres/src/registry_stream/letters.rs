//! The table `registry_dead_letters`: messages that could not be applied.

use std::collections::HashMap;

use dispensary::FaultyLine;
use dispensary::registry_stream::{DeadLetter, Message, TopicPartition};
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

const ADD: &str = r#"
INSERT INTO registry_dead_letters (topic, partition, "offset", key, value, code, reason, at)
SELECT $1, $2, letter.place, letter.key, letter.value, letter.code, letter.reason,
       (SELECT clock_timestamp())
FROM UNNEST($3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::text[])
    AS letter (place, key, value, code, reason)
ORDER BY letter.place"#;

const WAITING: &str = r#"
SELECT id, topic, partition, "offset", key, value, code, reason FROM registry_dead_letters
WHERE buried_at IS NULL ORDER BY id LIMIT $1"#;

const BURY: &str = "
UPDATE registry_dead_letters
SET buried_at = (SELECT clock_timestamp()), key = NULL, value = NULL, reason = ''
WHERE id = ANY($1)";

/// Old rows stand at the beginning, and no others are looked at: a sender that errs for a day leaves
/// more of them than anybody wants to walk over for each hundred.
const FORGET: &str = "
DELETE FROM registry_dead_letters WHERE id IN (
    SELECT id FROM (
        SELECT id, buried_at FROM registry_dead_letters WHERE id < $1 ORDER BY id LIMIT 1000
    ) oldest
    WHERE buried_at < (SELECT clock_timestamp()) - interval '30 days'
)";

/// An id may be written in capitals or without hyphens, and the value need not be JSON. No other text
/// of 32 hexadecimal digits is likely to be the same.
const SILENCE: &str = "
UPDATE registry_dead_letters SET key = NULL, value = NULL, reason = ''
WHERE buried_at IS NULL AND (
    strpos(replace(lower(encode(coalesce(key, ''), 'escape')), '-', ''), $1) > 0
    OR strpos(replace(lower(encode(coalesce(value, ''), 'escape')), '-', ''), $1) > 0
)
RETURNING id";

/// Adds the faulty ones of those messages.
pub(crate) async fn add(
    db: &mut PgConnection,
    source: &TopicPartition,
    messages: impl Iterator<Item = &Message>,
    faulty: &[FaultyLine],
) -> Result<(), sqlx::Error> {
    if faulty.is_empty() {
        return Ok(());
    }
    let messages: HashMap<u64, &Message> =
        messages.map(|message| (message.offset.cast_unsigned(), message)).collect();
    let message = |line: &FaultyLine| messages.get(&line.line).copied();
    let keys: Vec<_> = faulty.iter().map(|line| message(line)?.key.as_deref()).collect();
    let values: Vec<_> = faulty.iter().map(|line| message(line)?.value.as_deref()).collect();
    // What a reason quotes may have what no text of the database may.
    let reasons = faulty.iter().map(|line| line.message.replace('\0', "\u{FFFD}"));
    sqlx::query(ADD)
        .bind(&source.topic)
        .bind(source.partition)
        .bind(faulty.iter().map(|line| line.line.cast_signed()).collect::<Vec<_>>())
        .bind(keys)
        .bind(values)
        .bind(faulty.iter().map(|line| line.code).collect::<Vec<_>>())
        .bind(reasons.collect::<Vec<_>>())
        .execute(db)
        .await
        .map(|_| ())
}

/// Those that wait, the oldest first.
pub(super) async fn waiting(pool: &PgPool, most: u32) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let rows = sqlx::query(WAITING).bind(i64::from(most)).fetch_all(pool).await?;
    let letter = |row: &sqlx::postgres::PgRow| {
        let (topic, partition) = (row.try_get("topic")?, row.try_get("partition")?);
        Ok(DeadLetter {
            id: row.try_get("id")?,
            source: TopicPartition { topic, partition },
            offset: row.try_get("offset")?,
            key: row.try_get("key")?,
            value: row.try_get("value")?,
            code: row.try_get("code")?,
            reason: row.try_get("reason")?,
        })
    };
    rows.iter().map(letter).collect()
}

/// Empties those that were put where their senders look for them, and removes what is long over.
pub(super) async fn bury(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query(BURY).bind(ids).execute(pool).await?;
    let first = ids.iter().min().copied().unwrap_or_default();
    sqlx::query(FORGET).bind(first).execute(pool).await.map(|_| ())
}

/// Empties those that wait and name that id; returns which.
pub(crate) async fn silence(db: &mut PgConnection, id: Uuid) -> Result<Vec<i64>, sqlx::Error> {
    let mut silent: Vec<i64> =
        sqlx::query_scalar(SILENCE).bind(id.simple().to_string()).fetch_all(db).await?;
    silent.sort_unstable();
    Ok(silent)
}
