//! The days of a report, in the members of its query. A member without a value is as good as absent, as
//! in a search; those that are not known are ignored.

use actix_web::HttpRequest;
use dispensary::reimbursement::Period;

use crate::body::{Fault, kinds};
use crate::problem::{Problem, Violation};
use crate::query::asked;

/// What is said of days that are half given, malformed or reversed.
const NOT_VALID: &str = "Input dates are not valid";

/// When medication requests were created, and when was dispensed; at least one of them is named.
///
/// # Errors
///
/// `schema` at `$.period`, `$.period.dispense` or `$.period.request`: the first that is to blame.
pub(super) fn of_report(
    request: &HttpRequest,
) -> Result<(Option<Period>, Option<Period>), Problem> {
    let dispensed = Days::of(request, "date_from_dispense", "date_to_dispense");
    let requested = Days::of(request, "date_from_request", "date_to_request");
    if dispensed.are_absent() && requested.are_absent() {
        let says = "At least one of input dates must be not empty".to_owned();
        return Err(refused("$.period", says));
    }
    let dispensed = dispensed.period("$.period.dispense")?;
    Ok((requested.period("$.period.request")?, dispensed))
}

/// When was dispensed; both days are named.
///
/// # Errors
///
/// `schema` at `$.date_from_dispense`.
pub(super) fn of_download(request: &HttpRequest) -> Result<Period, Problem> {
    const PATH: &str = "$.date_from_dispense";
    let days = Days::of(request, "date_from_dispense", "date_to_dispense");
    days.period(PATH)?.ok_or_else(|| refused(PATH, NOT_VALID.to_owned()))
}

/// That this is not as it should be.
pub(super) fn refused(path: &str, says: String) -> Problem {
    let fault = Fault { rule: "invalid", message: says.into(), params: Vec::new() };
    Problem::schema(vec![Violation::schema(path.to_owned(), fault)])
}

/// The first and the last day as they were sent.
struct Days {
    first: Option<String>,
    last: Option<String>,
}

impl Days {
    fn of(request: &HttpRequest, first: &str, last: &str) -> Self {
        let sent = |name| asked(request, name).filter(|day| !day.is_empty());
        Self { first: sent(first), last: sent(last) }
    }

    const fn are_absent(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    fn period(self, path: &str) -> Result<Option<Period>, Problem> {
        if self.are_absent() {
            return Ok(None);
        }
        let day = |sent: Option<String>| kinds::parse_day(&sent?);
        let period = day(self.first).zip(day(self.last));
        match period.and_then(|(first, last)| Period::new(first, last)) {
            Some(period) => Ok(Some(period)),
            None => Err(refused(path, NOT_VALID.to_owned())),
        }
    }
}
