//! Registry data that comes in messages: applied together with the place up to which it was read, so
//! that every message counts once, whatever falls over.
//!
//! A message that cannot be applied is kept with its reason, in the same transaction, until it was put
//! where its senders look for it. Nothing is lost, and nothing waits for it.

use async_trait::async_trait;

use crate::{FaultyLine, Line, Origin, Unavailable};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic, with its prefix.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

/// Messages of one partition that follow each other.
#[derive(Debug, Clone)]
pub struct Messages {
    /// Where they come from.
    pub source: TopicPartition,
    /// Up to where it was read before: the offset that came next.
    pub from: i64,
    /// Up to where it is read with them.
    pub to: i64,
    /// The kind of registry data that the topic is for: every line has to be of it.
    pub kind: &'static str,
    /// The messages; the number of a line is its offset.
    pub lines: Vec<Line>,
    /// Messages that are no line at all; their number is the offset.
    pub faulty: Vec<FaultyMessage>,
}

/// A message that cannot be applied, and why.
#[derive(Debug, Clone)]
pub struct FaultyMessage {
    /// The message; the number is its offset.
    pub message: Line,
    /// The stable name of what is wrong.
    pub code: &'static str,
    /// What is wrong, for people.
    pub why: String,
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
    /// Its bytes; empty for a message without a value.
    pub bytes: Vec<u8>,
    /// The stable name of what is wrong.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Why messages were not applied. Nothing of them was.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// Another instance has read that partition in the meantime.
    #[error("another instance has read partition {} of {} up to offset {next}", .at.partition, .at.topic)]
    ReadElsewhere {
        /// Which one.
        at: TopicPartition,
        /// The offset that comes next.
        next: i64,
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

    /// Lets go of the lease.
    async fn release(&self) -> Result<(), Unavailable>;

    /// Up to where each partition was read: the offset that comes next. One that is not here was never
    /// read.
    async fn offsets(&self) -> Result<Vec<(TopicPartition, i64)>, Unavailable>;

    /// Applies messages and moves the place of their partition, in one transaction; returns the faulty
    /// ones, which are among the dead letters from then on.
    async fn apply(&self, messages: Messages, by: &Origin) -> Result<Vec<FaultyLine>, NotApplied>;

    /// Dead letters that were not yet put anywhere, the oldest first.
    async fn dead_letters(&self, most: u32) -> Result<Vec<DeadLetter>, Unavailable>;

    /// Those were put where their senders look for them.
    async fn buried(&self, ids: &[i64]) -> Result<(), Unavailable>;
}
