//! Registry data, line by line.

use crate::{Dispensary, Origin, Unavailable};

/// One line of registry data.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the file or body, from 1.
    pub number: u64,
    /// Its bytes; nothing is believed yet, not even that they are UTF-8.
    pub bytes: Vec<u8>,
}

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultyLine {
    /// Its number, from 1.
    pub line: u64,
    /// The stable name of what is wrong.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

/// Why an import stopped. What was applied until then stays applied; lines may come twice.
pub type ImportError = Unavailable;

impl Dispensary {
    /// Applies lines of registry data, good ones and skips the rest.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn import(
        &self,
        lines: Vec<Line>,
        by: &Origin,
    ) -> Result<Vec<FaultyLine>, ImportError> {
        self.registry.import(lines, by).await
    }
}
