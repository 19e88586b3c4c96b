//! What auditors ask of the access log.

use chrono::{DateTime, Utc};
use dispense_domain::{DispenseId, LegalEntityId, MedicationRequestId, PersonId, UserId};
use serde::{Deserialize, Serialize};

/// The most looks on a page, and the most users of a report.
pub const MOST_LOOKS: u32 = 300;

/// Whose looks, or looks at whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's at a patient.
    At(PersonId),
    /// Those of a user, at whomever.
    By(UserId),
    /// Those of a user at a patient.
    ByAt(UserId, PersonId),
}

impl Whose {
    /// The user, if there is one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::At(_) => None,
            Self::By(user) | Self::ByAt(user, _) => Some(user),
        }
    }

    /// The patient, if there is one.
    #[must_use]
    pub const fn patient(self) -> Option<PersonId> {
        match self {
            Self::By(_) => None,
            Self::At(patient) | Self::ByAt(_, patient) => Some(patient),
        }
    }
}

/// A page of looks, the last one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooksAsked {
    /// Whose they are.
    pub whose: Whose,
    /// None before this instant.
    pub from: Option<DateTime<Utc>>,
    /// None after this instant.
    pub to: Option<DateTime<Utc>>,
    /// The last look of the page before.
    pub after: Option<LookPlace>,
    /// How many.
    pub limit: u32,
}

/// One look, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When, and its number.
    pub place: LookPlace,
    /// Who looked.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// What kind of client that is.
    pub client_type: String,
    /// Names the request in logs.
    pub request_id: String,
    /// What for, as the caller said.
    pub purpose: Option<String>,
    /// At what, in the words of [`super::Looked`].
    pub looked: String,
    /// The patients whom it concerns.
    pub patients: Vec<PersonId>,
    /// The medication requests that were shown, or asked for.
    pub medication_requests: Vec<MedicationRequestId>,
    /// The dispenses that were shown.
    pub dispenses: Vec<DispenseId>,
    /// How many more ids there were.
    pub beyond: u32,
}

/// Where a look stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookPlace {
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    /// Tells looks of one instant apart.
    pub number: i64,
}

/// Who looked at many patients in a short time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusualAsked {
    /// The end of the day that is looked at; now if absent.
    pub to: Option<DateTime<Utc>>,
    /// How long that day is.
    pub hours: u32,
    /// How short the time, in minutes.
    pub minutes: u32,
    /// How many patients are many.
    pub patients: u32,
    /// How many users are told.
    pub limit: u32,
}

/// A user who did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusual {
    /// Who.
    pub user: UserId,
    /// For which legal entity.
    pub client: LegalEntityId,
    /// The beginning of the time with the most patients.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// How many patients.
    pub patients: u64,
    /// In how many looks.
    pub looks: u64,
}
