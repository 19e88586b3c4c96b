//! A log that was announced, and hands that do to its topics what should not be done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dispensary::LogPosition;
use dispensary::announcement::{Fact, Topic};
use dispensary::relay::{RelayLog as _, RelayPlace};
use dispense_kafka::topics::{Earnest, make};
use dispense_kafka::verify::{Kind, Report, verify};
use dispense_kafka::{Record, Relay, Settings};
use rdkafka::ClientConfig;
use rdkafka::admin::AdminOptions;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::{admin, settings};
use crate::relay_log::{Board, Shared, hash};
use crate::streams::{assert_once_and_in_order, committed};

/// How long anything may take that is waited for.
const WITHIN: Duration = Duration::from_mins(1);

/// The partitions of the log.
pub(crate) const PARTITIONS: u16 = 4;

/// A log, and the topics in which it is announced.
pub(crate) struct Stage {
    pub(crate) settings: Settings,
    pub(crate) log: Arc<Shared>,
}

/// Relays of every partition, while they run.
pub(crate) struct Relays {
    pub(crate) boards: Vec<Arc<Board>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Settings with a prefix that nobody had before, and no topics but those of events.
pub(crate) fn only_events() -> Settings {
    Settings { registry: false, ..settings() }
}

impl Relays {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    /// Waits until one of them tells that.
    pub(crate) async fn say(&self, words: &str) {
        let told = || self.boards.iter().flat_map(|board| board.now()).collect::<Vec<_>>();
        wait_until(|| told().iter().any(|it| it.contains(words)), || format!("{:?}", told())).await;
    }
}

pub(crate) async fn wait_until(is_so: impl Fn() -> bool, instead: impl Fn() -> String) {
    let until = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < until, "it never comes; instead: {}", instead());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Stage {
    /// A log with so many events in each partition, all of them announced.
    pub(crate) async fn announced(events: u32) -> Self {
        let stage = Self { settings: only_events(), log: Shared::new() };
        stage.make_topics().await;
        (0..PARTITIONS).for_each(|partition| stage.log.record(partition, events));
        stage.go_on().await;
        stage
    }

    pub(crate) async fn make_topics(&self) {
        let partitions = self.log.instance().partitions();
        make(&self.settings, partitions, Earnest::Done).await.unwrap();
    }

    pub(crate) fn start_relays(&self) -> Relays {
        let (boards, stop) = (
            (0..PARTITIONS).map(|_| Arc::new(Board::default())).collect::<Vec<_>>(),
            CancellationToken::new(),
        );
        let log = self.log.instance();
        let start = |(partition, board): (u16, &Arc<Board>)| {
            let relay = Relay::new(log.clone(), board.clone(), self.settings.clone(), partition);
            tokio::spawn(relay.run(stop.clone()))
        };
        let tasks = (0..PARTITIONS).zip(&boards).map(start).collect();
        Relays { boards, stop, tasks }
    }

    /// Waits until everything is announced.
    pub(crate) async fn is_announced(&self) {
        let end = |partition| i64::try_from(self.log.facts(partition).len()).unwrap();
        let told = || (0..PARTITIONS).map(|it| self.log.told(it)).collect::<Vec<_>>();
        let all = || (0..PARTITIONS).all(|it| self.log.told(it) == end(it));
        wait_until(all, || format!("{:?}", told())).await;
    }

    /// Announces all that there is.
    pub(crate) async fn go_on(&self) {
        let relays = self.start_relays();
        self.is_announced().await;
        relays.stop().await;
    }

    pub(crate) fn facts(&self) -> Vec<Fact> {
        (0..PARTITIONS).flat_map(|partition| self.log.facts(partition)).collect()
    }

    /// That each topic has all that it should have, once and in order.
    pub(crate) fn is_whole(&self) {
        assert_once_and_in_order(&self.settings, self.log.log_id(), &self.facts());
    }

    pub(crate) async fn verify(&self) -> Report {
        let log = self.log.instance();
        verify(&self.settings, &*log, &Topic::ALL, &|_| {}).await.unwrap()
    }

    /// What is found in one topic, where all others are well.
    pub(crate) async fn found_in(&self, topic: Topic) -> Vec<(Kind, Option<LogPosition>, String)> {
        let report = self.verify().await;
        let elsewhere: Vec<_> = report.findings.iter().filter(|it| it.topic != topic).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        assert_eq!(usize::try_from(report.wrong()).unwrap(), report.findings.len());
        let told =
            |it: &dispense_kafka::verify::Finding| (it.wrong.kind(), it.place, it.to_string());
        report.findings.iter().map(told).collect()
    }

    /// The place before the first event of a partition.
    pub(crate) fn beginning(partition: u16) -> RelayPlace {
        RelayPlace { place: LogPosition { partition, position: 0 }, hash: hash(0), epoch: 1 }
    }

    /// What was committed in a topic.
    pub(crate) fn records(&self, topic: Topic) -> Vec<Record> {
        committed(&self.settings, topic)
    }

    /// Writes messages into a topic, in order.
    pub(crate) fn write(&self, topic: Topic, records: &[Record]) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.settings.connection.brokers)
            .set("partitioner", "murmur2_random")
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        let topic = self.settings.topic(topic.name());
        for record in records {
            let sent = BaseRecord::to(&topic)
                .key(&record.key)
                .payload(&record.payload)
                .headers(record.owned_headers());
            producer.send(sent).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(WITHIN).unwrap();
    }

    /// Deletes a topic.
    pub(crate) async fn delete(&self, name: &str) {
        let name = self.settings.topic(name);
        let admin = admin(&self.settings);
        let options = AdminOptions::new().operation_timeout(Some(WITHIN));
        admin.delete_topics(&[&name], &options).await.unwrap()[0].as_ref().unwrap();
        let is_gone = || {
            let metadata = admin.inner().fetch_metadata(None, WITHIN).unwrap();
            metadata.topics().iter().all(|topic| topic.name() != name)
        };
        wait_until(is_gone, || "it is still there".to_owned()).await;
    }

    /// Deletes a topic, and makes it anew, with nothing in it.
    pub(crate) async fn empty(&self, topic: Topic) {
        self.delete(topic.name()).await;
        self.make_topics().await;
    }
}
