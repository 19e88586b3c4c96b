//! What an operator does to topics behind the service's back.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::harness::eventually;

const DONE_WITHIN: Duration = Duration::from_mins(1);

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap()
}

/// Deletes a topic, and waits until it is gone.
pub(crate) async fn delete(brokers: &str, topic: &str) {
    let deleted = admin(brokers).delete_topics(&[topic], &AdminOptions::new()).await.unwrap();
    deleted[0].as_ref().unwrap();
    eventually("a topic that is gone", DONE_WITHIN, async || {
        let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
        tokio::task::spawn_blocking(move || !is_there(&brokers, &topic)).await.ok()?.then_some(())
    })
    .await;
}

fn is_there(brokers: &str, topic: &str) -> bool {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let consumer: BaseConsumer = config.create().unwrap();
    // Of all topics, because asking for one by its name could be taken for a wish to have it.
    let metadata = consumer.fetch_metadata(None, DONE_WITHIN).unwrap();
    metadata.topics().iter().any(|it| it.name() == topic)
}

/// Sets how long a message of a topic may be at most, in bytes.
pub(super) async fn set_longest_message(brokers: &str, topic: &str, bytes: u32) {
    let bytes = bytes.to_string();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", &bytes);
    let changed = admin(brokers).alter_configs(&[change], &AdminOptions::new()).await.unwrap();
    changed[0].as_ref().unwrap();
}
