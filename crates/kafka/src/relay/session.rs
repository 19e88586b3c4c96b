//! What is done while the lease is there.

use std::sync::Arc;
use std::time::Duration;

use dispensary::relay::RelayPlace;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::announcer::Announcer;
use super::batch::Batch;
use super::reading::Reading;
use super::{End, Fault, MadeAnew, Relay, figures};
use crate::error::StreamError;
use crate::place::Place;
use crate::producer::{NotCommitted, OwnThread, ThreadGone};
use crate::scribe;

/// Bytes in a transaction: what a producer keeps in memory, and what is sent again if it fails.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How much smaller transactions become when one holds too much for a topic.
const SMALLER: usize = 4;

/// How many transactions of the size that works are made before a larger one is tried.
const STEADY: u32 = 64;

/// How far apart transactions begin at least where little is to be announced. Each costs the brokers the
/// same, however much is in it; what is recorded meanwhile goes into the next one.
const GATHERS_FOR: Duration = Duration::from_millis(10);

/// How large transactions may be. Where a topic takes less than producers usually send at once, the
/// brokers refuse messages of which each alone would be small enough.
#[derive(Debug)]
pub(super) struct Pace {
    most_bytes: usize,
    committed: u32,
    went_on: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { most_bytes: MOST_BYTES, committed: 0, went_on: false }
    }
}

impl Pace {
    /// Whether anything was committed since this was asked last.
    pub(super) const fn went_on(&mut self) -> bool {
        std::mem::replace(&mut self.went_on, false)
    }

    fn commit(&mut self) {
        self.went_on = true;
        self.committed += 1;
        if self.committed >= STEADY {
            self.committed = 0;
            self.most_bytes = (2 * self.most_bytes).min(MOST_BYTES);
        }
    }

    const fn too_much(&mut self) {
        self.committed = 0;
        self.most_bytes /= SMALLER;
    }
}

/// A relay that has the lease.
pub(super) struct Session<'a> {
    relay: &'a Relay,
    thread: OwnThread<Announcer>,
}

impl<'a> Session<'a> {
    pub(super) fn start(relay: &'a Relay) -> Result<Self, Fault> {
        let name = format!("relay-{}", relay.partition);
        let thread = OwnThread::start(name, Announcer::listen).map_err(Fault::NoThread)?;
        Ok(Self { relay, thread })
    }

    /// Lets go of the brokers.
    pub(super) async fn end(self) {
        self.thread.end().await;
    }

    /// Announces until told to stop, or until something fails.
    pub(super) async fn announce(
        &self,
        stop: &CancellationToken,
        pace: &mut Pace,
    ) -> Result<End, Fault> {
        let relay = self.relay;
        let mut announced = self.begin().await?;
        relay.set_reached(announced.relay.place);
        let mut reading = Reading::new(relay.log.clone(), announced.relay);
        let mut next = reading.next(pace.most_bytes).await?;
        // Whoever died between a commit and telling it left the log behind.
        let mut untold = Some(announced.relay).filter(|it| it.place.position > 0);
        loop {
            let Some(batch) = next.take() else {
                self.tell(&mut untold).await;
                relay.told.well();
                tokio::select! {
                    () = relay.log.more(reading.taken().place) => {}
                    () = stop.cancelled() => {}
                }
                if stop.is_cancelled() {
                    return Ok(End::Stopped);
                }
                next = reading.next(pace.most_bytes).await?;
                continue;
            };
            // A place alone is not worth a transaction: the next message takes it along.
            if batch.messages.is_empty() {
                next = reading.next(pace.most_bytes).await?;
                continue;
            }
            let begun = Instant::now();
            let batch = Arc::new(batch);
            let committing = self.commit(batch.clone(), announced.clone());
            let ahead = async {
                self.tell(&mut untold).await;
                if reading.behind() { Some(reading.next(pace.most_bytes).await) } else { None }
            };
            let (committed, ahead) = tokio::join!(committing, ahead);
            announced = match committed? {
                Ok(to) => to,
                Err(not) if is_too_much(&not, &batch) => {
                    pace.too_much();
                    return Ok(End::Again);
                }
                Err(not) => {
                    if let StreamError::TopicMadeAnew { name, .. } = &not.error {
                        let (topic, filled) = (name.clone(), announced.filled(name));
                        relay.set_made_anew(Some(MadeAnew { topic, filled }));
                        self.note_lost_topic().await?;
                    }
                    return Err(not.error.into());
                }
            };
            figures::announced(&batch);
            pace.commit();
            relay.told.well();
            relay.set_reached(announced.relay.place);
            untold = Some(announced.relay);
            if stop.is_cancelled() {
                self.tell(&mut untold).await;
                return Ok(End::Stopped);
            }
            next = if let Some(ahead) = ahead {
                ahead?
            } else {
                self.tell(&mut untold).await;
                sleep_until(begun + GATHERS_FOR).await;
                reading.next(pace.most_bytes).await?
            };
        }
    }

