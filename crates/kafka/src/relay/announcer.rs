//! The side of the relay that faces the brokers. Its calls block.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use dispensary::Topic;
use rdkafka::error::RDKafkaErrorCode;
use uuid::Uuid;

use super::batch::{Batch, Message};
use super::figures;
use crate::Settings;
use crate::error::{Cause, StreamError};
use crate::place::{LOST, Place};
use crate::positions::Positions;
use crate::producer::{Delivered, GivenUp, NotCommitted, Outgoing, Producer};
use crate::reader::{ANSWERS_WITHIN, ASKS_AGAIN, BELIEVED_AFTER, HELD_BACK_FOR, Reader, Readers};

/// How often the ends of the topics are looked at. Who removes a topic and makes it again needs longer.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Announces a partition of the log.
pub(super) struct Announcer {
    producer: Producer,
    reader: Reader,
    settings: Settings,
    positions: Positions,
    /// The topics, with their prefix, each with the number of its partitions.
    counts: Vec<(String, i32)>,
    /// When the topics were looked at.
    looked: Instant,
    /// The offset that each partition of a topic has next, or a later one.
    next: HashMap<(Topic, i32), i64>,
}

impl Announcer {
    /// Becomes the one who announces; returns up to where that was done, as the brokers know it.
    pub(super) fn new(
        settings: Settings,
        log_id: Uuid,
        partition: u16,
        given_up: GivenUp,
    ) -> Result<(Self, Option<Place>), StreamError> {
        let id = Producer::id(&settings, log_id, partition);
        let producer = Producer::new(&settings, id, ANSWERS_WITHIN, given_up)?;
        let readers = Readers::new(&settings)?;
        let positions = Positions::find(&settings, &readers, log_id, partition)?;
        // After the fence: what was begun before is over, and nobody else goes on.
        let kept = positions.kept(&settings, &readers, &producer, HELD_BACK_FOR)?;
        let reader = readers.of_everything();
        let (looked, counts, next) = (Instant::now(), Vec::new(), HashMap::new());
        Ok((Self { producer, reader, settings, positions, counts, looked, next }, kept))
    }

    /// Looks whether every topic is there, and has or had what was announced in it.
    pub(super) fn look(&mut self, place: &Place) -> Result<(), StreamError> {
        let until = Instant::now() + BELIEVED_AFTER;
        loop {
            match self.look_once(place) {
                Err(StreamError::TopicLost { .. }) if Instant::now() < until => {
                    // What was written to partitions that were added counts as well.
                    self.counts.clear();
                    std::thread::sleep(ASKS_AGAIN);
                }
                looked => return looked,
            }
        }
    }

    fn look_once(&mut self, place: &Place) -> Result<(), StreamError> {
        if let Some(name) = place.refilling.keys().next().cloned() {
            return Err(StreamError::Refilling { topic: self.settings.topic(&name), name });
        }
        if self.counts.is_empty() {
            for topic in Topic::ALL {
                let name = self.settings.topic(topic.name());
                let count = self.reader.partitions(&name, ANSWERS_WITHIN)?;
                self.counts.push((name, count));
            }
        }
        let all = self.reader.all_ends(&self.counts, ANSWERS_WITHIN)?;
        for ((topic, ends), (name, _)) in Topic::ALL.into_iter().zip(all).zip(&self.counts) {
            let (name, lost) = (name.clone(), topic.name().to_owned());
            let least = place.least_in(topic);
            if least == LOST {
                return Err(StreamError::TopicMadeAnew { topic: name, name: lost });
            }
            let known = |partition| self.next.get(&(topic, partition)).copied().unwrap_or_default();
            let goes_back = (0..).zip(&ends).any(|(partition, end)| *end < known(partition));
            // Ends count more than messages: the marks of transactions, what was aborted, what other
            // partitions of the log announced, what is too old to be kept. They never count less.
            let found = ends.iter().sum();
            if found < least || goes_back {
                return Err(StreamError::TopicLost { topic: name, name: lost, found, least });
            }
            self.next.extend((0..).zip(ends).map(|(partition, end)| ((topic, partition), end)));
        }
        self.looked = Instant::now();
        Ok(())
    }

