//! One round: from the lease to whatever ends it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dispensary::registry_stream::{Messages, ReadPlace, TopicPartition};
use dispense_domain::registry::RegistryKind;
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::found::{self, Asks, Ends, Found, Left, Looked};
use super::held::HeldBack;
use super::letters::Letters;
use super::telling::Wrong;
use super::unseen::{Resting, is_unseen};
use super::{ASKS_EVERY, Ended, FIRST_PAUSE, RegistryReader, Trouble, batch};
use crate::complaints::Complaints;
use crate::error::StreamError;
use crate::topics::Use;

/// How often this looks for new topics and partitions, and how far it is behind.
const LOOKS_EVERY: Duration = Duration::from_secs(3);

/// How many looks in a row may fail until another instance may try.
const FAILED_LOOKS: u32 = 5;

/// How long to wait after the brokers refused something; it is refused again.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Who reads, and who asks meanwhile what there is: a broker answers on a connection in order, and keeps
/// one that reads waiting for as long as nothing comes.
struct Clients {
    reads: Arc<StreamConsumer<Complaints>>,
    asks: Arc<Asks>,
}

/// What is read, and how far.
struct Reading {
    found: Found,
    /// The offset that comes next, as PostgreSQL has it.
    places: HashMap<TopicPartition, Option<i64>>,
    resting: Resting,
    held: HeldBack,
}

/// What a round shares with the one who sends dead letters.
#[derive(Default)]
struct Shared {
    takes_letters: AtomicBool,
    new_letter: Notify,
}

