//! What registries said, and when: asked of the chain of their changes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispense_domain::Digest;
use dispense_domain::registry::RegistryKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Unavailable;

/// The most changes on a page.
pub const MOST_CHANGES: u32 = 300;

/// The chain of everything but medication requests, which have one for each partition.
pub const REST: i16 = -1;

/// Of what the changes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// One record.
    Record(RegistryKind, Uuid),
    /// A chain, between those numbers; both ends count.
    Chain {
        /// Its partition, or [`REST`].
        partition: i16,
        /// None below it.
        from: i64,
        /// None above it.
        to: i64,
    },
}

/// Which changes count: what was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All.
    Ever,
    /// Those that this version of the registries had.
    AtVersion(i64),
    /// Those until that instant.
    At(DateTime<Utc>),
}

/// A page of changes, the last one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesAsked {
    /// Of what.
    pub of: Changed,
    /// Which of them.
    pub known: Known,
    /// The last change of the page before.
    pub after: Option<ChangePlace>,
    /// How many.
    pub limit: u32,
}

/// One change, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its chain, and its number there.
    pub place: ChangePlace,
    /// The kind of record.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// The version with which it could be seen.
    pub version: i64,
    /// SHA-256 of salt and record.
    pub digest: Digest,
    /// Who imported it.
    pub by_user: Uuid,
    /// For which client.
    pub by_client: Option<Uuid>,
    /// The message that brought it, as `<topic>/<partition>/<offset>`; none if it came otherwise.
    pub source: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Covers this change and the one before.
    pub hash: Digest,
}

/// Where a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePlace {
    /// Its chain: a partition, or [`REST`].
    pub partition: i16,
    /// Its number in it.
    pub number: i64,
}

/// The chains of registry changes.
#[async_trait]
pub trait RegistryChanges: Send + Sync {
    /// A page of changes, the last one first.
    async fn changes(&self, asked: &ChangesAsked) -> Result<Vec<Change>, Unavailable>;
}
