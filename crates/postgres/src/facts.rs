//! Events with what their messages need, a page at a time.
//!
//! What an event needs beside itself is the beginning of its dispense, which in a page that is read
//! long afterwards mostly stands in the same page, and for a hand-over how many there were before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispensary::announcement::Fact;
use dispensary::relay::RelayStop;
use dispensary::{LogFacts, LogHash, LogPosition, Unavailable};
use dispense_domain::{DispenseEvent, HoldCreated, upcast};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::PgLog;
use crate::follow::page::{behind, place, until_stuck};
use crate::follow::{Place, Stop};
use crate::log::within;

/// The most events that are read at once, whatever was asked for: some megabytes.
const MOST: u32 = 2_000;

/// Whoever knows the hash at the last position reads it once more, before the page, and so sees whether
/// the log is still the one that was announced.
const FROM: &str = "
SELECT position, hash, aggregate_id, dispense_id, sequence, event_id, recorded_at, event_type,
       event_version, payload::text AS payload, metadata->>'traceparent' AS traceparent
FROM events WHERE partition = $1 AND position >= $2 AND position <= $3 ORDER BY position";

const AT: &str = "
SELECT e.position, e.hash, e.aggregate_id, e.dispense_id, e.sequence, e.event_id, e.recorded_at,
       e.event_type, e.event_version, e.payload::text AS payload,
       e.metadata->>'traceparent' AS traceparent
FROM UNNEST($2::bigint[]) WITH ORDINALITY AS k (position, number)
CROSS JOIN LATERAL (
    SELECT v.position, v.hash, v.aggregate_id, v.dispense_id, v.sequence, v.event_id, v.recorded_at,
           v.event_type, v.event_version, v.payload, v.metadata
    FROM events v WHERE v.partition = $1 AND v.position = k.position LIMIT 1
) e
ORDER BY k.number";

/// The beginnings of those dispenses. There is one of each; the limit keeps the planner from looking
/// through a whole partition for all of them, where it is young: a plan outlives that.
const HOLDS: &str = "
SELECT k.id, h.event_version, h.payload::text AS payload
FROM UNNEST($2::uuid[]) AS k (id)
CROSS JOIN LATERAL (
    SELECT v.event_version, v.payload FROM events v
    WHERE v.event_type = 'HoldCreated' AND v.dispense_id = k.id AND v.partition = $1 LIMIT 1
) h";

/// How many dispenses were handed over in those streams, up to those numbers. The order within has the
/// planner walk along the stream.
const HANDED_OVER: &str = "
SELECT k.id, k.sequence, h.handed_over
FROM UNNEST($2::text[], $3::bigint[]) AS k (id, sequence)
CROSS JOIN LATERAL (
    SELECT count(*) AS handed_over FROM (
        SELECT v.sequence FROM events v
        WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = k.id AND v.sequence <= k.sequence
              AND v.partition = $1 AND v.event_type = 'Processed'
        ORDER BY v.sequence
    ) processed
) h";

/// An event of a page.
struct Found {
    position: i64,
    hash: LogHash,
    aggregate_id: String,
    dispense_id: Uuid,
    sequence: i64,
    event_id: Uuid,
    recorded_at: DateTime<Utc>,
    traceparent: Option<String>,
    event: DispenseEvent,
}

/// What events of a page need that stands elsewhere.
#[derive(Default)]
struct Beside {
    /// How dispenses began, or what is wrong with that.
    holds: HashMap<Uuid, Result<Arc<HoldCreated>, String>>,
    handed_over: HashMap<(String, i64), u32>,
}

#[async_trait]
impl LogFacts for PgLog {
    fn log_id(&self) -> Uuid {
        self.log_settings().log_id
    }

