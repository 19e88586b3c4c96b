//! A producer that announces under the name of a partition of the log: whoever has the name last is the
//! only one who can commit.
//!
//! After any failure it is thrown away, and the next one of that name begins by having the brokers end
//! what is open: a transaction is committed then, or it never will be. That is slower than to abort it
//! and the same for every failure, also for one whose outcome nobody knows.

mod own_thread;
mod sent;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use uuid::Uuid;

use crate::Settings;
use crate::error::{Cause, StreamError};

pub(crate) use own_thread::{OwnThread, ThreadGone};
pub(crate) use sent::Delivered;
use sent::{Failure, Sent, is_purged};

/// How long a message may need to be kept by enough brokers. A broker that hangs is noticed then.
const DELIVERED_WITHIN: Duration = Duration::from_secs(10);

/// When the brokers end a transaction of a producer that is silent. Until then consumers see nothing
/// that came after its beginning; the next producer of the name ends it at once.
const TRANSACTION_WITHIN: Duration = Duration::from_secs(30);

/// How long a commit may need, with all that is tried again.
const COMMITTED_WITHIN: Duration = Duration::from_secs(15);

/// How long a single call waits, so that what is complained of meanwhile is heard, and somebody who
/// gives up need not wait longer.
const CALL: Duration = Duration::from_secs(1);

/// How often it is looked whether messages have arrived.
const LOOKS_EVERY: Duration = Duration::from_millis(1);

/// The largest message that is sent: topics may allow less. Signs and documents never come near.
const LARGEST: usize = 10 * 1024 * 1024;

/// How often a mark is written whose offset is not told: a message that was sent twice can arrive without.
const MARKS: u32 = 5;

/// What can be on its way at once: more than a transaction has.
const IN_FLIGHT: usize = 100_000;

/// A message that is sent.
pub(crate) struct Outgoing<'a> {
    /// The topic, with its prefix.
    pub(crate) topic: &'a str,
    /// Its partition; that of the key if not set.
    pub(crate) partition: Option<i32>,
    pub(crate) key: &'a [u8],
    pub(crate) headers: Option<OwnedHeaders>,
    pub(crate) payload: &'a [u8],
}

/// Why a transaction was not committed, as far as anybody knows.
#[derive(Debug)]
pub(crate) struct NotCommitted {
    /// The message because of which, by its number; none if it was not because of one.
    pub(crate) message: Option<usize>,
    /// Why.
    pub(crate) error: StreamError,
}

/// Told to those who wait for the brokers that nobody waits for them any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    pub(crate) fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn given_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A producer that announces under the name of a partition of the log. Its calls block.
pub(crate) struct Producer {
    client: BaseProducer<Sent>,
    id: String,
    given_up: GivenUp,
}

impl Producer {
    /// The name under which a partition of a log is announced.
    pub(crate) fn id(settings: &Settings, log_id: Uuid, partition: u16) -> String {
        settings.topic(&format!("dispense-{log_id}-{partition}"))
    }

