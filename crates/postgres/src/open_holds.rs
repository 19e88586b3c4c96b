//! Read model `open_holds`: what the sweep looks through.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispense_domain::DispenseEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::follow::{LogRow, ReadModel, Tables};

/// Its name, which is that of its view and its follower.
const NAME: &str = "open_holds";

/// Keeps `open_holds` up to date.
#[derive(Debug, Clone, Copy)]
pub struct OpenHolds;

#[async_trait]
impl ReadModel for OpenHolds {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[NAME]
    }

    /// A whole batch in two statements: what it opened and left open, and what it ended.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let (mut opened, mut ended) = (BTreeMap::new(), Vec::new());
        for row in batch {
            match row.event()? {
                // One that was processed at once has no end.
                DispenseEvent::HoldCreated(hold) => {
                    if let Some(expires_at) = hold.expires_at {
                        opened.insert(row.dispense_id, (row.aggregate_id, expires_at));
                    }
                }
                DispenseEvent::Processed(_)
                | DispenseEvent::Cancelled(_)
                | DispenseEvent::Expired(_) => {
                    if opened.remove(&row.dispense_id).is_none() {
                        ended.push(row.dispense_id);
                    }
                }
            }
        }
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        let open_holds = tables.name(NAME);
        if !opened.is_empty() {
            let ids: Vec<Uuid> = opened.keys().copied().collect();
            let (requests, ends): (Vec<_>, Vec<_>) = opened.into_values().unzip();
            sqlx::query(&format!(
                "INSERT INTO {open_holds}
                     (partition, dispense_id, medication_request_id, expires_at)
                 SELECT $1, u.dispense_id, u.medication_request_id, u.expires_at
                 FROM UNNEST($2::uuid[], $3::uuid[], $4::timestamptz[])
                      AS u (dispense_id, medication_request_id, expires_at)",
            ))
            .bind(partition)
            .bind(ids)
            .bind(requests)
            .bind(ends)
            .execute(&mut *db)
            .await?;
        }
        if !ended.is_empty() {
            let deleting =
                format!("DELETE FROM {open_holds} WHERE partition = $1 AND dispense_id = ANY($2)");
            sqlx::query(&deleting).bind(partition).bind(ended).execute(&mut *db).await?;
        }
        Ok(())
    }
}