    async fn facts(&self, after: LogPosition, most: u32) -> Result<Vec<Fact>, Unavailable> {
        read_behind(self.pool(), after, None, most).await.map_err(|stop| match stop {
            RelayStop::Unavailable(silent) => silent,
            stop @ (RelayStop::Stuck { .. }
            | RelayStop::Diverged { .. }
            | RelayStop::PlaceLost { .. }) => Unavailable { what: "the log", source: stop.into() },
        })
    }
}

/// At most `most` events behind a place, none of them behind one that cannot be told. If the hash of
/// the row there is told, the log must have it still.
pub(crate) async fn read_behind(
    pool: &PgPool,
    after: LogPosition,
    hash: Option<LogHash>,
    most: u32,
) -> Result<Vec<Fact>, RelayStop> {
    let LogPosition { partition, position } = after;
    let most = most.min(MOST);
    let from = if hash.is_some() { position } else { position.saturating_add(1) };
    let reading = sqlx::query(FROM)
        .bind(partition.cast_signed())
        .bind(from)
        .bind(position.saturating_add(most.into()))
        .fetch_all(pool);
    let rows = within(reading).await?;
    let rows = match hash {
        Some(hash) => behind(Place { position, hash }, &rows).map_err(stopped)?,
        None => &rows,
    };
    // Whoever announced over a gap would never come back to it.
    let expected = position.saturating_add(1)..;
    let found = until_stuck(rows.iter().zip(expected).map(|(row, expected)| {
        let found = found(row)?;
        if found.position == expected {
            Ok(found)
        } else {
            let why = "the log has no such position, and goes on behind it".to_owned();
            Err(Stop::Stuck { position: expected, why })
        }
    }));
    let facts = complete(pool, partition, found.map_err(stopped)?).await?;
    until_stuck(facts.into_iter()).map_err(stopped)
}

/// The events at those positions, in order, without those that are not there.
pub(crate) async fn read_at(
    pool: &PgPool,
    partition: u16,
    positions: &[i64],
) -> Result<Vec<Fact>, RelayStop> {
    let positions: Vec<i64> =
        positions.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut facts = Vec::with_capacity(positions.len());
    for positions in positions.chunks(usize::try_from(MOST).unwrap_or(usize::MAX)) {
        let reading = sqlx::query(AT).bind(partition.cast_signed()).bind(positions);
        let rows = within(reading.fetch_all(pool)).await?;
        let found = rows.iter().map(found).collect::<Result<Vec<_>, _>>().map_err(stopped)?;
        for fact in complete(pool, partition, found).await? {
            facts.push(fact.map_err(stopped)?);
        }
    }
    Ok(facts)
}

/// Gives events what they need beside themselves.
async fn complete(
    pool: &PgPool,
    partition: u16,
    found: Vec<Found>,
) -> Result<Vec<Result<Fact, Stop>>, RelayStop> {
    let mut beside = Beside::default();
    beside.find_holds(pool, partition, &found).await?;
    beside.count(pool, partition, &found).await?;
    Ok(found.into_iter().map(|it| it.with(partition, &beside)).collect())
}

impl Beside {
    async fn find_holds(
        &mut self,
        pool: &PgPool,
        partition: u16,
        found: &[Found],
    ) -> Result<(), RelayStop> {
        for it in found {
            if let DispenseEvent::HoldCreated(hold) = &it.event {
                self.holds.insert(it.dispense_id, Ok(hold.clone()));
            }
        }
        let elsewhere: BTreeSet<Uuid> = found.iter().map(|it| it.dispense_id).collect();
        let elsewhere: Vec<Uuid> =
            elsewhere.into_iter().filter(|id| !self.holds.contains_key(id)).collect();
        if !elsewhere.is_empty() {
            let reading = sqlx::query(HOLDS).bind(partition.cast_signed()).bind(elsewhere);
            for row in within(reading.fetch_all(pool)).await? {
                let (id, hold) = hold(&row).map_err(|error| stopped(error.into()))?;
                self.holds.insert(id, hold);
            }
        }
        Ok(())
    }

