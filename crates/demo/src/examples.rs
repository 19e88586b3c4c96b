//! Medication requests that show what can be in the way of dispensing.

use crate::Demo;
use crate::programs::Program;
use crate::requests::{Request, State};
use crate::tour::{Dispensable, REQUESTS};

/// A medication request that is good to see something with, at any of the [`Demo::pharmacies`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub shows: Shows,
    /// The medication request, and what would be dispensed.
    pub wanted: Dispensable,
    /// The code that the patient got, where there is one.
    pub verification_code: Option<String>,
}

/// What a medication request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shows {
    /// It can be dispensed by who knows the patient's code.
    Code,
    /// It can be dispensed, and follows from a care plan.
    CarePlan,
    /// It is blocked until the doctor has answered a question.
    Blocked,
    /// It is only an intention.
    Intention,
    /// Its registry says that all of it was dispensed.
    Completed,
    /// Its doctor took it back.
    Rejected,
    /// Its days are over.
    Expired,
    /// The contracts of its program are suspended.
    SuspendedContract,
}

impl Shows {
    /// Everything that can be shown.
    pub const ALL: [Self; 8] = [
        Self::Code,
        Self::CarePlan,
        Self::Blocked,
        Self::Intention,
        Self::Completed,
        Self::Rejected,
        Self::Expired,
        Self::SuspendedContract,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CarePlan => "care-plan",
            Self::Blocked => "blocked",
            Self::Intention => "intention",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::SuspendedContract => "suspended-contract",
        }
    }

    /// The code of the refusal that a hold without verification code meets first; none where it is
    /// granted.
    #[must_use]
    pub const fn refused_as(self) -> Option<&'static str> {
        match self {
            Self::Code => Some("wrong-code"),
            Self::CarePlan => None,
            Self::Blocked => Some("medication-request-blocked"),
            Self::Intention => Some("medication-request-is-plan"),
            Self::Completed | Self::Rejected | Self::Expired => {
                Some("medication-request-not-active")
            }
            Self::SuspendedContract => Some("contract-suspended"),
        }
    }

    /// Whether this medication request shows it, and nothing else.
    fn is_shown_by(self, request: Request) -> bool {
        let state = match self {
            Self::Code => State::WithCode,
            Self::CarePlan => State::Planned,
            // The pharmacy that blocked it could dispense it all the same.
            Self::Blocked if request.is_blocked_by_pharmacy() => return false,
            Self::Blocked => State::Blocked,
            Self::Intention => State::Intention,
            Self::Completed => State::Completed,
            Self::Rejected => State::Rejected,
            Self::Expired => State::Expired,
            Self::SuspendedContract => State::Fresh,
        };
        let program = match self {
            Self::SuspendedContract => Program::Suspended,
            Self::Code
            | Self::CarePlan
            | Self::Blocked
            | Self::Intention
            | Self::Completed
            | Self::Rejected
            | Self::Expired => Program::Affordable,
        };
        request.state == state && request.program == Some(program)
    }
}

impl Demo {
    /// The first medication request for each thing that can be shown, as far as there is one.
    pub fn examples(&self) -> impl Iterator<Item = Example> {
        Shows::ALL.into_iter().filter_map(|shows| {
            let mut requests = (REQUESTS..self.requests).map(|n| self.request(n));
            let request = requests.find(|&request| shows.is_shown_by(request))?;
            Some(Example {
                shows,
                wanted: self.describe(request, request.program?),
                verification_code: (request.state == State::WithCode)
                    .then(|| self.verification_code(request.n)),
            })
        })
    }
}
