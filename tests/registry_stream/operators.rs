//! What operators do to the topics of the registries.

use rdkafka::admin::AdminOptions;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::registry::{Changing, READ_WITHIN, Registry, topic_of, well};
use crate::announcing::house::told;
use crate::announcing::{brokers, topics};
use crate::harness::{Database, Terms, eventually, line, world};

async fn persons(registry: &Registry) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM persons");
    count.fetch_one(&registry.database.pool).await.unwrap()
}

/// The record of a patient, as a message.
fn patient(registry: &Registry, n: usize) -> Vec<u8> {
    line("person", &world::person(&registry.world.prescribed(Terms::InParts, n))).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_partitions_are_found_that_are_made_while_it_runs() {
    let registry = Registry::on(Database::new().await, brokers::shared());
    let instance = registry.start().await;
    let topic = topic_of("person");
    registry.make(&topic, 1).await;
    registry.send(&topic, 0, "", Some(&patient(&registry, 0))).await;
    registry.read(&topic, 0, 0).await;
    registry.divide(&topic, 3).await;
    registry.send(&topic, 2, "", Some(&patient(&registry, 1))).await;
    registry.read(&topic, 2, 0).await;
    assert_eq!(persons(&registry).await, 2);

    topics::delete(&registry.brokers, &registry.name(&topic)).await;
    registry.make(&topic, 1).await;
    registry.send(&topic, 0, "", Some(&patient(&registry, 2))).await;
    let other = topic_of("party");
    registry.make(&other, 1).await;
    let party = line("party", &world::party(&registry.world.pharmacies[0]));
    registry.send(&other, 0, "", Some(party.as_bytes())).await;
    registry.read(&other, 0, 0).await;
    well(&instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_is_read_from_its_beginning() {
    let registry = Registry::new(&["person"]).await;
    let topic = topic_of("person");
    let mut instance = registry.start().await;
    for n in 0..3 {
        registry.send(&topic, 0, "", Some(&patient(&registry, n))).await;
    }
    registry.read(&topic, 0, 2).await;
    instance.kill();
    topics::delete(&registry.brokers, &registry.name(&topic)).await;
    registry.make(&topic, 1).await;
    registry.send(&topic, 0, "", Some(&patient(&registry, 3))).await;
    instance.start_again().await;
    eventually("the new patient", READ_WITHIN, async || {
        (persons(&registry).await == 4).then_some(())
    })
    .await;
    let places = registry.places().await;
    assert_eq!(places[&(registry.name(&topic), 0)], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_took_before_it_was_read_is_told_until_it_is_mended() {
    let registry = Registry::new(&["person"]).await;
    let topic = topic_of("person");
    let mut instance = registry.start().await;
    registry.send(&topic, 0, "", Some(&patient(&registry, 0))).await;
    registry.read(&topic, 0, 0).await;
    instance.kill();
    for n in 1..5 {
        registry.send(&topic, 0, "", Some(&patient(&registry, n))).await;
    }
    let mut gone = TopicPartitionList::new();
    gone.add_partition_offset(&registry.name(&topic), 0, Offset::Offset(4)).unwrap();
    registry.admin().delete_records(&gone, &AdminOptions::new()).await.unwrap();

    instance.start_again().await;
    registry.read(&topic, 0, 4).await;
    assert_eq!(persons(&registry).await, 2, "the first and the last");
    let source = format!("3 of {}/0", registry.name(&topic));
    told(&instance, &["registry", &source, "import the registry anew"]).await;
    instance.start_again().await;
    told(&instance, &[&source]).await;
    // As docs/operations.md says.
    let mended = "UPDATE registry_offsets SET lost = 0 WHERE lost > 0";
    sqlx::query(mended).execute(&registry.database.pool).await.unwrap();
    well(&instance).await;
}

/// What is said of one topic is heard among the messages of others, too: it is said once.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_while_others_are_read_is_read_from_its_beginning() {
    let registry = Registry::new(&["person", "party"]).await;
    let topic = topic_of("person");
    let instance = registry.start().await;
    for n in 0..3 {
        registry.send(&topic, 0, "", Some(&patient(&registry, n))).await;
    }
    registry.read(&topic, 0, 2).await;
    let mut changing = Changing::new();
    let anew = async {
        topics::delete(&registry.brokers, &registry.name(&topic)).await;
        registry.make(&topic, 3).await;
        registry.send(&topic, 0, "", Some(&patient(&registry, 3))).await;
        eventually("the new patient", READ_WITHIN, async || {
            (persons(&registry).await == 4).then_some(())
        })
        .await;
    };
    let busy = async {
        loop {
            changing.go_on(&registry).await;
        }
    };
    tokio::select! {
        () = anew => {}
        () = busy => {}
    }
    let places = registry.places().await;
    assert_eq!(places[&(registry.name(&topic), 0)], 1);
    well(&instance).await;
}

/// The ends of transactions, and what was given up, stand at offsets too; retention takes them as any
/// other.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_reader_was_ever_to_see_is_not_lost() {
    let registry = Registry::new(&["person"]).await;
    let (topic, name) = (topic_of("person"), registry.name(&topic_of("person")));
    let mut instance = registry.start().await;
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &registry.brokers)
        .set("transactional.id", &name)
        .create()
        .unwrap();
    producer.init_transactions(READ_WITHIN).unwrap();
    for (n, is_kept) in [(0, true), (1, false)] {
        producer.begin_transaction().unwrap();
        let value = patient(&registry, n);
        let record = FutureRecord::<[u8], _>::to(&name).partition(0).payload(&value);
        producer.send(record, READ_WITHIN).await.unwrap();
        if is_kept {
            producer.commit_transaction(READ_WITHIN).unwrap();
        } else {
            producer.abort_transaction(READ_WITHIN).unwrap();
        }
    }
    // Two messages, and behind each of them an end.
    registry.read(&topic, 0, 3).await;
    eventually("no message that waits", READ_WITHIN, async || {
        let metrics = reqwest::get(format!("{}/metrics", instance.url)).await.ok()?;
        let lag = format!("dispense_registry_stream_lag_messages{{topic=\"{name}\"}} 0");
        metrics.text().await.ok()?.lines().any(|line| line == lag).then_some(())
    })
    .await;
    instance.kill();
    let mut gone = TopicPartitionList::new();
    gone.add_partition_offset(&name, 0, Offset::Offset(4)).unwrap();
    registry.admin().delete_records(&gone, &AdminOptions::new()).await.unwrap();
    instance.start_again().await;
    let offset = registry.send(&topic, 0, "", Some(&patient(&registry, 2))).await;
    registry.read(&topic, 0, offset).await;
    assert_eq!(persons(&registry).await, 2);
    let lost = "SELECT sum(lost)::bigint FROM registry_offsets";
    let lost: i64 = sqlx::query_scalar(lost).fetch_one(&registry.database.pool).await.unwrap();
    assert_eq!(lost, 0);
    well(&instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_data_is_not_read_where_the_settings_say_so() {
    let registry = Registry::new(&["person"]).await;
    let topic = topic_of("person");
    let instance = registry.start_with(&[("KAFKA_REGISTRY", "false")]).await;
    registry.send(&topic, 0, "", Some(&patient(&registry, 0))).await;
    // One that reads is done long before this one has begun to.
    let reads = registry.start().await;
    registry.read(&topic, 0, 0).await;
    let lag = reqwest::get(format!("{}/metrics", instance.url)).await.unwrap();
    let lag = lag.text().await.unwrap();
    assert!(!lag.contains("dispense_registry_stream"), "{lag}");
    well(&reads).await;
}