impl RegistryReader {
    /// Reads while nobody else does and nothing goes wrong.
    pub(super) async fn round(
        &self,
        stop: &CancellationToken,
        pause: &mut Duration,
    ) -> Result<Ended, Trouble> {
        if !self.stream.lease().await? {
            return Ok(Ended::Elsewhere);
        }
        let shared = Shared::default();
        let letters = Letters {
            settings: &self.settings,
            stream: &self.stream,
            telling: &self.telling,
            taken: &shared.takes_letters,
            new: &shared.new_letter,
        };
        let clients = Clients { reads: Arc::new(self.reads()?), asks: Arc::new(self.asks()?) };
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(Ended::Stopped),
            ended = self.keep() => ended,
            silent = letters.send() => Err(silent.into()),
            ended = self.read(&clients, &shared, pause) => ended,
        };
        // To close it may take a while.
        tokio::task::spawn_blocking(move || drop(clients));
        for kind in RegistryKind::ALL {
            lag(&self.settings.topic(&Use::Registry(kind).name()), 0);
        }
        ended
    }

    /// Keeps the lease.
    async fn keep(&self) -> Result<Ended, Trouble> {
        loop {
            tokio::time::sleep(ASKS_EVERY).await;
            if !self.stream.lease().await? {
                return Ok(Ended::Elsewhere);
            }
        }
    }

    async fn read(
        &self,
        clients: &Clients,
        shared: &Shared,
        pause: &mut Duration,
    ) -> Result<Ended, Trouble> {
        let mut reading = self.begin(clients).await?;
        shared.takes_letters.store(reading.found.takes_letters, Ordering::Relaxed);
        shared.new_letter.notify_one();
        let (mut looked, mut failed, mut refused) = (Instant::now(), 0, None);
        loop {
            let (batch, wrong) = batch::next(&clients.reads).await;
            if !batch.is_empty() {
                self.apply(&mut reading, batch, shared).await?;
                *pause = FIRST_PAUSE;
                self.telling.right(Wrong::Reading);
            }
            if let Some(error) = wrong {
                refused = what_is_refused(&clients.reads, error)?.or(refused);
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
            if looked.elapsed() < LOOKS_EVERY {
                continue;
            }
            looked = Instant::now();
            match self.look(clients, &mut reading, refused.take()).await? {
                Ok(found) if found.partitions != reading.found.partitions => {
                    return Ok(Ended::OtherTopics);
                }
                Ok(found) => {
                    failed = 0;
                    *pause = FIRST_PAUSE;
                    self.telling.right(Wrong::Reading);
                    shared.takes_letters.store(found.takes_letters, Ordering::Relaxed);
                }
                Err(error) => {
                    failed += 1;
                    if failed == FAILED_LOOKS {
                        return Err(error.into());
                    }
                }
            }
        }
    }

    /// Finds what there is, and begins to read each partition from where PostgreSQL has it.
    async fn begin(&self, clients: &Clients) -> Result<Reading, Trouble> {
        let Clients { reads: consumer, asks } = clients;
        let known = self.stream.places().await?;
        self.tell_lost(&known);
        let (asked, settings) = (asks.clone(), self.settings.clone());
        let (found, known) = blocking(move || found::look_at(&asked, &settings, known)).await??;
        let mut places = HashMap::new();
        for (place, ends) in known {
            let kind = *found.partitions.get(&place.source).ok_or(Trouble::Gone)?;
            let (source, next) = (place.source.clone(), place.next);
            let next = match ends {
                Some(ends) => self.go_on(place, ends, kind).await?,
                None => next,
            };
            places.insert(source, Some(next));
        }
        let explain =
            |error| Trouble::from(consumer.context().explain("choosing what to read", error));
        let mut wanted = TopicPartitionList::new();
        for source in found.partitions.keys() {
            let place = *places.entry(source.clone()).or_default();
            let offset = place.map_or(Offset::Beginning, Offset::Offset);
            let (topic, partition) = (source.topic.as_str(), source.partition);
            wanted.add_partition_offset(topic, partition, offset).map_err(explain)?;
        }
        consumer.assign(&wanted).map_err(explain)?;
        let topics: BTreeSet<&str> = found.partitions.keys().map(|it| it.topic.as_str()).collect();
        tracing::info!(?topics, partitions = found.partitions.len(), "reading registry topics");
        for kind in found.partitions.values() {
            count(*kind, "applied", 0);
            count(*kind, "faulty", 0);
        }
        Ok(Reading { found, places, resting: Resting::default(), held: HeldBack::default() })
    }

    /// From where a partition is read on: where it was left, if that is still there. What retention
    /// took before it was read is counted; a topic that was made anew is read from its beginning.
    async fn go_on(
        &self,
        place: ReadPlace,
        ends: Ends,
        kind: RegistryKind,
    ) -> Result<i64, Trouble> {
        let ReadPlace { source, next, lost: _ } = place;
        if (ends.first..=ends.next).contains(&next) {
            return Ok(next);
        }
        let lost = (ends.first - next).max(0);
        if lost > 0 {
            tracing::error!(%source, lost, "messages were gone before they could be read");
        } else {
            let end = ends.next;
            tracing::warn!(%source, next, end, "the topic was made anew; reading it from its beginning");
        }
        let (from, to, messages) = (Some(next), ends.first, Vec::new());
        self.stream.apply(Messages { source, kind, from, to, lost, messages }).await?;
        Ok(ends.first)
    }

    async fn apply(
        &self,
        reading: &mut Reading,
        batch: batch::Batch,
        shared: &Shared,
    ) -> Result<(), Trouble> {
        for (source, messages) in batch {
            let kind = *reading.found.partitions.get(&source).ok_or(Trouble::Gone)?;
            let place = reading.places.entry(source.clone()).or_default();
            let from = *place;
            let (count_of, Some(last)) = (messages.len(), messages.last()) else { continue };
            let to = last.offset + 1;
            let begun = Instant::now();
            let faulty =
                self.stream.apply(Messages { source, kind, from, to, lost: 0, messages }).await?;
            metrics::histogram!("dispense_registry_stream_seconds").record(begun.elapsed());
            *place = Some(to);
            count(kind, "applied", count_of.saturating_sub(faulty.len()));
            if !faulty.is_empty() {
                count(kind, "faulty", faulty.len());
                shared.new_letter.notify_one();
            }
        }
        Ok(())
    }

    /// Looks what there is now, how far this is behind, and what was lost; and says what is wrong.
    async fn look(
        &self,
        clients: &Clients,
        reading: &mut Reading,
        refused: Option<String>,
    ) -> Result<Result<Found, StreamError>, Trouble> {
        self.tell_lost(&self.stream.places().await?);
        let (asked, settings) = (clients.asks.clone(), self.settings.clone());
        let places: Vec<_> = reading.places.iter().map(|(at, next)| (at.clone(), *next)).collect();
        let mut looked = blocking(move || found::look_beyond(&asked, &settings, places)).await?;
        let held = looked.as_mut().map(|looked| std::mem::take(&mut looked.held));
        let held = reading.held.told(held.unwrap_or_default());
        let unknown = looked.as_ref().map_or_else(Some, |looked| looked.unknown.as_ref());
        let wrong = unknown
            .or(held.as_ref())
            .map(|error| format!("registry data waits at the brokers: {}", error.in_full()))
            .or(refused);
        match wrong {
            Some(wrong) => self.telling.wrong(Wrong::Brokers, wrong),
            None => self.telling.right(Wrong::Brokers),
        }
        let Looked { found, behind, left, held: _, unknown: _ } = match looked {
            Ok(looked) => looked,
            Err(error) => return Ok(Err(error)),
        };
        for (topic, messages) in behind {
            lag(&topic, messages);
        }
        if let Some(left) = reading.resting.next(left) {
            self.pass(reading, left).await?;
        }
        Ok(Ok(found))
    }

    /// Moves a place behind what nobody was ever to see, if it is that which is left.
    async fn pass(&self, reading: &mut Reading, left: Left) -> Result<(), Trouble> {
        let (settings, asked) = (self.settings.clone(), left.clone());
        if !blocking(move || is_unseen(&settings, &asked)).await? {
            return Ok(());
        }
        let Left { source, next: from, ends: Ends { first: _, next: to } } = left;
        let kind = *reading.found.partitions.get(&source).ok_or(Trouble::Gone)?;
        let nothing =
            Messages { source: source.clone(), kind, from, to, lost: 0, messages: vec![] };
        self.stream.apply(nothing).await?;
        reading.places.insert(source, Some(to));
        Ok(())
    }

    fn tell_lost(&self, places: &[ReadPlace]) {
        let lost: Vec<String> = places
            .iter()
            .filter(|place| place.lost > 0)
            .map(|place| format!("{} of {}", place.lost, place.source))
            .collect();
        if lost.is_empty() {
            self.telling.right(Wrong::Lost);
        } else {
            let lost = lost.join(", ");
            self.telling.wrong(
                Wrong::Lost,
                format!(
                    "messages were gone before they could be read: {lost}; import the registry \
                     anew, as docs/operations.md says"
                ),
            );
        }
    }

    fn reads(&self) -> Result<StreamConsumer<Complaints>, StreamError> {
        let mut client = self.client();
        client
            // What a bulk of other data has in front of a medication request.
            .set("queued.min.messages", "2000")
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.queue.backoff.ms", "50");
        StreamConsumer::from_config_and_context(&client, self.complaints())
            .map_err(|error| StreamError::Setting(error.into()))
    }

    fn asks(&self) -> Result<Asks, StreamError> {
        let asks = |sees| {
            let mut client = self.client();
            client.set("isolation.level", sees);
            BaseConsumer::from_config_and_context(&client, self.complaints())
                .map_err(|error| StreamError::Setting(error.into()))
        };
        Ok(Asks { committed: asks("read_committed")?, everything: asks("read_uncommitted")? })
    }

    fn client(&self) -> ClientConfig {
        let mut client = self.settings.consumer();
        client.set("auto.offset.reset", "error").set("isolation.level", "read_committed");
        client
    }

    fn complaints(&self) -> Complaints {
        Complaints::new(&self.settings.connection.brokers)
    }
}

