//! What stands in the topic of dead letters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::registry::{LETTERS, READ_WITHIN, Registry};

/// A dead letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) key: Option<String>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: BTreeMap<String, String>,
}

impl Letter {
    /// Topic, partition and offset of the message.
    pub(super) fn source(&self) -> (&str, i32, i64) {
        let number = |name: &str| self.headers[name].parse::<i64>().unwrap();
        let partition = i32::try_from(number("source-partition")).unwrap();
        (&self.headers["source-topic"], partition, number("source-offset"))
    }
}

/// Waits for so many letters, and returns them.
pub(super) async fn first(registry: &Registry, count: usize) -> Vec<Letter> {
    let (brokers, topic) = (registry.brokers.clone(), registry.name(LETTERS));
    tokio::task::spawn_blocking(move || read(&brokers, &topic, count)).await.unwrap()
}

fn read(brokers: &str, topic: &str, count: usize) -> Vec<Letter> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "tests");
    config.set("enable.auto.commit", "false").set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let (mut letters, begun) = (Vec::new(), Instant::now());
    while letters.len() < count {
        assert!(begun.elapsed() < READ_WITHIN, "{count} letters, but these: {letters:#?}");
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message.unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let headers = message.headers().unwrap().iter();
        let headers = headers.map(|it| (it.key.to_owned(), text(it.value.unwrap()))).collect();
        letters.push(Letter {
            key: message.key().map(text),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        });
    }
    letters
}
