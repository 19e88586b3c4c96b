//! The broker that `TEST_KAFKA_BROKERS` names, with topics of its own for each test.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use dispense_kafka::{Connection, Settings};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// Partitions of a topic in tests: enough that messages of one partition of the log are spread.
pub(crate) const PARTITIONS: u16 = 3;

/// How long the broker may take to make a topic, or to remove it.
const WITHIN: Duration = Duration::from_mins(1);

/// Where the brokers are.
pub(crate) fn addresses() -> String {
    std::env::var("TEST_KAFKA_BROKERS").expect(
        "a broker is needed: run target/debug/with-servers -- cargo test -p dispense-kafka, or name \
         one in TEST_KAFKA_BROKERS",
    )
}

/// Settings with a prefix that nobody had before.
pub(crate) fn settings() -> Settings {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    settings_with(&format!("t{now}-{}-{number}.", process::id()))
}

pub(crate) fn settings_with(prefix: &str) -> Settings {
    Settings {
        connection: Connection { brokers: addresses(), tls: None, sasl: None },
        prefix: prefix.to_owned(),
        partitions: PARTITIONS,
        replication: None,
        registry: true,
    }
}

pub(crate) fn admin(settings: &Settings) -> AdminClient<DefaultClientContext> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &settings.connection.brokers);
    client.create().unwrap()
}

/// Makes a topic by hand.
pub(crate) async fn make_topic(
    settings: &Settings,
    name: &str,
    partitions: i32,
    with: &[(&str, &str)],
) {
    let name = settings.topic(name);
    let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
    topic.config = with.to_vec();
    let options = AdminOptions::new().operation_timeout(Some(WITHIN));
    let made = admin(settings).create_topics(&[topic], &options).await.unwrap();
    assert_eq!(made, [Ok(name)]);
}
