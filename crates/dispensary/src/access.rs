//! Who looked: every answer that shows a patient's dispenses leaves a record, outside the event log.

mod asked;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use dispense_domain::{DispenseId, LegalEntityId, MedicationRequestId, PersonId, UserId};

pub use asked::{Look, LookPlace, LooksAsked, MOST_LOOKS, Unusual, UnusualAsked, Whose};

use crate::{ClientType, Unavailable};

/// The most ids of a kind that one record names; how many more there were is counted. No page has
/// as many entries.
pub const MOST_NAMED: usize = 500;

/// Somebody was shown something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who looked.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// What kind of client that is.
    pub client_type: ClientType,
    /// Names the request in logs.
    pub request_id: Arc<str>,
    /// What for, as the caller said.
    pub purpose: Option<Arc<str>>,
    /// At what.
    pub looked: Looked,
    /// The patients whom it concerns.
    pub patients: Named<PersonId>,
    /// The medication requests that were shown, or asked for.
    pub medication_requests: Named<MedicationRequestId>,
    /// The dispenses that were shown.
    pub dispenses: Named<DispenseId>,
}

/// Ids that were shown, each once, in the order of their first appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    ids: Vec<T>,
    beyond: u32,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { ids: Vec::new(), beyond: 0 }
    }
}

impl<T: Copy + Eq> Named<T> {
    /// Adds an id, if it is not there. Beyond [`MOST_NAMED`] it is only counted.
    pub fn add(&mut self, id: T) {
        if self.ids.contains(&id) {
            return;
        }
        if self.ids.len() < MOST_NAMED {
            self.ids.push(id);
        } else {
            self.beyond = self.beyond.saturating_add(1);
        }
    }

    /// The ids that are named.
    #[must_use]
    pub fn ids(&self) -> &[T] {
        &self.ids
    }

    /// How many more there were; one that was shown again counts again.
    #[must_use]
    pub fn beyond(&self) -> u32 {
        self.beyond
    }
}

/// What somebody looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Looked {
    /// One dispense.
    Dispense,
    /// What happened to one dispense.
    DispenseHistory,
    /// Dispenses that were searched for, or those of one medication request.
    DispenseList,
    /// The document of a dispense, or its signed container.
    Content,
    /// Whether a dispense is sound.
    Verification,
    /// A medication request, or what is left of it.
    MedicationRequest,
    /// Which programs can pay for a medication request.
    Qualification,
    /// All that a patient received.
    PatientHistory,
    /// A report.
    Report,
    /// The log itself.
    Events,
    /// Who looked.
    AccessLog,
    /// What registries said.
    RegistryChanges,
}

impl Looked {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Dispense,
        Self::DispenseHistory,
        Self::DispenseList,
        Self::Content,
        Self::Verification,
        Self::MedicationRequest,
        Self::Qualification,
        Self::PatientHistory,
        Self::Report,
        Self::Events,
        Self::AccessLog,
        Self::RegistryChanges,
    ];

    /// The word under which it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispense => "dispense",
            Self::DispenseHistory => "dispense_history",
            Self::DispenseList => "dispense_list",
            Self::Content => "content",
            Self::Verification => "verification",
            Self::MedicationRequest => "medication_request",
            Self::Qualification => "qualification",
            Self::PatientHistory => "patient_history",
            Self::Report => "report",
            Self::Events => "events",
            Self::AccessLog => "access_log",
            Self::RegistryChanges => "registry_changes",
        }
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Looked {
    type Err = UnknownLooked;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(UnknownLooked)
    }
}

/// A word that stands for nothing one can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing that one can look at has that name")]
pub struct UnknownLooked;

/// Where it is kept who looked.
#[async_trait]
pub trait AccessLog: Send + Sync {
    /// Keeps the record. Once this returns, what it tells of may be shown.
    ///
    /// # Errors
    ///
    /// It could not be kept in time; nothing may be shown.
    async fn record(&self, access: Access) -> Result<(), Unavailable>;

    /// A page of looks, the last one first.
    async fn looks(&self, asked: &LooksAsked) -> Result<Vec<Look>, Unavailable>;

    /// Users who looked at many patients in a short time, those with the most patients first.
    async fn unusual(&self, asked: &UnusualAsked) -> Result<Vec<Unusual>, Unavailable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_is_written() {
        for looked in Looked::ALL {
            assert_eq!(looked.as_str().parse(), Ok(looked));
        }
        assert_eq!("Dispense".parse::<Looked>(), Err(UnknownLooked));
    }

    #[test]
    fn an_id_is_named_once_and_what_does_not_fit_is_counted() {
        let mut named = Named::default();
        for id in (0..MOST_NAMED).chain([0, 1]).chain([MOST_NAMED, MOST_NAMED + 1]) {
            named.add(id);
        }
        assert_eq!(named.ids(), (0..MOST_NAMED).collect::<Vec<_>>());
        assert_eq!(named.beyond(), 2);
    }
}
