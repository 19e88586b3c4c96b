//! Offsets at which no message stands that anybody was ever to see: the ends of transactions, and what
//! was given up. No message comes from there, so none moves the place behind them. Retention takes them
//! as any other, and they would be taken for messages that were lost.

use std::time::Duration;

use dispensary::registry_stream::TopicPartition;
use rdkafka::Message as _;
use rdkafka::message::BorrowedMessage;

use super::found::Left;
use crate::Settings;
use crate::error::StreamError;
use crate::reader::{Reader, Sees};

/// How long reading to the end may take where there is nothing to read.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Where something was left by two looks in a row, and nothing came meanwhile.
#[derive(Debug, Default)]
pub(super) struct Resting(Vec<Left>);

impl Resting {
    /// The one to look at after this look; no two in a row, so that each has its turn.
    pub(super) fn next(&mut self, left: Vec<Left>) -> Option<Left> {
        let rests = left.iter().position(|it| self.0.contains(it));
        self.0 = left;
        rests.map(|at| self.0.swap_remove(at))
    }
}

/// Whether nobody is to see anything up to that end. Where that cannot be told now, it is asked again.
/// It blocks.
pub(super) fn is_unseen(settings: &Settings, left: &Left) -> bool {
    read(settings, left).unwrap_or_else(|error| {
        tracing::debug!(error = error.in_full(), "not read to its end: {}", left.source);
        false
    })
}

fn read(settings: &Settings, left: &Left) -> Result<bool, StreamError> {
    let Left { source: TopicPartition { topic, partition }, next, ends } = left;
    let from = next.unwrap_or(ends.first).max(ends.first);
    let mut is_unseen = true;
    let see = |message: &BorrowedMessage<'_>| is_unseen &= message.offset() >= ends.next;
    let reader = Reader::new(settings, Sees::Committed)?;
    reader.read_to_end(topic, *partition, from, READ_WITHIN, see)?;
    Ok(is_unseen)
}
