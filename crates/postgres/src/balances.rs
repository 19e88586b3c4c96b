//! Read model `balances`: what is left of each medication request, and a second pair of eyes on the
//! quantity invariant.
//!
//! It is counted here without the code that decides. A log in which more was given out than prescribed
//! stops this model at that very position, loudly; the others go on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispense_domain::{DispenseEvent, HoldCreated};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::follow::{LogRow, ReadModel, Tables};

/// Its name, which is that of its view and its follower.
const NAME: &str = "balances";

/// Keeps `balances` up to date.
#[derive(Debug, Clone, Copy)]
pub struct Balances;

/// What the log says of one medication request.
#[derive(Debug, Clone)]
struct Balance {
    prescribed: Decimal,
    processed: Decimal,
    holds: Vec<Hold>,
    position: i64,
}

/// What a dispense has taken that did not end yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Hold {
    dispense_id: Uuid,
    quantity: Decimal,
}

impl Balance {
    /// What was prescribed is what the first event of the medication request says.
    const fn opened_by(hold: &HoldCreated) -> Self {
        let prescribed = hold.prescribed.decimal();
        Self { prescribed, processed: Decimal::ZERO, holds: Vec::new(), position: 0 }
    }

    /// A hold counts until the log says that it is over, whatever the time.
    fn held(&self) -> Decimal {
        self.holds.iter().fold(Decimal::ZERO, |sum, hold| sum.saturating_add(hold.quantity))
    }

    /// Ends a hold; what it had taken, if it was there.
    fn end(&mut self, dispense: Uuid) -> Option<Decimal> {
        let at = self.holds.iter().position(|hold| hold.dispense_id == dispense)?;
        Some(self.holds.remove(at).quantity)
    }

    /// Counts an event, and judges what it leaves.
    fn count(&mut self, row: &LogRow, event: &DispenseEvent) -> Result<(), String> {
        let missing = || format!("dispense {} ends that never began", row.dispense_id);
        match event {
            DispenseEvent::HoldCreated(hold) => {
                self.holds.push(Hold { dispense_id: row.dispense_id, quantity: taken(hold) });
            }
            DispenseEvent::Processed(_) => {
                let taken = self.end(row.dispense_id).ok_or_else(missing)?;
                self.processed = self.processed.saturating_add(taken);
            }
            DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => {
                self.end(row.dispense_id).ok_or_else(missing)?;
            }
        }
        self.position = row.position;
        let (held, Self { prescribed, processed, .. }) = (self.held(), self);
        if processed.saturating_add(held) <= *prescribed {
            return Ok(());
        }
        Err(format!("held {held} and processed {processed} are more than prescribed {prescribed}"))
    }
}

/// How much a hold takes, all items together.
fn taken(hold: &HoldCreated) -> Decimal {
    let quantities = hold.items.iter().map(|item| item.quantity.decimal());
    quantities.fold(Decimal::ZERO, Decimal::saturating_add)
}

#[async_trait]
impl ReadModel for Balances {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[NAME]
    }

    /// A whole batch in two statements: the balances that it changes, as they were and as it left them.
    /// Between them it is judged event by event, so that what a later event mends is found as well.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        let mut balances = read(db, tables, partition, batch).await?;
        for row in batch {
            let event = row.event()?;
            let balance = match event {
                DispenseEvent::HoldCreated(hold) => Some(
                    balances.entry(row.aggregate_id).or_insert_with(|| Balance::opened_by(hold)),
                ),
                DispenseEvent::Processed(_)
                | DispenseEvent::Cancelled(_)
                | DispenseEvent::Expired(_) => balances.get_mut(&row.aggregate_id),
            };
            let counted = match balance {
                Some(balance) => balance.count(row, event),
                None => Err("its first event is no hold".to_owned()),
            };
            counted.map_err(|why| stop(row, &why))?;
        }
        write(db, tables, partition, &balances).await
    }
}

/// An event after which the log cannot be right.
fn stop(row: &LogRow, why: &str) -> sqlx::Error {
    let LogRow { partition, position, aggregate_id, .. } = row;
    let says = format!("medication request {aggregate_id} at {partition}:{position}: {why}");
    sqlx::Error::Decode(says.into())
}

/// LIMIT keeps the planner from turning the look-ups into a scan.
const READ: &str = "
SELECT b.medication_request_id, b.prescribed, b.processed, b.holds, b.position
FROM UNNEST($2::uuid[]) AS u (id)
CROSS JOIN LATERAL (
    SELECT v.medication_request_id, v.prescribed, v.processed, v.holds, v.position
    FROM {balances} v WHERE v.partition = $1 AND v.medication_request_id = u.id LIMIT 1
) b";

/// The balances that a batch changes, as they were before it.
async fn read(
    db: &mut PgConnection,
    tables: &Tables,
    partition: i16,
    batch: &[LogRow],
) -> Result<BTreeMap<Uuid, Balance>, sqlx::Error> {
    let mut ids: Vec<Uuid> = batch.iter().map(|row| row.aggregate_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let statement = READ.replace("{balances}", &tables.name(NAME));
    let rows = sqlx::query(&statement).bind(partition).bind(ids).fetch_all(db).await?;
    let mut balances = BTreeMap::new();
    for row in rows {
        let balance = Balance {
            prescribed: row.try_get("prescribed")?,
            processed: row.try_get("processed")?,
            holds: row.try_get::<Json<Vec<Hold>>, _>("holds")?.0,
            position: row.try_get("position")?,
        };
        balances.insert(row.try_get("medication_request_id")?, balance);
    }
    Ok(balances)
}

const WRITE: &str = "
INSERT INTO {balances} AS b
    (partition, medication_request_id, prescribed, held, processed, holds, position)
SELECT $1, u.medication_request_id, u.prescribed, u.held, u.processed, u.holds, u.position
FROM UNNEST($2::uuid[], $3::numeric[], $4::numeric[], $5::numeric[], $6::jsonb[], $7::bigint[])
     AS u (medication_request_id, prescribed, held, processed, holds, position)
ON CONFLICT (partition, medication_request_id) DO UPDATE
SET held = excluded.held, processed = excluded.processed, holds = excluded.holds,
    position = excluded.position";

async fn write(
    db: &mut PgConnection,
    tables: &Tables,
    partition: i16,
    balances: &BTreeMap<Uuid, Balance>,
) -> Result<(), sqlx::Error> {
    let all = || balances.values();
    sqlx::query(&WRITE.replace("{balances}", &tables.name(NAME)))
        .bind(partition)
        .bind(balances.keys().copied().collect::<Vec<_>>())
        .bind(all().map(|it| it.prescribed).collect::<Vec<_>>())
        .bind(all().map(Balance::held).collect::<Vec<_>>())
        .bind(all().map(|it| it.processed).collect::<Vec<_>>())
        .bind(all().map(|it| Json(&it.holds)).collect::<Vec<_>>())
        .bind(all().map(|it| it.position).collect::<Vec<_>>())
        .execute(db)
        .await
        .map(|_| ())
}
