//! What became of the messages of a transaction.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

use crate::complaints::Complaints;

/// Where a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Its number in the transaction.
    pub(crate) number: usize,
    /// The partition of its topic.
    pub(crate) partition: i32,
    /// Its offset there.
    pub(crate) offset: i64,
}

/// A message that did not arrive.
#[derive(Debug)]
pub(super) struct Failure {
    /// Its number in the transaction.
    pub(super) number: usize,
    /// Its topic.
    pub(super) topic: String,
    /// Why.
    pub(super) error: KafkaError,
}

/// What became of the messages of a transaction, and what was complained of.
#[derive(Debug)]
pub(super) struct Sent {
    complaints: Complaints,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    delivered: Vec<Delivered>,
    failure: Option<Failure>,
}

impl Sent {
    pub(super) fn new(brokers: &str) -> Self {
        Self { complaints: Complaints::new(brokers), told: Mutex::default() }
    }

    pub(super) fn complaints(&self) -> &Complaints {
        &self.complaints
    }

    /// A transaction begins.
    pub(super) fn begin(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::default();
    }

    /// Whether a message has failed.
    pub(super) fn failed(&self) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).failure.is_some()
    }

    /// What became of the messages until now.
    pub(super) fn end(&self) -> (Vec<Delivered>, Option<Failure>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut told.delivered), told.failure.take())
    }
}

impl ClientContext for Sent {
    fn log(&self, level: RDKafkaLogLevel, kind: &str, message: &str) {
        self.complaints.log(level, kind, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.complaints.error(error, reason);
    }
}

impl ProducerContext for Sent {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => told.delivered.push(Delivered {
                number,
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, message)) => {
                // Those that are thrown away with one that failed say nothing of why.
                if told.failure.as_ref().is_none_or(|first| is_purged(&first.error)) {
                    let topic = message.topic().to_owned();
                    told.failure = Some(Failure { number, topic, error: error.clone() });
                }
            }
        }
    }
}

/// Whether a message was thrown away because of another one.
pub(super) fn is_purged(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)
    )
}
