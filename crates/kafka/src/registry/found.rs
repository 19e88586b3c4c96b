//! Which topics of registry data there are, and from where each of their partitions can be read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dispensary::registry_stream::{ReadPlace, TopicPartition};
use dispense_domain::registry::RegistryKind;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::held::Held;
use crate::complaints::Complaints;
use crate::error::StreamError;
use crate::reader::{ASKS_AGAIN, BELIEVED_AFTER, unled};
use crate::{DEAD_LETTER_TOPIC, Settings, topics};

/// How long brokers may take for one question.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What there is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Every partition of a topic of registry data, and the kind that it is for.
    pub(super) partitions: BTreeMap<TopicPartition, RegistryKind>,
    /// Whether there is a topic for dead letters.
    pub(super) takes_letters: bool,
}

/// What a partition still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// The first offset that can be read.
    pub(super) first: i64,
    /// The offset that will come next.
    pub(super) next: i64,
}

/// Who asks. They read nothing.
pub(super) struct Asks {
    /// What every reader should see.
    pub(super) committed: BaseConsumer<Complaints>,
    /// All that was ever written.
    pub(super) everything: BaseConsumer<Complaints>,
}

/// Asks the brokers what there is. It blocks.
fn look(asks: &Asks, settings: &Settings) -> Result<Found, StreamError> {
    // What they complain of is kept until they are polled.
    for consumer in [&asks.committed, &asks.everything] {
        while let Some(told) = consumer.poll(Duration::ZERO) {
            told.err().into_iter().for_each(|error| consumer.context().hear(error));
        }
    }
    let consumer = &asks.committed;
    let explain = |error| consumer.context().explain("asking for the topics", error);
    let metadata = consumer.fetch_metadata(None, ANSWER_WITHIN).map_err(explain)?;
    // The same brokers answer both.
    consumer.context().forget();
    asks.everything.context().forget();
    let letters = settings.topic(DEAD_LETTER_TOPIC);
    let kinds =
        RegistryKind::ALL.map(|kind| (settings.topic(&topics::Use::Registry(kind).name()), kind));
    let mut found = Found::default();
    for topic in metadata.topics().iter().filter(|topic| topic.error().is_none()) {
        found.takes_letters |= topic.name() == letters;
        let Some((name, kind)) = kinds.iter().find(|(name, _)| name == topic.name()) else {
            continue;
        };
        for partition in topic.partitions() {
            let source = TopicPartition { topic: name.clone(), partition: partition.id() };
            found.partitions.insert(source, *kind);
        }
    }
    Ok(found)
}

/// Up to where a partition was read, and what it still has, if its broker is there.
pub(super) type LookedAt = (ReadPlace, Option<Ends>);

/// Asks what there is, and what those partitions still have of which somebody knows how far they were
/// read. Where a broker is away that is not known, and the others are read all the same. It blocks.
pub(super) fn look_at(
    asks: &Asks,
    settings: &Settings,
    known: Vec<ReadPlace>,
) -> Result<(Found, Vec<LookedAt>), StreamError> {
    let found = look(asks, settings)?;
    let mut is_away = false;
    let mut until = None;
    let mut places = Vec::new();
    for place in known.into_iter().filter(|place| found.partitions.contains_key(&place.source)) {
        let ends =
            (!is_away).then(|| ends_behind(&asks.committed, &place, &mut until).ok()).flatten();
        is_away |= ends.is_none();
        places.push((place, ends));
    }
    Ok((found, places))
}

/// A partition that goes on behind what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// Which one.
    pub(super) source: TopicPartition,
    /// The offset that comes next, if it was ever read.
    pub(super) next: Option<i64>,
    /// What it still has.
    pub(super) ends: Ends,
}

/// What a look found.
pub(super) struct Looked {
    /// What there is.
    pub(super) found: Found,
    /// How many messages of each topic stand behind what was read.
    pub(super) behind: BTreeMap<String, i64>,
    /// Where they stand.
    pub(super) left: Vec<Left>,
    /// What nobody is to see yet.
    pub(super) held: Vec<Held>,
    /// Why not all of that is known.
    pub(super) unknown: Option<StreamError>,
}

