//! Fills a topic again that was lost, with everything that was announced in it: each event once and in
//! order, also if this is stopped in between and run again.
//!
//! ```text
//!   every partition of the log: fence the relay, note in its place that the topic is filled
//!     └▶ no relay goes on any more, whatever falls over
//!          └▶ what is in the topic has to be its beginning
//!               └▶ partition after partition: messages and how far they are, in one transaction
//!                    └▶ the last one takes the note away, and the relay of that partition goes on
//! ```
//!
//! No lease is needed: the note keeps away every relay, also of a version that is started later, and the
//! brokers keep away whoever else fills the same partition.

mod beginning;
mod filling;

use dispensary::announcement::Topic;
use dispensary::relay::{RelayLog, RelayStop};
use tokio_util::sync::CancellationToken;

use crate::cluster::blocking;
use crate::error::StreamError;
use crate::producer::ThreadGone;
use crate::scribe::change;
use crate::verify::VerifyError;
use crate::{Place, Settings};
use beginning::beginnings;
use filling::fill;

/// In a note: it was not looked yet at what is in the topic.
const NOT_LOOKED: i64 = -1;

/// Why a topic was not filled, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RefillError {
    /// The brokers do not do it.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The log cannot be read, or is not the one that was announced.
    #[error(transparent)]
    Log(#[from] RelayStop),
    /// What is in the topic cannot be held against the log.
    #[error(transparent)]
    Verify(VerifyError),
    /// What is in the topic is not the beginning of what belongs there.
    #[error(
        "topic {topic} is not empty, and what is in it is no beginning: {why}; nothing was done. If \
         it is to begin anew, delete it, make it with `dispense streams topics`, and run this again"
    )]
    NoBeginning {
        /// The topic, with its prefix.
        topic: String,
        /// What is not as it should be.
        why: String,
    },
    /// Somebody else fills the same topic, or has begun to fill another one.
    #[error("somebody else fills a topic at the moment; run this again when that is over")]
    Elsewhere,
    /// It was told to stop.
    #[error(
        "interrupted: nothing more is announced until this is run again, which goes on from here"
    )]
    Interrupted,
    /// The system does not do it.
    #[error("no thread can be started")]
    NoThread(#[source] std::io::Error),
    /// The thread has died.
    #[error("the thread of the producer has died; that is a bug")]
    ThreadGone,
}

impl From<VerifyError> for RefillError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Stream(error) => Self::Stream(error),
            VerifyError::Log(stop) => Self::Log(stop),
            untold @ VerifyError::Untold(_) => Self::Verify(untold),
        }
    }
}

impl From<ThreadGone> for RefillError {
    fn from(_: ThreadGone) -> Self {
        Self::ThreadGone
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many events are going to be looked at.
    Begins(u64),
    /// So many more were looked at.
    Looked(u64),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refilled {
    /// Messages that were written.
    pub written: u64,
    /// Messages that were there already.
    pub found: u64,
}

/// Fills a topic again.
///
/// # Errors
///
/// If brokers or log do not answer, if the topic has what it should not have, or when told to stop.
pub async fn refill(
    settings: &Settings,
    log: &dyn RelayLog,
    topic: Topic,
    progress: &(dyn Fn(Step) + Sync),
    stop: &CancellationToken,
) -> Result<Refilled, RefillError> {
    let mut noted = Vec::new();
    for partition in log.partitions().all() {
        if stop.is_cancelled() {
            return Err(RefillError::Interrupted);
        }
        noted.extend(note(settings, log, topic, partition).await?);
    }
    let begun = match beginnings(settings, log, topic, &noted).await {
        Ok(begun) => begun,
        Err(error) => {
            // Whoever runs this in vain must not stop the relays with it.
            if matches!(error, RefillError::NoBeginning { .. }) {
                take_back(settings, log, topic, &noted).await?;
            }
            return Err(error);
        }
    };
    let left = |place: &Place, from: i64| place.relay.place.position - from;
    let total: i64 = begun.iter().map(|(place, from)| left(place, from.position)).sum();
    progress(Step::Begins(u64::try_from(total).unwrap_or_default()));
    let mut done = Refilled::default();
    for (place, from) in begun {
        done.found += from.messages;
        done.written += fill(settings, log, topic, place, from, progress, stop).await?;
    }
    Ok(done)
}

/// Notes in the place of a partition that a topic is filled; none if nothing of it was ever announced.
async fn note(
    settings: &Settings,
    log: &dyn RelayLog,
    topic: Topic,
    partition: u16,
) -> Result<Option<Place>, RefillError> {
    let (of, log_id, name) = (settings.clone(), log.log_id(), topic.name());
    let noting = move || {
        change(&of, log_id, partition, |place| {
            let mut place = place?.clone();
            let is_noted = place.refilling.contains_key(name);
            // Where its ends were stays until something is written: if nothing is, it is as lost as
            // it was.
            place.refilling.insert(name.to_owned(), NOT_LOOKED);
            (!is_noted).then_some(place)
        })
    };
    let Some(mut place) = blocking(noting).await.map_err(elsewhere)? else {
        // Somebody may have lost the places as well: that is to be mended first.
        log.goes_on(partition, None).await?;
        return Ok(None);
    };
    // The log may have lost its tail; what is there goes on from where both agree.
    place.relay = log.goes_on(partition, Some(place.relay)).await?;
    Ok(Some(place))
}

/// Takes the note away where nothing was done.
async fn take_back(
    settings: &Settings,
    log: &dyn RelayLog,
    topic: Topic,
    noted: &[Place],
) -> Result<(), RefillError> {
    for place in noted {
        let partition = place.relay.place.partition;
        let (of, log_id, name) = (settings.clone(), log.log_id(), topic.name());
        let taking = move || {
            change(&of, log_id, partition, |place| {
                let mut place = place?.clone();
                let nothing = place.refilling.get(name) == Some(&NOT_LOOKED);
                place.refilling.remove(name);
                nothing.then_some(place)
            })
        };
        blocking(taking).await.map_err(elsewhere)?;
    }
    Ok(())
}

/// A relay that is fenced begins anew once: whoever takes a name away again and again fills a topic.
fn elsewhere(error: StreamError) -> RefillError {
    match error {
        StreamError::Fenced(_) => RefillError::Elsewhere,
        error => error.into(),
    }
}
