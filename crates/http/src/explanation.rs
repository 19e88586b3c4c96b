//! A create of the platform's API where nobody asks over HTTP: read as the door reads it, and told
//! as a dry run tells it.

use chrono_tz::Tz;
use dispensary::WantedHold;
use dispense_domain::decide::create_hold::Explained;

use crate::body::{MAX_BODY_BYTES, too_large};
use crate::catalogue;
use crate::ndp::{create, decision};
use crate::problem::Problem;

/// What stands for the name of a request where there is none.
const NO_REQUEST: &str = "explain";

/// An answer that the door would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether the dispense could begin now.
    pub is_granted: bool,
    /// The body of the answer: that of a dry run, or a problem alone where the question was not
    /// understood.
    pub json: String,
}

impl Told {
    fn of(is_granted: bool, body: Vec<u8>) -> Self {
        // What serde_json wrote is UTF-8; an empty text is what the door would say of anything else.
        Self { is_granted, json: String::from_utf8(body).unwrap_or_default() }
    }
}

impl From<Problem> for Told {
    fn from(problem: Problem) -> Self {
        Self::of(false, problem.document(NO_REQUEST).to_json())
    }
}

/// What the body of a create asks for. A day is counted in that zone.
///
/// # Errors
///
/// `too-large`, `malformed-json`, `schema`.
pub fn read_create(body: &[u8], zone: Tz) -> Result<WantedHold, Told> {
    if body.len() > MAX_BODY_BYTES {
        return Err(too_large().into());
    }
    Ok(create::read(body, zone)?)
}

/// What a dry run answers when the rules say that.
#[must_use]
pub fn tell(rules: &[Explained]) -> Told {
    let (is_granted, body) = decision::told(rules, NO_REQUEST);
    Told::of(is_granted, body)
}

/// What to do about a problem of that code, as the catalogue has it.
#[must_use]
pub fn remedy(code: &str) -> Option<&'static str> {
    catalogue::all().iter().find(|entry| entry.code == code).map(|entry| entry.remedy)
}
