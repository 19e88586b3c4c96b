//! Looking back: how something stood at an instant that is over.
//!
//! What was recorded up to that instant counts, and a hold that had run out by then is over. What a
//! registry said then is not known here, and is not told.

use chrono::{DateTime, TimeDelta, Utc};
use dispense_domain::{DispenseId, MedicationRequestId};

use crate::{Dispensary, LogPosition, QueryError, Stream, Unavailable};

/// How long after an instant a batch may still commit what it records for it. A batch that takes
/// longer than 5 s is given up; this is twice that.
pub const UNSETTLED_FOR: TimeDelta = TimeDelta::seconds(10);

/// For which instant something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// For the one at which it is read.
    Now,
    /// For one that is over.
    Past(DateTime<Utc>),
}

impl From<Option<DateTime<Utc>>> for Moment {
    fn from(as_of: Option<DateTime<Utc>>) -> Self {
        as_of.map_or(Self::Now, Self::Past)
    }
}

/// The instants that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When the first event of the log was recorded; none if there is none yet.
    pub earliest: Option<DateTime<Utc>>,
    /// The instant of the database's clock.
    pub latest: DateTime<Utc>,
}

/// What the log is asked about: it knows in which partition that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A dispense.
    Dispense(DispenseId),
    /// A medication request.
    Request(MedicationRequestId),
}

/// Something that was read, and the end of the log on which it rests.
#[derive(Debug, Clone)]
pub struct Reading<T> {
    /// What was read.
    pub read: T,
    /// Where the partition ended then.
    pub position: LogPosition,
}

/// Why the past is not told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The log does not know of that instant.
    #[error("{asked} is not between the first event of the log and now")]
    OutOfRange {
        /// What was asked for.
        asked: DateTime<Utc>,
        /// What could be.
        told: Told,
    },
    /// What a list goes on from is not in the log any more: it lost its tail.
    #[error("the list that this cursor belongs to is gone")]
    Gone,
    /// As with every question.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl From<Unavailable> for PastError {
    fn from(error: Unavailable) -> Self {
        Self::Query(error.into())
    }
}

impl Stream {
    /// The stream as it was at that moment.
    #[must_use]
    pub(crate) fn at(mut self, moment: Moment) -> Self {
        if let Moment::Past(at) = moment {
            self.events.retain(|recorded| recorded.recorded_at <= at);
            self.at = at;
        }
        self
    }
}

impl Dispensary {
    /// Makes sure that everything that belongs to a moment can be read: from then on the answer to the
    /// same question stays the same.
    pub(crate) async fn settled(&self, subject: Subject, moment: Moment) -> Result<(), PastError> {
        let Moment::Past(asked) = moment else { return Ok(()) };
        let told = self.log.told().await?;
        if asked > told.latest || told.earliest.is_none_or(|earliest| asked < earliest) {
            return Err(PastError::OutOfRange { asked, told });
        }
        if told.latest - asked <= UNSETTLED_FOR {
            self.log.settle(subject).await?;
        }
        Ok(())
    }
}
