//! The brokers, asked once what there is.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;

use crate::Connection;
use crate::complaints::Complaints;
use crate::error::StreamError;

/// How long brokers may take to say what there is.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long one question waits, until it is heard why there is no answer, and asked again.
const ASKS_FOR: Duration = Duration::from_secs(5);

/// What the brokers say that there is.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// How many brokers there are.
    pub(crate) brokers: usize,
    /// The topics that we may see.
    pub(crate) topics: BTreeMap<String, Layout>,
}

/// How a topic is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Into how many partitions it is divided.
    pub(crate) partitions: usize,
    /// How many brokers keep the partition that is kept by the fewest.
    pub(crate) replication: usize,
    /// Whether each partition has a broker that leads it.
    pub(crate) led: bool,
}

impl Layout {
    fn of(topic: &MetadataTopic) -> Self {
        let partitions = topic.partitions();
        let replicas = partitions.iter().map(|it| it.replicas().len());
        Self {
            partitions: partitions.len(),
            replication: replicas.min().unwrap_or_default(),
            led: partitions.iter().all(|it| it.leader() >= 0),
        }
    }
}

impl Cluster {
    /// Asks the brokers; waits for them for a while.
    pub(crate) async fn ask(connection: &Connection) -> Result<Self, StreamError> {
        let connection = connection.clone();
        // The calls of the client block.
        blocking(move || Self::asked(&connection)).await
    }

    /// As [`Self::ask`], for whoever may block.
    pub(crate) fn asked(connection: &Connection) -> Result<Self, StreamError> {
        let complaints = Complaints::new(&connection.brokers);
        let client = connection.client();
        let consumer: BaseConsumer<Complaints> =
            BaseConsumer::from_config_and_context(&client, complaints)
                .map_err(|error| StreamError::Setting(error.into()))?;
        let begun = Instant::now();
        loop {
            let error = match consumer.fetch_metadata(None, ASKS_FOR) {
                Ok(metadata) => {
                    let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
                    let topics = topics.map(|topic| (topic.name().to_owned(), Layout::of(topic)));
                    return Ok(Self {
                        brokers: metadata.brokers().len(),
                        topics: topics.collect(),
                    });
                }
                Err(error) => error,
            };
            // Complaints are heard by whoever fetches them.
            while let Some(told) = consumer.poll(Duration::ZERO) {
                told.err().into_iter().for_each(|error| consumer.context().hear(error));
            }
            match consumer.context().explain("asking for topics", error) {
                // A broker that is starting is waited for.
                StreamError::Unreachable { .. } if begun.elapsed() < ANSWERS_WITHIN => {}
                told => return Err(told),
            }
        }
    }
}

/// Does on a thread of its own what blocks.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StreamError> + Send + 'static,
) -> Result<T, StreamError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|ended| match ended.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => Err(StreamError::Failed {
            doing: "waiting for the brokers",
            source: KafkaError::Canceled.into(),
        }),
    })
}
