//! Decided events as rows: numbered, chained, and laid out column by column.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispensary::{LogPosition, Origin, Recorded};
use dispense_audit::chain::{self, Row};
use dispense_domain::{DispenseEvent, MedicationRequestId, UserId};
use uuid::Uuid;

use crate::folded::End;
use crate::settings::{RULES_VERSION, SERVICE_VERSION};

/// The actor of what nobody asked for: the end of a hold.
pub(crate) const SYSTEM_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0001);

/// Who brings what the registries announce: their messages name no user.
pub(crate) const STREAM_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0002);

/// The rows of a batch, column by column, as the insert takes them.
#[derive(Debug, Default)]
pub(crate) struct NewRows {
    pub(crate) aggregate_ids: Vec<String>,
    pub(crate) sequences: Vec<i64>,
    pub(crate) event_types: Vec<&'static str>,
    pub(crate) event_versions: Vec<&'static str>,
    pub(crate) payloads: Vec<String>,
    pub(crate) metadata: Vec<String>,
    pub(crate) positions: Vec<i64>,
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) dispense_ids: Vec<Uuid>,
    pub(crate) hashes: Vec<Vec<u8>>,
    pub(crate) body_positions: Vec<i64>,
    pub(crate) bodies: Vec<Arc<str>>,
}

/// An event with its texts.
#[derive(Debug)]
pub(crate) struct Written {
    event: DispenseEvent,
    payload: String,
    metadata: BTreeMap<String, String>,
    metadata_text: String,
}

impl Written {
    /// Writes an event out.
    pub(crate) fn out(
        event: DispenseEvent,
        metadata: BTreeMap<String, String>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            payload: serde_json::to_string(&event)?,
            metadata_text: serde_json::to_string(&metadata)?,
            event,
            metadata,
        })
    }
}

/// Where and when the next event is written.
#[derive(Debug)]
pub(crate) struct Appender {
    partition: u16,
    at: DateTime<Utc>,
    /// Where the log ends with what was added.
    pub(crate) end: End,
    pub(crate) rows: NewRows,
}

impl Appender {
    pub(crate) fn after(partition: u16, end: End, at: DateTime<Utc>) -> Self {
        Self { partition, at, end, rows: NewRows::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.positions.is_empty()
    }

    /// The place that the log has reached.
    pub(crate) const fn place(&self) -> LogPosition {
        LogPosition { partition: self.partition, position: self.end.position }
    }

    /// Adds an event as the next row.
    pub(crate) fn add(
        &mut self,
        request: MedicationRequestId,
        sequence: i64,
        written: Written,
    ) -> Recorded {
        let Written { event, payload, metadata, metadata_text } = written;
        let aggregate_id = request.to_string();
        let dispense_id = event.dispense_id();
        let event_id = dispense_id.event_id(event.name());
        let position = self.end.position + 1;
        let hash = chain::next(
            &self.end.hash,
            &Row {
                aggregate_type: "dispense",
                aggregate_id: &aggregate_id,
                sequence,
                event_type: event.name(),
                event_version: event.version(),
                payload: &payload,
                metadata: &metadata_text,
                partition: self.partition,
                position,
                event_id,
                dispense_id: dispense_id.uuid(),
                recorded_at: self.at.timestamp_micros(),
            },
        );
        self.end = End { position, hash };
        let body = event.personal().and_then(|personal| personal.text().cloned());
        let rows = &mut self.rows;
        rows.aggregate_ids.push(aggregate_id);
        rows.sequences.push(sequence);
        rows.event_types.push(event.name());
        rows.event_versions.push(event.version());
        rows.payloads.push(payload);
        rows.metadata.push(metadata_text);
        rows.positions.push(position);
        rows.event_ids.push(event_id);
        rows.dispense_ids.push(dispense_id.uuid());
        rows.hashes.push(hash.to_vec());
        if let Some(body) = &body {
            rows.body_positions.push(position);
            rows.bodies.push(body.clone());
        }
        Recorded {
            place: self.place(),
            sequence,
            event_id,
            recorded_at: self.at,
            event,
            body,
            metadata,
        }
    }
}

/// Who, for whom, and which request. The end of a hold is the service's own doing, whoever's command
/// it was recorded with.
pub(crate) fn metadata(
    origin: &Origin,
    event: &DispenseEvent,
    registry_version: i64,
) -> BTreeMap<String, String> {
    let by_itself = matches!(event, DispenseEvent::Expired(_));
    let user = if by_itself { UserId::from(SYSTEM_USER) } else { origin.user };
    let mut metadata = BTreeMap::from([
        ("user".to_owned(), user.to_string()),
        ("request_id".to_owned(), origin.request_id.to_string()),
        ("rules_version".to_owned(), RULES_VERSION.to_owned()),
        ("registry_version".to_owned(), registry_version.to_string()),
        ("service_version".to_owned(), SERVICE_VERSION.to_owned()),
    ]);
    if let (Some(client), false) = (origin.client, by_itself) {
        metadata.insert("client".to_owned(), client.to_string());
    }
    if let (Some(client_type), false) = (origin.client_type, by_itself) {
        metadata.insert("client_type".to_owned(), client_type.to_string());
    }
    if let Some(traceparent) = &origin.traceparent {
        metadata.insert("traceparent".to_owned(), traceparent.to_string());
    }
    metadata
}
