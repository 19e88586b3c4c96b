//! Errors that brokers rarely have, told by librdkafka's own imitation of them. It does not take back what
//! was aborted, so that only what is committed at the first try can be counted.

use std::sync::Arc;
use std::time::Duration;

use dispensary::Topic;
use dispense_kafka::{Connection, POSITIONS_TOPIC, Settings};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::{PARTITION, Running, announced, start, wait_until};
use crate::relay_log::Shared;
use crate::streams::assert_once_and_in_order;

/// An imitation with topics, and how it is reached.
pub(super) fn imitation() -> (MockCluster<'static, DefaultProducerContext>, Settings) {
    let cluster = MockCluster::new(1).unwrap();
    let connection = Connection { brokers: cluster.bootstrap_servers(), tls: None, sasl: None };
    let settings = Settings {
        connection,
        prefix: String::new(),
        partitions: 2,
        replication: None,
        registry: false,
    };
    for topic in Topic::ALL.map(Topic::name).into_iter().chain([POSITIONS_TOPIC]) {
        cluster.create_topic(topic, 2, 1).unwrap();
    }
    (cluster, settings)
}

/// Announces ten events, has something go wrong, and records ten more.
async fn with(key: RDKafkaApiKey, errors: &[RDKafkaRespErr]) -> (Settings, Arc<Shared>, Running) {
    let (cluster, settings) = imitation();
    let log = Shared::new();
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    cluster.request_errors(key, errors);
    log.record(PARTITION, 10);
    // It lives as long as whoever speaks to it.
    std::mem::forget(cluster);
    (settings, log, relay)
}

#[tokio::test]
async fn a_coordinator_that_moves_while_it_commits_is_asked_again() {
    use RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR as MOVED;
    let (settings, log, relay) = with(RDKafkaApiKey::EndTxn, &[MOVED, MOVED]).await;
    announced(&log, PARTITION).await;
    relay.is_well().await;
    assert_eq!(relay.board.ever(), Vec::<String>::new());
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}

#[tokio::test]
async fn brokers_that_are_too_few_for_a_moment_are_waited_for() {
    use RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS as TOO_FEW;
    let (settings, log, relay) = with(RDKafkaApiKey::Produce, &[TOO_FEW, TOO_FEW]).await;
    announced(&log, PARTITION).await;
    relay.is_well().await;
    assert_eq!(relay.board.ever(), Vec::<String>::new());
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}

#[tokio::test]
async fn a_topic_that_may_not_be_written_is_named() {
    use RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED as DENIED;
    let (_, _, relay) = with(RDKafkaApiKey::Produce, &[DENIED]).await;
    // That it goes on once the right is granted is for brokers that take back what was aborted: here the
    // place may stay of which the messages were refused.
    let told = || !relay.board.ever().is_empty();
    wait_until("it is told", told, || "nothing".to_owned()).await;
    let ever = relay.board.ever();
    assert!(ever[0].contains("the brokers do not let us use topic ndp."), "{ever:?}");
    assert!(ever[0].contains("KAFKA_SASL_USERNAME"), "{ever:?}");
    relay.stop().await;
}

#[tokio::test]
async fn brokers_that_go_away_while_the_place_is_read_are_told_of_long_before_it_is_given_up() {
    use RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT as AWAY;
    const TOLD_WITHIN: Duration = Duration::from_secs(30);
    let (cluster, settings) = imitation();
    let log = Shared::new();
    log.record(PARTITION, 10);
    cluster.request_errors(RDKafkaApiKey::Fetch, &[AWAY; 1_000]);
    let relay = start(&settings, log.instance(), PARTITION);
    let told = relay.says("no broker answers at KAFKA_BROKERS=");
    tokio::time::timeout(TOLD_WITHIN, told).await.expect("it is told while it is waited");
    assert_eq!(log.told(PARTITION), 0);
    cluster.clear_request_errors(RDKafkaApiKey::Fetch);
    announced(&log, PARTITION).await;
    relay.is_well().await;
    relay.stop().await;
}

#[tokio::test]
async fn a_broker_that_does_not_know_the_end_of_a_topic_yet_is_not_taken_for_one_that_lost_it() {
    use RDKafkaRespErr::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE as NOT_YET;
    let (cluster, settings) = imitation();
    let log = Shared::new();
    log.record(PARTITION, 10);
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    // It looks again with the next transaction.
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.request_errors(RDKafkaApiKey::ListOffsets, &[NOT_YET; 5]);
    log.record(PARTITION, 10);
    announced(&log, PARTITION).await;
    relay.is_well().await;
    let ever = relay.board.ever();
    assert!(!ever.is_empty(), "it has asked");
    let lasting = |told: &&String| told.contains("dispense streams");
    assert_eq!(ever.iter().find(lasting), None);
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}
