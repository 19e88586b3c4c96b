//! What is told when it does not go on, and that it goes on when that was mended.

use std::time::Duration;

use dispensary::Topic;
use dispensary::relay::RelayLog as _;
use dispense_kafka::topics::{Earnest, make};
use dispense_kafka::{Connection, POSITIONS_TOPIC, Settings};
use rdkafka::admin::{AdminOptions, AlterConfig, ResourceSpecifier};

use super::{PARTITION, announced, kept, start, wait_until, with_topics};
use crate::broker::{admin, settings};
use crate::relay_log::Shared;
use crate::streams::{assert_once_and_in_order, committed};

/// How long the broker may take.
const WITHIN: Duration = Duration::from_mins(1);

/// How often topics are tried to be made, each time a tenth of a second later.
const TRIES: usize = 600;

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(WITHIN))
}

async fn remove(settings: &Settings, name: &str) {
    let name = settings.topic(name);
    admin(settings).delete_topics(&[&name], &options()).await.unwrap()[0].as_ref().unwrap();
}

async fn make_all(settings: &Settings, log: &std::sync::Arc<Shared>) {
    // A topic that was just removed may be in the way for a moment.
    for _ in 0..TRIES {
        let made = make(settings, log.instance().partitions(), Earnest::Done).await;
        if made.is_ok() {
            let again = make(settings, log.instance().partitions(), Earnest::Told).await.unwrap();
            if again.iter().all(|topic| topic.found == dispense_kafka::topics::Found::AsWanted) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the topics cannot be made");
}

/// How much a topic takes at once.
async fn takes(settings: &Settings, topic: Topic, bytes: u32) {
    let (name, bytes) = (settings.topic(topic.name()), bytes.to_string());
    let config = AlterConfig::new(ResourceSpecifier::Topic(&name)).set("max.message.bytes", &bytes);
    admin(settings).alter_configs(&[config], &options()).await.unwrap()[0].as_ref().unwrap();
}

#[tokio::test]
async fn without_topics_it_waits_for_them() {
    let (settings, log) = (settings(), Shared::new());
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    relay.says(&format!("there is no topic {}", settings.topic(POSITIONS_TOPIC))).await;
    relay.says("dispense streams topics").await;
    make_all(&settings, &log).await;
    announced(&log, PARTITION).await;
    relay.is_well().await;
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}

#[tokio::test]
async fn without_brokers_it_says_where_it_looks_for_them() {
    let log = Shared::new();
    let connection = Connection { brokers: "127.0.0.1:1".to_owned(), tls: None, sasl: None };
    let settings = Settings { connection, ..settings() };
    let relay = start(&settings, log.instance(), PARTITION);
    relay.says("no broker answers at KAFKA_BROKERS=127.0.0.1:1").await;
    relay.says("Connection refused").await;
    relay.stop().await;
}

#[tokio::test]
async fn a_topic_that_was_made_anew_stops_it_and_nothing_is_written_behind_the_gap() {
    let (settings, log) = with_topics().await;
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    remove(&settings, Topic::Recorded.name()).await;
    make_all(&settings, &log).await;
    log.record(PARTITION, 10);
    let way_out = format!("dispense streams refill {}", Topic::Recorded.name());
    relay.says(&way_out).await;
    relay.stop().await;
    // The next one finds the same, and so does one that was never there before.
    for _ in 0..2 {
        let next = start(&settings, log.instance(), PARTITION);
        next.says(&way_out).await;
        next.stop().await;
    }
    assert_eq!(committed(&settings, Topic::Recorded), []);
    assert_eq!(committed(&settings, Topic::HoldCreated).len(), 5);
    assert_eq!(kept(&settings, &log, PARTITION).await.unwrap().relay.place.position, 10);
}

#[tokio::test]
async fn a_topic_that_others_have_filled_up_to_the_same_count_is_still_known_to_be_another() {
    let (settings, log) = with_topics().await;
    for partition in [0, PARTITION] {
        log.record(partition, 2);
        let relay = start(&settings, log.instance(), partition);
        announced(&log, partition).await;
        log.record(partition, 2);
        announced(&log, partition).await;
        relay.stop().await;
    }
    remove(&settings, Topic::Recorded.name()).await;
    make_all(&settings, &log).await;
    // Of another log, with as many messages as the partition had announced.
    let other = Shared::new();
    other.record(1, 4);
    let relay = start(&settings, other.instance(), 1);
    announced(&other, 1).await;
    relay.stop().await;
    assert_eq!(committed(&settings, Topic::Recorded).len(), 2);
    log.record(PARTITION, 2);
    let relay = start(&settings, log.instance(), PARTITION);
    relay.says("was lost or made anew").await;
    relay.stop().await;
    assert_eq!(committed(&settings, Topic::Recorded).len(), 2);
}

#[tokio::test]
async fn where_the_place_was_lost_it_begins_nothing_anew() {
    let (settings, log) = with_topics().await;
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    remove(&settings, POSITIONS_TOPIC).await;
    make_all(&settings, &log).await;
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    relay.says("dispense streams resume").await;
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION)[..10]);
}

#[tokio::test]
async fn a_message_that_is_too_large_stops_it_and_is_named_until_it_is_allowed() {
    let (settings, log) = with_topics().await;
    takes(&settings, Topic::HoldCreated, 4_000).await;
    log.record(PARTITION, 100);
    log.record_with(PARTITION, 2, 500);
    log.record(PARTITION, 100);
    let relay = start(&settings, log.instance(), PARTITION);
    relay.says("the message of position 101 has").await;
    relay.says(&format!("topic {}", settings.topic(Topic::HoldCreated.name()))).await;
    relay.says("max.message.bytes").await;
    // What stands before it is announced, though it did not fit into one batch.
    wait_until(
        "the first are there",
        || log.told(PARTITION) == 100,
        || log.told(PARTITION).to_string(),
    )
    .await;
    takes(&settings, Topic::HoldCreated, 1_000_000).await;
    announced(&log, PARTITION).await;
    relay.is_well().await;
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}
