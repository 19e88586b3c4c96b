//! A line of an export: one event, or one erasure, as one JSON object that has one form only.
//!
//! The text of `payload`, `metadata` and `places` is what the log has, byte for byte, because the
//! hash covers it. Everything else has one spelling, so that a line can be compared by its bytes:
//! what is read is written again, and must be the same.

mod erasure;
mod member;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use erasure::{ErasureLine, read_erasure, write_erasure};
pub use member::{Unreadable, Unwritable};

use crate::chain::{Hash, Row};
use crate::instant;
use member::{Value, hash, id, members, write_members};

/// An event with its hash, as it stands on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the columns of events")]
pub struct Line<'a> {
    pub partition: u16,
    pub position: i64,
    pub sequence: i64,
    pub event_id: Uuid,
    pub event_type: &'a str,
    pub event_version: &'a str,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub recorded_at: i64,
    /// The id of the stream.
    pub medication_request_id: &'a str,
    pub dispense_id: Uuid,
    /// The text of the column, byte for byte.
    pub payload: &'a str,
    /// The text of the column, byte for byte.
    pub metadata: &'a str,
    pub hash: Hash,
}

impl<'a> Line<'a> {
    /// The row that the hash covers; every stream is one of dispenses.
    #[must_use]
    pub const fn row(&self) -> Row<'a> {
        Row {
            aggregate_type: "dispense",
            aggregate_id: self.medication_request_id,
            sequence: self.sequence,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: self.payload,
            metadata: self.metadata,
            partition: self.partition,
            position: self.position,
            event_id: self.event_id,
            dispense_id: self.dispense_id,
            recorded_at: self.recorded_at,
        }
    }
}

/// Appends the event as one line, without the line break.
///
/// # Errors
///
/// [`Unwritable`], for a row that the service does not write.
pub fn write(line: &Line<'_>, into: &mut String) -> Result<(), Unwritable> {
    let members = [
        ("{\"partition\":", Value::Number(line.partition.into())),
        (",\"position\":", Value::Number(line.position)),
        (",\"sequence\":", Value::Number(line.sequence)),
        (",\"eventId\":", Value::Id(line.event_id)),
        (",\"type\":", Value::Text(line.event_type)),
        (",\"version\":", Value::Text(line.event_version)),
        (",\"recordedAt\":", Value::Instant(line.recorded_at)),
        (",\"medicationRequestId\":", Value::Text(line.medication_request_id)),
        (",\"dispenseId\":", Value::Id(line.dispense_id)),
        (",\"payload\":", Value::Json(line.payload)),
        (",\"metadata\":", Value::Json(line.metadata)),
        (",\"hash\":", Value::Hash(line.hash)),
    ];
    write_members(&members, into)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members<'a> {
    partition: u16,
    position: i64,
    sequence: i64,
    event_id: &'a str,
    r#type: &'a str,
    version: &'a str,
    recorded_at: &'a str,
    medication_request_id: &'a str,
    dispense_id: &'a str,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    hash: &'a str,
}

