//! Read model `history`: which events belong to whose patient.

mod reading;

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispense_domain::DispenseEvent;
use sqlx::PgConnection;
use uuid::Uuid;

pub use reading::PgHistories;

use crate::follow::{LogRow, ReadModel, Tables};

/// Its name, which is that of its view and its follower.
const NAME: &str = "history";

/// Keeps `history` up to date.
#[derive(Debug, Clone, Copy)]
pub struct History;

/// An event of a dispense that the batch itself opened.
struct Told {
    dispense: Uuid,
    position: i64,
    opened: i64,
    person: Uuid,
    legal_entity: Uuid,
    at: DateTime<Utc>,
}

#[async_trait]
impl ReadModel for History {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[NAME]
    }

    /// A whole batch in two statements: the events of what it opened, and the ends of what was opened
    /// before, whose patient is known from there.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        let (mut told, mut ends): (Vec<Told>, Vec<&LogRow>) = (Vec::new(), Vec::new());
        let mut opened = HashMap::new();
        for row in batch {
            let own = |opened, person, legal_entity| Told {
                dispense: row.dispense_id,
                position: row.position,
                opened,
                person,
                legal_entity,
                at: row.recorded_at,
            };
            match row.event()? {
                DispenseEvent::HoldCreated(hold) => {
                    opened.insert(row.dispense_id, told.len());
                    let person = hold.medication_request.person_id.uuid();
                    told.push(own(row.position, person, hold.legal_entity_id.uuid()));
                }
                DispenseEvent::Processed(_)
                | DispenseEvent::Cancelled(_)
                | DispenseEvent::Expired(_) => {
                    match opened.get(&row.dispense_id).and_then(|n| told.get(*n)) {
                        Some(first) => {
                            told.push(own(first.opened, first.person, first.legal_entity));
                        }
                        None => ends.push(row),
                    }
                }
            }
        }
        if !told.is_empty() {
            insert(db, tables, partition, &told).await?;
        }
        if !ends.is_empty() {
            end(db, tables, partition, &ends).await?;
        }
        Ok(())
    }
}

const INSERT: &str = "
INSERT INTO {history}
    (partition, dispense_id, position, opened_position, person_id, legal_entity_id, recorded_at)
SELECT $1, u.dispense_id, u.position, u.opened_position, u.person_id, u.legal_entity_id,
       u.recorded_at
FROM UNNEST($2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::uuid[], $7::timestamptz[])
     AS u (dispense_id, position, opened_position, person_id, legal_entity_id, recorded_at)";

async fn insert(
    db: &mut PgConnection,
    tables: &Tables,
    partition: i16,
    told: &[Told],
) -> Result<(), sqlx::Error> {
    sqlx::query(&INSERT.replace("{history}", &tables.name(NAME)))
        .bind(partition)
        .bind(told.iter().map(|it| it.dispense).collect::<Vec<_>>())
        .bind(told.iter().map(|it| it.position).collect::<Vec<_>>())
        .bind(told.iter().map(|it| it.opened).collect::<Vec<_>>())
        .bind(told.iter().map(|it| it.person).collect::<Vec<_>>())
        .bind(told.iter().map(|it| it.legal_entity).collect::<Vec<_>>())
        .bind(told.iter().map(|it| it.at).collect::<Vec<_>>())
        .execute(db)
        .await
        .map(|_| ())
}

/// The first row of a dispense is that of the event that opened it: it stands first in the primary key.
const END: &str = "
INSERT INTO {history}
    (partition, dispense_id, position, opened_position, person_id, legal_entity_id, recorded_at)
SELECT $1, u.dispense_id, u.position, h.opened_position, h.person_id, h.legal_entity_id,
       u.recorded_at
FROM UNNEST($2::uuid[], $3::bigint[], $4::timestamptz[]) AS u (dispense_id, position, recorded_at)
CROSS JOIN LATERAL (
    SELECT v.opened_position, v.person_id, v.legal_entity_id FROM {history} v
    WHERE v.partition = $1 AND v.dispense_id = u.dispense_id ORDER BY v.position LIMIT 1
) h";

/// A beginning that is not there was lost; the follower stops rather than to go on without.
async fn end(
    db: &mut PgConnection,
    tables: &Tables,
    partition: i16,
    ends: &[&LogRow],
) -> Result<(), sqlx::Error> {
    let kept = sqlx::query(&END.replace("{history}", &tables.name(NAME)))
        .bind(partition)
        .bind(ends.iter().map(|row| row.dispense_id).collect::<Vec<_>>())
        .bind(ends.iter().map(|row| row.position).collect::<Vec<_>>())
        .bind(ends.iter().map(|row| row.recorded_at).collect::<Vec<_>>())
        .execute(db)
        .await?
        .rows_affected();
    let expected = ends.len();
    if usize::try_from(kept).is_ok_and(|kept| kept == expected) {
        return Ok(());
    }
    let why = format!("{expected} dispenses ended, and {kept} of them began in {NAME}");
    Err(sqlx::Error::Decode(why.into()))
}
