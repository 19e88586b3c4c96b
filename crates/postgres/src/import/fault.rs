//! Why a transaction of an import stopped, told apart by SQLSTATE.

use crate::fault::sqlstate;

/// Nothing was done, unless the connection was lost during COMMIT; lines may come twice.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Somebody else held the lock for too long.
    #[error("the lock was taken for too long: {0}")]
    Busy(#[source] sqlx::Error),
    /// A statement took longer than the serving role may take.
    #[error("a statement took too long: {0}")]
    TooLong(#[source] sqlx::Error),
    /// The database failed.
    #[error("{0}")]
    Database(#[source] sqlx::Error),
    /// An event that this version of the service does not know.
    #[error("the events of medication request {request} cannot be read: {source}")]
    UnknownEvent {
        /// Whose they are.
        request: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Something that was written by this service cannot be read by it.
    #[error("a record that was just read cannot be read again: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// No random bytes.
    #[error("the operating system has no random bytes: {0}")]
    Random(getrandom::Error),
}

impl Stopped {
    /// Whether one of the lines cannot be written, whoever tries.
    pub(super) fn is_about_a_line(&self) -> bool {
        match self {
            Self::Unreadable(_) => true,
            Self::Database(error) => {
                let code = sqlstate(error).unwrap_or_default();
                ["22", "54"].iter().any(|class| code.starts_with(class))
            }
            Self::Busy(_) | Self::TooLong(_) | Self::UnknownEvent { .. } | Self::Random(_) => false,
        }
    }

    /// What an error of a statement means that takes the lock: `statement_timeout` may end the wait
    /// before `lock_timeout` does.
    pub(super) fn waiting(error: sqlx::Error) -> Self {
        match Self::from(error) {
            Self::TooLong(error) => Self::Busy(error),
            other => other,
        }
    }
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        match sqlstate(&error).as_deref() {
            Some("55P03" | "40P01" | "40001") => Self::Busy(error),
            Some("57014") => Self::TooLong(error),
            _ => Self::Database(error),
        }
    }
}
