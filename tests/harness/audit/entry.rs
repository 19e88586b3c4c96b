//! Rows of the log as they are stored.

use chrono::{DateTime, Utc};
use dispense_audit::chain::Hash;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// A row of `events`.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) aggregate_type: String,
    pub(crate) request: Uuid,
    pub(crate) sequence: i64,
    pub(crate) kind: String,
    pub(crate) version: String,
    pub(crate) payload: Value,
    pub(crate) payload_text: String,
    pub(crate) metadata: String,
    pub(crate) partition: u16,
    pub(crate) position: i64,
    pub(crate) event_id: Uuid,
    pub(crate) dispense: Uuid,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) hash: Hash,
    /// The transaction that wrote it: rows of one commit have the same.
    pub(crate) transaction: String,
}

/// Where a partition ends, and where its chain began.
pub(crate) struct Head {
    pub(crate) partition: u16,
    pub(crate) position: i64,
    pub(crate) hash: Hash,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) log_id: Uuid,
    pub(crate) partitions: u16,
}

fn unsigned(number: i16) -> u16 {
    number.try_into().unwrap()
}

/// Every event, by partition and position.
pub(super) async fn entries(db: &mut PgConnection) -> Vec<Entry> {
    let rows = sqlx::query(
        "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload::text AS payload, metadata::text AS metadata, partition, position, event_id,
                dispense_id, recorded_at, hash, xmin::text AS transaction
         FROM events ORDER BY partition, position",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let entry = |row: &sqlx::postgres::PgRow| {
        let payload_text: String = row.get("payload");
        Entry {
            aggregate_type: row.get("aggregate_type"),
            request: row.get::<String, _>("aggregate_id").parse().unwrap(),
            sequence: row.get("sequence"),
            kind: row.get("event_type"),
            version: row.get("event_version"),
            payload: serde_json::from_str(&payload_text).unwrap(),
            payload_text,
            metadata: row.get("metadata"),
            partition: unsigned(row.get("partition")),
            position: row.get("position"),
            event_id: row.get("event_id"),
            dispense: row.get("dispense_id"),
            recorded_at: row.get("recorded_at"),
            hash: row.get::<Vec<u8>, _>("hash").try_into().unwrap(),
            transaction: row.get("transaction"),
        }
    };
    rows.iter().map(entry).collect()
}

/// The end of each partition.
pub(super) async fn heads(db: &mut PgConnection) -> Vec<Head> {
    let rows = sqlx::query(
        "SELECT h.partition, h.position, h.hash, h.recorded_at, s.log_id, s.partitions
         FROM log_head h CROSS JOIN log_settings s ORDER BY h.partition",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let head = |row: &sqlx::postgres::PgRow| Head {
        partition: unsigned(row.get("partition")),
        position: row.get("position"),
        hash: row.get::<Vec<u8>, _>("hash").try_into().unwrap(),
        recorded_at: row.get("recorded_at"),
        log_id: row.get("log_id"),
        partitions: unsigned(row.get("partitions")),
    };
    rows.iter().map(head).collect()
}

impl Entry {
    /// An amount in the payload, which is a string so that it stays exact.
    pub(super) fn amount(value: &Value) -> Decimal {
        value.as_str().unwrap_or_else(|| panic!("not an exact amount: {value}")).parse().unwrap()
    }

    /// An instant in the payload.
    pub(super) fn instant(&self, member: &str) -> Option<DateTime<Utc>> {
        Some(self.payload.get(member)?.as_str()?.parse().unwrap())
    }
}
