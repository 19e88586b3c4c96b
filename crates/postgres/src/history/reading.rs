//! A patient's history: found in the read model, and shown out of the log itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispensary::cursor::ListError;
use dispensary::patient_history::{
    Happening, HappeningPlace, Happenings, HappeningsAsked, Histories, HistoryCursor,
};
use dispensary::search::PageSize;
use dispensary::{LogPosition, Recorded, Unavailable};
use dispense_domain::{DispenseEvent, PersonId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::NAME;
use crate::PgLog;
use crate::dispenses::reading::{Followed, events};
use crate::log::within;

/// The most events that one page looks at. Where fewer are shown than it has room for, it ends there,
/// and the next one goes on.
const EXAMINED: i64 = 10_000;

/// The events of patients, in PostgreSQL.
#[derive(Debug)]
pub struct PgHistories(Followed);

impl PgHistories {
    /// Those of that log.
    #[must_use]
    pub fn new(pool: PgPool, log: &PgLog) -> Self {
        Self(Followed::new(pool, log, NAME))
    }
}

/// `$10` events out of the first `$9` of the patient. The last one of these is there in any case, so
/// that the next page goes on behind it.
const PAGE: &str = "
SELECT e.recorded_at, e.partition, e.position, e.opened_position, e.n, e.counts
FROM (
    SELECT w.recorded_at, w.partition, w.position, w.opened_position,
           row_number() OVER (ORDER BY w.recorded_at DESC, w.partition, w.position DESC) AS n,
           w.position <= ($2::bigint[])[w.partition + 1]
               AND ($3::uuid IS NULL OR w.legal_entity_id = $3) AS counts
    FROM (
        SELECT h.recorded_at, h.partition, h.position, h.opened_position, h.legal_entity_id
        FROM history h
        WHERE h.person_id = $1 AND h.recorded_at >= $4 AND h.recorded_at < $5 AND h.recorded_at <= $6
              AND (h.recorded_at < $6 OR h.partition > $7
                   OR (h.partition = $7 AND h.position < $8))
        ORDER BY h.recorded_at DESC, h.partition, h.position DESC LIMIT $9
    ) w
) e
WHERE e.counts OR e.n = $9
ORDER BY e.recorded_at DESC, e.partition, e.position DESC LIMIT $10";

/// Every event is recorded within these.
const EVER: (DateTime<Utc>, DateTime<Utc>) = (
    DateTime::<Utc>::UNIX_EPOCH,
    match DateTime::from_timestamp(253_402_300_800, 0) {
        Some(end) => end,
        None => DateTime::<Utc>::MAX_UTC,
    },
);

#[async_trait]
impl Histories for PgHistories {
    async fn happenings(
        &self,
        asked: &HappeningsAsked,
        after: Option<&HistoryCursor>,
        size: PageSize,
    ) -> Result<Happenings, ListError> {
        let begun = if let Some(cursor) = after {
            if !cursor.snapshot.is_within(&self.0.heads().await?.snapshot()) {
                return Err(ListError::Gone);
            }
            cursor.clone()
        } else {
            let snapshot = self.0.heads_with_own(None).await?.snapshot();
            HistoryCursor { after: before_the_first(snapshot.at), snapshot }
        };
        let HistoryCursor { snapshot, after } = begun;
        let looking = sqlx::query(PAGE)
            .bind(asked.person.uuid())
            .bind(&snapshot.positions)
            .bind(asked.legal_entity.map(Uuid::from))
            .bind(asked.from.unwrap_or(EVER.0))
            .bind(asked.before.unwrap_or(EVER.1))
            .bind(after.recorded_at)
            .bind(after.partition.cast_signed())
            .bind(after.position)
            .bind(EXAMINED)
            .bind(i64::from(size.get()) + 1)
            .persistent(false)
            .fetch_all(&self.0.pool);
        let rows = within(looking).await?;
        let Page { found, next } = Page::of(&rows, size).map_err(Unavailable::database)?;
        let happenings = told(&self.0.pool, &found).await?;
        let positions = snapshot.log_positions();
        let next = next.map(|after| HistoryCursor { snapshot, after });
        Ok(Happenings { happenings, next, positions })
    }

    async fn knows(&self, person: PersonId) -> Result<bool, Unavailable> {
        let asking = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM persons WHERE id = $1)
                 OR EXISTS (SELECT 1 FROM history WHERE person_id = $1)",
        )
        .bind(person.uuid())
        .fetch_one(&self.0.pool);
        within(asking).await
    }
}

/// The place before the first one: nothing that counts was recorded later.
const fn before_the_first(at: DateTime<Utc>) -> HappeningPlace {
    HappeningPlace { recorded_at: at, partition: 0, position: i64::MAX }
}

/// What a page has, and after which row it goes on.
struct Page {
    found: Vec<Found>,
    next: Option<HappeningPlace>,
}

/// An event, and the one that opened its dispense.
struct Found {
    place: HappeningPlace,
    opened: i64,
}

impl Page {
    fn of(rows: &[PgRow], size: PageSize) -> Result<Self, sqlx::Error> {
        let room = usize::try_from(size.get()).unwrap_or(usize::MAX);
        let (mut found, mut last): (Vec<Found>, _) = (Vec::new(), None);
        for row in rows {
            let partition: i16 = row.try_get("partition")?;
            let place = HappeningPlace {
                recorded_at: row.try_get("recorded_at")?,
                partition: partition.cast_unsigned(),
                position: row.try_get("position")?,
            };
            if row.try_get("counts")? {
                if found.len() == room {
                    return Ok(Self { found, next: last });
                }
                found.push(Found { place, opened: row.try_get("opened_position")? });
            }
            last = Some(place);
            if row.try_get::<i64, _>("n")? == EXAMINED {
                return Ok(Self { found, next: last });
            }
        }
        Ok(Self { found, next: None })
    }
}

/// The events of a page as the log tells them, each with the one that opened its dispense.
async fn told(pool: &PgPool, found: &[Found]) -> Result<Vec<Happening>, Unavailable> {
    let both = found.iter().flat_map(|Found { place, opened }| {
        let at = |position| LogPosition { partition: place.partition, position };
        [at(*opened), at(place.position)]
    });
    let read = events(pool, &both.collect::<Vec<_>>()).await?;
    let pairs = read.chunks_exact(2).filter_map(|pair| match pair {
        [Recorded { event: DispenseEvent::HoldCreated(hold), .. }, own] => {
            Some(Happening { recorded: own.clone(), hold: hold.clone() })
        }
        _ => None,
    });
    Ok(pairs.collect())
}
