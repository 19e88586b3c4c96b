//! What is announced in one transaction.

use std::collections::VecDeque;

use dispensary::announcement::Fact;
use dispensary::relay::{RelayPlace, RelayStop};
use dispensary::{LogPosition, Topic};
use uuid::Uuid;

use crate::Record;

/// A message of a batch.
pub(super) struct Message {
    pub(super) topic: Topic,
    pub(super) place: LogPosition,
    pub(super) record: Record,
}

/// Events that follow each other, as messages.
pub(super) struct Batch {
    /// In the order of the events.
    pub(super) messages: Vec<Message>,
    /// How many events they tell of, those included that are told nowhere.
    pub(super) events: u64,
    /// Up to where the partition is announced with them.
    pub(super) end: RelayPlace,
}

impl Batch {
    /// The first of the events behind a place, until their messages have so many bytes; one at least,
    /// if there is one.
    pub(super) fn first(
        facts: &mut VecDeque<Fact>,
        after: RelayPlace,
        most_bytes: usize,
        log_id: Uuid,
    ) -> Result<Self, RelayStop> {
        let mut batch = Self { messages: Vec::new(), events: 0, end: after };
        let mut bytes = 0;
        while let Some(fact) = facts.front() {
            let (place, hash) = (fact.place, fact.hash);
            let stuck = |error: serde_json::Error| RelayStop::Stuck {
                position: place.position,
                why: error.to_string(),
            };
            let told = fact.announcements(log_id).map_err(stuck)?;
            let messages: Vec<Message> = told
                .into_iter()
                .map(|told| Message { topic: told.topic, place, record: told.into() })
                .collect();
            bytes += messages.iter().map(|message| message.record.size()).sum::<usize>();
            if batch.events > 0 && bytes > most_bytes {
                break;
            }
            batch.messages.extend(messages);
            batch.events += 1;
            batch.end = RelayPlace { place, hash, ..after };
            facts.pop_front();
        }
        Ok(batch)
    }
}