    async fn count(
        &mut self,
        pool: &PgPool,
        partition: u16,
        found: &[Found],
    ) -> Result<(), RelayStop> {
        let handed_over = |it: &&Found| matches!(it.event, DispenseEvent::Processed(_));
        let (ids, numbers): (Vec<&str>, Vec<i64>) =
            found.iter().filter(handed_over).map(|it| (&*it.aggregate_id, it.sequence)).unzip();
        if !ids.is_empty() {
            let reading = sqlx::query(HANDED_OVER).bind(partition.cast_signed());
            let reading = reading.bind(ids).bind(numbers).fetch_all(pool);
            for row in within(reading).await? {
                let (place, handed_over) = counted(&row).map_err(|error| stopped(error.into()))?;
                self.handed_over.insert(place, handed_over);
            }
        }
        Ok(())
    }
}

/// Why a statement did not bring what it should.
pub(crate) fn stopped(stop: Stop) -> RelayStop {
    match stop {
        Stop::Database(error) => Unavailable::database(error).into(),
        Stop::Stuck { position, why } => RelayStop::Stuck { position, why },
        Stop::Diverged { position } => RelayStop::Diverged { position },
    }
}

impl Found {
    fn with(self, partition: u16, beside: &Beside) -> Result<Fact, Stop> {
        let position = self.position;
        let stuck = |why: String| Stop::Stuck { position, why };
        let hold = match beside.holds.get(&self.dispense_id) {
            Some(Ok(hold)) => hold.clone(),
            Some(Err(why)) => return Err(stuck(format!("the beginning of its dispense: {why}"))),
            None => return Err(stuck("its dispense has no beginning".to_owned())),
        };
        let handed_over = beside.handed_over.get(&(self.aggregate_id, self.sequence));
        Ok(Fact {
            place: LogPosition { partition, position },
            hash: self.hash,
            event_id: self.event_id,
            recorded_at: self.recorded_at,
            event: self.event,
            hold,
            handed_over: handed_over.copied().unwrap_or_default(),
            traceparent: self.traceparent,
        })
    }
}

fn found(row: &PgRow) -> Result<Found, Stop> {
    let Place { position, hash } = place(row)?;
    let event = event(row.try_get("event_type")?, row);
    Ok(Found {
        position,
        hash,
        aggregate_id: row.try_get("aggregate_id")?,
        dispense_id: row.try_get("dispense_id")?,
        sequence: row.try_get("sequence")?,
        event_id: row.try_get("event_id")?,
        recorded_at: row.try_get("recorded_at")?,
        traceparent: row.try_get("traceparent")?,
        event: event?.map_err(|why| Stop::Stuck { position, why })?,
    })
}

/// What happened, or why that cannot be read.
fn event(kind: &str, row: &PgRow) -> Result<Result<DispenseEvent, String>, sqlx::Error> {
    let version: &str = row.try_get("event_version")?;
    if !upcast::is_known(kind, version) {
        return Ok(Err(format!("{kind} {version} is newer than this service")));
    }
    let payload: &str = row.try_get("payload")?;
    Ok(DispenseEvent::from_json(payload).map_err(|error| format!("{kind} {version}: {error}")))
}

type Beginning = (Uuid, Result<Arc<HoldCreated>, String>);

fn hold(row: &PgRow) -> Result<Beginning, sqlx::Error> {
    let hold = event("HoldCreated", row)?.and_then(|event| match event {
        DispenseEvent::HoldCreated(hold) => Ok(hold),
        DispenseEvent::Processed(_) | DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => {
            Err(format!("it says {}", event.name()))
        }
    });
    Ok((row.try_get("id")?, hold))
}

fn counted(row: &PgRow) -> Result<((String, i64), u32), sqlx::Error> {
    let handed_over: i64 = row.try_get("handed_over")?;
    let handed_over = u32::try_from(handed_over).unwrap_or(u32::MAX);
    Ok(((row.try_get("id")?, row.try_get("sequence")?), handed_over))
}
