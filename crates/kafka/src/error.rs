//! What does not work between us and the brokers, for whoever has to mend it: which setting, which
//! topic, and the way out. What librdkafka says is the source, and stands beside.

use std::fmt::Write as _;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What does not work between us and the brokers.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A setting that librdkafka does not take.
    #[error("Kafka's client cannot be made with these settings; look at KAFKA_*")]
    Setting(#[source] Cause),
    /// No broker answers.
    #[error("no broker answers at KAFKA_BROKERS={brokers}")]
    Unreachable {
        /// Where they should be.
        brokers: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// The connection cannot be encrypted as it is set.
    #[error(
        "the connection to KAFKA_BROKERS={brokers} cannot be encrypted; look at KAFKA_TLS, \
         KAFKA_CA_FILE, KAFKA_CERTIFICATE_FILE and KAFKA_KEY_FILE"
    )]
    Tls {
        /// Where they are.
        brokers: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// The brokers do not know us.
    #[error(
        "the brokers at KAFKA_BROKERS={brokers} do not let us in; look at KAFKA_SASL_USERNAME, \
         KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
    )]
    Login {
        /// Where they are.
        brokers: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// A topic is not there.
    #[error("there is no topic {topic}; make it with `dispense streams topics`")]
    NoTopic {
        /// The topic, with its prefix.
        topic: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// We may not do that with a topic.
    #[error(
        "the brokers do not let us use topic {topic}; grant it to the user of KAFKA_SASL_USERNAME"
    )]
    TopicDenied {
        /// The topic, with its prefix.
        topic: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// We may not announce under that name.
    #[error(
        "the brokers do not let us use the transactional id {id}; grant Write and Describe on it to \
         the user of KAFKA_SASL_USERNAME"
    )]
    IdDenied {
        /// Which one.
        id: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// A message that the brokers do not take.
    #[error(
        "the message of position {position} has {size} bytes, and topic {topic} does not take it; \
         raise its max.message.bytes"
    )]
    TooLarge {
        /// The topic, with its prefix.
        topic: String,
        /// Where its event stands in the log.
        position: i64,
        /// Key, headers and payload.
        size: usize,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// Too few brokers keep what is written.
    #[error("too few brokers keep topic {topic} at the moment: less than its min.insync.replicas")]
    TooFewReplicas {
        /// The topic, with its prefix.
        topic: String,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
    /// A topic has had less than is known to have been there.
    #[error(
        "topic {topic} was lost or made anew: {found} records were ever there, and {least} should \
         have been at least; fill it again with `dispense streams refill {name}`"
    )]
    TopicLost {
        /// The topic, with its prefix.
        topic: String,
        /// The topic, without its prefix.
        name: String,
        /// What the ends of its partitions add up to.
        found: i64,
        /// What they added up to before.
        least: i64,
    },
    /// A topic is being filled again.
    #[error(
        "topic {topic} is being filled again; if nobody is at it, go on with `dispense streams \
         refill {name}`"
    )]
    Refilling {
        /// The topic, with its prefix.
        topic: String,
        /// The topic, without its prefix.
        name: String,
    },
    /// A topic began anew while we wrote to it.
    #[error(
        "topic {topic} was made anew: it began at the first offset again; fill it again with \
         `dispense streams refill {name}`"
    )]
    TopicMadeAnew {
        /// The topic, with its prefix.
        topic: String,
        /// The topic, without its prefix.
        name: String,
    },
    /// Somebody else announces under our name.
    #[error("another instance announces in our place")]
    Fenced(#[source] Cause),
    /// The place of the relay cannot be read.
    #[error("the record {key} of topic {topic} cannot be read: {why}; see docs/operations.md")]
    Place {
        /// The topic, with its prefix.
        topic: String,
        /// The key of the record.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// The end of a topic does not become readable.
    #[error(
        "topic {topic} is held back by a transaction that is not over, at offset {stable} of {end}; \
         it ends by itself"
    )]
    HeldBack {
        /// The topic, with its prefix.
        topic: String,
        /// Up to where it can be read.
        stable: i64,
        /// Its end.
        end: i64,
    },
    /// Anything else.
    #[error("{doing} failed")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What librdkafka says.
        #[source]
        source: Cause,
    },
}

/// What librdkafka says of something that failed: the error of the call, and what it had complained of
/// before. A call often only says that its time was over; why stands in the complaint.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The error of the call.
    pub error: Box<KafkaError>,
    /// The last complaint before it.
    pub complaint: Option<String>,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)?;
        self.complaint.iter().try_for_each(|complaint| write!(f, ": {complaint}"))
    }
}

impl std::error::Error for Cause {}

impl From<KafkaError> for Cause {
    fn from(error: KafkaError) -> Self {
        Self { error: Box::new(error), complaint: None }
    }
}

impl StreamError {
    /// The sentence and what librdkafka says, on one line.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut told = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            // Writing into a string cannot fail.
            let _ = write!(told, ": {error}");
            source = error.source();
        }
        told
    }

    /// What an error at a topic means.
    #[must_use]
    pub(crate) fn at_topic(topic: &str, doing: &'static str, source: Cause) -> Self {
        let topic = || topic.to_owned();
        match source.code() {
            Some(
                RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopicId,
            ) => Self::NoTopic { topic: topic(), source },
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                Self::TopicDenied { topic: topic(), source }
            }
            Some(
                RDKafkaErrorCode::NotEnoughReplicas
                | RDKafkaErrorCode::NotEnoughReplicasAfterAppend
                | RDKafkaErrorCode::ISRInsufficient,
            ) => Self::TooFewReplicas { topic: topic(), source },
            _ => Self::Failed { doing, source },
        }
    }

    /// Whether it stays until somebody does something about it.
    #[must_use]
    pub fn lasts(&self) -> bool {
        match self {
            Self::Setting(_)
            | Self::NoTopic { .. }
            | Self::TopicDenied { .. }
            | Self::IdDenied { .. }
            | Self::Login { .. }
            | Self::Tls { .. }
            | Self::TooLarge { .. }
            | Self::TopicLost { .. }
            | Self::Refilling { .. }
            | Self::TopicMadeAnew { .. }
            | Self::Place { .. } => true,
            Self::Unreachable { .. }
            | Self::TooFewReplicas { .. }
            | Self::Fenced(_)
            | Self::HeldBack { .. }
            | Self::Failed { .. } => false,
        }
    }
}

impl Cause {
    /// librdkafka's code, if it has one.
    #[must_use]
    pub fn code(&self) -> Option<RDKafkaErrorCode> {
        match &*self.error {
            // The crate knows the code of these two and does not hand it out.
            KafkaError::AdminOp(code) => Some(*code),
            error => error.rdkafka_error_code(),
        }
    }
}