/// Reads a line, without its line break, that [`write()`] wrote.
///
/// # Errors
///
/// [`Unreadable`], for any other bytes.
pub fn read(text: &str) -> Result<Line<'_>, Unreadable> {
    let found: Members<'_> = members(text)?;
    let line = Line {
        partition: found.partition,
        position: found.position,
        sequence: found.sequence,
        event_id: id("eventId", found.event_id)?,
        event_type: found.r#type,
        event_version: found.version,
        recorded_at: instant::read(found.recorded_at).ok_or(Unreadable::Member("recordedAt"))?,
        medication_request_id: found.medication_request_id,
        dispense_id: id("dispenseId", found.dispense_id)?,
        payload: found.payload.get(),
        metadata: found.metadata.get(),
        hash: hash(found.hash)?,
    };
    let mut again = String::with_capacity(text.len());
    write(&line, &mut again).map_err(|_| Unreadable::Form)?;
    if again == text { Ok(line) } else { Err(Unreadable::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Line<'_> = Line {
        partition: 3,
        position: 7,
        sequence: 1,
        event_id: Uuid::from_u128(1),
        event_type: "Expired",
        event_version: "1.0",
        recorded_at: 1_700_000_000_000_001,
        medication_request_id: "9a3b2c1d-0000-4000-8000-000000000001",
        dispense_id: Uuid::from_u128(2),
        payload: r#"{"type":"Expired"}"#,
        metadata: r#"{"user":"system"}"#,
        hash: [0xab; 32],
    };

    fn written(line: &Line<'_>) -> Result<String, Unwritable> {
        let mut text = String::new();
        write(line, &mut text).map(|()| text)
    }

    #[test]
    fn a_line_has_its_members_in_the_order_of_the_documentation() {
        assert_eq!(
            written(&LINE).unwrap(),
            concat!(
                r#"{"partition":3,"position":7,"sequence":1,"#,
                r#""eventId":"00000000-0000-0000-0000-000000000001","type":"Expired","#,
                r#""version":"1.0","recordedAt":"2023-11-14T22:13:20.000001Z","#,
                r#""medicationRequestId":"9a3b2c1d-0000-4000-8000-000000000001","#,
                r#""dispenseId":"00000000-0000-0000-0000-000000000002","#,
                r#""payload":{"type":"Expired"},"metadata":{"user":"system"},"#,
                r#""hash":"abababababababababababababababababababababababababababababababab"}"#,
            )
        );
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let odd = Line {
            payload: "{ \"a\" :\t1e0,\"a\":\"\\u0000\\ud83d\\ude00 \u{1f600}\" }",
            metadata: "[]",
            ..LINE
        };
        for line in [LINE, odd] {
            assert_eq!(read(&written(&line).unwrap()).unwrap(), line);
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        for (line, wrong) in [
            (Line { event_type: "a b", ..LINE }, Unwritable::Text("type")),
            (Line { event_version: "\"", ..LINE }, Unwritable::Text("version")),
            (Line { medication_request_id: "é", ..LINE }, Unwritable::Text("medicationRequestId")),
            (Line { payload: " {}", ..LINE }, Unwritable::Json("payload")),
            (Line { payload: "{}\n", ..LINE }, Unwritable::Json("payload")),
            (Line { payload: "{\n}", ..LINE }, Unwritable::Json("payload")),
            (Line { metadata: "", ..LINE }, Unwritable::Json("metadata")),
            (Line { recorded_at: i64::MAX, ..LINE }, Unwritable::Instant("recordedAt")),
        ] {
            let mut text = "kept".to_owned();
            assert_eq!(write(&line, &mut text), Err(wrong));
            assert_eq!(text, "kept");
        }
    }

    #[test]
    fn a_line_has_no_second_form() {
        let text = written(&LINE).unwrap();
        let put = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        };
        for other in [
            String::new(),
            format!(" {text}"),
            format!("{text} "),
            format!("{text}\r"),
            format!("{text}{text}"),
            put(":3,", ": 3,"),
            put(":3,", ":3.0,"),
            put(":3,", ":03,"),
            put(":3,", ":-3,"),
            put(":3,", ":65536,"),
            put("\"partition\":3,\"position\":7,", "\"position\":7,\"partition\":3,"),
            put("\"position\":7,", "\"position\":7,\"position\":7,"),
            put("\"position\":7,", ""),
            put("\"position\":7,", "\"position\":7,\"more\":7,"),
            put("\"Expired\"", "\"\\u0045xpired\""),
            put(":{\"type\"", ": {\"type\""),
            put("},\"hash\"", "} ,\"hash\""),
            put("00000001\",\"type\"", "0000000A\",\"type\""),
            put("00000000-0000-0000-0000-000000000001", "00000000000000000000000000000001"),
            put("20.000001Z", "20.00000100Z"),
            put("abab", "ABAB"),
            put("abab", "ab"),
            put("{\"user\":\"system\"}", "{\"user\":}"),
        ] {
            assert!(read(&other).is_err(), "{other}");
        }
    }
}
