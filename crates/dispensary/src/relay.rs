//! What the relay needs of the log: it reads on from where the streams are, and nobody else does at the
//! same time.
//!
//! ```text
//!   lease      a row in the database: who may announce a partition, for a few seconds at a time
//!   goes_on    where the streams are, held against the log
//!     facts    what stands behind that place, a page at a time
//!     (the messages and the place, in one transaction of the streams)
//!     reached  told to the database, for people and for the next instance
//! ```
//!
//! The lease only spares work. That no two instances announce the same is for the streams to say: they
//! fence whoever was there before.

use std::time::Duration;

use async_trait::async_trait;
use dispense_domain::Partitions;
use uuid::Uuid;

use crate::announcement::Fact;
use crate::{LogHash, LogPosition, Unavailable};

/// How long a lease lasts that is not renewed: how long messages are late when an instance dies.
pub const LEASED_FOR: Duration = Duration::from_secs(5);

/// Up to where a partition was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayPlace {
    /// The last event; position 0 for none.
    pub place: LogPosition,
    /// The hash of its row; that before the first row for none.
    pub hash: LogHash,
    /// The epoch of the log in which it was announced. Where a log lost its tail and went on, an older
    /// epoch has announced events that are not there any more.
    pub epoch: i64,
}

/// Why a partition is not announced further.
#[derive(Debug, thiserror::Error)]
pub enum RelayStop {
    /// The log cannot be read; it will go on by itself.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// An event cannot be told.
    #[error("stuck at position {position}: {why}")]
    Stuck {
        /// Where it stands.
        position: i64,
        /// What is wrong with it.
        why: String,
    },
    /// The log is not the one that was announced.
    #[error("log-diverged at position {position}: the log lost its tail; see docs/operations.md")]
    Diverged {
        /// The last position that was announced.
        position: i64,
    },
    /// The streams do not know how far they are, and the database says that they were far already.
    #[error(
        "the streams do not know how far they are, and position {position} was announced before; \
         see `dispense streams resume --help`"
    )]
    PlaceLost {
        /// The last position that was announced.
        position: i64,
    },
}

/// The log, for whoever announces it.
#[async_trait]
pub trait RelayLog: Send + Sync {
    /// Names the log.
    fn log_id(&self) -> Uuid;

    /// How it is divided.
    fn partitions(&self) -> Partitions;

    /// Takes the lease of a partition, or keeps it for [`LEASED_FOR`] from now; false if another
    /// instance has it.
    async fn lease(&self, partition: u16) -> Result<bool, Unavailable>;

    /// Lets go of a lease, so that another instance need not wait. One that it does not have it keeps.
    async fn release(&self, partition: u16) -> Result<(), Unavailable>;

    /// Where to go on, if the streams say that they have a partition up to there, or nothing of it:
    /// that place, if the log has it, whatever its epoch; the beginning, if nothing was ever announced.
    ///
    /// If the log lost its tail, and that was accepted by an epoch after that of the place: the lower
    /// of where such an epoch began and of what [`RelayLog::reached`] was told last and the log still
    /// has. Instances may have written between the cut and the epoch, and nothing of that may be
    /// missing; what was announced behind that place before the cut comes a second time, with the ids
    /// that it had. So it pays to tell [`RelayLog::reached`] of every place.
    async fn goes_on(
        &self,
        partition: u16,
        streams: Option<RelayPlace>,
    ) -> Result<RelayPlace, RelayStop>;

    /// The events behind a place in order, at most so many: empty at the end of the log. The place must
    /// be the log's still.
    async fn facts(&self, after: RelayPlace, most: u32) -> Result<Vec<Fact>, RelayStop>;

    /// The events at those positions of a partition, in order; those that are not there are left out.
    async fn facts_at(&self, partition: u16, positions: &[i64]) -> Result<Vec<Fact>, RelayStop>;

    /// The streams have everything up to there. What the log does not have is not kept, nor what is
    /// behind another instance that has the lease.
    async fn reached(&self, place: RelayPlace) -> Result<(), Unavailable>;

    /// How many events stand behind a position, and for how many seconds the first of them.
    async fn lag(&self, after: LogPosition) -> Result<(i64, f64), Unavailable>;

    /// Waits until there may be events behind that place, and not for long.
    async fn more(&self, after: LogPosition);
}

/// Who hears what does not work at the moment and stops no command.
pub trait Signs: Send + Sync {
    /// That does not work; what was told about it before is forgotten.
    fn report(&self, about: &str, detail: String);

    /// It works again.
    fn clear(&self, about: &str);
}
