//! What librdkafka complains of by the way. A call that fails often only says that its time was over:
//! that the password was wrong was told before, to whoever listens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{Cause, StreamError};

/// How often the same kind of complaint is a warning; a broker that is away is complained of at every
/// try to reach it.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// What librdkafka calls a message about a partition that is to belong to a transaction.
const REFUSED: &str = "ADDPARTS";

/// When a kind was last told by any client: whoever fails makes a new one each time. The kinds are words
/// in librdkafka's code, a few dozen.
static TOLD: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// Listens to one client.
#[derive(Debug)]
pub(crate) struct Complaints {
    brokers: String,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    last: Option<(RDKafkaErrorCode, String)>,
    /// What was logged last as an error: consumers are told an error without its reason.
    logged: Option<String>,
    /// What was said of a partition that could not be written to in a transaction. No error says
    /// which one it was.
    refused: Option<String>,
}

impl Complaints {
    /// Listens to a client of those brokers.
    pub(crate) fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), heard: Mutex::default() }
    }

    /// Forgets what was complained of: it is over.
    pub(crate) fn forget(&self) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        (heard.last, heard.logged) = (None, None);
    }

    /// Hears an error that a consumer was told in place of a message.
    pub(crate) fn hear(&self, error: KafkaError) {
        let logged = self.heard.lock().unwrap_or_else(PoisonError::into_inner).logged.clone();
        let reason = logged.unwrap_or_else(|| error.to_string());
        self.error(error, &reason);
    }

    /// Which of those topics was named as one that cannot be written to in a transaction.
    pub(crate) fn refused_topic(&self, topics: &[String]) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let said = heard.refused.as_ref()?;
        topics.iter().find(|topic| said.contains(&format!("\"{topic}\""))).cloned()
    }

    /// What an error means, together with what was complained of before it.
    pub(crate) fn explain(&self, doing: &'static str, error: KafkaError) -> StreamError {
        let (code, cause) = self.cause(error);
        let brokers = self.brokers.clone();
        // Why nobody answers within the time is what was complained of; other errors speak for
        // themselves.
        let mute = matches!(
            cause.code(),
            None | Some(
                RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::RequestTimedOut
                    | RDKafkaErrorCode::MessageTimedOut
                    | RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
            )
        );
        match if mute { code.or_else(|| cause.code()) } else { cause.code() } {
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::UnsupportedSASLMechanism,
            ) => StreamError::Login { brokers, source: cause },
            Some(RDKafkaErrorCode::SSL) => StreamError::Tls { brokers, source: cause },
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::MessageTimedOut,
            ) => StreamError::Unreachable { brokers, source: cause },
            _ => StreamError::Failed { doing, source: cause },
        }
    }

    /// What an error at a topic means.
    pub(crate) fn explain_at(
        &self,
        topic: &str,
        doing: &'static str,
        error: KafkaError,
    ) -> StreamError {
        match StreamError::at_topic(topic, doing, error.into()) {
            StreamError::Failed { doing, source } => self.explain(doing, *source.error),
            known => known,
        }
    }

    fn cause(&self, error: KafkaError) -> (Option<RDKafkaErrorCode>, Cause) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (code, complaint) = heard.last.clone().unzip();
        (code, Cause { error: Box::new(error), complaint })
    }
}

/// Whether it is time to tell that kind again.
fn due(kind: &str) -> bool {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let due = told.get(kind).is_none_or(|at| at.elapsed() >= TOLD_EVERY);
    if due {
        told.insert(kind.to_owned(), Instant::now());
    }
    due
}

impl ClientContext for Complaints {
    fn log(&self, level: RDKafkaLogLevel, kind: &str, message: &str) {
        if kind == REFUSED {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.refused = Some(message.to_owned());
        }
        let is_error = matches!(
            level,
            RDKafkaLogLevel::Emerg
                | RDKafkaLogLevel::Alert
                | RDKafkaLogLevel::Critical
                | RDKafkaLogLevel::Error
        );
        if is_error {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.logged = Some(message.to_owned());
        }
        match level {
            _ if is_error && due(kind) => {
                tracing::warn!(target: "librdkafka", kind, "{message}");
            }
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning
            | RDKafkaLogLevel::Notice => {
                tracing::debug!(target: "librdkafka", kind, "{message}");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::trace!(target: "librdkafka", kind, "{message}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        // The end of a partition is told as an error too.
        if code == RDKafkaErrorCode::PartitionEOF {
            return;
        }
        tracing::debug!(target: "librdkafka", "{reason}");
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        // That all brokers are down follows from what was said of each, and says less.
        let says_less = code == RDKafkaErrorCode::AllBrokersDown && heard.last.is_some();
        if !says_less {
            heard.last = Some((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for Complaints {}
