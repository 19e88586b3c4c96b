//! A moment of the log: how far each partition had come.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use dispensary::{LogPosition, LogPositions};
use sqlx::{PgPool, Row};

use crate::LogSettings;

/// Which moment is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// What was recorded at that instant or before it.
    At(DateTime<Utc>),
    /// Up to those positions. A partition that is not named is left out.
    UpTo(LogPositions),
}

/// A text names no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time as of RFC 3339, such as 2026-03-02T12:00:00Z, or positions as \
     <partition>:<position>, such as 0:120,1:98"
)]
pub struct InvalidWhen;

impl FromStr for When {
    type Err = InvalidWhen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        text.parse().map(Self::UpTo).map_err(|_| InvalidWhen)
    }
}

/// How far each partition had come at some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The last event of each partition that is looked at.
    pub positions: LogPositions,
    /// The instant: holds that had run out by then are over, whether or not that was recorded. None
    /// if nothing was recorded yet.
    pub at: Option<DateTime<Utc>>,
    /// Partitions that are left out.
    pub left_out: Vec<u16>,
}

/// Why there is no such moment.
#[derive(Debug, thiserror::Error)]
pub enum NoMoment {
    /// It has not come yet.
    #[error("{} is in the future: by the clock of the database it is {}", in_utc(.asked), in_utc(.now))]
    Future {
        /// What was asked for.
        asked: DateTime<Utc>,
        /// What the clock says.
        now: DateTime<Utc>,
    },
    /// The log had not begun.
    #[error(
        "{} is before the first event of the log: expected a time between {} and {}",
        in_utc(.asked), in_utc(.earliest), in_utc(.now)
    )]
    BeforeFirst {
        /// What was asked for.
        asked: DateTime<Utc>,
        /// When the first event was recorded.
        earliest: DateTime<Utc>,
        /// What the clock says.
        now: DateTime<Utc>,
    },
    /// Nothing was recorded yet.
    #[error("the log has no events yet, and so {} is no moment of it", in_utc(.asked))]
    Empty {
        /// What was asked for.
        asked: DateTime<Utc>,
    },
    /// The log has no such partition.
    #[error("the log has no partition {partition}; they are 0 to {last}")]
    UnknownPartition {
        /// What was named.
        partition: u16,
        /// The last one.
        last: u16,
    },
    /// The log does not go that far.
    #[error("the log ends at {head}, before {asked}")]
    BeyondHead {
        /// What was named.
        asked: LogPosition,
        /// Where the partition ends.
        head: LogPosition,
    },
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn in_utc(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Moment {
    /// How many events there had been.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.positions.places().map(|place| place.position.unsigned_abs()).sum()
    }

    /// Finds the moment in the log.
    ///
    /// # Errors
    ///
    /// [`NoMoment`]: it is a time in the future or before the first event, or a place beyond the end of
    /// the log.
    pub async fn find(pool: &PgPool, log: LogSettings, when: &When) -> Result<Self, NoMoment> {
        match when {
            When::At(at) => Self::at(pool, log, *at).await,
            When::UpTo(positions) => Self::up_to(pool, log, positions).await,
        }
    }

    async fn at(pool: &PgPool, log: LogSettings, at: DateTime<Utc>) -> Result<Self, NoMoment> {
        let mut places = Vec::new();
        let mut earliest: Option<DateTime<Utc>> = None;
        let mut now = at;
        for partition in log.partitions.all() {
            let head = Head::settled(pool, partition).await?;
            if at > head.now {
                return Err(NoMoment::Future { asked: at, now: head.now });
            }
            now = head.now;
            let first = recorded_at(pool, partition, 1).await?;
            earliest = earliest.into_iter().chain(first).min();
            let position = last_at(pool, partition, head, at).await?;
            places.push(LogPosition { partition, position });
        }
        let earliest = earliest.ok_or(NoMoment::Empty { asked: at })?;
        if at < earliest {
            return Err(NoMoment::BeforeFirst { asked: at, earliest, now });
        }
        Ok(Self { positions: places.into_iter().collect(), at: Some(at), left_out: Vec::new() })
    }

    async fn up_to(
        pool: &PgPool,
        log: LogSettings,
        positions: &LogPositions,
    ) -> Result<Self, NoMoment> {
        let last = log.partitions.count() - 1;
        let mut at = None;
        for asked in positions.places() {
            let LogPosition { partition, position } = asked;
            if partition > last {
                return Err(NoMoment::UnknownPartition { partition, last });
            }
            let head = Head::settled(pool, partition).await?;
            if position > head.position {
                let head = LogPosition { position: head.position, ..asked };
                return Err(NoMoment::BeyondHead { asked, head });
            }
            // None is before all: what was recorded last says which instant it is.
            at = at.max(recorded_at(pool, partition, position).await?);
        }
        let left_out = log.partitions.all();
        let left_out = left_out.filter(|it| positions.in_partition(*it).is_none()).collect();
        Ok(Self { positions: positions.clone(), at, left_out })
    }
}

/// Where a partition ends, and when that was asked.
#[derive(Debug, Clone, Copy)]
struct Head {
    position: i64,
    recorded_at: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Head {
    /// Waits for the batch in hand: a batch takes its time under the lock, so that whatever is recorded
    /// later has a later one.
    async fn settled(pool: &PgPool, partition: u16) -> Result<Self, sqlx::Error> {
        let mut tx = pool.begin().await?;
        let row = sqlx::query(
            "SELECT position, recorded_at FROM log_head WHERE partition = $1 FOR SHARE",
        )
        .bind(partition.cast_signed())
        .fetch_one(&mut *tx)
        .await?;
        let now = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *tx).await?;
        tx.rollback().await?;
        let (position, recorded_at) = (row.try_get("position")?, row.try_get("recorded_at")?);
        Ok(Self { position, recorded_at, now })
    }
}

/// The last position that was recorded at that instant or before it. Times never go back along a
/// partition, so that it is found by halving.
async fn last_at(
    pool: &PgPool,
    partition: u16,
    head: Head,
    at: DateTime<Utc>,
) -> Result<i64, sqlx::Error> {
    if head.recorded_at <= at {
        return Ok(head.position);
    }
    // The first was recorded by then, or is none; the second was not.
    let (mut by_then, mut later) = (0, head.position);
    while later - by_then > 1 {
        let middle = by_then + (later - by_then) / 2;
        if recorded_at(pool, partition, middle).await?.is_some_and(|it| it <= at) {
            by_then = middle;
        } else {
            later = middle;
        }
    }
    Ok(by_then)
}

/// When an event was recorded; nothing was at position 0.
async fn recorded_at(
    pool: &PgPool,
    partition: u16,
    position: i64,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar("SELECT recorded_at FROM events WHERE partition = $1 AND position = $2")
        .bind(partition.cast_signed())
        .bind(position)
        .fetch_optional(pool)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_positions() {
        let noon: DateTime<Utc> = "2026-03-02T12:00:00Z".parse().unwrap();
        assert_eq!("2026-03-02T14:00:00+02:00".parse(), Ok(When::At(noon)));
        let places = "0:120,3:0".parse().unwrap();
        assert_eq!("0:120,3:0".parse(), Ok(When::UpTo(places)));
        for strange in
            ["", "2026-03-02", "2026-03-02T12:00:00", "yesterday", "0", "0:-1", "0:1,0:2"]
        {
            assert_eq!(strange.parse::<When>(), Err(InvalidWhen), "{strange}");
        }
    }
}
