//! The hash chain: canonical bytes of a row, and the hash that follows from it.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// A row of the log, in the order of its columns; the hash is what follows.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are those of the columns of events")]
pub struct Row<'a> {
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    /// The text of the column, byte for byte.
    pub payload: &'a str,
    /// The text of the column, byte for byte.
    pub metadata: &'a str,
    pub partition: u16,
    pub position: i64,
    pub event_id: Uuid,
    pub dispense_id: Uuid,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub recorded_at: i64,
}

/// The hash before the first row of a partition: SHA-256(log id ‖ partition ‖ partitions), the
/// numbers as two bytes, most significant first.
#[must_use]
pub fn first(log_id: Uuid, partition: u16, partitions: u16) -> Hash {
    let mut hash = Sha256::new();
    hash.update(log_id.as_bytes());
    hash.update(partition.to_be_bytes());
    hash.update(partitions.to_be_bytes());
    hash.finalize().into()
}

/// The hash of a row: SHA-256(previous ‖ canonical bytes).
#[must_use]
pub fn next(previous: &Hash, row: &Row<'_>) -> Hash {
    let mut columns = Columns::after(previous);
    columns.text(row.aggregate_type);
    columns.text(row.aggregate_id);
    columns.number(row.sequence);
    columns.text(row.event_type);
    columns.text(row.event_version);
    columns.text(row.payload);
    columns.text(row.metadata);
    columns.number(row.partition.into());
    columns.number(row.position);
    columns.id(row.event_id);
    columns.id(row.dispense_id);
    columns.number(row.recorded_at);
    columns.hash()
}

/// Canonical bytes, column after column: the length as four bytes, most significant first, then the
/// bytes. Text is UTF-8, a number is a signed 64-bit integer, most significant byte first, and an
/// id is its 16 bytes.
#[derive(Clone)]
pub struct Columns(Sha256);

impl Columns {
    /// Begins with the previous hash.
    #[must_use]
    pub fn after(previous: &Hash) -> Self {
        let mut hash = Sha256::new();
        hash.update(previous);
        Self(hash)
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // No column comes near four gigabytes; a longer one would hash as the longest.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds a number.
    pub fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    /// Adds an id.
    pub fn id(&mut self, id: Uuid) {
        self.bytes(id.as_bytes());
    }

    /// The hash of it all.
    #[must_use]
    pub fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'_> = Row {
        aggregate_type: "dispense",
        aggregate_id: "9a3b2c1d-0000-4000-8000-000000000001",
        sequence: 1,
        event_type: "Expired",
        event_version: "1.0",
        payload: r#"{"type":"Expired"}"#,
        metadata: r#"{"user":"system"}"#,
        partition: 3,
        position: 7,
        event_id: Uuid::from_u128(1),
        dispense_id: Uuid::from_u128(2),
        recorded_at: 1_700_000_000_000_001,
    };

    #[test]
    fn the_vectors_of_the_documentation_hold() {
        let first = first(Uuid::from_u128(0x0123_4567_89ab_cdef), 3, 4);
        assert_eq!(
            hex::encode(first),
            "15265a026f0a2756a812fb8c94809888e88bfe11bb69559c4cda8ab66bd06edb",
            "docs/audit.md"
        );
        assert_eq!(
            hex::encode(next(&first, &ROW)),
            "2590e3ffc2c327dfc152011aeede11bdc1537e958c422478c8b0e946ed54e686",
            "docs/audit.md"
        );
    }

    #[test]
    fn every_column_counts() {
        let previous = [7; 32];
        let hash = next(&previous, &ROW);
        let others = [
            Row { aggregate_type: "other", ..ROW },
            Row { aggregate_id: "other", ..ROW },
            Row { sequence: 2, ..ROW },
            Row { event_type: "Processed", ..ROW },
            Row { event_version: "1.1", ..ROW },
            Row { payload: "{}", ..ROW },
            Row { metadata: "{}", ..ROW },
            Row { partition: 4, ..ROW },
            Row { position: 8, ..ROW },
            Row { event_id: Uuid::from_u128(3), ..ROW },
            Row { dispense_id: Uuid::from_u128(3), ..ROW },
            Row { recorded_at: 1, ..ROW },
        ];
        for other in others {
            assert_ne!(next(&previous, &other), hash, "{other:?}");
        }
        assert_ne!(next(&[8; 32], &ROW), hash);
    }

    #[test]
    fn text_cannot_move_from_one_column_to_the_next() {
        let (left, right) = (
            Row { event_type: "ab", event_version: "c", ..ROW },
            Row { event_type: "a", event_version: "bc", ..ROW },
        );
        assert_ne!(next(&[0; 32], &left), next(&[0; 32], &right));
    }
}
