//! What can go wrong with a batch, told apart by SQLSTATE and never by the name of a constraint.

/// Why a batch was not committed, or may not have been.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Something in the batch cannot be written: halve it until the culprit stands alone.
    Culprit(sqlx::Error),
    /// The log is not as the writer thought: forget what is remembered and run once more.
    Stale(sqlx::Error),
    /// Nothing was done, and trying again may help.
    #[allow(dead_code, reason = "shown by Debug, in the log")]
    Busy(sqlx::Error),
    /// Nothing was done.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The clock cannot be trusted; nothing was done.
    ClockUnsound,
    /// COMMIT was sent, and no answer came.
    Unknown,
    /// The outcome was read: nothing was done. Decide afresh.
    RolledBack,
}

impl Fault {
    /// What an error of a statement before COMMIT means.
    pub(crate) fn of(error: sqlx::Error) -> Self {
        let code = sqlstate(&error).unwrap_or_default();
        match code.as_str() {
            "23505" => Self::Stale(error),
            // 57014: a statement that waited for a lock until its own time was over.
            "55P03" | "57014" | "40P01" | "40001" => Self::Busy(error),
            code if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => {
                Self::Culprit(error)
            }
            _ => Self::Unavailable(error.into()),
        }
    }

    /// No answer within the time that a statement has.
    pub(crate) fn silent() -> Self {
        Self::Unavailable("the database did not answer in time".into())
    }
}

/// The SQLSTATE of an error that the database reported.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
