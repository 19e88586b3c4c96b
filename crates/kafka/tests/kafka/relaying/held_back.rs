//! Transactions of others that are not over.

use std::time::Duration;

use dispense_kafka::{POSITIONS_TOPIC, Place};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::{PARTITION, announced, kept, start, with_topics};

/// How long the brokers may take.
const WITHIN: Duration = Duration::from_secs(20);

/// How long a relay may wait until it tells of it: far less than brokers keep a transaction open.
const TOLD_WITHIN: Duration = Duration::from_secs(25);

#[tokio::test]
async fn a_transaction_that_is_not_over_is_told_of_while_it_is_waited_for() {
    let (settings, log) = with_topics().await;
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    let topic = settings.topic(POSITIONS_TOPIC);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &settings.connection.brokers)
        .set("transactional.id", settings.topic("another"))
        .create()
        .unwrap();
    let metadata = producer.client().fetch_metadata(Some(&topic), WITHIN).unwrap();
    let of = i32::try_from(metadata.topics()[0].partitions().len()).unwrap();
    producer.init_transactions(WITHIN).unwrap();
    producer.begin_transaction().unwrap();
    let record = BaseRecord::to(&topic).key("another").payload("{}");
    let record = record.partition(Place::kafka_partition(PARTITION, of));
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(WITHIN).unwrap();

    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    let told = relay.says("is held back by a transaction that is not over");
    tokio::time::timeout(TOLD_WITHIN, told).await.expect("it is told while it is waited");
    producer.abort_transaction(WITHIN).unwrap();
    announced(&log, PARTITION).await;
    relay.is_well().await;
    relay.stop().await;
    assert_eq!(kept(&settings, &log, PARTITION).await.unwrap().relay.place.position, 20);
}
