//! Rule 16: the patient's code, care plan, and other medication requests.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::Case;
use crate::decide::table::{Judgement, PASSED, failed};
use crate::{Code, Place, Refusal, qualify};

/// The most wrong codes that one legal entity may give for one medication request within
/// [`WRONG_CODES_COUNT_FOR`].
pub const MOST_WRONG_CODES: usize = 5;

/// How long a wrong code counts.
pub const WRONG_CODES_COUNT_FOR: TimeDelta = TimeDelta::minutes(15);

/// What is given where a medication request has no code.
const NO_CODE: &str = "0000";

/// Rule 16a: the pharmacy knows the code that the patient got. Nobody tries more than
/// [`MOST_WRONG_CODES`] of them in a short time.
pub(super) fn code_is_right(case: &Case<'_>) -> Judgement {
    let kept = &case.sight.evidence.request.as_ref()?.request.verification_code;
    let given = case.command.verification_code.as_ref().map(AsRef::<str>::as_ref);
    let tried = tried_lately(case);
    if tried.len() >= MOST_WRONG_CODES {
        return failed(too_often(&tried, case.sight.at));
    }
    let right = match (kept.as_ref().map(AsRef::<str>::as_ref), given) {
        (None, None | Some(NO_CODE)) => true,
        (Some(kept), Some(given)) => same_without_haste(kept.as_bytes(), given.as_bytes()),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if right {
        return PASSED;
    }
    let left = MOST_WRONG_CODES - tried.len() - usize::from(given.is_some());
    failed(Refusal::of(Code::WrongCode).at(Place::Code).with("triesLeft", left))
}

/// The wrong tries that still count, the earliest first.
pub(super) fn tried_lately(case: &Case<'_>) -> Vec<DateTime<Utc>> {
    let tries = case.sight.evidence.wrong_codes.iter().copied();
    let mut tries: Vec<_> =
        tries.filter(|tried| case.sight.at < *tried + WRONG_CODES_COUNT_FOR).collect();
    tries.sort_unstable();
    tries
}

fn too_often(tried: &[DateTime<Utc>], at: DateTime<Utc>) -> Refusal {
    let refusal =
        Refusal::of(Code::TooManyWrongCodes).at(Place::Code).with("limit", MOST_WRONG_CODES);
    // There is room again once the oldest of the last five counts no more.
    match tried.len().checked_sub(MOST_WRONG_CODES).and_then(|place| tried.get(place)) {
        Some(oldest) => {
            let again = *oldest + WRONG_CODES_COUNT_FOR;
            refusal
                .with("retryAt", again.to_rfc3339_opts(SecondsFormat::Micros, true))
                .with("retryAfter", whole_seconds(again - at))
        }
        None => refusal,
    }
}

/// So many seconds that the time is over after them.
fn whole_seconds(time: TimeDelta) -> i64 {
    time.num_seconds() + i64::from(time.subsec_nanos() > 0)
}

/// Compares all bytes, so that the time that it takes says nothing of where two codes differ.
fn same_without_haste(kept: &[u8], given: &[u8]) -> bool {
    kept.len() == given.len()
        && kept.iter().zip(given).fold(0, |differs, (kept, given)| differs | (kept ^ given)) == 0
}

/// Rule 16b: a medication request that is based on an activity of a care plan follows a plan that
/// runs, and an activity that is due.
pub(super) fn care_plan_runs(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let followed = evidence.request.as_ref()?.care.as_ref()?;
    Some(qualify::care_plan(followed, case.today, &evidence.terms))
}

/// Rule 16c: the program of the medication request could pay for it (5.10).
pub(super) fn qualified(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let found = evidence.request.as_ref()?;
    let program = found.program.as_ref()?;
    match qualify::internally(program, found, case.today) {
        Ok(()) => PASSED,
        Err(reason) => {
            failed(Refusal::of(Code::NotQualified).at(Place::Request).with("reason", reason))
        }
    }
}
