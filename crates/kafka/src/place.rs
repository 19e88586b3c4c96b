//! Up to where a partition of the log was announced, as the brokers keep it: a record that every
//! transaction ends with, in a compacted topic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dispensary::relay::RelayPlace;
use dispensary::{LogPosition, Topic};
use dispense_domain::Digest;
use rdkafka::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StreamError;
use crate::reader::{ANSWERS_WITHIN, READABLE_WITHIN, Readers};
use crate::{POSITIONS_TOPIC, Settings};

/// How far before the end the record is looked for first. Twice as far each time that it is not there.
const WINDOW: i64 = 128;

/// How often it is looked again whether a broker shows all that it has.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// More than any topic ever has: what stands for the ends of one that was made anew while it was written
/// to. What was written then and aborted may let its ends look like those of the old one.
pub(crate) const LOST: i64 = i64::MAX;

/// Up to where a partition of the log was announced, and how much that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The last event that was announced, or had nothing to announce.
    pub relay: RelayPlace,
    /// How many messages of this partition of the log each topic has had, by name without prefix.
    pub announced: BTreeMap<String, u64>,
    /// What the ends of the partitions of each topic add up to at least, by name without prefix. Ends
    /// never go back: a topic with less has lost something, or was made anew.
    pub ends: BTreeMap<String, i64>,
    /// Topics that are being filled again, by name without prefix, and up to which position each has
    /// everything. Nothing is announced until that is over: it would stand behind a gap.
    pub refilling: BTreeMap<String, i64>,
    /// How often each topic was filled again, by name without prefix: what was found lost before that is
    /// lost no more.
    pub filled: BTreeMap<String, u64>,
}

/// A place as JSON; the partition stands in the key.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    position: i64,
    hash: Digest,
    epoch: i64,
    announced: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ends: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refilling: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    filled: BTreeMap<String, u64>,
}

impl Place {
    /// That place, with nothing announced.
    #[must_use]
    pub const fn new(relay: RelayPlace) -> Self {
        Self {
            relay,
            announced: BTreeMap::new(),
            ends: BTreeMap::new(),
            refilling: BTreeMap::new(),
            filled: BTreeMap::new(),
        }
    }

    /// How many messages a topic has had.
    #[must_use]
    pub fn announced_in(&self, topic: Topic) -> u64 {
        self.announced.get(topic.name()).copied().unwrap_or_default()
    }

    /// How many records a topic has had at least, whatever they were.
    #[must_use]
    pub fn least_in(&self, topic: Topic) -> i64 {
        let announced = i64::try_from(self.announced_in(topic)).unwrap_or(i64::MAX);
        self.ends.get(topic.name()).copied().unwrap_or_default().max(announced)
    }

    /// How often a topic was filled again.
    #[must_use]
    pub(crate) fn filled(&self, topic: &str) -> u64 {
        self.filled.get(topic).copied().unwrap_or_default()
    }

    /// The same place, with a topic that was lost when it had been filled so often; none where that is
    /// known or mended. While any is filled, that is for whoever fills it to say.
    pub(crate) fn lose(&self, topic: &str, filled: u64) -> Option<Self> {
        // Fewer times than then: whoever wrote this place knew nothing of counting them.
        if self.filled(topic) > filled || !self.refilling.is_empty() {
            return None;
        }
        let mut place = self.clone();
        (place.ends.insert(topic.to_owned(), LOST) != Some(LOST)).then_some(place)
    }

    /// A message more.
    pub fn count(&mut self, topic: Topic) {
        match self.announced.get_mut(topic.name()) {
            Some(count) => *count += 1,
            None => {
                self.announced.insert(topic.name().to_owned(), 1);
            }
        }
    }

    /// The key of the record of a partition of a log.
    #[must_use]
    pub fn key(log_id: Uuid, partition: u16) -> String {
        format!("{log_id}/{partition}")
    }

    /// The value of the record.
    ///
    /// # Errors
    ///
    /// Never: all its members can be written as JSON.
    pub fn written(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Kept {
            position: self.relay.place.position,
            hash: self.relay.hash.into(),
            epoch: self.relay.epoch,
            announced: self.announced.clone(),
            ends: self.ends.clone(),
            refilling: self.refilling.clone(),
            filled: self.filled.clone(),
        })
    }

    /// The place that a record of that partition tells.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn read(partition: u16, value: &[u8]) -> serde_json::Result<Self> {
        let kept: Kept = serde_json::from_slice(value)?;
        let relay = RelayPlace {
            place: LogPosition { partition, position: kept.position },
            hash: *kept.hash.bytes(),
            epoch: kept.epoch,
        };
        let Kept { announced, ends, refilling, filled, .. } = kept;
        Ok(Self { relay, announced, ends, refilling, filled })
    }

    /// The partition of the positions topic in which a partition of the log has its record.
    #[must_use]
    pub fn kafka_partition(partition: u16, of: i32) -> i32 {
        i32::from(partition) % of.max(1)
    }

    /// The key of the record that marks where somebody began.
    pub(crate) fn key_of_mark(log_id: Uuid, partition: u16) -> String {
        format!("{}/begun", Self::key(log_id, partition))
    }

    /// What the brokers have for a partition of a log, all that was committed before the record at the
    /// offset `mark` included. Without a mark it may be a little old where a broker has just taken over.
    /// Transactions of others are waited for as long as `held_back`.
    ///
    /// # Errors
    ///
    /// If they do not answer, or not with a place.
    pub(crate) fn kept(
        readers: &Readers,
        settings: &Settings,
        log_id: Uuid,
        partition: u16,
        mark: Option<i64>,
        held_back: Duration,
    ) -> Result<Option<Self>, StreamError> {
        let key = Self::key(log_id, partition);
        let topic = settings.topic(POSITIONS_TOPIC);
        let value = last_record(readers, &topic, partition, &key, mark, held_back)?;
        let Some(value) = value else { return Ok(None) };
        let unreadable = |error: serde_json::Error| StreamError::Place {
            topic: topic.clone(),
            key: key.clone(),
            why: error.to_string(),
        };
        Self::read(partition, &value).map(Some).map_err(unreadable)
    }
}

