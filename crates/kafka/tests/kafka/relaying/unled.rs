//! Partitions that nobody leads, as where the last broker that keeps one is away and others answer.

use std::time::Duration;

use dispensary::Topic;
use dispense_kafka::resume::{Whence, plan};
use dispense_kafka::{POSITIONS_TOPIC, Place};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::injected::imitation;
use super::{PARTITION, announced, kept, start};
use crate::relay_log::Shared;
use crate::stage::Stage;

/// How long the brokers may take.
const WITHIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn where_a_topic_cannot_be_asked_nothing_is_resumed_as_if_it_had_never_been() {
    let (cluster, settings) = imitation();
    let log = Shared::new();
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    // The place is forgotten.
    let brokers = &settings.connection.brokers;
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let key = Place::key(log.log_id(), PARTITION);
    let at = Place::kafka_partition(PARTITION, 2);
    let nothing = BaseRecord::<str, str>::to(POSITIONS_TOPIC).partition(at).key(&key);
    producer.send(nothing).map_err(|(error, _)| error).unwrap();
    producer.flush(WITHIN).unwrap();
    for partition in 0..2 {
        cluster.partition_leader(Topic::Recorded.name(), partition, None).unwrap();
    }
    let log = log.instance();
    let planned =
        plan(&settings, &*log, &Stage::beginning, &[PARTITION], Whence::Topics, &|_| {}).await;
    let told = planned.expect_err("what was announced there is not known").to_string();
    assert!(told.contains("asking for the end of a topic"), "{told}");
}

#[tokio::test]
async fn a_broker_that_shows_less_for_a_moment_is_asked_again_before_a_topic_is_called_lost() {
    const WRITTEN_LATER: i64 = 3;
    let (_cluster, settings) = imitation();
    let log = Shared::new();
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    // As if more had been seen there than is shown now.
    let mut place = kept(&settings, &log, PARTITION).await.unwrap();
    *place.ends.get_mut(Topic::Expired.name()).unwrap() += WRITTEN_LATER;
    let brokers = &settings.connection.brokers;
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let (key, written) = (Place::key(log.log_id(), PARTITION), place.written().unwrap());
    let at = Place::kafka_partition(PARTITION, 2);
    let record = BaseRecord::to(POSITIONS_TOPIC).partition(at).key(&key).payload(&written);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(WITHIN).unwrap();

    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    // It looks before that, or this tests nothing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..WRITTEN_LATER {
        let record = BaseRecord::<str, str>::to(Topic::Expired.name()).payload("{}");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(WITHIN).unwrap();
    announced(&log, PARTITION).await;
    assert_eq!(relay.board.ever(), Vec::<String>::new());
    relay.stop().await;
}
