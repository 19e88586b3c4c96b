//! The table `registry_offsets`: up to where each partition of a topic was read.

use dispensary::registry_stream::{ReadPlace, TopicPartition};
use sqlx::{PgConnection, PgPool};

const BEGIN: &str = "
INSERT INTO registry_offsets (topic, partition, next, lost) VALUES ($1, $2, $3, $4)
ON CONFLICT (topic, partition) DO NOTHING";

const MOVE: &str = "
UPDATE registry_offsets SET next = $3, lost = lost + $4
WHERE topic = $1 AND partition = $2 AND next = $5";

/// Moves a place that stands where somebody thinks that it does; false if it stands elsewhere, and then
/// nothing may be applied.
pub(crate) async fn move_on(
    db: &mut PgConnection,
    source: &TopicPartition,
    from: Option<i64>,
    to: i64,
    lost: i64,
) -> Result<bool, sqlx::Error> {
    let moving = sqlx::query(if from.is_some() { MOVE } else { BEGIN })
        .bind(&source.topic)
        .bind(source.partition)
        .bind(to)
        .bind(lost);
    let moving = match from {
        Some(from) => moving.bind(from),
        None => moving,
    };
    Ok(moving.execute(db).await?.rows_affected() == 1)
}

/// Every place.
pub(super) async fn all(pool: &PgPool) -> Result<Vec<ReadPlace>, sqlx::Error> {
    let rows: Vec<(String, i32, i64, i64)> = sqlx::query_as(
        "SELECT topic, partition, next, lost FROM registry_offsets ORDER BY topic, partition",
    )
    .fetch_all(pool)
    .await?;
    let place = |(topic, partition, next, lost)| {
        let source = TopicPartition { topic, partition };
        ReadPlace { source, next, lost }
    };
    Ok(rows.into_iter().map(place).collect())
}
