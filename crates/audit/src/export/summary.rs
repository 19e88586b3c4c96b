//! What a whole export holds.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::chain::Hash;

/// What was found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The log.
    pub log_id: Uuid,
    /// Its epoch, as the export says; nothing proves it but checkpoints of that epoch.
    pub epoch: u64,
    /// Its partitions.
    pub partitions: Vec<PartitionSummary>,
    /// How many erasures it had.
    pub erasures: u64,
}

/// What was found whole in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSummary {
    /// Which one.
    pub partition: u16,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them a checkpoint covers, in the export or kept elsewhere. Whoever owns the
    /// database could still change the others, and recompute what follows.
    pub covered: u64,
    /// How many erasures its checkpoints cover.
    pub erasures_covered: u64,
    /// How many checkpoints of it the export has.
    pub checkpoints: u64,
    /// How many medication requests have events in it.
    pub medication_requests: u64,
    /// The hash of its last row.
    pub hash: Hash,
    /// The root of the Merkle tree over all rows.
    pub root: Hash,
    /// The names of the trusted keys that signed its checkpoints.
    pub signed_by: BTreeSet<String>,
}

impl Summary {
    /// How many erasures a checkpoint covers.
    #[must_use]
    pub fn erasures_covered(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.erasures_covered).max().unwrap_or_default()
    }

    /// How many rows all partitions have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows).sum()
    }

    /// How many of them a checkpoint covers.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.covered).sum()
    }

    /// How many medication requests have events.
    #[must_use]
    pub fn medication_requests(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.medication_requests).sum()
    }

    /// How many checkpoints the export has.
    #[must_use]
    pub fn checkpoints(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.checkpoints).sum()
    }
}
