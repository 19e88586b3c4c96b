//! Read model `dispenses`: what searches and lists look through.

mod items;
mod list;
mod overlaps;
pub(crate) mod reading;
mod search;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispense_domain::registry::BasedOn;
use dispense_domain::{DispenseEvent, HoldCreated, Status};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

pub use search::PgDispenses;

use crate::days::in_calendar;
use crate::follow::{LogRow, ReadModel, Tables};

/// Keeps `dispenses` up to date.
#[derive(Debug, Clone, Copy)]
pub struct Dispenses;

/// Its name, which is that of its first view and its follower.
const NAME: &str = "dispenses";

/// A dispense that the batch opened.
struct Opened<'a> {
    row: &'a LogRow,
    hold: &'a Arc<HoldCreated>,
    end: Option<End>,
}

/// How a dispense ended.
#[derive(Clone, Copy)]
struct End {
    stage: Status,
    at: DateTime<Utc>,
    position: i64,
}

impl<'a> Opened<'a> {
    /// One that is processed at once ends with the next event of the same commit, which may stand
    /// in the next batch: nobody is to see what lies between.
    fn by(row: &'a LogRow, hold: &'a Arc<HoldCreated>) -> Self {
        let at_once =
            || End { stage: Status::Processed, at: row.recorded_at, position: row.position + 1 };
        Self { row, hold, end: hold.processed_at_once.then(at_once) }
    }

    /// How much it takes, all items together.
    fn taken(&self) -> String {
        let quantities = self.hold.items.iter().map(|item| item.quantity.decimal());
        quantities.fold(Decimal::ZERO, Decimal::saturating_add).to_string()
    }

    fn stage(&self) -> Status {
        self.end.map_or(Status::Held, |end| end.stage)
    }

    fn updated_at(&self) -> DateTime<Utc> {
        self.end.map_or(self.row.recorded_at, |end| end.at)
    }
}

/// How the model writes a status down. `expired` says that this was recorded; a hold that ran out is
/// over before that.
const fn word(stage: Status) -> &'static str {
    match stage {
        Status::Held => "held",
        Status::Processed => "processed",
        Status::Cancelled => "cancelled",
        Status::Expired => "expired",
    }
}

/// How a dispense ended by that event.
const fn end(row: &LogRow, stage: Status) -> End {
    End { stage, at: row.recorded_at, position: row.position }
}

