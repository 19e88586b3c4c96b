//! What a follower keeps: tables for one question, filled from the log and from nothing else.

use std::sync::OnceLock;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispense_audit::chain::Hash;
use dispense_domain::DispenseEvent;
use sqlx::PgConnection;
use uuid::Uuid;

/// An event as followers see it.
#[derive(Debug)]
pub struct LogRow {
    /// Its partition.
    pub partition: u16,
    /// Its place in the partition.
    pub position: i64,
    /// The hash of its row.
    pub hash: Hash,
    /// The medication request.
    pub aggregate_id: Uuid,
    /// The dispense.
    pub dispense_id: Uuid,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What kind of event it is.
    pub event_type: String,
    payload: String,
    event: OnceLock<DispenseEvent>,
}

impl LogRow {
    /// What happened. It is read once, for all models that are kept together.
    ///
    /// # Errors
    ///
    /// The payload is no such event.
    pub fn event(&self) -> Result<&DispenseEvent, sqlx::Error> {
        if let Some(event) = self.event.get() {
            return Ok(event);
        }
        let event = DispenseEvent::from_json(&self.payload);
        let event = event.map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(self.event.get_or_init(|| event))
    }

    /// As much of the payload as `T` asks for: a model that is kept alone and needs two members of an
    /// event does not pay for the rest.
    ///
    /// # Errors
    ///
    /// The event has no such members.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, sqlx::Error> {
        serde_json::from_str(&self.payload).map_err(|error| sqlx::Error::Decode(error.into()))
    }
}

/// What the log has of an event, before it is a [`LogRow`].
pub(super) struct Stored {
    pub(super) partition: u16,
    pub(super) position: i64,
    pub(super) hash: Hash,
    pub(super) aggregate_id: Uuid,
    pub(super) dispense_id: Uuid,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) event_type: String,
    pub(super) payload: String,
}

impl From<Stored> for LogRow {
    fn from(stored: Stored) -> Self {
        let Stored { partition, position, hash, aggregate_id, dispense_id, .. } = stored;
        let Stored { recorded_at, event_type, payload, .. } = stored;
        Self {
            partition,
            position,
            hash,
            aggregate_id,
            dispense_id,
            recorded_at,
            event_type,
            payload,
            event: OnceLock::new(),
        }
    }
}

/// Where a read model is written: the version that is read now, one that is rebuilt beside it, or a
/// schema of its own, where the past is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    schema: Option<String>,
    version: i32,
}

impl Tables {
    /// Version `version` of the tables, where queries find them.
    #[must_use]
    pub const fn of_version(version: i32) -> Self {
        Self { schema: None, version }
    }

    /// The same tables in a schema of their own. Its name is ours, never a caller's.
    #[must_use]
    pub const fn in_schema(schema: String, version: i32) -> Self {
        Self { schema: Some(schema), version }
    }

    /// Which version they are.
    #[must_use]
    pub const fn version(&self) -> i32 {
        self.version
    }

    /// The name of a table in SQL: `dispenses` becomes `dispenses_v1`.
    #[must_use]
    pub fn name(&self, table: &str) -> String {
        let version = self.version;
        match &self.schema {
            None => format!("{table}_v{version}"),
            Some(schema) => format!("\"{schema}\".{table}_v{version}"),
        }
    }
}

/// Tables that a follower keeps, for one question.
#[async_trait]
pub trait ReadModel: Send + Sync + 'static {
    /// Its name, which is that of its follower.
    fn name(&self) -> &'static str;

    /// Its tables, without their version. Each has a view of that name, which queries read.
    fn tables(&self) -> &'static [&'static str];

    /// Applies a whole batch in a few statements, whatever its length. What follows depends on the
    /// events and on what is in the tables, and on nothing else: a rebuild brings the same rows.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error>;

    /// Applies a batch to tables that are filled from the beginning, and that nobody reads yet: the same
    /// rows as [`ReadModel::apply`] brings, by a faster way where there is one. Of their indexes only
    /// the unique ones are there.
    async fn load(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        self.apply(db, tables, batch).await
    }

    /// Looks at a batch that was applied where it is followed for the first time, and not in a
    /// rebuild: for what is counted, and not kept.
    async fn notice(
        &self,
        _db: &mut PgConnection,
        _tables: &Tables,
        _batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        Ok(())
    }
}
