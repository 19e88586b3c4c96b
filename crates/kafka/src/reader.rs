//! A consumer that belongs to no group: it is told what to read, and keeps no offsets at the brokers.

use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};

use crate::Settings;
use crate::complaints::Complaints;
use crate::error::StreamError;

/// How long the brokers may need for one answer.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long is waited for transactions that are not over: longer than the brokers keep one open of which
/// nobody hears.
pub(crate) const READABLE_WITHIN: Duration = Duration::from_secs(45);

/// How long a relay waits for them until it tells of it, and waits on.
pub(crate) const HELD_BACK_FOR: Duration = Duration::from_secs(15);

/// How long a topic may end before it should, until that is believed: a broker that was away for a moment
/// may not have heard that another one leads now, and tells what it had then.
pub(crate) const BELIEVED_AFTER: Duration = Duration::from_secs(3);

/// How often it is asked again meanwhile.
pub(crate) const ASKS_AGAIN: Duration = Duration::from_millis(250);

/// What a reader takes for the end of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sees {
    /// Transactions that were committed: what every consumer should see.
    Committed,
    /// All that was ever written.
    Everything,
}

/// A consumer that belongs to no group. Its calls block.
pub(crate) struct Reader {
    consumer: BaseConsumer<Complaints>,
}

impl Reader {
    /// A reader; brokers are looked for when it first reads.
    pub(crate) fn new(settings: &Settings, sees: Sees) -> Result<Self, StreamError> {
        let isolation = match sees {
            Sees::Committed => "read_committed",
            Sees::Everything => "read_uncommitted",
        };
        let mut client = settings.consumer();
        client
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            // Few records are read, and somebody waits for them.
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.wait.max.ms", "20")
            .set("isolation.level", isolation);
        let complaints = Complaints::new(&settings.connection.brokers);
        let consumer = BaseConsumer::from_config_and_context(&client, complaints)
            .map_err(|error| StreamError::Setting(error.into()))?;
        Ok(Self { consumer })
    }

