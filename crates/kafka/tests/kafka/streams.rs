//! What a consumer sees that reads what was committed, held against the log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dispensary::announcement::{Fact, Topic};
use dispense_kafka::{Record, Settings};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use uuid::Uuid;

/// How long it may take until everything is there.
const WITHIN: Duration = Duration::from_mins(1);

/// The records of a topic that were committed, in the order in which each partition has them.
pub(crate) fn committed(settings: &Settings, topic: Topic) -> Vec<Record> {
    let topic = settings.topic(topic.name());
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &settings.connection.brokers)
        .set("group.id", "nobody")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(&topic), WITHIN).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    let mut what = TopicPartitionList::new();
    for partition in 0..partitions {
        let partition = i32::try_from(partition).unwrap();
        what.add_partition_offset(&topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&what).unwrap();
    let mut found = Vec::new();
    let mut ended = 0;
    let until = Instant::now() + WITHIN;
    while ended < partitions {
        assert!(Instant::now() < until, "{topic} can be read to its end");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => found.push(Record::read(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(_)) | None => {}
        }
    }
    found
}

/// That each topic has every event of those that it should have, once, and in order for each key; and
/// each record as it is made of its event.
pub(crate) fn assert_once_and_in_order(settings: &Settings, log_id: Uuid, facts: &[Fact]) {
    for topic in Topic::ALL {
        let mut wanted: BTreeMap<Vec<u8>, Vec<Record>> = BTreeMap::new();
        for fact in facts {
            for told in fact.announcements(log_id).unwrap() {
                if told.topic == topic {
                    let record = Record::from(told);
                    wanted.entry(record.key.clone()).or_default().push(record);
                }
            }
        }
        let mut found: BTreeMap<Vec<u8>, Vec<Record>> = BTreeMap::new();
        for record in committed(settings, topic) {
            found.entry(record.key.clone()).or_default().push(record);
        }
        let places = |records: &BTreeMap<Vec<u8>, Vec<Record>>| -> Vec<Vec<i64>> {
            let place = |record: &Record| record.place().unwrap().position;
            records.values().map(|records| records.iter().map(place).collect()).collect()
        };
        assert_eq!(places(&found), places(&wanted), "{}", topic.name());
        assert_eq!(found, wanted, "{}", topic.name());
    }
}