    /// A producer of that name. Every other one can no longer commit, and what one had begun is
    /// committed or aborted when this returns.
    pub(crate) fn new(
        settings: &Settings,
        id: String,
        within: Duration,
        given_up: GivenUp,
    ) -> Result<Self, StreamError> {
        let mut config = settings.connection.client();
        let millis = |time: Duration| time.as_millis().to_string();
        config
            .set("transactional.id", &id)
            .set("transaction.timeout.ms", millis(TRANSACTION_WITHIN))
            .set("message.timeout.ms", millis(DELIVERED_WITHIN))
            // Brokers that answer at all answer faster; where one hangs it is asked again elsewhere.
            .set("request.timeout.ms", "4000")
            .set("socket.timeout.ms", "5000")
            .set("topic.metadata.propagation.max.ms", "3000")
            .set("acks", "all")
            .set("compression.type", "lz4")
            // As the clients in Java do, so that whoever joins topics finds keys where they are.
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "2")
            .set("message.max.bytes", LARGEST.to_string())
            .set("queue.buffering.max.messages", IN_FLIGHT.to_string())
            .set("queue.buffering.max.kbytes", (16 * LARGEST / 1024).to_string());
        let sent = Sent::new(&settings.connection.brokers);
        let client = BaseProducer::from_config_and_context(&config, sent)
            .map_err(|error| StreamError::Setting(error.into()))?;
        let producer = Self { client, id, given_up };
        producer.init(within)?;
        Ok(producer)
    }

    fn init(&self, within: Duration) -> Result<(), StreamError> {
        let until = Instant::now() + within;
        loop {
            let error = match self.client.init_transactions(CALL) {
                Ok(()) => break,
                Err(error) => error,
            };
            // What it was complained of is read before the error is explained.
            self.listen();
            let explained = self.explain("becoming the one who announces", error.clone());
            let again = of_transaction(&error).is_some_and(RDKafkaError::is_retriable);
            if !again || explained.lasts() || Instant::now() >= until || self.given_up.given_up() {
                return Err(explained);
            }
        }
        self.client.context().complaints().forget();
        Ok(())
    }

    /// Sends all messages in one transaction, in order; `check` judges where they arrived, before they
    /// count.
    pub(crate) fn commit<'a>(
        &self,
        messages: impl Iterator<Item = Outgoing<'a>>,
        check: impl FnOnce(&[Delivered]) -> Result<(), StreamError>,
    ) -> Result<(), NotCommitted> {
        let alone = |error| NotCommitted { message: None, error };
        self.client
            .begin_transaction()
            .map_err(|error| alone(self.explain("beginning a transaction", error)))?;
        self.client.context().begin();
        let mut topics = Vec::new();
        for (number, message) in messages.enumerate() {
            if !topics.iter().any(|topic| topic == message.topic) {
                topics.push(message.topic.to_owned());
            }
            self.send(number, message)?;
        }
        let delivered = self.arrived(&topics)?;
        check(&delivered).map_err(alone)?;
        self.end(&topics).map_err(alone)
    }

    /// Writes a record that says nothing, and returns its offset: whoever has read as far has read all
    /// that was committed before under this name.
    pub(crate) fn mark(&self, topic: &str, partition: i32, key: &str) -> Result<i64, StreamError> {
        for _ in 0..MARKS {
            let mut offset = None;
            let (key, payload) = (key.as_bytes(), b"{}".as_slice());
            let mark = Outgoing { topic, partition: Some(partition), key, headers: None, payload };
            let arrived = |delivered: &[Delivered]| {
                offset = delivered.first().map(|it| it.offset).filter(|offset| *offset >= 0);
                Ok(())
            };
            self.commit(std::iter::once(mark), arrived).map_err(|not| not.error)?;
            if let Some(offset) = offset {
                return Ok(offset);
            }
        }
        let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
        Err(self.explain_at(topic, "finding where a record arrived", late))
    }

    fn send(&self, number: usize, message: Outgoing<'_>) -> Result<(), NotCommitted> {
        let Outgoing { topic, partition, key, headers, payload } = message;
        let mut record = BaseRecord::with_opaque_to(topic, number).key(key).payload(payload);
        record.partition = partition;
        record.headers = headers;
        let until = Instant::now() + DELIVERED_WITHIN;
        loop {
            let (error, back) = match self.client.send(record) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || Instant::now() >= until || self.given_up.given_up() {
                // In a transaction that has failed nothing can be sent: the end of it says why.
                let failed = self.failed_transaction().map(|error| (None, error));
                let (message, error) = failed.unwrap_or((Some(number), error));
                let error = self.explain_at(topic, "sending a message", error);
                return Err(NotCommitted { message, error });
            }
            record = back;
            self.wait();
        }
    }

    /// Waits until the brokers have every message, or one will not arrive.
    fn arrived(&self, topics: &[String]) -> Result<Vec<Delivered>, NotCommitted> {
        // Every message has a time after which it has failed, so that the wait ends by itself; a
        // little longer, and something is wrong with librdkafka or with this.
        let mut until = Instant::now() + 2 * DELIVERED_WITHIN;
        let alone = |error| NotCommitted { message: None, error };
        while self.client.in_flight_count() > 0 {
            self.wait();
            if self.client.context().failed() {
                // Why it failed may be told after what was thrown away because of it.
                until = until.min(Instant::now() + CALL);
            }
            if Instant::now() >= until || self.given_up.given_up() {
                break;
            }
        }
        let (delivered, failure) = self.client.context().end();
        let Some(Failure { number, topic, error }) = failure else {
            if self.client.in_flight_count() == 0 {
                return Ok(delivered);
            }
            let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
            return Err(alone(self.explain("sending messages", late)));
        };
        if is_purged(&error)
            && let Some(error) = self.failed_transaction()
        {
            return Err(alone(self.explain_in(topics, "sending messages", error)));
        }
        let error = self.explain_at(&topic, "sending messages", error);
        Err(NotCommitted { message: Some(number), error })
    }

    /// Why the transaction at hand has failed, if it has: librdkafka says so when it is asked to begin
    /// another one, which does nothing else.
    fn failed_transaction(&self) -> Option<KafkaError> {
        let error = self.client.begin_transaction().err()?;
        let failed = of_transaction(&error)?;
        (failed.txn_requires_abort() || failed.is_fatal()).then_some(error)
    }

    fn end(&self, topics: &[String]) -> Result<(), StreamError> {
        let until = Instant::now() + COMMITTED_WITHIN;
        loop {
            if self.given_up.given_up() {
                let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.explain("committing", late));
            }
            let error = match self.client.commit_transaction(CALL) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.listen();
            let again = of_transaction(&error).is_some_and(RDKafkaError::is_retriable);
            if !again || Instant::now() >= until {
                return Err(self.explain_in(topics, "committing", error));
            }
        }
    }

    /// Hears what was complained of. To be called now and then also when there is nothing to send, as
    /// what is not heard is kept.
    pub(crate) fn listen(&self) {
        self.client.poll(Duration::ZERO);
    }

    /// Hears all that has come, and waits a moment if there is more to come. To poll for so short a time
    /// would keep a processor busy: the client counts what is left of it in whole milliseconds.
    fn wait(&self) {
        let mut left = self.client.in_flight_count();
        loop {
            self.listen();
            let now = self.client.in_flight_count();
            if now >= left {
                break;
            }
            left = now;
        }
        if left > 0 {
            std::thread::sleep(LOOKS_EVERY);
        }
    }

    fn explain(&self, doing: &'static str, error: KafkaError) -> StreamError {
        let error = match self.client.client().fatal_error() {
            // The error of the call often is only that there was a fatal one.
            Some((code, reason)) => {
                let cause =
                    Cause { error: Box::new(KafkaError::Global(code)), complaint: Some(reason) };
                return self.of_id(doing, cause);
            }
            None => error,
        };
        match self.client.context().complaints().explain(doing, error) {
            StreamError::Failed { doing, source } => self.of_id(doing, source),
            known => known,
        }
    }

    fn of_id(&self, doing: &'static str, source: Cause) -> StreamError {
        match source.code() {
            Some(
                RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch,
            ) => StreamError::Fenced(source),
            Some(
                RDKafkaErrorCode::TransactionalIdAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed,
            ) => StreamError::IdDenied { id: self.id.clone(), source },
            _ => StreamError::Failed { doing, source },
        }
    }

    fn explain_at(&self, topic: &str, doing: &'static str, error: KafkaError) -> StreamError {
        match StreamError::at_topic(topic, doing, error.into()) {
            StreamError::Failed { doing, source } => self.explain(doing, *source.error),
            known => known,
        }
    }

    /// What an error of a whole transaction means, of which librdkafka names the topic in its log.
    fn explain_in(&self, topics: &[String], doing: &'static str, error: KafkaError) -> StreamError {
        match self.client.context().complaints().refused_topic(topics) {
            Some(topic) => self.explain_at(&topic, doing, error),
            None => self.explain(doing, error),
        }
    }
}

fn of_transaction(error: &KafkaError) -> Option<&RDKafkaError> {
    match error {
        KafkaError::Transaction(error) => Some(error),
        _ => None,
    }
}
