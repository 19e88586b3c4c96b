//! `asOf`: how something stood at an instant that is over.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use dispensary::cursor::ListError;
use dispensary::past::Told;
use dispensary::{Moment, PastError};

use crate::catalogue;
use crate::problem::Problem;
use crate::query::{Members, kinds};

/// The member that names the instant.
const AS_OF: &str = "asOf";

/// The moment that a query asks for: now, if it names none.
pub(crate) fn moment(query: &mut Members) -> Moment {
    let as_of = query.optional(AS_OF, kinds::instant);
    // The log knows microseconds, and so does the cursor of a list.
    as_of.map(|at| at.trunc_subsecs(6)).into()
}

/// An instant as it is written in answers.
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Self {
        let (asked, Told { earliest, latest }) = match error {
            PastError::Query(error) => return error.into(),
            PastError::Gone => return ListError::Gone.into(),
            PastError::OutOfRange { asked, told } => (written(asked), told),
        };
        let latest = written(latest);
        let Some(earliest) = earliest.map(written) else {
            let says = format!("expected no {AS_OF}: the log has no events yet");
            return Self::saying(&catalogue::AS_OF_OUT_OF_RANGE, says)
                .at("?asOf")
                .with(AS_OF, &asked)
                .with("latest", &latest);
        };
        let says = format!("expected a time between {earliest} and {latest}; found {asked}");
        Self::saying(&catalogue::AS_OF_OUT_OF_RANGE, says)
            .at("?asOf")
            .with(AS_OF, &asked)
            .with("earliest", &earliest)
            .with("latest", &latest)
    }
}
