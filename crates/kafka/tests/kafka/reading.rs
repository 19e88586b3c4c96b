//! What is told of registry data that does not arrive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dispensary::registry_stream::{
    DeadLetter, Messages, NotApplied, ReadPlace, RegistryStream, TopicPartition,
};
use dispensary::{FaultyLine, Unavailable};
use dispense_kafka::RegistryReader;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tokio_util::sync::CancellationToken;

use crate::broker::{make_topic, settings};
use crate::relay_log::Board;

/// How long anything may take that is waited for: less than brokers keep a transaction open.
const WITHIN: Duration = Duration::from_secs(30);

/// Remembers up to where each partition was read, and how many messages that were.
#[derive(Default)]
struct Memory {
    state: Mutex<(BTreeMap<TopicPartition, i64>, usize)>,
}

impl Memory {
    fn applied(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

#[async_trait]
impl RegistryStream for Memory {
    async fn lease(&self) -> Result<bool, Unavailable> {
        Ok(true)
    }

    async fn release(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn places(&self) -> Result<Vec<ReadPlace>, Unavailable> {
        let place = |(source, next): (&TopicPartition, &i64)| ReadPlace {
            source: source.clone(),
            next: *next,
            lost: 0,
        };
        Ok(self.state.lock().unwrap().0.iter().map(place).collect())
    }

    async fn apply(&self, messages: Messages) -> Result<Vec<FaultyLine>, NotApplied> {
        let mut state = self.state.lock().unwrap();
        let before = state.0.insert(messages.source, messages.to);
        assert_eq!(before, messages.from, "each message counts once");
        state.1 += messages.messages.len();
        Ok(Vec::new())
    }

    async fn dead_letters(&self, _most: u32) -> Result<Vec<DeadLetter>, Unavailable> {
        Ok(Vec::new())
    }

    async fn buried(&self, _ids: &[i64]) -> Result<(), Unavailable> {
        Ok(())
    }
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_not_over_is_told_of_while_registry_data_waits_behind_it() {
    let settings = settings();
    let name = "ndp.registry.person";
    make_topic(&settings, name, 1, &[]).await;
    let (name, brokers) = (settings.topic(name), settings.connection.brokers.clone());
    let producer = |more: &[(&str, &str)]| -> BaseProducer {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &brokers);
        for (name, value) in more {
            client.set(*name, *value);
        }
        client.create().unwrap()
    };
    let write = |producer: &BaseProducer| {
        let record = BaseRecord::to(&name).key("a person").payload("{}").partition(0);
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.flush(WITHIN).unwrap();
    };
    let (hangs, goes_on) = (producer(&[("transactional.id", name.as_str())]), producer(&[]));
    let (memory, board) = (Arc::new(Memory::default()), Arc::new(Board::default()));
    let stop = CancellationToken::new();
    let reader = RegistryReader::new(settings.clone(), memory.clone(), board.clone());
    let reader = tokio::spawn(reader.run(stop.clone()));
    write(&goes_on);
    wait_until("the first message is read", || memory.applied() == 1).await;

    hangs.init_transactions(WITHIN).unwrap();
    hangs.begin_transaction().unwrap();
    write(&hangs);
    write(&goes_on);
    let told = || board.now().iter().any(|told| told.contains("is held back by a transaction"));
    wait_until("it is told that a message waits", told).await;
    assert_eq!(memory.applied(), 1);
    hangs.abort_transaction(WITHIN).unwrap();
    wait_until("the second message is read", || memory.applied() == 2).await;
    wait_until("it is over", || board.now().is_empty()).await;
    stop.cancel();
    reader.await.unwrap();
}
