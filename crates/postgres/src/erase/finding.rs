//! Whose dispenses these are: asked of the log itself, event by event, because a read model may lag,
//! and a registry may have forgotten.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{Erased, NotErased};
use crate::settings::LogSettings;

/// How many positions one statement looks through.
const PAGE: i64 = 20_000;

/// How far the look has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events that were looked at.
    pub read: u64,
    /// Events that there are.
    pub events: u64,
    /// Dispenses that were found.
    pub found: usize,
}

/// The dispenses of a person, up to a place in each partition.
#[derive(Debug, Clone)]
pub struct Found {
    /// The jobs of a party: a doctor stands in an event by the job.
    jobs: Vec<String>,
    /// The last position that was read of each partition.
    read: Vec<i64>,
    holds: Vec<Hold>,
}

/// The beginning of one dispense.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) partition: i16,
    /// Whose stream it is in.
    pub(super) request: String,
    pub(super) dispense: Uuid,
    /// Its last instant; none if it was recorded at once.
    expires_at: Option<DateTime<Utc>>,
}

impl Found {
    /// How many dispenses were found.
    #[must_use]
    pub fn dispenses(&self) -> usize {
        self.holds.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// Takes some of them out.
    pub(super) fn take(&mut self, most: usize) -> Vec<Hold> {
        let most = most.min(self.holds.len());
        self.holds.drain(..most).collect()
    }
}

/// Looks through the whole log.
pub(super) async fn find(
    db: &mut PgConnection,
    log: LogSettings,
    whom: Erased,
    mut progress: impl FnMut(Progress),
) -> Result<Found, sqlx::Error> {
    let read = log.partitions.all().map(|_| 0).collect();
    let mut found = Found { jobs: jobs(db, whom).await?, read, holds: Vec::new() };
    let heads = heads(db, log).await?;
    let events = heads.iter().map(|(_, position)| position.unsigned_abs()).sum();
    let mut read = 0;
    for (partition, head) in heads {
        loop {
            let before = found.place(partition);
            if before >= head {
                break;
            }
            page(db, whom, partition, head, &mut found).await?;
            read += (found.place(partition) - before).unsigned_abs();
            progress(Progress { read, events, found: found.holds.len() });
        }
    }
    Ok(found)
}

/// Looks at what came since: all of it, where the caller holds the heads.
pub(super) async fn read_on(
    db: &mut PgConnection,
    log: LogSettings,
    whom: Erased,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    for (partition, head) in heads(db, log).await? {
        while found.place(partition) < head {
            page(db, whom, partition, head, found).await?;
        }
    }
    Ok(())
}

impl Found {
    fn place(&self, partition: i16) -> i64 {
        let place = usize::try_from(partition).ok().and_then(|it| self.read.get(it));
        place.copied().unwrap_or(i64::MAX)
    }

    fn move_to(&mut self, partition: i16, position: i64) {
        let place = usize::try_from(partition).ok().and_then(|it| self.read.get_mut(it));
        if let Some(place) = place {
            *place = position;
        }
    }
}

async fn heads(db: &mut PgConnection, log: LogSettings) -> Result<Vec<(i16, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT partition, position FROM log_head WHERE partition < $1 ORDER BY partition",
    )
    .bind(log.partitions.count().cast_signed())
    .fetch_all(db)
    .await
}

/// The jobs that a party has, or had when its record was last imported.
async fn jobs(db: &mut PgConnection, whom: Erased) -> Result<Vec<String>, sqlx::Error> {
    match whom {
        Erased::Person(_) => Ok(Vec::new()),
        Erased::Party(id) => {
            sqlx::query_scalar(
                "SELECT id::text FROM registry_entries
                 WHERE kind = 'employee' AND data ->> 'party_id' = $1 ORDER BY id",
            )
            .bind(id.to_string())
            .fetch_all(db)
            .await
        }
    }
}

/// Looking for the text of an id costs the server a fraction of reading the JSON. What has it is read
/// here, because somebody may have written the id where it means nothing.
const HOLDS: &str = "
SELECT e.aggregate_id, e.dispense_id, e.payload::text AS payload, b.body::text AS body
FROM events e
LEFT JOIN personal_bodies b
    ON b.partition = e.partition AND b.position = e.position AND $5
