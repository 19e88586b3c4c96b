//! A read model of tests: a row for each event, and an event that it cannot apply.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use dispense_postgres::follow::{LogRow, ReadModel, Tables};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use crate::dispenses::told::Log;

/// No event stands there.
const NOWHERE: i64 = 0;

/// A row for each event.
#[derive(Clone)]
pub(super) struct Tally {
    name: &'static str,
    tables: &'static [&'static str],
    poison: Arc<AtomicI64>,
}

impl Tally {
    /// The model, with its table and its view.
    pub(super) async fn new(log: &Log, name: &'static str) -> Self {
        let admin = &log.database.admin;
        for statement in [
            format!(
                "CREATE TABLE {name}_v1 (
                     partition smallint, position bigint CHECK (position > 0),
                     dispense_id uuid NOT NULL, PRIMARY KEY (partition, position),
                     UNIQUE (dispense_id, position)
                 ) WITH (fillfactor = 70)"
            ),
            format!(
                "CREATE INDEX {name}_v1_dispense ON {name}_v1 (dispense_id) WHERE position > 1"
            ),
            format!("CREATE UNIQUE INDEX {name}_v1_one ON {name}_v1 (position, partition)"),
            format!("CREATE INDEX odd_{name} ON {name}_v1 ((position % 2) DESC)"),
            format!("CREATE VIEW {name} AS SELECT partition, position, dispense_id FROM {name}_v1"),
            format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {name}_v1 TO dispense_service"),
            format!("GRANT SELECT ON {name} TO dispense_service"),
        ] {
            admin.execute(&*statement).await.unwrap();
        }
        let tables = if name == "one" { &["one"] } else { &["other"] };
        Self { name, tables, poison: Arc::default() }
    }

    pub(super) fn model(&self) -> Arc<dyn ReadModel> {
        Arc::new(self.clone())
    }

    /// From now on it cannot apply the event at that position.
    pub(super) fn cannot_apply(&self, position: i64) {
        self.poison.store(position, Ordering::Relaxed);
    }

    /// It can apply everything.
    pub(super) fn is_mended(&self) {
        self.cannot_apply(NOWHERE);
    }

    /// It has read nothing.
    pub(super) async fn begins_again(&self, log: &Log) {
        let Self { name, .. } = self;
        for statement in [
            format!("TRUNCATE {name}_v1"),
            format!(
                "UPDATE followers SET position = 0, hash = (
                     SELECT hash FROM followers n WHERE n.position = 0 LIMIT 1)
                 WHERE name = '{name}' AND position > 0"
            ),
        ] {
            log.database.admin.execute(&*statement).await.unwrap();
        }
    }

    pub(super) async fn rows(&self, log: &Log) -> i64 {
        log.database.number(&format!("SELECT count(*) FROM {}", self.name)).await
    }

    pub(super) async fn position(&self, log: &Log, partition: u16) -> i64 {
        let asking = format!(
            "SELECT coalesce(max(position), 0) FROM followers
             WHERE name = '{}' AND partition = {partition}",
            self.name
        );
        log.database.number(&asking).await
    }
}

#[async_trait]
impl ReadModel for Tally {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tables(&self) -> &'static [&'static str] {
        self.tables
    }

    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = batch.iter().map(|row| row.dispense_id).collect();
        let positions: Vec<i64> = batch.iter().map(|row| row.position).collect();
        sqlx::query(&format!(
            "INSERT INTO {} SELECT $1, u.position, u.id
             FROM UNNEST($2::uuid[], $3::bigint[]) AS u (id, position)",
            tables.name(self.name)
        ))
        .bind(batch[0].partition.cast_signed())
        .bind(ids)
        .bind(&positions)
        .execute(db)
        .await?;
        // Only now, so that it would be seen if anything of a batch were kept that failed.
        let poison = self.poison.load(Ordering::Relaxed);
        if positions.contains(&poison) {
            return Err(sqlx::Error::Decode("no such thing".into()));
        }
        Ok(())
    }
}
