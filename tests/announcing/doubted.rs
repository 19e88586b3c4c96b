//! The witnesses themselves: whoever found nothing anywhere would be believed for ever.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::house::{House, LONG_HOLDS, pause, well};
use super::messages::{Message, all};
use super::topics::delete;
use super::witness::{CANCELLED, HOLD_CREATED, RECORDED};
use crate::harness::Instance;

const SENT_WITHIN: Duration = Duration::from_mins(1);

/// Sends a message as somebody who may write where only the service should.
async fn send(house: &House, message: &Message) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &house.inside).set("partitioner", "murmur2_random");
    let producer: FutureProducer = config.create().unwrap();
    let headers = message.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    });
    let (topic, value) = (house.topic(&message.topic), message.value.to_string());
    let record = FutureRecord::to(&topic).key(&message.key).payload(&value).headers(headers);
    producer.send(record, SENT_WITHIN).await.unwrap();
}

/// A message like that one, with another header.
fn with(message: &Message, name: &str, value: &str) -> Message {
    let mut headers = message.headers.clone();
    headers.insert(name.to_owned(), value.to_owned());
    let Message { topic, key, value, .. } = message;
    Message { topic: topic.clone(), key: key.clone(), headers, value: value.clone() }
}

/// Both witnesses and `dispense streams verify` refuse the streams; the first finds this many of each.
async fn doubted(house: &House, instance: &Instance, found: &[(&str, u64)]) {
    let summary = house.compared_with(instance, "10").await;
    assert_eq!(summary["ok"], false);
    for (kind, least) in found {
        let count = summary["counts"][kind].as_u64().unwrap_or_default();
        assert!(count >= *least, "{kind}: {summary:#}");
    }
    assert!(!house.is_whole_to_the_other().await, "the consumer in Rust found nothing");
    let (status, said) = house.run(&["streams", "verify"]).await;
    assert!(!status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_keeps_its_offsets_with_what_it_was_told_may_be_killed() {
    let house = House::new().await;
    let instance = house.start().await;
    let busy = house.busy(&[&instance]);
    pause(3_000..4_000).await;
    busy.stop(&house, 20).await;
    let whole = house.whole(&instance).await;
    let kept = house.kept_by_one_who_is_killed(8, &whole).await;
    assert_eq!(kept["ok"], true, "{kept:#}");
    assert_eq!(kept["messages"], whole["messages"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_doubled_altered_forged_or_missing_is_found() {
    // What is doubled, and out of order with it.
    let house = House::new().await;
    let instance = house.start_with(&LONG_HOLDS).await;
    for _ in 0..4 {
        house.hold_and_cancel(&instance).await;
    }
    well(&instance).await;
    house.whole(&instance).await;
    let told = all(&house, &[HOLD_CREATED]).await;
    send(&house, &told[0]).await;
    doubted(&house, &instance, &[("doubled", 1)]).await;

    // What is altered: the same place with another hash, and as another event.
    let other = with(&told[1], "ce_hash", &"ab".repeat(32));
    let other = with(&other, "ce_id", &format!("{}/hold_created", uuid::Uuid::nil()));
    send(&house, &other).await;
    doubted(&house, &instance, &[("doubled", 1), ("altered", 1)]).await;

    // What the log never had.
    let mut forged = with(&told[2], "ce_type", RECORDED);
    forged.topic = RECORDED.to_owned();
    let forged = with(&forged, "ce_id", &format!("{}/recorded", uuid::Uuid::from_u128(1)));
    send(&house, &forged).await;
    doubted(&house, &instance, &[("unknown", 1)]).await;

    // What is missing: its topic was deleted and made again while nobody announced.
    drop(instance);
    delete(&house.brokers, &house.topic(CANCELLED)).await;
    house.make_topics().await;
    let instance = house.start().await;
    doubted(&house, &instance, &[("missing", 4)]).await;
}