/// Asks what there is, and how many messages of each topic stand behind those places. It blocks.
pub(super) fn look_beyond(
    asks: &Asks,
    settings: &Settings,
    places: Vec<(TopicPartition, Option<i64>)>,
) -> Result<Looked, StreamError> {
    let found = look(asks, settings)?;
    let mut behind: BTreeMap<String, i64> = BTreeMap::new();
    let (mut left, mut held) = (Vec::new(), Vec::new());
    let both = |of: &TopicPartition| Ok((ends(&asks.committed, of)?, ends(&asks.everything, of)?));
    for (source, next) in places {
        if !found.partitions.contains_key(&source) {
            continue;
        }
        match both(&source) {
            Ok((ends, all)) => {
                if all.next > ends.next {
                    let (source, stable) = (source.clone(), ends.next);
                    held.push(Held { source, stable, end: all.next });
                }
                let messages = ends.next - next.unwrap_or(ends.first).max(ends.first);
                *behind.entry(source.topic.clone()).or_default() += messages.max(0);
                if messages > 0 {
                    left.push(Left { source, next, ends });
                }
            }
            Err(error) => {
                return Ok(Looked { found, behind, left, held, unknown: Some(error) });
            }
        }
    }
    Ok(Looked { found, behind, left, held, unknown: None })
}

/// Asks what a partition still has; again, if that is less than was read of it, until the moment at which
/// that is believed: who believes it reads everything anew. The moment is one for all, and counts from
/// the first such answer. It blocks.
fn ends_behind(
    consumer: &BaseConsumer<Complaints>,
    place: &ReadPlace,
    until: &mut Option<Instant>,
) -> Result<Ends, StreamError> {
    loop {
        let ends = ends(consumer, &place.source)?;
        if ends.next >= place.next {
            return Ok(ends);
        }
        let now = Instant::now();
        if now >= *until.get_or_insert(now + BELIEVED_AFTER) {
            return Ok(ends);
        }
        std::thread::sleep(ASKS_AGAIN);
    }
}

/// Asks what a partition still has. It blocks.
fn ends(consumer: &BaseConsumer<Complaints>, of: &TopicPartition) -> Result<Ends, StreamError> {
    let asking = consumer.fetch_watermarks(&of.topic, of.partition, ANSWER_WITHIN);
    let (first, next) = asking.map_err(|error| {
        let doing = "asking for the ends of a topic";
        consumer.context().explain_at(&of.topic, doing, unled(error))
    })?;
    Ok(Ends { first, next })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use rdkafka::config::FromClientConfigAndContext;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};

    use super::*;

    /// Brokers with a topic of one partition, and who asks them.
    fn imitation() -> (MockCluster<'static, DefaultProducerContext>, Settings, Asks, TopicPartition)
    {
        let brokers = MockCluster::new(1).unwrap();
        let settings = Settings::plain(brokers.bootstrap_servers());
        let topic = topics::Use::Registry(RegistryKind::ALL[0]).name().into_owned();
        brokers.create_topic(&topic, 1, 1).unwrap();
        let consumer = || {
            let complaints = Complaints::new(&settings.connection.brokers);
            BaseConsumer::from_config_and_context(&settings.consumer(), complaints).unwrap()
        };
        let asks = Asks { committed: consumer(), everything: consumer() };
        (brokers, settings, asks, TopicPartition { topic, partition: 0 })
    }

    #[test]
    fn a_partition_that_nobody_leads_is_not_told_as_a_topic_that_is_not_there() {
        let (brokers, settings, asks, source) = imitation();
        brokers.partition_leader(&source.topic, 0, None).unwrap();
        let looked = look_beyond(&asks, &settings, vec![(source.clone(), None)]).unwrap();
        assert!(looked.found.partitions.contains_key(&source));
        let told = looked.unknown.unwrap();
        assert!(!told.lasts(), "{}", told.in_full());
    }

    #[test]
    fn a_broker_that_shows_less_than_was_read_is_asked_again() {
        let (_brokers, settings, asks, source) = imitation();
        let place = ReadPlace { source: source.clone(), next: 1, lost: 0 };
        let ends = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(ASKS_AGAIN);
                let producer: BaseProducer = settings.connection.client().create().unwrap();
                let record = BaseRecord::<str, str>::to(&source.topic).payload("{}");
                producer.send(record).map_err(|(error, _)| error).unwrap();
                producer.flush(ANSWER_WITHIN).unwrap();
            });
            let (_, mut places) = look_at(&asks, &settings, vec![place]).unwrap();
            places.remove(0).1.unwrap()
        });
        assert_eq!(ends, Ends { first: 0, next: 1 });
    }
}
