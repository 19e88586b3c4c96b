//! Topics that are made, and those that are there already.

use std::collections::BTreeMap;

use dispense_domain::Partitions;
use dispense_kafka::topics::{Difference, Earnest, Found, Refused, Topic, make};
use dispense_kafka::{POSITIONS_TOPIC, Settings};
use rdkafka::admin::{AdminOptions, ResourceSpecifier};

use crate::broker::{admin, make_topic, settings};

fn log() -> Partitions {
    Partitions::new(4).unwrap()
}

async fn run(settings: &Settings, earnest: Earnest) -> Vec<Topic> {
    make(settings, log(), earnest).await.unwrap()
}

/// How each topic is, by name without prefix.
fn found<'a>(settings: &Settings, topics: &'a [Topic]) -> BTreeMap<&'a str, &'a Found> {
    let name = |topic: &'a Topic| topic.wanted.name.strip_prefix(&*settings.prefix).unwrap();
    topics.iter().map(|topic| (name(topic), &topic.found)).collect()
}

#[tokio::test]
async fn topics_that_are_missing_are_told_then_made_then_as_wanted() {
    let settings = settings();
    for (earnest, is) in [
        (Earnest::Told, Found::Missing),
        (Earnest::Told, Found::Missing),
        (Earnest::Done, Found::Made),
        (Earnest::Done, Found::AsWanted),
        (Earnest::Told, Found::AsWanted),
    ] {
        let topics = run(&settings, earnest).await;
        assert_eq!(topics.len(), 5 + 1 + 15 + 1);
        for topic in topics {
            assert_eq!(topic.found, is, "{topic:?}");
        }
    }
}

#[tokio::test]
async fn brokers_have_what_was_wanted() {
    let settings = settings();
    run(&settings, Earnest::Done).await;
    let names = ["ndp.events.dispense.recorded", POSITIONS_TOPIC, "ndp.registry.person"];
    let names = names.map(|name| settings.topic(name));
    let asked: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let admin = admin(&settings);
    let described = admin.describe_configs(&asked, &AdminOptions::new()).await.unwrap();
    let value = |topic: usize, name| {
        let topic = described[topic].as_ref().unwrap();
        topic.get(name).unwrap().value.clone().unwrap()
    };
    assert_eq!(value(0, "cleanup.policy"), "delete");
    assert_eq!(value(0, "retention.ms"), "2592000000");
    assert_eq!(value(1, "cleanup.policy"), "compact");
    assert_eq!(value(2, "retention.ms"), "604800000");
    for topic in 0..3 {
        assert_eq!(value(topic, "unclean.leader.election.enable"), "false");
        assert_eq!(value(topic, "min.insync.replicas"), "1", "on a single broker");
    }
    let metadata = admin.inner().fetch_metadata(None, std::time::Duration::from_mins(1)).unwrap();
    let partitions = names.map(|name| {
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        topic.unwrap().partitions().len()
    });
    assert_eq!(partitions, [3, 4, 3], "as set, as the log, as set");
}

#[tokio::test]
async fn a_topic_that_is_otherwise_than_wanted_stays_so_and_is_told() {
    let settings = settings();
    let with = [("retention.ms", "86400000"), ("cleanup.policy", "compact")];
    make_topic(&settings, "ndp.events.dispense.expired", 5, &with).await;
    for earnest in [Earnest::Told, Earnest::Done, Earnest::Done] {
        let topics = run(&settings, earnest).await;
        let Found::Differs(differences) = found(&settings, &topics)["ndp.events.dispense.expired"]
        else {
            panic!("{topics:?}");
        };
        let difference = |what, is: &str, wanted: &str| Difference {
            what,
            is: is.to_owned(),
            wanted: wanted.to_owned(),
        };
        assert_eq!(
            differences,
            &[
                difference("partitions", "5", "3"),
                difference("cleanup.policy", "compact", "delete"),
                difference("retention.ms", "86400000", "2592000000"),
            ]
        );
    }
}

#[tokio::test]
async fn more_brokers_than_there_are_cannot_keep_a_topic() {
    let settings = Settings { replication: Some(2), ..settings() };
    for earnest in [Earnest::Told, Earnest::Done] {
        for topic in run(&settings, earnest).await {
            let refused = Refused::TooFewBrokers { wanted: 2, brokers: 1 };
            assert_eq!(topic.found, Found::Refused(refused));
        }
    }
}

#[tokio::test]
async fn a_topic_that_may_not_be_called_so_is_refused_by_itself() {
    // Kafka takes 249 characters; the longest of our names does not fit any more.
    let long = settings();
    let longest = "ndp.registry.medical_program_provision".len();
    let fill = "x".repeat(250 - longest - long.prefix.len());
    let long = Settings { prefix: format!("{}{fill}", long.prefix), ..long };
    let topics = run(&long, Earnest::Done).await;
    let refused: Vec<_> =
        topics.iter().filter(|topic| matches!(topic.found, Found::Refused(_))).collect();
    let names: Vec<&str> = refused.iter().map(|topic| &*topic.wanted.name).collect();
    assert!(names.iter().any(|name| name.ends_with(".medical_program_provision")), "{names:?}");
    assert!(topics.iter().any(|topic| topic.found == Found::Made), "{topics:?}");
}

#[tokio::test]
async fn without_registry_topics_only_ours_are_wanted() {
    let settings = Settings { registry: false, ..settings() };
    let topics = run(&settings, Earnest::Told).await;
    let names: Vec<_> = found(&settings, &topics).into_keys().collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("ndp.registry.")), "{names:?}");
}
