//! What searches and lists have in common: for which instant they look, and what they show.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use dispensary::cursor::Snapshot;
use dispensary::{LogPosition, Recorded, Shown, Unavailable};
use dispense_domain::Partitions;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use tokio::sync::watch;

use crate::PgLog;
use crate::log::{recorded, within};

/// How long a question waits for what this process has written before it.
const AWAITED_FOR: Duration = Duration::from_secs(1);

/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A read model by its name, and the log that it follows.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) pool: PgPool,
    pub(crate) partitions: Partitions,
    name: &'static str,
    written: Vec<watch::Receiver<i64>>,
    /// How far the model had read when somebody waited for it in vain.
    stuck_at: Mutex<Vec<i64>>,
}

/// Where log and read model stand.
pub(crate) struct Heads {
    /// The instant of each partition: the database's, never before the last of the partition.
    pub(crate) instants: Vec<DateTime<Utc>>,
    /// How far the model has read each partition.
    read: Vec<i64>,
    version: i32,
}

impl Heads {
    /// All of it, for a list: one instant for all partitions.
    pub(crate) fn snapshot(self) -> Snapshot {
        let at = self.instants.iter().max().copied().unwrap_or_default();
        Snapshot { version: self.version, positions: self.read, at }
    }
}

/// Each partition's instant, how far the read model has read it, and in which version.
const HEADS: &str = "
SELECT greatest(clock_timestamp(), h.recorded_at) AS at, coalesce(f.position, 0) AS read,
       coalesce(f.version, 1) AS version
FROM log_head h LEFT JOIN followers f ON f.name = $1 AND f.partition = h.partition
ORDER BY h.partition";

impl Followed {
    /// The read model of that name.
    pub(crate) fn new(pool: PgPool, log: &PgLog, name: &'static str) -> Self {
        let partitions = log.log_settings().partitions;
        let written = partitions.all().filter_map(|partition| log.written(partition)).collect();
        Self { pool, partitions, name, written, stuck_at: Mutex::default() }
    }

    /// Where log and read model stand now.
    pub(crate) async fn heads(&self) -> Result<Heads, Unavailable> {
        let rows = within(sqlx::query(HEADS).bind(self.name).fetch_all(&self.pool)).await?;
        heads(&rows).map_err(Unavailable::database)
    }