#[async_trait]
impl ReadModel for Dispenses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[NAME, items::NAME]
    }

    /// A whole batch in four statements: what that is based on which it opened, what it opened, as it
    /// left that, with its items, and the ends of what was opened before.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let (mut opened, mut ended): (Vec<Opened<'_>>, Vec<_>) = (Vec::new(), Vec::new());
        let mut places = HashMap::new();
        for row in batch {
            let stage = match row.event()? {
                DispenseEvent::HoldCreated(hold) => {
                    places.insert(row.dispense_id, opened.len());
                    opened.push(Opened::by(row, hold));
                    continue;
                }
                DispenseEvent::Processed(_) => Status::Processed,
                DispenseEvent::Cancelled(_) => Status::Cancelled,
                DispenseEvent::Expired(_) => Status::Expired,
            };
            match places.get(&row.dispense_id).and_then(|n| opened.get_mut(*n)) {
                Some(opened) => opened.end = Some(end(row, stage)),
                None => ended.push((row.dispense_id, end(row, stage))),
            }
        }
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        if !opened.is_empty() {
            let based = based_on(db, partition, &opened).await?;
            insert(db, tables, &opened, &based).await?;
            items::insert(db, tables, &opened).await?;
        }
        if !ended.is_empty() {
            update(db, tables, partition, &ended).await?;
        }
        Ok(())
    }

    async fn notice(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let handed_over = batch.iter().filter(|row| row.event_type == "Processed");
        let handed_over: Vec<Uuid> = handed_over.map(|row| row.dispense_id).collect();
        match batch.first().map(|row| row.partition.cast_signed()) {
            Some(partition) if !handed_over.is_empty() => {
                overlaps::count(db, &tables.name(NAME), partition, &handed_over).await
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Bodies are read whole where they are based on something at all, which few are: looking for the
/// word costs the server less than reading the JSON.
const BODIES: &str = r#"
SELECT position, body::text AS body FROM personal_bodies
WHERE partition = $1 AND position >= $2 AND position <= $3
      AND strpos(body::text, '"based_on"') > 0"#;

/// What medication requests are based on, by the position of the event.
async fn based_on(
    db: &mut PgConnection,
    partition: i16,
    opened: &[Opened<'_>],
) -> Result<HashMap<i64, BasedOn>, sqlx::Error> {
    let rows = sqlx::query(BODIES)
        .bind(partition)
        .bind(opened.first().map(|it| it.row.position))
        .bind(opened.last().map(|it| it.row.position))
        .fetch_all(db)
        .await?;
    let mut based = HashMap::new();
    for row in rows {
        based.insert(row.try_get("position")?, read_based_on(row.try_get("body")?));
    }
    Ok(based)
}

/// What the model needs of a personal body.
#[derive(Deserialize)]
struct Body {
    medication_request: Based,
}

/// What the model needs of a medication request there.
#[derive(Deserialize)]
struct Based {
    based_on: Value,
}

/// What the medication request in that body is based on; nothing, where it does not say.
fn read_based_on(body: &str) -> BasedOn {
    let body: Option<Body> = serde_json::from_str(body).ok();
    body.map(|body| BasedOn::read(&body.medication_request.based_on)).unwrap_or_default()
}

/// The shape of the rows. An older instance does not state it, and is refused: it would leave their items
/// out.
const SHAPE: i16 = 1;

const INSERT: &str = "
INSERT INTO {dispenses}
    (partition, dispense_id, medication_request_id, legal_entity_id, division_id, person_id,
     party_id, medical_program_id, care_plan_id, dispensed_on, inserted_at, updated_at, stage,
     expires_at, opened_position, closed_position, activity_id, quantity,
     requester_legal_entity_id, requested_on, shape)
SELECT $1, u.dispense_id, u.medication_request_id, u.legal_entity_id, u.division_id, u.person_id,
       u.party_id, u.medical_program_id, u.care_plan_id, u.dispensed_on, u.inserted_at, u.updated_at,
       u.stage, u.expires_at, u.opened_position, u.closed_position, u.activity_id,
       u.quantity::numeric, u.requester_legal_entity_id, u.requested_on, $21
FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
            $9::uuid[], $10::date[], $11::timestamptz[], $12::timestamptz[], $13::text[],
            $14::timestamptz[], $15::bigint[], $16::bigint[], $17::uuid[], $18::text[],
            $19::uuid[], $20::date[])
     AS u (dispense_id, medication_request_id, legal_entity_id, division_id, person_id, party_id,
           medical_program_id, care_plan_id, dispensed_on, inserted_at, updated_at, stage,
           expires_at, opened_position, closed_position, activity_id, quantity,
           requester_legal_entity_id, requested_on)";

async fn insert(
    db: &mut PgConnection,
    tables: &Tables,
    opened: &[Opened<'_>],
    based: &HashMap<i64, BasedOn>,
) -> Result<(), sqlx::Error> {
    /// A member of all of them.
    fn all<'a, T>(opened: &[Opened<'a>], member: impl Fn(&Opened<'a>) -> T) -> Vec<T> {
        opened.iter().map(member).collect()
    }
    let based_on = |it: &Opened<'_>| based.get(&it.row.position).copied().unwrap_or_default();
    sqlx::query(&INSERT.replace("{dispenses}", &tables.name(NAME)))
        .bind(opened.first().map(|it| it.row.partition.cast_signed()))
        .bind(all(opened, |it| it.row.dispense_id))
        .bind(all(opened, |it| it.row.aggregate_id))
        .bind(all(opened, |it| it.hold.legal_entity_id.uuid()))
        .bind(all(opened, |it| it.hold.division.id.uuid()))
        .bind(all(opened, |it| it.hold.medication_request.person_id.uuid()))
        .bind(all(opened, |it| it.hold.party_id.uuid()))
        .bind(all(opened, |it| it.hold.medical_program.as_ref().map(|it| it.id.uuid())))
        .bind(all(opened, |it| based_on(it).care_plan))
        .bind(all(opened, |it| it.hold.dispensed_on))
        .bind(all(opened, |it| it.row.recorded_at))
        .bind(all(opened, Opened::updated_at))
        .bind(all(opened, |it| word(it.stage())))
        .bind(all(opened, |it| it.hold.expires_at))
        .bind(all(opened, |it| it.row.position))
        .bind(all(opened, |it| it.end.map(|end| end.position)))
        .bind(all(opened, |it| based_on(it).activity))
        .bind(all(opened, |it| based_on(it).activity.map(|_| it.taken())))
        .bind(all(opened, |it| it.hold.medication_request.legal_entity_id.uuid()))
        .bind(all(opened, |it| it.hold.medication_request.created_at.map(in_calendar)))
        .bind(SHAPE)
        .execute(db)
        .await
        .map(|_| ())
}

/// LIMIT keeps the planner from turning the look-ups into a scan. Nobody else moves a row meanwhile:
/// the follower holds the lease.
const UPDATE: &str = "
UPDATE {dispenses} d
SET stage = u.stage, updated_at = u.updated_at, closed_position = u.closed_position
FROM UNNEST($2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[])
     AS u (dispense_id, stage, updated_at, closed_position)
CROSS JOIN LATERAL (
    SELECT v.ctid FROM {dispenses} v
    WHERE v.partition = $1 AND v.dispense_id = u.dispense_id LIMIT 1
) k
WHERE d.ctid = k.ctid AND d.partition = $1";

/// A row that is not there was lost: the follower reads each event once, in order, so that it has kept
/// the beginning of whatever ends. It stops rather than to go on without.
async fn update(
    db: &mut PgConnection,
    tables: &Tables,
    partition: i16,
    ended: &[(Uuid, End)],
) -> Result<(), sqlx::Error> {
    let kept = sqlx::query(&UPDATE.replace("{dispenses}", &tables.name(NAME)))
        .bind(partition)
        .bind(ended.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(ended.iter().map(|(_, end)| word(end.stage)).collect::<Vec<_>>())
        .bind(ended.iter().map(|(_, end)| end.at).collect::<Vec<_>>())
        .bind(ended.iter().map(|(_, end)| end.position).collect::<Vec<_>>())
        .execute(db)
        .await?
        .rows_affected();
    let expected = ended.len();
    if usize::try_from(kept).is_ok_and(|kept| kept == expected) {
        return Ok(());
    }
    let why = format!("{expected} dispenses ended, and {kept} of them are kept in {NAME}");
    Err(sqlx::Error::Decode(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_understood_is_based_on_nothing() {
        let plan = Uuid::from_u128(0xB0);
        let named = format!(
            r#"{{"medication_request": {{"based_on": {{"type": "care_plan", "id": "{plan}"}}}}}}"#
        );
        assert_eq!(read_based_on(&named).care_plan, Some(plan));
        for strange in ["{}", r#"{"medication_request": {"note": "based_on"}}"#, "no JSON"] {
            assert_eq!(read_based_on(strange), BasedOn::default(), "{strange}");
        }
    }
}
