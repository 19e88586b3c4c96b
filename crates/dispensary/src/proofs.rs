//! What the log can prove: checkpoints that were signed, and the ways through the tree.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{Dispensary, LogPosition, Unavailable};

/// A hash of the chain or of the tree over it.
pub type LogHash = [u8; 32];

/// What the service signed that a partition was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The partition.
    pub partition: u16,
    /// Its number in the partition, from 1.
    pub number: i64,
    /// How many rows it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: LogHash,
    /// Of the log; raised when it lost its tail and went on.
    pub epoch: u64,
    /// How many erasures it covers.
    pub erasures: u64,
    /// The signed note, letter by letter.
    pub note: Arc<str>,
    /// The id of the key that signed it.
    pub signed_by: [u8; 4],
    /// When it was signed.
    pub at: DateTime<Utc>,
}

/// The proof that a row is in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The row.
    pub place: LogPosition,
    /// SHA-256(0x00 ‖ the hash of the row).
    pub leaf: LogHash,
    /// The size of the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: LogHash,
    /// The hashes beside the way from the leaf to the root.
    pub path: Vec<LogHash>,
    /// The checkpoint that says the same of this size, if one does.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// The proof that one tree begins with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    /// The partition.
    pub partition: u16,
    /// The size of the older tree, and its root.
    pub from: (u64, LogHash),
    /// The size of the newer tree, and its root.
    pub to: (u64, LogHash),
    /// The hashes that lead from one to the other.
    pub path: Vec<LogHash>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The log has no such partition.
    #[error("there is no such partition; the log has {partitions}, from 0")]
    NoPartition {
        /// How many it has.
        partitions: u16,
    },
    /// A size or a position lies beyond what there is.
    #[error("the largest is {largest}")]
    Beyond {
        /// What was asked.
        asked: Asked,
        /// The largest that can be asked.
        largest: u64,
    },
    /// The log is not what a checkpoint says.
    #[error("log-diverged: {0}")]
    Diverged(String),
    /// Something outside does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What was asked that lies beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A row.
    Position,
    /// The size of a tree.
    Size,
    /// The size of the older tree.
    From,
    /// The size of the newer tree.
    To,
}

/// What the log itself says of a row, worked out anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvedRow {
    /// The row.
    pub place: LogPosition,
    /// Whether its hash follows from its columns and from the hash of the row before it.
    pub is_chained: bool,
    /// Whether the latest checkpoint covers it as it is.
    pub covered: Covered,
}

/// Whether a checkpoint covers a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// The row is in the tree of that size, with the root that was signed.
    Within {
        /// How many rows the checkpoint covers.
        size: u64,
    },
    /// It is not, although the checkpoint is larger; or the checkpoint itself is not believed.
    Not,
    /// No checkpoint is as large yet.
    NotYet,
    /// None are signed here.
    NoKey,
}

impl Dispensary {
    /// What the log can prove.
    #[must_use]
    pub fn proofs(&self) -> &dyn Proofs {
        &*self.proofs
    }
}

/// Proofs of the log.
#[async_trait]
pub trait Proofs: Send + Sync {
    /// The key that verifies checkpoints, as a line of text; none if none are signed here.
    fn verifier_key(&self) -> Option<&str>;

    /// The latest checkpoint of each partition that has one.
    async fn latest(&self) -> Result<Vec<SignedCheckpoint>, Unavailable>;

    /// The checkpoints of a partition before that number, the newest first, at most so many.
    async fn checkpoints(
        &self,
        partition: u16,
        before: Option<i64>,
        most: u16,
    ) -> Result<Vec<SignedCheckpoint>, NoProof>;

    /// The proof that a row is in the tree of that size; of the latest checkpoint where none is named,
    /// and of what there is where that does not cover it.
    async fn inclusion(&self, row: LogPosition, size: Option<u64>) -> Result<Inclusion, NoProof>;

    /// The proof that the tree of size `to` begins with that of size `from`; `to` is the latest
    /// checkpoint's where none is named.
    async fn consistency(
        &self,
        partition: u16,
        from: u64,
        to: Option<u64>,
    ) -> Result<Consistency, NoProof>;

    /// Looks at those rows of a partition anew; one that is not there is left out.
    async fn rows(&self, partition: u16, positions: &[i64]) -> Result<Vec<ProvedRow>, Unavailable>;
}
