//! The topics that there must be, and how they are made. What is there is never changed: whoever set
//! it may have had a reason, and partitions that are added move keys.

mod wanted;

use std::time::{Duration, Instant};

use dispense_domain::Partitions;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

pub use wanted::{Use, Wanted, replication, wanted};

use crate::Settings;
use crate::cluster::{ANSWERS_WITHIN, Cluster, Layout};
use crate::error::StreamError;

/// How long brokers may take to make topics.
const MADE_WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked whether topics that were made can be used.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// Whether something is done, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earnest {
    /// It is done.
    Done,
    /// It is told what would be done.
    Told,
}

/// A topic, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// How it is wanted.
    pub wanted: Wanted,
    /// How it is.
    pub found: Found,
}

/// How a topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It was missing, and was made.
    Made,
    /// It is missing, and would be made.
    Missing,
    /// It is there, as it is wanted.
    AsWanted,
    /// It is there, and otherwise than wanted.
    Differs(Vec<Difference>),
    /// It is there, and its settings may not be seen by us.
    Unseen,
    /// It is missing, and the brokers do not make it.
    Refused(Refused),
}

/// Something that is otherwise than wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: `partitions`, `replication`, or the name of a setting.
    pub what: &'static str,
    /// How it is.
    pub is: String,
    /// How it is wanted.
    pub wanted: String,
}

/// Why brokers do not make a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// We have no right to.
    #[error("we may not make it: {0}")]
    Forbidden(String),
    /// There are not that many brokers.
    #[error("KAFKA_REPLICATION: {wanted} brokers are to keep it, and there are {brokers}")]
    TooFewBrokers {
        /// How many brokers are to keep it.
        wanted: u16,
        /// How many there are.
        brokers: usize,
    },
    /// Something else.
    #[error("it cannot be made: {0}")]
    Otherwise(String),
}

/// Why nothing is known about topics, and perhaps nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    /// The brokers do not do it.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Topics were made and cannot be used yet.
    #[error("{topic} was made, and no broker leads all of its partitions after {seconds} s")]
    NotLed {
        /// The first of them.
        topic: String,
        /// For how long it was waited.
        seconds: u64,
    },
}

impl TopicsError {
    fn asking(error: KafkaError) -> Self {
        Self::Stream(StreamError::Failed { doing: "asking for topics", source: error.into() })
    }

    fn making(error: KafkaError) -> Self {
        Self::Stream(StreamError::Failed { doing: "making topics", source: error.into() })
    }
}

/// Makes the topics that are missing, and tells how each is. Topics that were made can be used when
/// this returns.
///
/// # Errors
///
/// If the brokers do not answer. That they do not make a topic is told with it.
pub async fn make(
    settings: &Settings,
    log: Partitions,
    earnest: Earnest,
) -> Result<Vec<Topic>, TopicsError> {
    let cluster = Cluster::ask(&settings.connection).await?;
    let admin: AdminClient<DefaultClientContext> =
        settings.connection.client().create().map_err(TopicsError::asking)?;
    let mut topics = Vec::new();
    let mut missing = Vec::new();
    for wanted in wanted(settings, log, replication(settings, cluster.brokers)) {
        match cluster.topics.get(&wanted.name) {
            Some(layout) => topics.push((wanted, *layout)),
            None => missing.push(wanted),
        }
    }
    let mut found = compared(&admin, topics).await?;
    found.extend(made(&admin, missing, cluster.brokers, earnest).await?);
    if earnest == Earnest::Done {
        led(settings, &found).await?;
    }
    // In the order in which they are wanted, whether they were there or not.
    found.sort_by_key(|topic| topic.wanted.place);
    Ok(found)
}

/// Makes topics, or lets the brokers say whether they would.
async fn made(
    admin: &AdminClient<DefaultClientContext>,
    missing: Vec<Wanted>,
    brokers: usize,
    earnest: Earnest,
) -> Result<Vec<Topic>, TopicsError> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let new: Vec<NewTopic<'_>> = missing.iter().map(new).collect();
    let options = AdminOptions::new()
        .request_timeout(Some(MADE_WITHIN))
        .operation_timeout(Some(MADE_WITHIN))
        .validate_only(earnest == Earnest::Told);
    let results = admin.create_topics(&new, &options).await.map_err(TopicsError::making)?;
    let found = |wanted: Wanted, result: Option<TopicResult>| {
        let found = match result {
            Some(Ok(_)) if earnest == Earnest::Told => Found::Missing,
            Some(Ok(_)) => Found::Made,
            Some(Err((_, code))) => refused(code, &wanted, brokers),
            None => Found::Refused(Refused::Otherwise("nothing was said of it".to_owned())),
        };
        Topic { wanted, found }
    };
    // Answers stand in the order of the questions.
    let mut results = results.into_iter();
    Ok(missing.into_iter().map(|wanted| found(wanted, results.next())).collect())
}

fn new(wanted: &Wanted) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(i32::from(wanted.replication));
    let topic = NewTopic::new(&wanted.name, i32::from(wanted.partitions), replication);
    wanted.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

fn refused(code: RDKafkaErrorCode, wanted: &Wanted, brokers: usize) -> Found {
    match code {
        // Somebody else made it in the meantime, or it is there and we may not see it.
        RDKafkaErrorCode::TopicAlreadyExists => Found::Unseen,
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            Found::Refused(Refused::Forbidden(code.to_string()))
        }
        RDKafkaErrorCode::InvalidReplicationFactor => {
            Found::Refused(Refused::TooFewBrokers { wanted: wanted.replication, brokers })
        }
        other => Found::Refused(Refused::Otherwise(other.to_string())),
    }
}

/// Holds topics that are there against what is wanted.
async fn compared(
    admin: &AdminClient<DefaultClientContext>,
    topics: Vec<(Wanted, Layout)>,
) -> Result<Vec<Topic>, TopicsError> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<_> = topics.iter().map(|(it, _)| ResourceSpecifier::Topic(&it.name)).collect();
    let options = AdminOptions::new().request_timeout(Some(ANSWERS_WITHIN));
    let seen = admin.describe_configs(&asked, &options).await.map_err(TopicsError::asking)?;
    let seen: Vec<ConfigResource> = seen.into_iter().flatten().collect();
    let found = |(wanted, layout): (Wanted, Layout)| {
        let is = |resource: &&ConfigResource| match &resource.specifier {
            OwnedResourceSpecifier::Topic(name) => *name == wanted.name,
            OwnedResourceSpecifier::Group(_) | OwnedResourceSpecifier::Broker(_) => false,
        };
        let found = seen.iter().find(is).map_or(Found::Unseen, |resource| {
            let differences = wanted.differences(layout, resource);
            if differences.is_empty() { Found::AsWanted } else { Found::Differs(differences) }
        });
        Topic { wanted, found }
    };
    Ok(topics.into_iter().map(found).collect())
}

/// Waits until every topic that was made can be used.
async fn led(settings: &Settings, topics: &[Topic]) -> Result<(), TopicsError> {
    let made = topics.iter().filter(|topic| topic.found == Found::Made);
    let mut waits: Vec<&str> = made.map(|topic| &*topic.wanted.name).collect();
    let begun = Instant::now();
    while !waits.is_empty() {
        let cluster = Cluster::ask(&settings.connection).await?;
        waits.retain(|name| !cluster.topics.get(*name).is_some_and(|layout| layout.led));
        if let Some(topic) = waits.first() {
            if begun.elapsed() >= MADE_WITHIN {
                let topic = (*topic).to_owned();
                return Err(TopicsError::NotLed { topic, seconds: MADE_WITHIN.as_secs() });
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }
    Ok(())
}
