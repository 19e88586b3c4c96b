//! What is wrong with an export, and where.

use std::fmt;
use std::io;

/// What is wrong. The names are those of `docs/audit.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `log.json` is missing or malformed.
    Log,
    /// A file is missing, or is none that an export has.
    Layout,
    /// A line is not in the one form in which it is written.
    Line,
    /// A row stands in another partition than it names, or than its medication request belongs to.
    Partition,
    /// A row does not have the position after the one before it.
    Position,
    /// A row does not have the hash that follows from it and the row before it.
    Hash,
    /// A row is recorded before the one before it.
    Time,
    /// What a row says of its event is malformed, or contradicts itself.
    Event,
    /// The events of a medication request do not count from 1 without gaps.
    Sequence,
    /// An event cannot follow on those before it: a dispense begins once, and ends once.
    Order,
    /// More was reserved and handed over than prescribed, or an amount contradicts those before it.
    Quantity,
    /// A checkpoint is malformed, or of another log, partition, size or epoch.
    Checkpoint,
    /// No trusted key has signed a checkpoint.
    Signature,
    /// The rows are not those over which a checkpoint was signed.
    Root,
    /// Rows that a checkpoint covers are missing at the end.
    Tail,
    /// The chain of erasures is broken, or is not the one that a checkpoint covers.
    Erasure,
    /// The rows are not those of a checkpoint that was kept elsewhere, or it is of another log.
    Kept,
}

impl Kind {
    /// All of them, in the order in which an export is checked.
    pub const ALL: [Self; 17] = [
        Self::Log,
        Self::Layout,
        Self::Line,
        Self::Partition,
        Self::Position,
        Self::Hash,
        Self::Time,
        Self::Event,
        Self::Sequence,
        Self::Order,
        Self::Quantity,
        Self::Checkpoint,
        Self::Signature,
        Self::Root,
        Self::Tail,
        Self::Erasure,
        Self::Kept,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "log",
            Self::Layout => "layout",
            Self::Line => "line",
            Self::Partition => "partition",
            Self::Position => "position",
            Self::Hash => "hash",
            Self::Time => "time",
            Self::Event => "event",
            Self::Sequence => "sequence",
            Self::Order => "order",
            Self::Quantity => "quantity",
            Self::Checkpoint => "checkpoint",
            Self::Signature => "signature",
            Self::Root => "root",
            Self::Tail => "tail",
            Self::Erasure => "erasure",
            Self::Kept => "kept",
        })
    }
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The partition.
    pub partition: Option<u16>,
    /// The position of the row; of a checkpoint its size.
    pub position: Option<u64>,
    /// The file, relative to the folder; a checkpoint that was kept elsewhere as it was named.
    pub file: Option<String>,
    /// The line of the file, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A file as a whole.
    pub(super) fn file(file: impl Into<String>) -> Self {
        Self { file: Some(file.into()), ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.partition.map(|partition| format!("partition {partition}")),
            self.position.map(|position| format!("position {position}")),
            self.file.clone(),
            self.line.map(|line| format!("line {line}")),
        ];
        f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What was wrong with one thing, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self { kind, expected: expected.to_string(), found: found.to_string() }
    }

    pub(super) fn at(self, place: Place) -> Broken {
        let Self { kind, expected, found } = self;
        Broken { kind, place, expected, found }
    }
}

/// The first thing that is wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong.
    pub kind: Kind,
    /// Where.
    pub place: Place,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, place, expected, found } = self;
        write!(f, "{place}: {kind}: expected {expected}, but found {found}")
    }
}

/// Why an export does not count as whole.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// Something is wrong with it.
    #[error("{0}")]
    Broken(Box<Broken>),
    /// It could not be read.
    #[error("{file} cannot be read")]
    Unread {
        /// The file or folder.
        file: String,
        /// Why not.
        source: io::Error,
    },
}

impl From<Broken> for NotWhole {
    fn from(broken: Broken) -> Self {
        Self::Broken(Box::new(broken))
    }
}

impl NotWhole {
    pub(super) fn unread(file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Unread { file, source }
    }
}
