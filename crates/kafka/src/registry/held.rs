//! Messages that wait behind a transaction that is not over. Nobody reads them until it is, and for
//! whoever reads, the topic ends before them.

use std::collections::BTreeMap;
use std::time::Instant;

use dispensary::registry_stream::TopicPartition;

use crate::error::StreamError;
use crate::reader::HELD_BACK_FOR;

/// A partition with a transaction that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Which one.
    pub(super) source: TopicPartition,
    /// Where it begins.
    pub(super) stable: i64,
    /// What was written behind that, too.
    pub(super) end: i64,
}

/// Since when partitions are held back, and how they were found first: what is told does not change with
/// every message that is written behind.
#[derive(Debug, Default)]
pub(super) struct HeldBack(BTreeMap<TopicPartition, (Held, Instant)>);

impl HeldBack {
    /// What is to be told after this look: most transactions are over soon.
    pub(super) fn told(&mut self, held: Vec<Held>) -> Option<StreamError> {
        let before = std::mem::take(&mut self.0);
        let mut told = None;
        for held in held {
            let known = before.get(&held.source).filter(|(known, _)| known.stable == held.stable);
            let (held, since) = known.cloned().unwrap_or_else(|| (held, Instant::now()));
            if since.elapsed() >= HELD_BACK_FOR && told.is_none() {
                let (topic, stable, end) = (held.source.topic.clone(), held.stable, held.end);
                told = Some(StreamError::HeldBack { topic, stable, end });
            }
            self.0.insert(held.source.clone(), (held, since));
        }
        told
    }
}
