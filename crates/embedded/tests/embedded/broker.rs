//! Apache Kafka, started for real: what is kept, who is let in, and what stays apart.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use dispense_embedded::{Broker, BrokerBuilder, Error};
use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::sample::folder;

/// How long a broker may take to answer.
const WITHIN: Duration = Duration::from_mins(1);

/// How often it is asked to make a topic.
const TRIES: u32 = 20;

/// A broker in a folder that its own drop removes.
fn throwaway(folder: &Path) -> BrokerBuilder {
    Broker::builder(folder.join("broker")).throwaway()
}

fn client(addresses: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", addresses);
    client
}

/// Makes a topic with as many copies as the broker thinks right.
fn write_down(broker: &Broker, name: &str) {
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(2)));
    // The client may ask the very node that was just killed.
    for _ in 0..TRIES {
        let admin: AdminClient<_> = client(&broker.inside_addresses()).create().unwrap();
        if let Ok(made) = block_on(admin.create_topics([&topic], &options)) {
            assert!(matches!(made[..], [Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))]));
            return;
        }
    }
    panic!("no topic was made");
}

/// The topics that this client is shown, with the number of their copies.
fn listed(client: &ClientConfig) -> Result<Vec<(String, usize)>, String> {
    let consumer: BaseConsumer = client.create().unwrap();
    let metadata = consumer.fetch_metadata(None, WITHIN).map_err(|error| error.to_string())?;
    let copies = |topic: &rdkafka::metadata::MetadataTopic| topic.partitions()[0].replicas().len();
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), copies(topic))).collect())
}

/// Why this client is not let in: what it is told first.
fn refused(client: &ClientConfig) -> RDKafkaErrorCode {
    let mut client = client.clone();
    let consumer: BaseConsumer = client.set("group.id", "anybody").create().unwrap();
    consumer.subscribe(&["tablets"]).unwrap();
    let said = consumer.poll(WITHIN).unwrap().unwrap_err();
    said.rdkafka_error_code().unwrap()
}

#[test]
fn a_broker_that_was_stopped_or_killed_has_its_topics_on_the_same_port() {
    let folder = folder();
    let path = folder.path().join("new/broker");
    let one_topic = || vec![("tablets".to_owned(), 1)];
    let mut broker = Broker::builder(&path).start().unwrap();
    write_down(&broker, "tablets");
    let addresses = broker.addresses();
    broker.stop().unwrap();
    assert!(!broker.is_running());
    assert!(TcpStream::connect(&addresses).is_err());
    broker.start_again().unwrap();
    broker.kill().unwrap();
    assert!(TcpStream::connect(&addresses).is_err());
    broker.start_again().unwrap();
    assert_eq!(listed(&client(&addresses)).unwrap(), one_topic());
    assert_eq!(broker.addresses(), addresses);
    drop(broker);
    assert!(TcpStream::connect(&addresses).is_err());
    let later = Broker::builder(&path).start().unwrap();
    assert_eq!(later.addresses(), addresses);
    assert_eq!(listed(&client(&addresses)).unwrap(), one_topic());
}

#[test]
fn two_brokers_stand_side_by_side_and_leave_nothing() {
    let (one, other) = (folder(), folder());
    let first = throwaway(one.path()).start().unwrap();
    let second = throwaway(other.path()).start().unwrap();
    write_down(&first, "tablets");
    assert!(listed(&client(&second.addresses())).unwrap().is_empty());
    let refused = Broker::builder(first.folder()).start().unwrap_err();
    let expected = std::process::id().to_string();
    assert!(matches!(&refused, Error::InUse { owner, .. } if *owner == expected), "{refused}");
    drop(first);
    assert!(!one.path().join("broker").exists());
    assert!(second.authority().is_none() && second.process_id(1).is_some());
}

#[test]
fn three_nodes_go_on_with_two() {
    let folder = folder();
    let mut broker = throwaway(folder.path()).quorum().start().unwrap();
    assert_eq!(broker.addresses().split(',').count(), 3);
    broker.kill_node(2).unwrap();
    assert!(!broker.is_running());
    write_down(&broker, "tablets");
    broker.start_node_again(2).unwrap();
    assert!(broker.is_running());
    let topics = listed(&client(&broker.addresses())).unwrap();
    assert_eq!(topics, [("tablets".to_owned(), 3)]);
    assert!(broker.kill_node(4).unwrap_err().to_string().contains("from 1 to 3"));
}

#[test]
fn only_a_password_opens_it_and_only_a_right_shows_anything() {
    let folder = folder();
    let broker = throwaway(folder.path())
        .superuser("chief", "secret-1")
        .user("clerk", "secret-2")
        .encrypted()
        .start()
        .unwrap();
    write_down(&broker, "tablets");
    let authority = broker.authority().unwrap();
    let known = |mechanism: &str, name: &str, password: &str| {
        let mut client = client(&broker.addresses());
        client
            .set("security.protocol", "SASL_SSL")
            .set("ssl.ca.location", authority.to_str().unwrap());
        client.set("sasl.mechanism", mechanism);
        client.set("sasl.username", name).set("sasl.password", password);
        client
    };
    let everything = vec![("tablets".to_owned(), 1)];
    assert_eq!(listed(&known("PLAIN", "chief", "secret-1")), Ok(everything.clone()));
    let clerk = known("SCRAM-SHA-256", "clerk", "secret-2");
    assert_eq!(listed(&clerk), Ok(Vec::new()));
    broker.grant("clerk", &["--operation", "Describe", "--topic", "tablets"]).unwrap();
    // A right counts as soon as the node has read of it, a moment after it was granted.
    while listed(&clerk).unwrap() != everything {}
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let guess = known(mechanism, "clerk", "guess");
        assert_eq!(refused(&guess), RDKafkaErrorCode::Authentication);
    }
    let mut distrustful = known("PLAIN", "chief", "secret-1");
    distrustful.remove("ssl.ca.location");
    assert_eq!(refused(&distrustful), RDKafkaErrorCode::SSL);
}

#[test]
fn a_wrong_setting_is_told_in_the_brokers_words() {
    let folder = folder();
    let start = |name, value| throwaway(folder.path()).setting(name, value).start();
    let wrong = start("num.io.threads", "many").unwrap_err().to_string();
    assert!(wrong.contains("num.io.threads"), "{wrong}");
    let odd = start("include this", "1").unwrap_err().to_string();
    assert!(odd.contains("is not a setting"), "{odd}");
    let user = throwaway(folder.path()).user("a b", "c").start().unwrap_err().to_string();
    assert!(user.contains("not plain"), "{user}");
    assert!(!folder.path().join("broker").exists());
}
