//! The table `checkpoint_rounds`: whose turn it is, and what the last look found.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use sqlx::{PgPool, Row};

/// What is wrong with the checkpoints of a partition, as the last look found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The partition.
    pub partition: u16,
    /// Why nothing is signed any more: the log is not what a checkpoint says.
    pub diverged: Option<String>,
    /// How many copies in the object store are missing, or are others.
    pub lost: usize,
    /// What is wrong with the first of them.
    pub lost_why: Option<String>,
}

/// What is kept between two rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    pub(super) diverged: Option<String>,
    /// Down to which number the copies were looked through; 0 when all were.
    pub(super) walked: i64,
    /// The numbers of those that are missing or others.
    pub(super) lost: Vec<i64>,
    pub(super) lost_why: Option<String>,
}

impl Round {
    /// What is wrong, as it was found now.
    pub(super) fn finding(self, partition: u16) -> Finding {
        let Self { diverged, lost, lost_why, .. } = self;
        Finding { partition, diverged, lost: lost.len(), lost_why }
    }
}

/// Takes the turn of a partition, if it is due: nobody else has it for that long.
pub(super) async fn take_turn(
    pool: &PgPool,
    partition: u16,
    every: Duration,
) -> Result<bool, sqlx::Error> {
    let every = PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(every.as_micros()).unwrap_or(i64::MAX),
    };
    let taken: Option<bool> = sqlx::query_scalar(
        "INSERT INTO checkpoint_rounds AS r (partition, due_at)
         VALUES ($1, (SELECT clock_timestamp()) + $2)
         ON CONFLICT (partition) DO UPDATE SET due_at = excluded.due_at
         WHERE r.due_at <= excluded.due_at - $2
         RETURNING true",
    )
    .bind(partition.cast_signed())
    .bind(every)
    .fetch_optional(pool)
    .await?;
    Ok(taken.unwrap_or_default())
}

/// What the round before left.
pub(super) async fn read(pool: &PgPool, partition: u16) -> Result<Round, sqlx::Error> {
    let row = sqlx::query(
        "SELECT diverged, walked, lost, lost_why FROM checkpoint_rounds WHERE partition = $1",
    )
    .bind(partition.cast_signed())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(Round::default()) };
    Ok(Round {
        diverged: row.try_get("diverged")?,
        walked: row.try_get("walked")?,
        lost: row.try_get("lost")?,
        lost_why: row.try_get("lost_why")?,
    })
}

/// Leaves it for the next one, and for all instances to tell.
pub(super) async fn write(pool: &PgPool, partition: u16, round: &Round) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO checkpoint_rounds (partition, due_at, diverged, walked, lost, lost_why)
         VALUES ($1, (SELECT clock_timestamp()), $2, $3, $4, $5)
         ON CONFLICT (partition) DO UPDATE SET diverged = excluded.diverged,
             walked = excluded.walked, lost = excluded.lost, lost_why = excluded.lost_why",
    )
    .bind(partition.cast_signed())
    .bind(&round.diverged)
    .bind(round.walked)
    .bind(&round.lost)
    .bind(&round.lost_why)
    .execute(pool)
    .await
    .map(|_| ())
}

/// What the last look found, partition by partition.
pub(super) async fn findings(pool: &PgPool) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT partition, diverged, cardinality(lost) AS lost, lost_why FROM checkpoint_rounds
         ORDER BY partition",
    )
    .fetch_all(pool)
    .await?;
    let finding = |row: &sqlx::postgres::PgRow| {
        Ok(Finding {
            partition: row.try_get::<i16, _>("partition")?.cast_unsigned(),
            diverged: row.try_get("diverged")?,
            lost: usize::try_from(row.try_get::<i32, _>("lost")?).unwrap_or_default(),
            lost_why: row.try_get("lost_why")?,
        })
    };
    rows.iter().map(finding).collect()
}
