//! An installation whose registries come in messages.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use crate::announcing::brokers;
use crate::announcing::house::fault;
use crate::harness::{Database, Instance, World, eventually};

/// How long messages may take: machines are slow, and faults take their time.
pub(super) const READ_WITHIN: Duration = Duration::from_mins(2);

/// The topic of dead letters.
pub(super) const LETTERS: &str = "ndp.registry.dead_letter";

/// The topic of a kind.
pub(super) fn topic_of(kind: &str) -> String {
    format!("ndp.registry.{kind}")
}

/// The registries, as they tell of their changes.
pub(super) struct Registry {
    pub(super) database: Database,
    pub(super) world: World,
    pub(super) brokers: String,
    prefix: String,
    producer: FutureProducer,
}

impl Registry {
    /// On the servers that all tests share, with topics for these kinds and for dead letters.
    pub(super) async fn new(kinds: &[&str]) -> Self {
        let registry = Self::on(Database::new().await, brokers::shared());
        for kind in kinds {
            registry.make(&topic_of(kind), 3).await;
        }
        registry.make(LETTERS, 1).await;
        registry
    }

    /// On that database and those brokers, without any topic.
    pub(super) fn on(database: Database, brokers: String) -> Self {
        let prefix = format!("r{:08x}.", rand::random::<u32>());
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &brokers).set("enable.idempotence", "true");
        client.set("topic.metadata.refresh.interval.ms", "500");
        let producer = client.create().unwrap();
        Self { database, world: World::new(2, 8), brokers, prefix, producer }
    }

    /// The name of a topic on the brokers.
    pub(super) fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    pub(super) fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap()
    }

    /// Makes a topic.
    pub(super) async fn make(&self, topic: &str, partitions: i32) {
        let name = self.name(topic);
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let made = self.admin().create_topics([&topic], &AdminOptions::new()).await.unwrap();
        made[0].as_ref().unwrap();
    }

    /// Divides a topic into more partitions.
    pub(super) async fn divide(&self, topic: &str, partitions: usize) {
        let name = self.name(topic);
        let more = NewPartitions::new(&name, partitions);
        let done = self.admin().create_partitions([&more], &AdminOptions::new()).await.unwrap();
        done[0].as_ref().unwrap();
    }

    /// Starts an instance.
    pub(super) async fn start(&self) -> Instance {
        self.start_with(&[]).await
    }

    /// As [`Self::start`], with other settings.
    pub(super) async fn start_with(&self, more: &[(&str, &str)]) -> Instance {
        let own = [("KAFKA_BROKERS", &*self.brokers), ("KAFKA_TOPIC_PREFIX", &*self.prefix)];
        Instance::start_with(&self.database, &[&own[..], more].concat()).await
    }

    /// Sends a message, and returns its offset.
    pub(super) async fn send(
        &self,
        topic: &str,
        partition: i32,
        key: &str,
        value: Option<&[u8]>,
    ) -> i64 {
        let name = self.name(topic);
        // A producer hears of new partitions after a moment.
        eventually(&format!("a message in {name}/{partition}"), READ_WITHIN, async || {
            let mut record = FutureRecord::to(&name).key(key).partition(partition);
            record.payload = value;
            match self.producer.send(record, READ_WITHIN).await {
                Ok(sent) => Some(sent.offset),
                Err((error, _)) => {
                    let code = error.rdkafka_error_code();
                    assert_eq!(code, Some(RDKafkaErrorCode::UnknownPartition), "{error}");
                    None
                }
            }
        })
        .await
    }

    /// Sends the lines of a registry, each to the topic of its kind.
    pub(super) async fn send_lines(&self, lines: &str) {
        let sending = lines.lines().map(|line| {
            let kind = serde_json::from_str::<Value>(line).unwrap()["kind"].clone();
            let topic = topic_of(kind.as_str().unwrap());
            async move { self.send(&topic, 0, "", Some(line.as_bytes())).await }
        });
        futures::future::join_all(sending).await;
    }

    /// Up to where each partition was read.
    pub(super) async fn places(&self) -> BTreeMap<(String, i32), i64> {
        let rows: Vec<(String, i32, i64)> =
            sqlx::query_as("SELECT topic, partition, next FROM registry_offsets")
                .fetch_all(&self.database.pool)
                .await
                .unwrap();
        rows.into_iter().map(|(topic, partition, next)| ((topic, partition), next)).collect()
    }

    /// Waits until a partition was read up to behind that offset.
    pub(super) async fn read(&self, topic: &str, partition: i32, offset: i64) {
        let of = (self.name(topic), partition);
        let what = format!("offset {offset} of {topic}/{partition} that was read");
        eventually(&what, READ_WITHIN, async || {
            let next = self.places().await.get(&of).copied();
            next.is_some_and(|next| next > offset).then_some(())
        })
        .await;
    }
}

