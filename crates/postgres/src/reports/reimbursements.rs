//! The reimbursement report: which dispenses it has is found in the read model `dispenses`, and what it
//! says of them is read from the log itself, portion by portion. Nothing is kept in between, neither
//! here nor in the database: each portion begins behind the last dispense of the one before.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use dispensary::reimbursement::{
    Mark, Period, Portion, ReimbursementAsked, Reimbursements, Standing, Whose,
};
use dispensary::search::{Matching, PageAsked, REACH};
use dispensary::{Recorded, Shown, Unavailable};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::log::{recorded, within};

/// How many dispenses are read at once: a few megabytes with their personal bodies.
const PORTION: i64 = 300;

/// All dispenses for the report, in PostgreSQL.
#[derive(Debug)]
pub struct PgReimbursements {
    pool: PgPool,
}

/// Where the events of a dispense stand.
#[derive(Debug, Clone, Copy)]
struct Found {
    mark: Mark,
    partition: i16,
    opened: i64,
    closed: Option<i64>,
}

impl PgReimbursements {
    /// Those in that database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The dispenses that were found, in their order, as the log tells them.
    async fn shown(&self, found: &[Found]) -> Result<Vec<Shown>, Unavailable> {
        let mut places: Vec<(i16, i64, i64)> = Vec::with_capacity(2 * found.len());
        for (number, it) in (0_i64..).zip(found) {
            let positions = [Some(it.opened), it.closed].into_iter().flatten();
            places.extend(positions.map(|position| (it.partition, position, number)));
        }
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let reading = sqlx::query(EVENTS)
            .bind(places.iter().map(|(partition, _, _)| *partition).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, _, number)| *number).collect::<Vec<_>>())
            .fetch_all(&self.pool);
        let rows = within(reading).await?;
        let events = rows.iter().map(event);
        let events: Vec<Event> = events.collect::<Result<_, _>>().map_err(Unavailable::database)?;
        let each = events.chunk_by(|one, next| one.number == next.number);
        let shown = each.filter_map(|events| {
            let at = events.first()?.at;
            let events: Vec<Recorded> = events.iter().map(|it| it.recorded.clone()).collect();
            Shown::of(&events, events.first()?.event.dispense_id(), at)
        });
        Ok(shown.collect())
    }

    async fn find(
        &self,
        statement: &str,
        asked: &ReimbursementAsked,
        after: Option<Mark>,
        bounds: [i64; 2],
    ) -> Result<Vec<PgRow>, Unavailable> {
        let behind = after.unwrap_or_else(|| beginning(asked));
        let finding = sqlx::query(statement)
            .bind(match asked.whose {
                Whose::Prescribed(id) | Whose::Dispensed(id) => Some(Uuid::from(id)),
                Whose::Everybody => None,
            })
            .bind(asked.dispensed.map_or(NaiveDate::MAX, Period::last))
            .bind(asked.requested.map(Period::first))
            .bind(asked.requested.map(Period::last))
            .bind(behind.dispensed_on)
            .bind(behind.inserted_at)
            .bind(Uuid::from(behind.dispense_id))
            .bind(bounds[0])
            .bind(bounds[1])
            // Planned for these very values: a plan that fits one pharmacy does not fit another.
            .persistent(false)
            .fetch_all(&self.pool);
        within(finding).await
    }
}

/// Before the first dispense that can be in the report. What was dispensed before it was prescribed is
/// not found by days of prescribing alone: no index has those.
fn beginning(asked: &ReimbursementAsked) -> Mark {
    let first = asked.dispensed.or(asked.requested).map_or(NaiveDate::MIN, Period::first);
    Mark { dispensed_on: first, inserted_at: DateTime::UNIX_EPOCH, dispense_id: Uuid::max().into() }
}

#[async_trait]
impl Reimbursements for PgReimbursements {
    async fn page(
        &self,
        asked: &ReimbursementAsked,
        page: PageAsked,
    ) -> Result<Matching, Unavailable> {
        let bounds = [REACH, page.skipped()].map(|it| i64::try_from(it).unwrap_or(i64::MAX));
        let room = i64::try_from(page.room()).unwrap_or_default();
        let statement = page_of(asked).replace("{room}", &room.to_string());
        let rows = self.find(&statement, asked, None, bounds).await?;
        let (entries, found) = entries(&rows).map_err(Unavailable::database)?;
        Ok(Matching { dispenses: self.shown(&found).await?, entries })
    }

    async fn portion(
        &self,
        asked: &ReimbursementAsked,
        after: Option<Mark>,
    ) -> Result<Portion, Unavailable> {
        let statement = format!(
            "SELECT partition, opened_position, closed_position, dispensed_on, inserted_at,
                    dispense_id, coalesce(requested_on BETWEEN $3 AND $4, $3 IS NULL) AS is_asked
             FROM ({}) w ORDER BY {ORDER} LIMIT $8 OFFSET $9",
            walks(asked)
        );
        let rows = self.find(&statement, asked, after, [PORTION, 0]).await?;
        let read = || -> Result<_, sqlx::Error> {
            let all = rows.iter().map(found).collect::<Result<Vec<_>, _>>()?;
            let is_asked = rows.iter().map(|row| row.try_get("is_asked"));
            Ok((all, is_asked.collect::<Result<Vec<bool>, _>>()?))
        };
        let (all, is_asked) = read().map_err(Unavailable::database)?;
        let full = i64::try_from(all.len()).is_ok_and(|found| found >= PORTION);
        let last = all.last().filter(|_| full).map(|found| found.mark);
        let wanted = all.iter().zip(is_asked).filter_map(|(found, asked)| asked.then_some(*found));
        let wanted: Vec<Found> = wanted.collect();
        Ok(Portion { dispenses: self.shown(&wanted).await?, last })
    }
}

