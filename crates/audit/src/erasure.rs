//! The chain of erasure records: what was erased of whom, when and why, so that a body that is
//! missing without a record is seen as a loss, and a record cannot be made up later.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::chain::{Columns, Hash};

/// A row of `erasures`, in the order of its columns; the hash is what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the columns of erasures")]
pub struct Erasure<'a> {
    /// Counts from 1, without gaps.
    pub number: i64,
    /// `person` or `party`.
    pub kind: &'a str,
    pub id: Uuid,
    pub reason: &'a str,
    pub by_user: &'a str,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The text of the column, byte for byte: a list of the places that were emptied, and of those
    /// that were kept, with the reason.
    pub places: &'a str,
}

/// The hash before the first erasure: SHA-256("erasure" ‖ log id).
#[must_use]
pub fn first(log_id: Uuid) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"erasure");
    hash.update(log_id.as_bytes());
    hash.finalize().into()
}

/// The hash of an erasure: SHA-256(previous ‖ its columns), as that of a row of the log.
#[must_use]
pub fn next(previous: &Hash, erasure: &Erasure<'_>) -> Hash {
    let mut columns = Columns::after(previous);
    columns.number(erasure.number);
    columns.text(erasure.kind);
    columns.id(erasure.id);
    columns.text(erasure.reason);
    columns.text(erasure.by_user);
    columns.number(erasure.at);
    columns.text(erasure.places);
    columns.hash()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERASURE: Erasure<'_> = Erasure {
        number: 1,
        kind: "person",
        id: Uuid::from_u128(1),
        reason: "asked for by letter 17",
        by_user: "9a3b2c1d-0000-4000-8000-000000000001",
        at: 1_700_000_000_000_001,
        places: r#"[{"place":"personal_bodies","partition":0,"position":12}]"#,
    };

    #[test]
    fn the_vectors_of_the_documentation_hold() {
        let first = first(Uuid::from_u128(0x0123_4567_89ab_cdef));
        assert_eq!(
            hex::encode(first),
            "164b50a82599e28f6334be31ea24318bdf1941c43229b3694ee2476d95548ddb",
            "docs/audit.md"
        );
        assert_eq!(
            hex::encode(next(&first, &ERASURE)),
            "455d3f88c42708fac4b40e17e30d601e702d19f2702da8f6b9c122042c5ff3b8",
            "docs/audit.md"
        );
    }

    #[test]
    fn every_column_counts() {
        let previous = [7; 32];
        let hash = next(&previous, &ERASURE);
        let others = [
            Erasure { number: 2, ..ERASURE },
            Erasure { kind: "party", ..ERASURE },
            Erasure { id: Uuid::from_u128(2), ..ERASURE },
            Erasure { reason: "other", ..ERASURE },
            Erasure { by_user: "other", ..ERASURE },
            Erasure { at: 1, ..ERASURE },
            Erasure { places: "[]", ..ERASURE },
        ];
        for other in others {
            assert_ne!(next(&previous, &other), hash, "{other:?}");
        }
        assert_ne!(next(&[8; 32], &ERASURE), hash);
    }
}
