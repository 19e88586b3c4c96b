//! What is found when the topics are held against the log.

use std::collections::BTreeMap;
use std::fmt;

use dispensary::{LogPosition, Topic};

/// The most findings that are named; all are counted.
pub const MOST_NAMED: usize = 100;

/// Something in a topic that is not as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The topic.
    pub topic: Topic,
    /// Partition and offset of the message, if there is one.
    pub at: Option<(i32, i64)>,
    /// The event that it tells of, if it says so.
    pub place: Option<LogPosition>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It was announced and is not there.
    #[error("is missing")]
    Missing,
    /// It is there more than once.
    #[error("is there once more")]
    Doubled,
    /// What happened later stands before it.
    #[error("stands behind {0}, which happened later")]
    OutOfOrder(LogPosition),
    /// It is not what the log says.
    #[error("is not what the log says: {0}")]
    Altered(String),
    /// It is nothing that this log announces.
    #[error("is nothing that this log announced: {0}")]
    Unknown(String),
}

/// A kind of what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Messages that are not there.
    Missing,
    /// Messages that are there more than once.
    Doubled,
    /// Messages behind later ones.
    OutOfOrder,
    /// Messages that say something else.
    Altered,
    /// Messages that nobody announced.
    Unknown,
}

impl Kind {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::Missing, Self::Doubled, Self::OutOfOrder, Self::Altered, Self::Unknown];

    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::OutOfOrder => "outOfOrder",
            Self::Altered => "altered",
            Self::Unknown => "unknown",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::OutOfOrder => "out of order",
            Self::Altered => "altered",
            Self::Unknown => "unknown",
        }
    }
}

impl Wrong {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::Doubled => Kind::Doubled,
            Self::OutOfOrder(_) => Kind::OutOfOrder,
            Self::Altered(_) => Kind::Altered,
            Self::Unknown(_) => Kind::Unknown,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.topic.name())?;
        if let Some((partition, offset)) = self.at {
            write!(f, ", partition {partition}, offset {offset}")?;
        }
        match self.place {
            Some(place) => write!(f, ": {place} {}", self.wrong),
            None => write!(f, ": it {}", self.wrong),
        }
    }
}

/// How a topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which one.
    pub topic: Topic,
    /// Whether it is there at all.
    pub is_there: bool,
    /// Messages of this log that were read.
    pub messages: u64,
    /// Messages of other logs, which were passed over.
    pub foreign: u64,
    /// Messages that were announced and are too old to be kept.
    pub no_longer_kept: u64,
    /// How many of each kind are wrong.
    pub wrong: BTreeMap<Kind, u64>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How each topic is.
    pub topics: Vec<Verified>,
    /// Events that are not announced yet.
    pub not_announced_yet: i64,
    /// Partitions of the log of which the streams do not know how far they are.
    pub without_place: Vec<u16>,
    /// The first of what is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How much is wrong.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.topics.iter().flat_map(|topic| topic.wrong.values()).sum()
    }
}
