//! Days as the tables keep them.

use chrono::NaiveDate;

/// The days that a calendar knows; PostgreSQL takes no others from everybody.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("there is such a day");
const LAST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("there is such a day");

/// The day as a column keeps that is searched. A day beyond the calendar is as good there as the nearest
/// of it: what is found is shown and judged by what was recorded.
pub(crate) fn in_calendar(day: NaiveDate) -> NaiveDate {
    day.clamp(FIRST, LAST)
}