/// Does what blocks elsewhere.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Trouble::Gone)
}

#[allow(clippy::cast_precision_loss, reason = "nobody counts beyond 2^53")]
fn lag(topic: &str, messages: i64) {
    metrics::gauge!("dispense_registry_stream_lag_messages", "topic" => topic.to_owned())
        .set(messages as f64);
}

fn count(kind: RegistryKind, outcome: &'static str, messages: usize) {
    metrics::counter!(
        "dispense_registry_stream_messages_total",
        "kind" => kind.as_str(), "outcome" => outcome
    )
    .increment(messages as u64);
}

/// What an error of reading means: the end of the round, something to tell, or nothing, because it
/// goes by itself. Which topic it is about is not said.
fn what_is_refused(
    consumer: &StreamConsumer<Complaints>,
    error: KafkaError,
) -> Result<Option<String>, Trouble> {
    let is_over = matches!(error, KafkaError::MessageConsumptionFatal(_));
    let code = error.rdkafka_error_code();
    match code {
        Some(
            RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::OffsetOutOfRange
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition,
        ) => Err(Trouble::Gone),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Ok(Some(
            "the brokers do not let us read every topic of registry data; grant Read on all of \
             them to the user of KAFKA_SASL_USERNAME"
                .to_owned(),
        )),
        // Whether brokers answer is for the look to find out; and no group is joined.
        Some(
            RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::NotCoordinator,
        ) => Ok(None),
        _ => {
            let explained = consumer.context().explain("reading registry data", error);
            if is_over {
                return Err(explained.into());
            }
            Ok(Some(format!("registry data waits at the brokers: {}", explained.in_full())))
        }
    }
}
