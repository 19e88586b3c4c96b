//! Dead letters: messages that cannot be applied, put where their senders look for them.
//!
//! They are sent, and then the database is told. Between the two a process can end, or somebody else begin
//! to send: then a letter is sent again, with the same source.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dispensary::Unavailable;
use dispensary::registry_stream::{DeadLetter, RegistryStream};
use futures::executor::block_on;
use futures::future::join_all;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::Notify;

use super::telling::{Telling, Wrong};
use crate::cluster::blocking;
use crate::complaints::Complaints;
use crate::error::StreamError;
use crate::{DEAD_LETTER_TOPIC, Settings};

/// Letters that are sent together.
const MOST: u32 = 100;

/// How long brokers may take to keep a letter.
const KEPT_WITHIN: &str = "10000";

/// How often the database is asked for letters that nobody spoke of, and a sending is tried again.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// Sends dead letters.
pub(super) struct Letters<'a> {
    pub(super) settings: &'a Settings,
    pub(super) stream: &'a Arc<dyn RegistryStream>,
    pub(super) telling: &'a Telling,
    /// Whether there is a topic for them.
    pub(super) taken: &'a AtomicBool,
    /// There is a new one.
    pub(super) new: &'a Notify,
}

impl Letters<'_> {
    /// Sends letters until the database does not answer.
    pub(super) async fn send(self) -> Unavailable {
        let topic = self.settings.topic(DEAD_LETTER_TOPIC);
        loop {
            let letters = match self.stream.dead_letters(MOST).await {
                Ok(letters) => letters,
                Err(silent) => return silent,
            };
            if letters.is_empty() {
                self.telling.right(Wrong::Letters);
                self.wait().await;
            } else if !self.taken.load(Ordering::Relaxed) {
                self.telling.wrong(
                    Wrong::Letters,
                    format!(
                        "messages that cannot be applied stay in the database: there is no topic \
                         {topic}; make it with `dispense streams topics`"
                    ),
                );
                self.wait().await;
            } else {
                let sent = self.send_all(&topic, letters).await;
                let ids: Vec<i64> =
                    sent.iter().filter_map(|it| it.as_ref().ok().copied()).collect();
                if !ids.is_empty()
                    && let Err(silent) = self.stream.buried(&ids).await
                {
                    return silent;
                }
                let failed = sent.into_iter().find_map(Result::err);
                if let Some(error) = failed {
                    let why = error.in_full();
                    let told =
                        format!("messages that cannot be applied stay in the database: {why}");
                    self.telling.wrong(Wrong::Letters, told);
                    self.wait().await;
                }
            }
        }
    }

    async fn wait(&self) {
        // Too early is no harm, and so is too late.
        let _ = tokio::time::timeout(LOOKS_EVERY, self.new.notified()).await;
    }

    /// Sends letters, and says of each whether the brokers keep it. The client is made and closed where
    /// it keeps nobody waiting: to close one takes a while, longest where no broker is to be found.
    async fn send_all(
        &self,
        topic: &str,
        letters: Vec<DeadLetter>,
    ) -> Vec<Result<i64, StreamError>> {
        let (settings, topic) = (self.settings.clone(), topic.to_owned());
        let sent = blocking(move || sent(&settings, &topic, &letters)).await;
        sent.unwrap_or_else(|error| vec![Err(error)])
    }
}

/// Sends letters, and says of each whether the brokers keep it. It blocks.
fn sent(
    settings: &Settings,
    topic: &str,
    letters: &[DeadLetter],
) -> Result<Vec<Result<i64, StreamError>>, StreamError> {
    let complaints = Complaints::new(&settings.connection.brokers);
    let mut client = settings.connection.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", KEPT_WITHIN);
    let producer: FutureProducer<Complaints> =
        FutureProducer::from_config_and_context(&client, complaints)
            .map_err(|error| StreamError::Setting(error.into()))?;
    let sending = letters.iter().map(async |letter| {
        let mut record = FutureRecord::<Vec<u8>, Vec<u8>>::to(topic).headers(headers(letter));
        record.key = letter.key.as_ref();
        record.payload = letter.value.as_ref();
        match producer.send(record, Duration::ZERO).await {
            Ok(_) => Ok(letter.id),
            Err((error, _)) => {
                Err(StreamError::at_topic(topic, "sending a dead letter", error.into()))
            }
        }
    });
    Ok(block_on(join_all(sending)))
}

/// Where it came from, and what is wrong with it.
fn headers(letter: &DeadLetter) -> OwnedHeaders {
    let (partition, offset) = (letter.source.partition.to_string(), letter.offset.to_string());
    let headers = [
        ("source-topic", letter.source.topic.as_str()),
        ("source-partition", &partition),
        ("source-offset", &offset),
        ("code", &letter.code),
        ("reason", &letter.reason),
    ];
    headers.into_iter().fold(OwnedHeaders::new(), |kept, (key, value)| {
        kept.insert(Header { key, value: Some(value) })
    })
}
