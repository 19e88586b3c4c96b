//! The messages themselves, as any client of Kafka gets them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use super::house::House;

/// How long the brokers may be silent.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its topic, without the prefix.
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) value: Value,
}

impl Message {
    /// Partition and position of its event.
    pub(super) fn place(&self) -> (u16, i64) {
        let (partition, position) = self.headers["ce_sequence"].split_once(':').unwrap();
        (partition.parse().unwrap(), position.parse().unwrap())
    }
}

/// All messages of these topics that were committed, in the order of their events.
pub(super) async fn all(house: &House, topics: &'static [&'static str]) -> Vec<Message> {
    let (brokers, prefix) = (house.inside.clone(), house.prefix.clone());
    tokio::task::spawn_blocking(move || read(&brokers, &prefix, topics)).await.unwrap()
}

fn read(brokers: &str, prefix: &str, topics: &[&str]) -> Vec<Message> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "tests");
    config.set("enable.auto.commit", "false").set("isolation.level", "read_committed");
    config.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "20");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut messages = Vec::new();
    for topic in topics {
        let name = format!("{prefix}{topic}");
        let metadata = consumer.fetch_metadata(Some(&name), ANSWERED_WITHIN).unwrap();
        for partition in metadata.topics()[0].partitions() {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&name, partition.id(), Offset::Beginning).unwrap();
            consumer.assign(&list).unwrap();
            read_to_the_end(&consumer, topic, &mut messages);
        }
    }
    messages.sort_by_key(Message::place);
    messages
}

/// What the one partition that was assigned has, up to its end.
fn read_to_the_end(consumer: &BaseConsumer, topic: &str, messages: &mut Vec<Message>) {
    let mut heard = Instant::now();
    loop {
        let message = match consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(_))) => return,
            Some(message) => message.unwrap(),
            None => {
                assert!(heard.elapsed() < ANSWERED_WITHIN, "the brokers are silent");
                continue;
            }
        };
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        let headers = message.headers().unwrap().iter();
        messages.push(Message {
            topic: topic.to_owned(),
            key: text(message.key()),
            headers: headers.map(|it| (it.key.to_owned(), text(it.value))).collect(),
            value: serde_json::from_slice(message.payload().unwrap()).unwrap(),
        });
        heard = Instant::now();
    }
}