WHERE e.partition = $1 AND e.position > $2 AND e.position <= $3 AND e.event_type = 'HoldCreated'
      AND (EXISTS (SELECT FROM UNNEST($4::text[]) AS id WHERE strpos(e.payload::text, id) > 0)
           OR strpos(b.body::text, $4[1]) > 0)
ORDER BY e.position";

async fn page(
    db: &mut PgConnection,
    whom: Erased,
    partition: i16,
    head: i64,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let after = found.place(partition);
    let upto = head.min(after.saturating_add(PAGE));
    // A doctor may have changed the job since: who it was stands in the body.
    let looks_into_bodies = matches!(whom, Erased::Party(_));
    let ids: Vec<String> =
        std::iter::once(whom.id().to_string()).chain(found.jobs.iter().cloned()).collect();
    let rows = sqlx::query(HOLDS)
        .bind(partition)
        .bind(after)
        .bind(upto)
        .bind(ids)
        .bind(looks_into_bodies)
        .fetch_all(db)
        .await?;
    for row in &rows {
        if let Some(hold) = hold(partition, row, whom, &found.jobs)? {
            found.holds.push(hold);
        }
    }
    found.move_to(partition, upto);
    Ok(())
}

/// What is looked at in a `HoldCreated`.
#[derive(serde::Deserialize)]
struct Payload {
    party_id: Uuid,
    expires_at: Option<DateTime<Utc>>,
    medication_request: Prescribed,
}

#[derive(serde::Deserialize)]
struct Prescribed {
    person_id: Uuid,
    employee_id: Uuid,
}

/// What is looked at in its body.
#[derive(serde::Deserialize)]
struct Body {
    party: Named,
    employee: Doctor,
}

#[derive(serde::Deserialize)]
struct Doctor {
    party: Named,
}

#[derive(serde::Deserialize)]
struct Named {
    id: Uuid,
}

fn hold(
    partition: i16,
    row: &PgRow,
    whom: Erased,
    jobs: &[String],
) -> Result<Option<Hold>, sqlx::Error> {
    let unreadable = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let payload: Payload = serde_json::from_str(row.try_get("payload")?).map_err(unreadable)?;
    let body: Option<&str> = row.try_get("body")?;
    let id = whom.id();
    let is_theirs = match whom {
        Erased::Person(_) => payload.medication_request.person_id == id,
        Erased::Party(_) => {
            let job = payload.medication_request.employee_id.to_string();
            // A body that cannot be read is as good as one that names them.
            let named = body.is_some_and(|body| {
                serde_json::from_str(body)
                    .map_or(true, |body: Body| body.party.id == id || body.employee.party.id == id)
            });
            payload.party_id == id || jobs.contains(&job) || named
        }
    };
    Ok(if is_theirs {
        Some(Hold {
            partition,
            request: row.try_get("aggregate_id")?,
            dispense: row.try_get("dispense_id")?,
            expires_at: payload.expires_at,
        })
    } else {
        None
    })
}

/// A dispense that has an end is over, whatever its time says.
const ENDED: &str = "
SELECT count(*) FROM (
    SELECT dispense_id, event_type FROM events
    WHERE aggregate_type = 'dispense' AND aggregate_id = $2 AND partition = $1
    ORDER BY sequence
) e
WHERE e.dispense_id = $3 AND e.event_type <> 'HoldCreated'";

/// Stops where a hold lives: without its body nobody could say what has to be signed.
pub(super) async fn refuse_while_held(
    db: &mut PgConnection,
    found: &Found,
    at: DateTime<Utc>,
) -> Result<(), NotErased> {
    for hold in &found.holds {
        let Some(until) = hold.expires_at.filter(|until| at <= *until) else { continue };
        let ended: i64 = sqlx::query_scalar(ENDED)
            .bind(hold.partition)
            .bind(&hold.request)
            .bind(hold.dispense)
            .fetch_one(&mut *db)
            .await?;
        if ended == 0 {
            return Err(NotErased::Held { dispense: hold.dispense.into(), until });
        }
    }
    Ok(())
}
