//! Reads a topic to the end that it had when that began, a page at a time.

use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::sync::mpsc;

use crate::cluster::blocking;
use crate::complaints::Complaints;
use crate::error::StreamError;
use crate::reader::{READABLE_WITHIN, Readers, passes};
use crate::{Record, Settings};

/// Messages in a page.
const PAGE: usize = 500;

/// Pages that wait until they are looked at.
const AHEAD: usize = 4;

/// How long nothing may come, though there is something to come.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How long a call waits.
const CALL: Duration = Duration::from_millis(500);

/// From where to where a partition of a topic is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The first offset that is kept.
    pub(crate) begin: i64,
    /// The offset behind the last.
    pub(crate) end: i64,
}

impl Bounds {
    /// How many records stand between them, with the marks of transactions.
    pub(crate) fn records(self) -> u64 {
        u64::try_from(self.end - self.begin).unwrap_or_default()
    }
}

/// A message, and where it stands.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) record: Record,
}

/// Some messages, in the order of each partition.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Read>,
    /// How many records lie behind, with the marks of transactions.
    pub(crate) records: u64,
}

/// From where to where each partition of a topic can be read now. What was begun before is over then.
pub(crate) fn bounds(readers: &Readers, topic: &str) -> Result<Vec<Bounds>, StreamError> {
    let count = readers.partitions(topic, READABLE_WITHIN)?;
    let bounds = |partition| {
        let (begin, end) = readers.bounds(topic, partition, READABLE_WITHIN)?;
        Ok(Bounds { begin, end })
    };
    (0..count).map(bounds).collect()
}

/// As [`bounds`], of several topics; none for one that is not there.
pub(crate) async fn all_bounds(
    settings: &Settings,
    topics: Vec<String>,
) -> Result<Vec<Option<Vec<Bounds>>>, StreamError> {
    let settings = settings.clone();
    blocking(move || {
        let readers = Readers::new(&settings)?;
        let of = |topic: &String| match bounds(&readers, topic) {
            Ok(bounds) => Ok(Some(bounds)),
            Err(StreamError::NoTopic { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        topics.iter().map(of).collect()
    })
    .await
}

/// Reads a topic between its bounds, on a thread of its own.
pub(crate) fn read(
    settings: &Settings,
    topic: &str,
    bounds: &[Bounds],
) -> mpsc::Receiver<Result<Page, StreamError>> {
    let (pages, reads) = mpsc::channel(AHEAD);
    let (settings, topic, bounds) = (settings.clone(), topic.to_owned(), bounds.to_vec());
    tokio::task::spawn_blocking(move || {
        let done = Reading::start(&settings, &topic, &bounds)
            .and_then(|reading| reading.run(|page| pages.blocking_send(Ok(page)).is_ok()));
        if let Err(error) = done {
            // Whoever reads may have stopped.
            let _gone = pages.blocking_send(Err(error));
        }
    });
    reads
}

struct Reading<'a> {
    consumer: BaseConsumer<Complaints>,
    topic: &'a str,
    bounds: &'a [Bounds],
    /// Up to where each partition was read; none once that is done.
    next: Vec<Option<i64>>,
}

impl<'a> Reading<'a> {
    fn start(
        settings: &Settings,
        topic: &'a str,
        bounds: &'a [Bounds],
    ) -> Result<Self, StreamError> {
        let mut client = settings.consumer();
        client
            .set("enable.partition.eof", "true")
            // What becomes too old meanwhile is not there any more.
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("check.crcs", "true")
            // The end is told by an answer with nothing in it.
            .set("fetch.wait.max.ms", "50")
            .set("queued.max.messages.kbytes", "16384");
        let complaints = Complaints::new(&settings.connection.brokers);
        let consumer = BaseConsumer::from_config_and_context(&client, complaints)
            .map_err(|error| StreamError::Setting(error.into()))?;
        let next = bounds.iter().map(|it| (it.begin < it.end).then_some(it.begin)).collect();
        let reading = Self { consumer, topic, bounds, next };
        let mut what = TopicPartitionList::new();
        for (partition, from) in (0..).zip(&reading.next) {
            if let Some(from) = from {
                what.add_partition_offset(topic, partition, Offset::Offset(*from))
                    .map_err(|error| reading.explain(error))?;
            }
        }
        reading.consumer.assign(&what).map_err(|error| reading.explain(error))?;
        Ok(reading)
    }

    /// Reads; `each` says whether anybody wants more.
    fn run(mut self, each: impl Fn(Page) -> bool) -> Result<(), StreamError> {
        let mut page = Page::default();
        let mut heard = Instant::now();
        while self.next.iter().any(Option::is_some) {
            let read = match self.consumer.poll(CALL) {
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    Some((Read { partition, offset, record: Record::read(&message) }, offset))
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    heard = Instant::now();
                    page.records += self.ended(partition);
                    None
                }
                Some(Err(error)) if !passes(&error) => return Err(self.explain(error)),
                Some(Err(_)) | None => {
                    if heard.elapsed() >= SILENT_FOR {
                        let late = RDKafkaErrorCode::OperationTimedOut;
                        return Err(self.explain(KafkaError::MessageConsumption(late)));
                    }
                    None
                }
            };
            if let Some((message, offset)) = read {
                heard = Instant::now();
                page.records += self.passed(message.partition, offset);
                if self.is_within(message.partition, offset) {
                    page.messages.push(message);
                }
            }
            if page.messages.len() >= PAGE && !each(std::mem::take(&mut page)) {
                return Ok(());
            }
        }
        each(page);
        Ok(())
    }

    fn is_within(&self, partition: i32, offset: i64) -> bool {
        bounds_of(self.bounds, partition).is_some_and(|bounds| offset < bounds.end)
    }

    /// A message was read; returns how many records that is further than before.
    fn passed(&mut self, partition: i32, offset: i64) -> u64 {
        let Some(bounds) = bounds_of(self.bounds, partition) else { return 0 };
        let Some(next) = number(partition).and_then(|it| self.next.get_mut(it)) else { return 0 };
        let Some(before) = *next else { return 0 };
        let now = (offset + 1).min(bounds.end);
        *next = (offset + 1 < bounds.end).then_some(now);
        u64::try_from(now - before).unwrap_or_default()
    }

    /// A partition has no more; returns how many records that is further than before.
    fn ended(&mut self, partition: i32) -> u64 {
        let Some(bounds) = bounds_of(self.bounds, partition) else { return 0 };
        let next = number(partition).and_then(|it| self.next.get_mut(it));
        let before = next.and_then(Option::take);
        before.map_or(0, |before| u64::try_from(bounds.end - before).unwrap_or_default())
    }

    fn explain(&self, error: KafkaError) -> StreamError {
        self.consumer.context().explain_at(self.topic, "reading a topic", error)
    }
}

fn number(partition: i32) -> Option<usize> {
    usize::try_from(partition).ok()
}

fn bounds_of(bounds: &[Bounds], partition: i32) -> Option<Bounds> {
    bounds.get(number(partition)?).copied()
}
