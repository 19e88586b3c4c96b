//! What a use case answers.

use dispense_domain::{Refusals, Status};

use crate::{AppendError, LogPosition, Shown, Unavailable};

/// The answer to a command that was carried out, now or before.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The dispense, as the commit that answered first left it.
    pub shown: Shown,
    /// The position of that commit.
    pub position: LogPosition,
    /// Where the dispense stands now, if the question was answered before.
    pub replayed: Option<Status>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It would break rules.
    #[error("refused: {refusals}")]
    Refused {
        /// Which ones; the first decides where only one may be given.
        refusals: Refusals,
        /// The last position of the log that the decision knew.
        position: LogPosition,
    },
    /// There is no such dispense for this asker.
    #[error("there is no such dispense")]
    NotFound,
    /// The signed container could not be stored, so nothing has changed.
    #[error("the signed content could not be stored")]
    NotStored(#[source] Unavailable),
    /// The log did not take it.
    #[error(transparent)]
    NotAppended(AppendError),
}

impl From<AppendError> for CommandError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Refused { refusals, position } => Self::Refused { refusals, position },
            other @ (AppendError::Busy
            | AppendError::OutcomeUnknown
            | AppendError::ClockUnsound
            | AppendError::Unavailable(_)
            | AppendError::Bug) => Self::NotAppended(other),
        }
    }
}

impl From<Unavailable> for CommandError {
    fn from(error: Unavailable) -> Self {
        Self::NotAppended(error.into())
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is no such thing for this asker.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It was there, and was erased.
    #[error("the {0} was erased")]
    Erased(&'static str),
    /// Something outside does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