    /// Becomes the one who announces, and finds out where to go on.
    async fn begin(&self) -> Result<Place, Fault> {
        let relay = self.relay;
        let (settings, partition) = (relay.settings.clone(), relay.partition);
        let log_id = relay.log.log_id();
        self.note_lost_topic().await?;
        let become_it = move |living: &mut Option<Announcer>, given_up| {
            let (announcer, kept) = Announcer::new(settings, log_id, partition, given_up)?;
            *living = Some(announcer);
            Ok::<_, StreamError>(kept)
        };
        let kept = self.thread.run(become_it).await??;
        let streams = kept.as_ref().map(|kept| kept.relay);
        let goes_on = relay.log.goes_on(partition, streams).await?;
        let known = kept.unwrap_or_else(|| Place::new(goes_on));
        let place = Place { relay: goes_on, ..known };
        let looked = place.clone();
        let look = move |living: &mut Option<Announcer>, _| Ok(there(living)?.look(&looked)?);
        self.thread.run(look).await?.map_err(|error: Fault| error)?;
        if streams.is_some_and(|streams| streams != goes_on) {
            let (from, to) = (streams.map(|it| it.place.position), goes_on.place.position);
            tracing::warn!(partition, from, to, "announcing goes on behind the tail that was lost");
        }
        tracing::info!(partition, position = goes_on.place.position, "announcing goes on");
        Ok(place)
    }

    /// Notes at the brokers that a topic was made anew, if that is known: from them alone the next one
    /// could not tell. The transaction in which it was noticed is over then.
    async fn note_lost_topic(&self) -> Result<(), Fault> {
        let relay = self.relay;
        let Some(MadeAnew { topic, filled }) = relay.made_anew() else { return Ok(()) };
        let (settings, partition) = (relay.settings.clone(), relay.partition);
        let log_id = relay.log.log_id();
        let note = move |living: &mut Option<Announcer>, _| {
            *living = None;
            scribe::change(&settings, log_id, partition, |place| place?.lose(&topic, filled))
        };
        let stands = self.thread.run(note).await??;
        // Who fills a topic may find that it cannot be filled, and leave it as lost as it was.
        if stands.is_none_or(|place| place.refilling.is_empty()) {
            relay.set_made_anew(None);
        }
        Ok(())
    }

    async fn commit(
        &self,
        batch: Arc<Batch>,
        from: Place,
    ) -> Result<Result<Place, NotCommitted>, Fault> {
        let announce = move |living: &mut Option<Announcer>, _| {
            Ok::<_, Fault>(there(living)?.announce(&batch, &from))
        };
        self.thread.run(announce).await?
    }

    /// Tells the log what the streams have. If it cannot be told now, the next one says the same.
    async fn tell(&self, untold: &mut Option<RelayPlace>) {
        let Some(place) = untold.take() else { return };
        if let Err(error) = self.relay.log.reached(place).await {
            tracing::debug!(place = %place.place, "the log was not told of it: {error}");
        }
    }
}

fn there(living: &mut Option<Announcer>) -> Result<&mut Announcer, Fault> {
    living.as_mut().ok_or(Fault::Thread(ThreadGone))
}

/// Whether the brokers may take the same messages in smaller transactions.
fn is_too_much(not: &NotCommitted, batch: &Batch) -> bool {
    matches!(not.error, StreamError::TooLarge { .. }) && batch.events > 1
}