    /// As [`Self::heads`], once the model has what this process wrote before, in that partition or in
    /// all, if that is soon. A follower that is stuck holds up one question, and not each: whoever finds
    /// it where somebody waited in vain does not wait again.
    pub(crate) async fn heads_with_own(&self, only: Option<u16>) -> Result<Heads, Unavailable> {
        let written: Vec<i64> = self.written.iter().map(|written| *written.borrow()).collect();
        let asked = Instant::now();
        loop {
            let heads = self.heads().await?;
            if is_there(&written, &heads.read, only) || self.is_stuck(&written, &heads.read, only) {
                return Ok(heads);
            }
            if asked.elapsed() >= AWAITED_FOR {
                let mut stuck_at = self.stuck_at.lock().unwrap_or_else(PoisonError::into_inner);
                stuck_at.clone_from(&heads.read);
                return Ok(heads);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn is_stuck(&self, written: &[i64], read: &[i64], only: Option<u16>) -> bool {
        let stuck_at = self.stuck_at.lock().unwrap_or_else(PoisonError::into_inner);
        has_not_moved(written, read, &stuck_at, only)
    }
}

/// Where log and read model stand, by the rows of a statement such as [`HEADS`].
pub(super) fn heads(rows: &[PgRow]) -> Result<Heads, sqlx::Error> {
    let mut heads = Heads { instants: Vec::new(), read: Vec::new(), version: 1 };
    for row in rows {
        heads.instants.push(row.try_get("at")?);
        heads.read.push(row.try_get("read")?);
        heads.version = heads.version.max(row.try_get("version")?);
    }
    Ok(heads)
}

/// Whether what was written is read, in that partition or in all.
fn is_there(written: &[i64], read: &[i64], only: Option<u16>) -> bool {
    let mut each = written.iter().zip(read).map(|(written, read)| read >= written);
    match only {
        Some(partition) => each.nth(partition.into()).unwrap_or(true),
        None => each.all(|is_read| is_read),
    }
}

/// Whether the model stands where it stood then in each partition that it has not read far enough.
fn has_not_moved(written: &[i64], read: &[i64], then: &[i64], only: Option<u16>) -> bool {
    let each = written.iter().zip(read).enumerate();
    let mut behind = each.filter(|(partition, (written, read))| {
        read < written && only.is_none_or(|only| usize::from(only) == *partition)
    });
    behind.all(|(partition, (_, read))| then.get(partition) == Some(read))
}

/// The events at those places with their personal bodies. LIMIT keeps the planner from turning the
/// look-ups into a scan.
const EVENTS: &str = "
SELECT w.partition, e.position, e.sequence, e.event_id, e.recorded_at, e.event_type,
       e.event_version, e.payload::text AS payload, e.metadata::text AS metadata,
       b.body::text AS body
FROM UNNEST($1::smallint[], $2::bigint[]) WITH ORDINALITY AS w (partition, position, n)
CROSS JOIN LATERAL (
    SELECT v.position, v.sequence, v.event_id, v.recorded_at, v.event_type, v.event_version,
           v.payload, v.metadata
    FROM events v WHERE v.partition = w.partition AND v.position = w.position LIMIT 1
) e
LEFT JOIN LATERAL (
    SELECT s.body FROM personal_bodies s
    WHERE s.partition = w.partition AND s.position = w.position LIMIT 1
) b ON true
ORDER BY w.n";

/// The events at those places, in their order.
pub(crate) async fn events(
    pool: &PgPool,
    places: &[LogPosition],
) -> Result<Vec<Recorded>, Unavailable> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let partitions: Vec<i16> = places.iter().map(|it| it.partition.cast_signed()).collect();
    let positions: Vec<i64> = places.iter().map(|it| it.position).collect();
    let reading = sqlx::query(EVENTS).bind(partitions).bind(positions).fetch_all(pool);
    let rows = within(reading).await?;
    let events = rows.iter().map(|row| {
        let partition: i16 = row.try_get("partition")?;
        recorded(partition.cast_unsigned(), row)
    });
    events.collect::<Result<_, _>>().map_err(Unavailable::database)
}

/// The dispenses whose events stand at those places, one after the other, as the log tells them for
/// the instant of their partition.
pub(super) async fn shown(
    pool: &PgPool,
    places: &[LogPosition],
    at: impl Fn(u16) -> Option<DateTime<Utc>>,
) -> Result<Vec<Shown>, Unavailable> {
    let events = events(pool, places).await?;
    let each = events.chunk_by(|one, next| one.event.dispense_id() == next.event.dispense_id());
    let shown = each.filter_map(|events| {
        let first = events.first()?;
        Shown::of(events, first.event.dispense_id(), at(first.place.partition)?)
    });
    Ok(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_once_it_is_read() {
        let (written, read) = ([5, 0, 7], [5, 3, 6]);
        assert!(!is_there(&written, &read, None), "the last one lags");
        assert_eq!(
            [0, 1, 2].map(|only| is_there(&written, &read, Some(only))),
            [true, true, false]
        );
        assert!(is_there(&written, &[5, 3, 7], None));
    }

    #[test]
    fn nobody_waits_again_where_somebody_waited_in_vain_until_it_moves() {
        let (written, then) = ([5, 0, 7], [4, 0, 6]);
        assert!(!has_not_moved(&written, &then, &[], None), "nobody has waited yet");
        assert!(has_not_moved(&written, &then, &then, None));
        assert!(has_not_moved(&[9, 0, 9], &then, &then, Some(0)), "whatever else was written");
        assert!(has_not_moved(&written, &[5, 0, 6], &then, None), "one of both is there");
        assert!(!has_not_moved(&[9, 0, 7], &[5, 0, 6], &then, None), "one of both goes on");
        assert!(has_not_moved(&[9, 0, 7], &[5, 0, 6], &then, Some(2)));
    }
}