/// Waits until readiness has nothing to tell of what the registries announce. There are no topics here
/// for what the log announces, and it may say so.
pub(super) async fn well(instance: &Instance) {
    eventually("registry topics that are well", READ_WITHIN, async || {
        let fault = fault(instance).await;
        fault.is_none_or(|fault| !fault.contains("registry: ")).then_some(())
    })
    .await;
}

/// Parties whose records change all the time, each in a partition of its own choosing.
pub(super) struct Changing {
    ids: Vec<Uuid>,
    /// How often each was changed.
    rounds: i64,
    /// The last offset of each partition.
    last: HashMap<i32, i64>,
}

impl Changing {
    pub(super) fn new() -> Self {
        let ids = (0..30).map(|n| Uuid::from_u128(0xF0_0000 + n)).collect();
        Self { ids, rounds: 0, last: HashMap::new() }
    }

    fn partition(of: Uuid) -> i32 {
        i32::try_from(of.as_u128() % 3).unwrap()
    }

    /// Changes each of them once.
    pub(super) async fn go_on(&mut self, registry: &Registry) {
        self.rounds += 1;
        let mark = self.rounds.to_string();
        let sending = self.ids.iter().map(async |id| {
            let line = json!({"kind": "party", "data": {"id": id, "first_name": "Іван",
                "last_name": mark, "tax_id": "3126509816"}});
            let (line, partition) = (line.to_string(), Self::partition(*id));
            let key = id.to_string();
            let topic = topic_of("party");
            (partition, registry.send(&topic, partition, &key, Some(line.as_bytes())).await)
        });
        for (partition, offset) in futures::future::join_all(sending).await {
            let last = self.last.entry(partition).or_default();
            *last = offset.max(*last);
        }
    }

    /// All that was sent was read, each message once and in order: nobody was left on an older record,
    /// and no message left two changes.
    pub(super) async fn all_arrived(&self, registry: &Registry) {
        for (partition, offset) in &self.last {
            registry.read(&topic_of("party"), *partition, *offset).await;
        }
        let pool = &registry.database.pool;
        let kept: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, data ->> 'last_name' FROM registry_entries WHERE kind = 'party' ORDER BY id",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let mark = self.rounds.to_string();
        let expected: Vec<_> = self.ids.iter().map(|id| (*id, mark.clone())).collect();
        assert_eq!(kept, expected);

        let changes = sqlx::query(
            "SELECT id, source FROM registry_changes WHERE kind = 'party' ORDER BY number",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let mut last: HashMap<Uuid, i64> = HashMap::new();
        for change in &changes {
            let (id, source): (Uuid, String) = (change.get("id"), change.get("source"));
            let (topic, offset) = source.rsplit_once('/').unwrap();
            let partition = Self::partition(id);
            assert_eq!(topic, format!("{}/{partition}", registry.name(&topic_of("party"))));
            let offset: i64 = offset.parse().unwrap();
            let before = last.insert(id, offset);
            assert!(before < Some(offset), "{id}: {offset} after {before:?}");
        }
    }
}
