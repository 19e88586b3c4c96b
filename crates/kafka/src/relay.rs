//! The relay: announces a partition of the log, every event once and in order, whatever falls over.
//!
//! ```text
//!   wait for the lease
//!     └▶ become the one who announces     fences whoever was there, ends what they had begun
//!          └▶ read the place               the brokers' word, not ours
//!               └▶ hold it against the log, and the topics against it
//!                    └▶ page ─▶ transaction: messages and place ─▶ page ─▶ …
//! ```
//!
//! Whatever fails, it begins again at the top. The lease is given back before a wait, so that an instance
//! that has better luck can go on.

mod announcer;
mod batch;
mod figures;
mod reading;
mod session;
mod signs;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dispensary::LogPosition;
use dispensary::relay::{LEASED_FOR, RelayLog, RelayStop, Signs};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::error::StreamError;
use crate::producer::ThreadGone;
use figures::Leased;
use session::Pace;
use signs::Told;

/// How often a lease is asked for, or renewed.
const LEASES_EVERY: Duration = Duration::from_secs(1);

/// How long is waited after a first failure. Twice as long after each further one.
const TRIES_AFTER: Duration = Duration::from_millis(250);

/// How long is waited at most where it may work again by itself.
const TRIES_EVERY: Duration = Duration::from_secs(5);

/// How long is waited where somebody has to do something first.
const MENDED_EVERY: Duration = Duration::from_secs(10);

/// How often the lag is told.
const LAG_EVERY: Duration = Duration::from_secs(2);

/// How long a transaction may still need when the service stops.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

/// Announces a partition of the log as long as it has the lease.
pub struct Relay {
    log: Arc<dyn RelayLog>,
    settings: Settings,
    partition: u16,
    told: Told,
    /// The last event that is known to be announced.
    reached: Mutex<Option<LogPosition>>,
    /// A topic that is known to have been made anew, until that is noted at the brokers.
    made_anew: Mutex<Option<MadeAnew>>,
}

/// A topic that was made anew.
#[derive(Debug, Clone)]
struct MadeAnew {
    /// Its name, without prefix.
    topic: String,
    /// How often it had been filled again when that was noticed.
    filled: u64,
}

