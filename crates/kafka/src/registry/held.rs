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

/// Since when partitions are held back, and at which offset.
#[derive(Debug, Default)]
pub(super) struct HeldBack(BTreeMap<TopicPartition, (i64, Instant)>);

impl HeldBack {
    /// What is to be told after this look: most transactions are over soon.
    pub(super) fn told(&mut self, held: Vec<Held>) -> Option<StreamError> {
        let before = std::mem::take(&mut self.0);
        let mut told = None;
        for Held { source, stable, end } in held {
            let known = before.get(&source).filter(|it| it.0 == stable);
            let since = known.map_or_else(Instant::now, |it| it.1);
            if since.elapsed() >= HELD_BACK_FOR && told.is_none() {
                told = Some(StreamError::HeldBack { topic: source.topic.clone(), stable, end });
            }
            self.0.insert(source, (stable, since));
        }
        told
    }
}
