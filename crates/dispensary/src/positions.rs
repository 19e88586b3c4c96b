//! Reading what was written: how far the log goes, and how far each read model has read it.
//!
//! Every answer says where the log was that it looked at. Whoever sends that with the next question,
//! to whichever instance, is not shown an older state: a question that is answered from a read model
//! waits until the model is there, and one that folds the log is there already.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use dispense_domain::Partitions;

use crate::{Dispensary, LogPosition, QueryError, Unavailable};

/// How long a question waits for its read model.
pub const AWAITED_FOR: Duration = Duration::from_secs(1);

/// A read model that answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Model {
    /// What the search looks through.
    Dispenses,
    /// What became of a patient's medication.
    History,
    /// What is left of each medication request.
    Balances,
    /// Daily totals.
    Reports,
}

impl Model {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Dispenses, Self::History, Self::Balances, Self::Reports];

    /// Its name, which is that of its follower.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dispenses => "dispenses",
            Self::History => "history",
            Self::Balances => "balances",
            Self::Reports => "reports",
        }
    }
}

/// Places in the log, at most one in each partition. Text is `<partition>:<position>`, with commas
/// between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPositions(BTreeMap<u16, i64>);

impl LogPositions {
    /// The position in that partition, if one is named.
    #[must_use]
    pub fn in_partition(&self, partition: u16) -> Option<i64> {
        self.0.get(&partition).copied()
    }

    /// Each place, in the order of the partitions.
    pub fn places(&self) -> impl Iterator<Item = LogPosition> {
        self.0
            .iter()
            .map(|(partition, position)| LogPosition { partition: *partition, position: *position })
    }

    /// Whether no place is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of the places that is not reached here.
    #[must_use]
    pub fn missing(&self, wanted: &Self) -> Option<LogPosition> {
        // Nothing stands before the first event, so that it is reached everywhere.
        let reached = |place: &LogPosition| {
            self.in_partition(place.partition).unwrap_or_default() >= place.position
        };
        wanted.places().find(|place| !reached(place))
    }
}

impl From<LogPosition> for LogPositions {
    fn from(place: LogPosition) -> Self {
        Self::from_iter([place])
    }
}

impl FromIterator<LogPosition> for LogPositions {
    /// Of several places in one partition, the last one in the log.
    fn from_iter<T: IntoIterator<Item = LogPosition>>(places: T) -> Self {
        let mut positions = BTreeMap::new();
        for LogPosition { partition, position } in places {
            let known = positions.entry(partition).or_insert(position);
            *known = position.max(*known);
        }
        Self(positions)
    }
}

impl fmt::Display for LogPositions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{place}")?;
        }
        Ok(())
    }
}

/// A text names no places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPositions {
    /// A part of it is no place.
    #[error("expected <partition>:<position>, several with commas between them")]
    Malformed(String),
    /// Two places in one partition.
    #[error("expected each partition once")]
    Repeated(LogPosition),
}

impl FromStr for LogPositions {
    type Err = InvalidPositions;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut positions = BTreeMap::new();
        for part in text.split(',').map(|part| part.trim_matches([' ', '\t'])) {
            let place: LogPosition =
                part.parse().map_err(|()| InvalidPositions::Malformed(part.to_owned()))?;
            if positions.insert(place.partition, place.position).is_some() {
                return Err(InvalidPositions::Repeated(place));
            }
        }
        Ok(Self(positions))
    }
}

/// How far the log goes, and how far each read model has read it.
#[async_trait]
pub trait Positions: Send + Sync {
    /// How the log is divided.
    fn partitions(&self) -> Partitions;

    /// Where each partition ends: not before any of those places, if the log has them.
    async fn heads(&self, known: &LogPositions) -> Result<LogPositions, Unavailable>;

    /// How far a read model has read each partition, at an instant after this was asked.
    async fn read_by(&self, model: Model) -> Result<LogPositions, Unavailable>;

    /// Waits until a read model has read up to those places, for [`AWAITED_FOR`] at most. Returns how
    /// far it has read by then.
    async fn wait_for(
        &self,
        model: Model,
        wanted: &LogPositions,
    ) -> Result<LogPositions, Unavailable>;
}

/// Why nothing is shown to somebody who knows those places.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    /// The log has no such partition.
    #[error("the log has no partition {}", .position.partition)]
    UnknownPartition {
        /// What was named.
        position: LogPosition,
        /// How many partitions the log has.
        partitions: u16,
    },
    /// The log does not go that far.
    #[error("the log ends at {head}, before {position}")]
    BeyondHead {
        /// What was named.
        position: LogPosition,
        /// Where the partition ends.
        head: LogPosition,
    },
    /// The read model does not get there in time.
    #[error("the read model {} has read up to {read}, and not to {position} yet", .model.name())]
    Behind {
        /// Which read model.
        model: Model,
        /// What was named.
        position: LogPosition,
        /// How far it has read there.
        read: LogPosition,
    },
    /// Something outside does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Dispensary {
    /// Believes places that a caller says it knows: a question that folds the log asks no more.
    ///
    /// # Errors
    ///
    /// [`PositionError::UnknownPartition`] and [`PositionError::BeyondHead`]: nobody was told that.
    pub async fn judge_positions(&self, known: &LogPositions) -> Result<(), PositionError> {
        let partitions = self.positions.partitions().count();
        if let Some(position) = known.places().find(|place| place.partition >= partitions) {
            return Err(PositionError::UnknownPartition { position, partitions });
        }
        if known.is_empty() {
            return Ok(());
        }
        let heads = self.positions.heads(known).await?;
        match heads.missing(known) {
            None => Ok(()),
            Some(position) => {
                Err(PositionError::BeyondHead { position, head: reached(&heads, position) })
            }
        }
    }

    /// Waits until a read model has read up to those places, once they are believed.
    ///
    /// # Errors
    ///
    /// As [`Dispensary::judge_positions`]; [`PositionError::Behind`] if that takes longer than
    /// [`AWAITED_FOR`].
    pub async fn wait_for(&self, model: Model, known: &LogPositions) -> Result<(), PositionError> {
        self.judge_positions(known).await?;
        if known.is_empty() {
            return Ok(());
        }
        let read = self.positions.wait_for(model, known).await?;
        match read.missing(known) {
            None => Ok(()),
            Some(position) => {
                Err(PositionError::Behind { model, position, read: reached(&read, position) })
            }
        }
    }

    /// How far a read model has read the log. Asked after the rows of an answer were read, it is not
    /// before anything that the answer shows.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unavailable`] alone.
    pub async fn read_by(&self, model: Model) -> Result<LogPositions, QueryError> {
        Ok(self.positions.read_by(model).await?)
    }
}

/// How far the partition of that place is reached.
fn reached(positions: &LogPositions, place: LogPosition) -> LogPosition {
    let position = positions.in_partition(place.partition).unwrap_or_default();
    LogPosition { position, ..place }
}