/// The value of the last record with that key among those of a partition of the log, all that was
/// committed before the mark included. Costs the same however long the topic is, as long as the record
/// is one of the last; one that is not there costs a walk through the topic.
///
/// A broker that has just taken over may say that a partition ends before it does: until it has heard
/// from the others it shows less than they have acknowledged. To take that for the end would be to
/// announce twice. Whoever has seen the mark has seen all that stands before it.
fn last_record(
    readers: &Readers,
    topic: &str,
    log_partition: u16,
    key: &str,
    mark: Option<i64>,
    held_back: Duration,
) -> Result<Option<Vec<u8>>, StreamError> {
    let of = readers.partitions(topic, ANSWERS_WITHIN)?;
    let partition = Place::kafka_partition(log_partition, of);
    // Where partitions of the log share this one, a transaction of another hides what was committed
    // after it began. To take that for the end would be to announce twice.
    let until = Instant::now() + held_back;
    let left = || until.saturating_duration_since(Instant::now());
    let (begin, end) = readers.bounds(topic, partition, left())?;
    let mut window = WINDOW;
    loop {
        let from = (end - window).max(begin);
        let (mut last, mut seen) = (None, None);
        if from < end {
            readers.read_to_end(topic, partition, from, READABLE_WITHIN, |message| {
                seen = Some(message.offset());
                if message.key() == Some(key.as_bytes()) {
                    // A record without a value forgets what stood there.
                    last = message.payload().map(<[u8]>::to_vec);
                }
            })?;
        }
        if seen < mark {
            if left() <= LOOKS_EVERY {
                let stable = seen.unwrap_or(from);
                return Err(StreamError::HeldBack { topic: topic.to_owned(), stable, end });
            }
            std::thread::sleep(LOOKS_EVERY);
            continue;
        }
        if last.is_some() || from <= begin {
            return Ok(last);
        }
        window = window.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = LogPosition { partition: 3, position: 42 };
        let mut place = Place::new(RelayPlace { place, hash: [0xab; 32], epoch: 1 });
        place.count(Topic::Recorded);
        place.count(Topic::FullyDispensed);
        place.count(Topic::Recorded);
        let written = place.written().unwrap();
        assert_eq!(
            written,
            format!(r#"{{"position":42,"hash":"{}","epoch":1,"announced":{{"#, "ab".repeat(32))
                + r#""ndp.events.dispense.recorded":2,"ndp.events.prescription.fully_dispensed":1}}"#
        );
        assert_eq!(Place::read(3, written.as_bytes()).unwrap(), place);
        assert_eq!(place.announced_in(Topic::Recorded), 2);
        assert_eq!(place.announced_in(Topic::Expired), 0);
    }

    #[test]
    fn what_a_later_version_counts_is_kept() {
        let value = format!(
            r#"{{"position":1,"hash":"{}","epoch":1,"announced":{{"ndp.events.later":7}}}}"#,
            "00".repeat(32)
        );
        assert_eq!(Place::read(0, value.as_bytes()).unwrap().written().unwrap(), value);
    }

    #[test]
    fn what_was_lost_before_it_was_filled_again_is_lost_no_more() {
        let topic = Topic::Recorded.name();
        let place = LogPosition { partition: 0, position: 1 };
        let mut place = Place::new(RelayPlace { place, hash: [0; 32], epoch: 1 });
        let lost = place.lose(topic, 0).unwrap();
        assert_eq!(lost.least_in(Topic::Recorded), LOST);
        assert_eq!(lost.lose(topic, 0), None);
        place.refilling.insert(topic.to_owned(), 0);
        assert_eq!(place.lose(topic, 0), None);
        place.refilling.clear();
        place.filled.insert(topic.to_owned(), 1);
        assert_eq!(place.lose(topic, 0), None);
        assert!(place.lose(topic, 1).is_some());
        // An older version drops the count, and a resume begins at none.
        assert!(place.lose(topic, 2).is_some());
        assert_eq!(Place::read(0, place.written().unwrap().as_bytes()).unwrap(), place);
    }

    #[test]
    fn partitions_of_the_log_share_those_of_a_smaller_topic() {
        assert_eq!([0, 1, 2, 3, 4].map(|it| Place::kafka_partition(it, 3)), [0, 1, 2, 0, 1]);
    }
}
