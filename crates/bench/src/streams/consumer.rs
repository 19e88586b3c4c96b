//! A consumer of committed messages.

use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow, ensure};
use chrono::{DateTime, Utc};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::figures::Latencies;

/// The topic that tells of holds.
const TOPIC: &str = "ndp.events.dispense.hold_created";

/// So many messages tell how large one is.
const SAMPLE: usize = 1_000;

/// How long an answer of the broker may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How long it is waited for the last messages.
const LAST_WITHIN: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(100);

/// The mean size of a message with key and headers.
pub(super) fn mean_size(brokers: &str) -> anyhow::Result<usize> {
    let consumer = reading(brokers, Offset::Beginning)?;
    let start = Instant::now();
    let (mut count, mut bytes) = (0, 0);
    while count < SAMPLE && start.elapsed() < WITHIN {
        if let Some(message) = consumer.poll(POLL).transpose()? {
            (count, bytes) = (count + 1, bytes + size(&message));
        }
    }
    ensure!(count > 0, "{TOPIC} is empty");
    Ok(bytes / count)
}

fn size(message: &BorrowedMessage<'_>) -> usize {
    let headers = message.headers().map_or(0, |headers| {
        headers.iter().map(|it| it.key.len() + it.value.map_or(0, <[u8]>::len)).sum()
    });
    message.key_len() + message.payload_len() + headers
}

/// Takes the time of every message from now on.
pub(super) struct Listener {
    heard: Receiver<Duration>,
    _thread: JoinHandle<()>,
}

/// Listens from the end of the topic.
pub(super) fn listen(brokers: &str) -> anyhow::Result<Listener> {
    let consumer = reading(brokers, Offset::End)?;
    // The consumer stands at the end once it was asked for the first time.
    while consumer.poll(POLL).is_some() {}
    let (teller, heard) = mpsc::channel();
    let listening = move || loop {
        let told = match consumer.poll(POLL) {
            Some(Ok(message)) => age(&message).map(|age| teller.send(age)),
            // Whoever waits will miss what did not come.
            Some(Err(_)) => None,
            None => continue,
        };
        if told.is_some_and(|told| told.is_err()) {
            return;
        }
    };
    Ok(Listener { heard, _thread: thread::spawn(listening) })
}

impl Listener {
    /// The ages of so many messages when they were heard.
    pub(super) fn heard(self, count: usize) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::default();
        for heard in 0..count {
            let age = self.heard.recv_timeout(LAST_WITHIN);
            latencies.record(age.map_err(|_| {
                anyhow!("{heard} of {count} messages came, and no more for {LAST_WITHIN:?}")
            })?);
        }
        Ok(latencies)
    }
}

/// How long ago the event was decided that a message tells of.
fn age(message: &BorrowedMessage<'_>) -> Option<Duration> {
    let headers = message.headers()?;
    let time = headers.iter().find(|header| header.key == "ce_time")?.value?;
    let time: DateTime<Utc> = std::str::from_utf8(time).ok()?.parse().ok()?;
    SystemTime::now().duration_since(time.into()).ok()
}

/// A consumer of all partitions from there.
fn reading(brokers: &str, from: Offset) -> anyhow::Result<BaseConsumer> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), WITHIN)?;
    let topic = metadata.topics().first().context("the broker does not know the topic")?;
    let mut all = TopicPartitionList::new();
    for partition in topic.partitions() {
        all.add_partition_offset(TOPIC, partition.id(), from)?;
    }
    consumer.assign(&all)?;
    Ok(consumer)
}