    /// How many partitions a topic has.
    pub(crate) fn partitions(&self, topic: &str, within: Duration) -> Result<i32, StreamError> {
        let doing = "asking for a topic";
        let explain = |error| self.complaints().explain_at(topic, doing, error);
        let metadata = self.consumer.fetch_metadata(Some(topic), within).map_err(explain)?;
        let found = metadata.topics().iter().find(|it| it.name() == topic);
        if let Some(error) = found.and_then(MetadataTopic::error) {
            return Err(explain(KafkaError::MetadataFetch(error.into())));
        }
        // Brokers say so of a topic that they do not know in more than one way.
        let count = found.map_or(0, |topic| topic.partitions().len());
        match i32::try_from(count) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(explain(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))),
        }
    }

    /// Where a partition begins, and where it ends as this reader sees it.
    pub(crate) fn ends(
        &self,
        topic: &str,
        partition: i32,
        within: Duration,
    ) -> Result<(i64, i64), StreamError> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let error = match self.consumer.fetch_watermarks(topic, partition, left) {
                Ok(ends) => return Ok(ends),
                Err(error) => error,
            };
            if !moves(&error) || until.saturating_duration_since(Instant::now()) <= LOOKS_EVERY {
                let doing = "asking for the end of a topic";
                return Err(self.complaints().explain_at(topic, doing, unled(error)));
            }
            std::thread::sleep(LOOKS_EVERY);
        }
    }

    /// Where each partition of those topics ends, asked all at once; topics with the number of their
    /// partitions.
    pub(crate) fn all_ends(
        &self,
        topics: &[(String, i32)],
        within: Duration,
    ) -> Result<Vec<Vec<i64>>, StreamError> {
        let doing = "asking for the ends of topics";
        let mut what = TopicPartitionList::new();
        for (topic, count) in topics {
            for partition in 0..*count {
                // Asked for a time, brokers tell the end for this one.
                let added = what.add_partition_offset(topic, partition, Offset::End);
                added.map_err(|error| self.complaints().explain_at(topic, doing, error))?;
            }
        }
        let asked = self.consumer.offsets_for_times(what, within);
        let ends = asked.map_err(|error| self.complaints().explain(doing, error))?;
        let end = |(topic, partition): (&str, i32)| {
            let found = ends.find_partition(topic, partition);
            let explain = |error| self.complaints().explain_at(topic, doing, error);
            match found.map(|it| it.error().map(|()| it.offset())).transpose().map_err(explain)? {
                Some(Offset::Offset(offset)) => Ok(offset),
                // What a partition without a single message is said to end with.
                Some(_) | None => Ok(0),
            }
        };
        let of = |(topic, count): &(String, i32)| {
            (0..*count).map(|partition| end((topic, partition))).collect()
        };
        topics.iter().map(of).collect()
    }

    /// Reads a partition from an offset to the end that it had when this began, or a later one. Brokers
    /// of which nothing is heard for as long as an answer may take are told to be away.
    pub(crate) fn read_to_end(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        within: Duration,
        mut each: impl FnMut(&BorrowedMessage<'_>),
    ) -> Result<(), StreamError> {
        let explain = |error| self.complaints().explain_at(topic, "reading a topic", error);
        let mut what = TopicPartitionList::new();
        what.add_partition_offset(topic, partition, Offset::Offset(from)).map_err(explain)?;
        self.consumer.assign(&what).map_err(explain)?;
        let until = Instant::now() + within;
        let mut answered_until = Instant::now() + ANSWERS_WITHIN;
        loop {
            let left = until.min(answered_until).saturating_duration_since(Instant::now());
            if left.is_zero() {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(explain(late));
            }
            match self.consumer.poll(left) {
                None => {}
                Some(Ok(message)) => {
                    each(&message);
                    answered_until = Instant::now() + ANSWERS_WITHIN;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                // What goes by itself is waited for. No group is joined, so what the brokers say of
                // it does not matter.
                Some(Err(error)) if passes(&error) => {}
                Some(Err(error)) => return Err(explain(error)),
            }
        }
    }

    pub(crate) fn complaints(&self) -> &Complaints {
        self.consumer.context()
    }
}

/// How often it is looked whether a transaction is over.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// Both kinds of readers, who know together where a partition ends and when all before that is over.
pub(crate) struct Readers {
    everything: Reader,
    committed: Reader,
}

impl Readers {
    pub(crate) fn new(settings: &Settings) -> Result<Self, StreamError> {
        let everything = Reader::new(settings, Sees::Everything)?;
        Ok(Self { everything, committed: Reader::new(settings, Sees::Committed)? })
    }

    /// The one that sees all that was ever written, for whoever reads nothing more.
    pub(crate) fn of_everything(self) -> Reader {
        self.everything
    }

    /// How many partitions a topic has.
    pub(crate) fn partitions(&self, topic: &str, within: Duration) -> Result<i32, StreamError> {
        self.everything.partitions(topic, within.min(ANSWERS_WITHIN))
    }

    /// Where a partition begins, and where it ended when this was asked. Whatever was begun before that
    /// end is committed or aborted when this returns.
    pub(crate) fn bounds(
        &self,
        topic: &str,
        partition: i32,
        within: Duration,
    ) -> Result<(i64, i64), StreamError> {
        let until = Instant::now() + within;
        let left = || until.saturating_duration_since(Instant::now());
        let answer = || left().min(ANSWERS_WITHIN);
        let (_, end) = self.everything.ends(topic, partition, answer())?;
        loop {
            let (begin, stable) = self.committed.ends(topic, partition, answer())?;
            if stable >= end {
                return Ok((begin, end));
            }
            if left() <= LOOKS_EVERY {
                return Err(StreamError::HeldBack { topic: topic.to_owned(), stable, end });
            }
            std::thread::sleep(LOOKS_EVERY);
        }
    }

    /// Reads what was committed in a partition, from an offset to its end.
    pub(crate) fn read_to_end(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        within: Duration,
        each: impl FnMut(&BorrowedMessage<'_>),
    ) -> Result<(), StreamError> {
        self.committed.read_to_end(topic, partition, from, within, each)
    }
}

/// What it means that the end of a partition is not known where it was asked for alone. That nobody leads
/// it is told in the words for one that is not there, and it would be taken for a topic that was lost.
pub(crate) fn unled(error: KafkaError) -> KafkaError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownPartition) => {
            KafkaError::MetadataFetch(RDKafkaErrorCode::LeaderNotAvailable)
        }
        _ => error,
    }
}

/// Whether a partition is about to be led, or led by somebody else: one that was just made, or whose
/// broker went away.
fn moves(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::ReplicaNotAvailable
                | RDKafkaErrorCode::OffsetNotAvailable
                | RDKafkaErrorCode::FencedLeaderEpoch
                | RDKafkaErrorCode::UnknownLeaderEpoch
        )
    )
}

pub(crate) fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::NotCoordinator
        )
    )
}
