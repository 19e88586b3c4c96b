//! A page of the log: events of one partition that follow each other.

use dispense_audit::chain::Hash;
use dispense_domain::upcast;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::read_model::{LogRow, Stored};
use crate::fault::sqlstate;
use crate::statements::hash_of;

/// How far somebody has read a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The last position that was read; 0 for none.
    pub position: i64,
    /// The hash of its row; that before the first row for none.
    pub hash: Hash,
}

/// Why nobody reads on.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The database does not answer; it will go on by itself.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// An event cannot be applied.
    #[error("stuck at position {position}: {why}")]
    Stuck {
        /// Where it stands.
        position: i64,
        /// What is wrong with it.
        why: String,
    },
    /// The log is not the one that was read before.
    #[error("log-diverged at position {position}: the log lost its tail; see docs/operations.md")]
    Diverged {
        /// The last position that was read.
        position: i64,
    },
}

impl Stop {
    /// What an error of a read model means that was met behind `position`: the event is to blame if the
    /// statement is, else the database.
    pub(crate) fn behind(position: i64, error: sqlx::Error) -> Self {
        let position = position + 1;
        if let sqlx::Error::Decode(why) = &error {
            return Self::Stuck { position, why: why.to_string() };
        }
        match sqlstate(&error) {
            Some(code) if ["22", "23", "42", "54"].iter().any(|class| code.starts_with(class)) => {
                Self::Stuck { position, why: error.to_string() }
            }
            Some(_) | None => Self::Database(error),
        }
    }
}

/// A page of the log.
#[derive(Debug)]
pub(crate) struct Page {
    /// The events behind the place from which it was read.
    pub(crate) rows: Vec<LogRow>,
    /// Where it ends.
    pub(crate) end: Place,
}

/// The hash at the position that was read last stands before the page: whoever reads on sees whether
/// the log is still the one that was read before.
const PAGE: &str = "
SELECT position, hash, aggregate_id, dispense_id, recorded_at, event_type, event_version,
       payload::text AS payload
FROM events WHERE partition = $1 AND position >= $2 AND position <= $3
ORDER BY position LIMIT $4";

/// Reads at most `most` events behind `after`, none of them behind `upto`. A page ends before an event
/// that this version does not know. Whoever stands behind `upto` already was brought there by another
/// instance: nothing is read, and nothing is wrong.
pub(crate) async fn read(
    db: &mut PgConnection,
    partition: u16,
    after: Place,
    upto: i64,
    most: i64,
) -> Result<Page, Stop> {
    if after.position > upto {
        return Ok(Page { rows: Vec::new(), end: after });
    }
    let found = sqlx::query(PAGE)
        .bind(partition.cast_signed())
        .bind(after.position)
        .bind(upto)
        .bind(most.saturating_add(1))
        .fetch_all(db)
        .await?;
    let rows = behind(after, &found)?;
    let most = usize::try_from(most).unwrap_or_default();
    let rows = until_stuck(rows.iter().take(most).map(|row| event(partition, row)))?;
    let end = rows.last().map(|row| Place { position: row.position, hash: row.hash });
    Ok(Page { rows, end: end.unwrap_or(after) })
}

/// The rows behind a place, of those that were read from that place on: the first has to be the one
/// that was read last.
pub(crate) fn behind(after: Place, found: &[PgRow]) -> Result<&[PgRow], Stop> {
    if after.position == 0 {
        return Ok(found);
    }
    let diverged = Stop::Diverged { position: after.position };
    let Some((last, rows)) = found.split_first() else { return Err(diverged) };
    if place(last)? == after { Ok(rows) } else { Err(diverged) }
}

/// What was made of the rows of a page, up to the first of which nothing can be made; if that stands
/// at the beginning, why.
pub(crate) fn until_stuck<T>(made: impl Iterator<Item = Result<T, Stop>>) -> Result<Vec<T>, Stop> {
    let mut page = Vec::new();
    for it in made {
        match it {
            Ok(it) => page.push(it),
            Err(stop @ Stop::Stuck { .. }) if page.is_empty() => return Err(stop),
            Err(Stop::Stuck { .. }) => break,
            Err(stop) => return Err(stop),
        }
    }
    Ok(page)
}

pub(crate) fn place(row: &PgRow) -> Result<Place, sqlx::Error> {
    Ok(Place { position: row.try_get("position")?, hash: hash_of(row.try_get("hash")?)? })
}

fn event(partition: u16, row: &PgRow) -> Result<LogRow, Stop> {
    let Place { position, hash } = place(row)?;
    let stuck = |why: String| Stop::Stuck { position, why };
    let (kind, version): (&str, &str) = (row.try_get("event_type")?, row.try_get("event_version")?);
    if !upcast::is_known(kind, version) {
        return Err(stuck(format!("{kind} {version} is newer than this service")));
    }
    let id: &str = row.try_get("aggregate_id")?;
    Ok(LogRow::from(Stored {
        partition,
        position,
        hash,
        aggregate_id: id.parse().map_err(|error: uuid::Error| stuck(error.to_string()))?,
        dispense_id: row.try_get("dispense_id")?,
        recorded_at: row.try_get("recorded_at")?,
        event_type: kind.to_owned(),
        payload: row.try_get("payload")?,
    }))
}