    /// Announces a batch in one transaction, together with the place that it leads to.
    pub(super) fn announce(&mut self, batch: &Batch, from: &Place) -> Result<Place, NotCommitted> {
        // What is written to a topic that was made anew can no longer be told from what was lost.
        if self.looked.elapsed() >= LOOKS_EVERY {
            self.look(from).map_err(|error| NotCommitted { message: None, error })?;
        }
        let mut to = Place { relay: batch.end, ends: self.ends(), ..from.clone() };
        for message in &batch.messages {
            to.count(message.topic);
            *to.ends.entry(message.topic.name().to_owned()).or_default() += 1;
        }
        let written = self.positions.written(&to);
        let written = written.map_err(|error| NotCommitted { message: None, error })?;
        let names = Topic::ALL.map(|topic| (topic, self.settings.topic(topic.name())));
        let name = |topic: Topic| {
            names.iter().find(|it| it.0 == topic).map_or(topic.name(), |(_, name)| name)
        };
        let messages = batch.messages.iter().map(|message| Outgoing {
            topic: name(message.topic),
            partition: None,
            key: &message.record.key,
            headers: Some(message.record.owned_headers()),
            payload: &message.record.payload,
        });
        let place = self.positions.record(&written);
        let begun = Instant::now();
        let next = &mut self.next;
        let committed = self.producer.commit(messages.chain([place]), |delivered| {
            goes_forward(next, &batch.messages, delivered, name)
        });
        figures::transaction(&committed, begun.elapsed());
        committed.map_err(|not| self.named(batch, not))?;
        Ok(to)
    }

    /// Up to where the topics go, as far as is known before a transaction.
    fn ends(&self) -> BTreeMap<String, i64> {
        let mut ends = BTreeMap::new();
        for ((topic, _), next) in &self.next {
            *ends.entry(topic.name().to_owned()).or_default() += next;
        }
        ends
    }

    /// A message that is too large is told with what it tells of.
    fn named(&self, batch: &Batch, not: NotCommitted) -> NotCommitted {
        let message = not.message.and_then(|number| batch.messages.get(number));
        let error = match (message, not.error) {
            (Some(message), StreamError::Failed { source, .. }) if is_too_large(&source) => {
                StreamError::TooLarge {
                    topic: self.settings.topic(message.topic.name()),
                    position: message.place.position,
                    size: message.record.size(),
                    source,
                }
            }
            (_, error) => error,
        };
        NotCommitted { message: not.message, error }
    }

    /// Hears what librdkafka has to say.
    pub(super) fn listen(&self) {
        self.producer.listen();
    }
}

fn is_too_large(cause: &Cause) -> bool {
    matches!(
        cause.code(),
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge)
    )
}

/// A topic that was deleted and made anew begins at the first offset again: whoever went on there would
/// leave a gap that nobody sees.
fn goes_forward<'a>(
    next: &mut HashMap<(Topic, i32), i64>,
    messages: &[Message],
    delivered: &[Delivered],
    name: impl Fn(Topic) -> &'a str,
) -> Result<(), StreamError> {
    for &Delivered { number, partition, offset } in delivered {
        // The last one is the place, whose topic is compacted and read back at every start.
        let Some(message) = messages.get(number) else { continue };
        // A message that a later one proves to have arrived, its own answer being lost, has no offset.
        if offset < 0 {
            continue;
        }
        let next = next.entry((message.topic, partition)).or_default();
        if offset < *next {
            return Err(StreamError::TopicMadeAnew {
                topic: name(message.topic).to_owned(),
                name: message.topic.name().to_owned(),
            });
        }
        *next = offset + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use dispensary::LogPosition;

    use super::*;
    use crate::Record;

    /// What librdkafka says where the answer to a message was lost and that to a later one was not.
    const UNKNOWN_OFFSET: i64 = -1001;

    fn arrived(next: i64, offsets: &[i64]) -> Result<i64, StreamError> {
        let message = |position| Message {
            topic: Topic::Recorded,
            place: LogPosition { partition: 0, position },
            record: Record { key: Vec::new(), headers: Vec::new(), payload: Vec::new() },
        };
        let messages: Vec<_> = (1..).map(message).take(offsets.len()).collect();
        let delivered =
            |(number, offset): (usize, &i64)| Delivered { number, partition: 2, offset: *offset };
        let delivered: Vec<_> = offsets.iter().enumerate().map(delivered).collect();
        let mut known = HashMap::from([((Topic::Recorded, 2), next)]);
        goes_forward(&mut known, &messages, &delivered, Topic::name)?;
        Ok(known[&(Topic::Recorded, 2)])
    }

    #[test]
    fn offsets_that_go_back_are_those_of_a_topic_that_was_made_anew() {
        assert_eq!(arrived(7, &[7, 8, 11]).unwrap(), 12);
        let told = arrived(7, &[0]).unwrap_err();
        assert!(matches!(told, StreamError::TopicMadeAnew { .. }), "{told}");
    }

    #[test]
    fn a_message_of_which_only_the_arrival_is_known_says_nothing_about_its_topic() {
        assert_eq!(arrived(7, &[UNKNOWN_OFFSET, 9]).unwrap(), 10);
        assert_eq!(arrived(7, &[UNKNOWN_OFFSET]).unwrap(), 7);
    }
}
