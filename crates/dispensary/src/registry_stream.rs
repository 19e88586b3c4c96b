//! Registry data that comes in messages: applied together with the place up to which it was read, so
//! that every message counts once, whatever falls over.
//!
//! A message that cannot be applied is kept with its reason, in the same transaction, until it was put
//! where its senders look for it. Nothing is lost, and nothing waits for it.

use std::fmt;

use async_trait::async_trait;
use dispense_domain::registry::RegistryKind;

use crate::{FaultyLine, Unavailable};

/// The longest message that is looked at; of a longer one, only as much is kept.
pub const LONGEST_MESSAGE: usize = 64 * 1024;

/// The longest key that is kept; an id has 36 letters.
pub const LONGEST_KEY: usize = 1024;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic, with its prefix.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// A message, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it stands in its partition.
    pub offset: i64,
    /// Its key, if it has one. No more of it than [`LONGEST_KEY`].
    pub key: Option<Vec<u8>>,
    /// Its value; none where something was to be deleted. No more of it than [`LONGEST_MESSAGE`].
    pub value: Option<Vec<u8>>,
    /// How many bytes the value has.
    pub length: usize,
}

/// Messages of one partition that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// Where they come from.
    pub source: TopicPartition,
    /// The kind of registry data that the topic is for: every line has to be of it.
    pub kind: RegistryKind,
    /// Up to where it was read before: the offset that came next. None if it was never read.
    pub from: Option<i64>,
    /// Up to where it is read with them.
    pub to: i64,
    /// How many offsets before them were gone before they could be read.
    pub lost: i64,
    /// The messages, in the order of their offsets.
    pub messages: Vec<Message>,
}

/// Up to where a partition was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlace {
    /// Which one.
    pub source: TopicPartition,
    /// The offset that comes next.
    pub next: i64,
    /// How many offsets were gone before they could be read, as long as nobody has said that this is
    /// mended.
    pub lost: i64,
}

/// A message that waits to be put where its senders look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it in the database.
    pub id: i64,
    /// Where it came from.
    pub source: TopicPartition,
    /// Its offset there.
    pub offset: i64,
    /// Its key, if it had one.
    pub key: Option<Vec<u8>>,
    /// Its value, no more of it than [`LONGEST_MESSAGE`]; none if it had none, or if whom it is about
    /// was erased since.
    pub value: Option<Vec<u8>>,
    /// The stable name of what is wrong.
    pub code: String,
    /// What is wrong, for people.
    pub reason: String,
}

/// Why messages were not applied. Those before the place of their partition were.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// Another instance has read that partition in the meantime, or this one has, and did not hear of
    /// it.
    #[error("{at} was read up to another offset in the meantime")]
    ReadElsewhere {
        /// Which one.
        at: TopicPartition,
    },
    /// The database does not do it; it will go on by itself.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The local copy of the registries, for messages.
#[async_trait]
pub trait RegistryStream: Send + Sync {
    /// Takes the lease of the registry streams, or keeps it for [`crate::relay::LEASED_FOR`]; false if
    /// another instance has it.
    async fn lease(&self) -> Result<bool, Unavailable>;

    /// Lets go of the lease. One that it does not have it keeps.
    async fn release(&self) -> Result<(), Unavailable>;

    /// Up to where each partition was read. One that is not here was never read.
    async fn places(&self) -> Result<Vec<ReadPlace>, Unavailable>;

    /// Applies messages, and moves the place of their partition in the same transaction; returns the
    /// faulty ones, which are among the dead letters from then on. Many messages are several
    /// transactions, each with some that follow each other and the place behind them.
    async fn apply(&self, messages: Messages) -> Result<Vec<FaultyLine>, NotApplied>;

    /// Dead letters that were not yet put anywhere, the oldest first.
    async fn dead_letters(&self, most: u32) -> Result<Vec<DeadLetter>, Unavailable>;

    /// Those were put where their senders look for them: what they said is forgotten.
    async fn buried(&self, ids: &[i64]) -> Result<(), Unavailable>;
}
