//! Read model `open_holds`: what the sweep looks through.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispense_domain::DispenseEvent;
use sqlx::PgConnection;

use crate::follow::{LogRow, ReadModel};

/// Keeps `open_holds` up to date.
#[derive(Debug, Clone, Copy)]
pub struct OpenHolds;

#[async_trait]
impl ReadModel for OpenHolds {
    fn name(&self) -> &'static str {
        "open_holds"
    }

    /// A whole batch in two statements: what it opened and left open, and what it ended.
    async fn apply(&self, db: &mut PgConnection, batch: &[LogRow]) -> Result<(), sqlx::Error> {
        let (mut opened, mut ended) = (BTreeMap::new(), Vec::new());
        for row in batch {
            let dispense = row.event.dispense_id();
            match &row.event {
                DispenseEvent::HoldCreated(hold) => {
                    if let Some(expires_at) = hold.expires_at {
                        opened.insert(dispense, (row.aggregate_id, expires_at));
                    }
                }
                DispenseEvent::Processed(_)
                | DispenseEvent::Cancelled(_)
                | DispenseEvent::Expired(_) => {
                    if opened.remove(&dispense).is_none() {
                        ended.push(dispense.uuid());
                    }
                }
            }
        }
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        if !opened.is_empty() {
            let ids: Vec<_> = opened.keys().map(|id| id.uuid()).collect();
            let (requests, ends): (Vec<_>, Vec<_>) = opened.into_values().unzip();
            sqlx::query(
                "INSERT INTO open_holds_v1
                     (partition, dispense_id, medication_request_id, expires_at)
                 SELECT $1, u.dispense_id, u.medication_request_id, u.expires_at
                 FROM UNNEST($2::uuid[], $3::uuid[], $4::timestamptz[])
                      AS u (dispense_id, medication_request_id, expires_at)",
            )
            .bind(partition)
            .bind(ids)
            .bind(requests)
            .bind(ends)
            .execute(&mut *db)
            .await?;
        }
        if !ended.is_empty() {
            sqlx::query("DELETE FROM open_holds_v1 WHERE partition = $1 AND dispense_id = ANY($2)")
                .bind(partition)
                .bind(ended)
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }
}