/// Why a partition is not announced any more.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Log(#[from] RelayStop),
    #[error(transparent)]
    Streams(#[from] StreamError),
    #[error(transparent)]
    Thread(#[from] ThreadGone),
    #[error("no thread can be started")]
    NoThread(#[source] std::io::Error),
    #[error("messages cannot be made")]
    Died(#[source] tokio::task::JoinError),
}

/// How announcing ended.
enum End {
    /// The service stops.
    Stopped,
    /// Another instance has the lease, or will have it.
    LeaseLost,
    /// It failed.
    Fault(Fault),
    /// It is to be tried again at once, in smaller transactions.
    Again,
}

impl Relay {
    /// A relay of that partition. Its faults are told about `partition <n>`.
    #[must_use]
    pub fn new(
        log: Arc<dyn RelayLog>,
        signs: Arc<dyn Signs>,
        settings: Settings,
        partition: u16,
    ) -> Self {
        figures::begin();
        figures::leased(partition, Leased::NotHere);
        let told = Told::new(signs, partition);
        Self {
            log,
            settings,
            partition,
            told,
            reached: Mutex::default(),
            made_anew: Mutex::default(),
        }
    }

    /// Announces until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = self.announce(&stop) => {}
            () = self.tell_lag() => {}
        }
        figures::leased(self.partition, Leased::NotHere);
    }

    async fn announce(&self, stop: &CancellationToken) {
        let mut pace = Pace::default();
        let mut wait = TRIES_AFTER;
        while !stop.is_cancelled() {
            let pause = match self.log.lease(self.partition).await {
                Ok(true) => {
                    let end = self.leased(stop, &mut pace).await;
                    if pace.went_on() {
                        wait = TRIES_AFTER;
                    }
                    match end {
                        End::Stopped => return self.release().await,
                        End::Again => continue,
                        End::LeaseLost => LEASES_EVERY,
                        End::Fault(fault) => {
                            let pause = if fault.wants_mending() { MENDED_EVERY } else { wait };
                            wait = (2 * wait).min(TRIES_EVERY);
                            self.told.fault(&fault);
                            self.release().await;
                            pause
                        }
                    }
                }
                Ok(false) => {
                    self.told.elsewhere();
                    LEASES_EVERY
                }
                Err(error) => {
                    tracing::debug!(partition = self.partition, "no lease of the relay: {error}");
                    LEASES_EVERY
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn leased(&self, stop: &CancellationToken, pace: &mut Pace) -> End {
        figures::leased(self.partition, Leased::Here);
        let session = match session::Session::start(self) {
            Ok(session) => session,
            Err(fault) => return End::Fault(fault),
        };
        let end = tokio::select! {
            biased;
            end = session.announce(stop, pace) => end.unwrap_or_else(End::Fault),
            () = self.lose_lease() => End::LeaseLost,
            () = late(stop) => End::Stopped,
        };
        session.end().await;
        if matches!(end, End::LeaseLost) {
            tracing::warn!(partition = self.partition, "the lease of the relay was lost");
        }
        figures::leased(self.partition, Leased::NotHere);
        end
    }

    /// Keeps the lease; returns when it is lost, or may be.
    async fn lose_lease(&self) {
        let mut kept = Instant::now();
        loop {
            sleep(LEASES_EVERY).await;
            let asked = Instant::now();
            match tokio::time::timeout_at(kept + LEASED_FOR, self.log.lease(self.partition)).await {
                Ok(Ok(true)) => kept = asked,
                Ok(Err(error)) if kept.elapsed() < LEASED_FOR => {
                    tracing::debug!(
                        partition = self.partition,
                        "the lease was not renewed: {error}"
                    );
                }
                Ok(Ok(false) | Err(_)) | Err(_) => return,
            }
        }
    }

    async fn release(&self) {
        if let Err(error) = self.log.release(self.partition).await {
            // It ends by itself.
            tracing::debug!(partition = self.partition, "the lease was not given back: {error}");
        }
    }

    fn reached(&self) -> Option<LogPosition> {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_reached(&self, place: LogPosition) {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    fn made_anew(&self) -> Option<MadeAnew> {
        self.made_anew.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_made_anew(&self, topic: Option<MadeAnew>) {
        *self.made_anew.lock().unwrap_or_else(PoisonError::into_inner) = topic;
    }

    /// Tells the lag as long as this instance announces, or should.
    async fn tell_lag(&self) {
        loop {
            sleep(LAG_EVERY).await;
            let lag = if self.told.concerns_us() { self.lag().await } else { Some((0, 0.0)) };
            if let Some(lag) = lag {
                figures::lag(self.partition, lag);
            }
        }
    }

    async fn lag(&self) -> Option<(i64, f64)> {
        let after = match self.reached() {
            Some(place) => place,
            // The brokers have not told yet how far the streams are. The log was told once, and says so
            // when it hears that the streams know nothing.
            None => match self.log.goes_on(self.partition, None).await {
                Ok(beginning) => beginning.place,
                Err(RelayStop::PlaceLost { position }) => {
                    LogPosition { partition: self.partition, position }
                }
                Err(_) => return None,
            },
        };
        self.log.lag(after).await.ok()
    }
}

/// Comes when the service has been stopping for longer than a transaction takes.
async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOPS_WITHIN).await;
}

impl Fault {
    /// Whether somebody has to do something before it can work again.
    fn lasts(&self) -> bool {
        match self {
            Self::Log(RelayStop::Unavailable(_)) | Self::Thread(_) | Self::NoThread(_) => false,
            Self::Log(
                RelayStop::Stuck { .. } | RelayStop::Diverged { .. } | RelayStop::PlaceLost { .. },
            )
            | Self::Died(_) => true,
            Self::Streams(error) => error.lasts(),
        }
    }

    /// Whether it lasts and nothing that happens at the brokers by itself can end it, so that there is
    /// time.
    fn wants_mending(&self) -> bool {
        match self {
            Self::Streams(error) => matches!(
                error,
                StreamError::TooLarge { .. }
                    | StreamError::TopicLost { .. }
                    | StreamError::Refilling { .. }
                    | StreamError::TopicMadeAnew { .. }
                    | StreamError::Place { .. }
            ),
            other => other.lasts(),
        }
    }

    /// The sentence, and what is behind it.
    fn in_full(&self) -> String {
        match self {
            Self::Streams(error) => error.in_full(),
            Self::NoThread(source) => format!("{self}: {source}"),
            Self::Died(source) => format!("{self}: {source}"),
            Self::Log(_) | Self::Thread(_) => self.to_string(),
        }
    }
}