/// The order of the report, which indexes have backwards.
const ORDER: &str = "dispensed_on, inserted_at, dispense_id DESC";

/// Walks through the model, each along an index that has its rows in the order of the report, and merged
/// in that order. Where a dispense stands is no part of the order: one that ends meanwhile keeps its
/// place, and comes once.
fn walks(asked: &ReimbursementAsked) -> String {
    let stages: &[&str] = match (asked.standing, asked.whose) {
        (Standing::HandedOver, _) => &["stage = 'processed'"],
        // A clinic has an index without stages.
        (Standing::Anywhere, Whose::Prescribed(_)) => &["true"],
        (Standing::Anywhere, Whose::Dispensed(_) | Whose::Everybody) => {
            &["stage = 'held'", "stage = 'processed'", "stage = 'cancelled'", "stage = 'expired'"]
        }
    };
    let whose = match asked.whose {
        Whose::Prescribed(_) => "requester_legal_entity_id = $1",
        Whose::Dispensed(_) => "legal_entity_id = $1",
        Whose::Everybody => "true",
    };
    let walk = |stage: &&str| {
        format!(
            "(SELECT partition, opened_position, closed_position, dispensed_on, inserted_at,
                     dispense_id, requested_on
              FROM dispenses
              WHERE {whose} AND {stage} AND (dispensed_on, inserted_at) >= ($5, $6)
                    AND dispensed_on <= $2
                    AND NOT (dispensed_on = $5 AND inserted_at = $6 AND dispense_id >= $7)
              ORDER BY {ORDER} LIMIT $8)"
        )
    };
    stages.iter().map(walk).collect::<Vec<_>>().join(" UNION ALL ")
}

/// One walk, no further than a report reaches in pages, to count what matches and to list a page of it.
fn page_of(asked: &ReimbursementAsked) -> String {
    let walks = walks(asked);
    format!(
        "WITH reached AS MATERIALIZED (
             SELECT * FROM (SELECT * FROM ({walks}) w ORDER BY {ORDER} LIMIT $8) r
             WHERE coalesce(requested_on BETWEEN $3 AND $4, $3 IS NULL)
         )
         SELECT t.entries, p.*
         FROM (SELECT count(*) AS entries FROM reached) t
         LEFT JOIN (SELECT * FROM reached ORDER BY {ORDER} OFFSET $9 LIMIT {{room}}) p ON true
         ORDER BY p.dispensed_on, p.inserted_at, p.dispense_id DESC"
    )
}

fn found(row: &PgRow) -> Result<Found, sqlx::Error> {
    Ok(Found {
        mark: Mark {
            dispensed_on: row.try_get("dispensed_on")?,
            inserted_at: row.try_get("inserted_at")?,
            dispense_id: row.try_get::<Uuid, _>("dispense_id")?.into(),
        },
        partition: row.try_get("partition")?,
        opened: row.try_get("opened_position")?,
        closed: row.try_get("closed_position")?,
    })
}

/// How many there are, and those of the page. One row without a dispense says how many there are on
/// other pages.
fn entries(rows: &[PgRow]) -> Result<(u64, Vec<Found>), sqlx::Error> {
    let Some(first) = rows.first() else { return Ok((0, Vec::new())) };
    let entries: i64 = first.try_get("entries")?;
    if first.try_get::<Option<i16>, _>("partition")?.is_none() {
        return Ok((entries.cast_unsigned(), Vec::new()));
    }
    Ok((entries.cast_unsigned(), rows.iter().map(found).collect::<Result<_, _>>()?))
}

/// An event of one of the dispenses, and the instant for which its partition is read.
struct Event {
    number: i64,
    at: DateTime<Utc>,
    recorded: Recorded,
}

/// The events at those places with their personal bodies, in that order. LIMIT keeps the planner from
/// turning the look-ups into a scan.
const EVENTS: &str = "
SELECT w.number, w.partition, greatest(clock_timestamp(), h.recorded_at) AS at, e.position, e.sequence,
       e.event_id, e.recorded_at, e.event_type, e.event_version, e.payload::text AS payload,
       e.metadata::text AS metadata, b.body::text AS body
FROM UNNEST($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY
     AS w (partition, position, number, n)
JOIN log_head h ON h.partition = w.partition
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

fn event(row: &PgRow) -> Result<Event, Box<dyn std::error::Error + Send + Sync>> {
    let partition: i16 = row.try_get("partition")?;
    Ok(Event {
        number: row.try_get("number")?,
        at: row.try_get("at")?,
        recorded: recorded(partition.cast_unsigned(), row)?,
    })
}
