//! The moment of a list: every page of a walk shows what was there when its first page was asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{LogPosition, LogPositions, QueryError, Unavailable};

/// What a list looks at: the log up to those positions, at that instant. What is recorded while
/// somebody turns pages neither shifts nor changes what the next ones show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of the tables that are looked through.
    pub version: i32,
    /// Up to where each partition counts, in their order.
    pub positions: Vec<i64>,
    /// The instant for which holds run out: not before anything that counts.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
}

impl Snapshot {
    /// The same, as callers are told.
    #[must_use]
    pub fn log_positions(&self) -> LogPositions {
        let places = (0..).zip(&self.positions);
        places.map(|(partition, position)| LogPosition { partition, position: *position }).collect()
    }

    /// Whether what counts can still be looked at: in tables of that version, which have been read as
    /// far.
    #[must_use]
    pub fn is_within(&self, now: &Self) -> bool {
        let each = || self.positions.iter().zip(&now.positions);
        self.version == now.version
            && self.positions.len() == now.positions.len()
            && each().all(|(then, now)| then <= now)
    }
}

/// Why a list has no page.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The moment of the list cannot be looked at any more: its tables were replaced, or the log lost
    /// its tail.
    #[error("the list that this cursor belongs to is gone")]
    Gone,
    /// As with every question.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl From<Unavailable> for ListError {
    fn from(silent: Unavailable) -> Self {
        Self::Query(silent.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(version: i32, positions: &[i64]) -> Snapshot {
        Snapshot { version, positions: positions.to_vec(), at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_moment_can_be_looked_at_while_its_tables_are_there_and_the_log_has_its_tail() {
        let then = snapshot(1, &[5, 0, 7]);
        assert!(then.is_within(&then));
        assert!(then.is_within(&snapshot(1, &[5, 3, 900])));
        assert!(!then.is_within(&snapshot(2, &[5, 3, 900])), "the tables were replaced");
        assert!(!then.is_within(&snapshot(1, &[4, 3, 900])), "the log lost its tail");
        assert!(!then.is_within(&snapshot(1, &[5, 3])), "the log is divided otherwise");
    }

    #[test]
    fn callers_are_told_each_partition() {
        assert_eq!(snapshot(1, &[5, 0, 7]).log_positions().to_string(), "0:5,1:0,2:7");
    }
}
