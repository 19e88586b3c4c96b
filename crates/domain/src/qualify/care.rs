//! Rule 9.3: the care plan that a medication request follows from.

use chrono::{DateTime, NaiveDate};

use crate::decide::table::{Judgement, PASSED, failed};
use crate::registry::CarePlan;
use crate::{Care, Code, Place, Refusal, RequestEvidence, Terms};

/// What is wrong with the care plan and its activity; what was not found is not active.
pub(crate) fn care_plan(care: &Care, today: NaiveDate, terms: &Terms) -> Vec<Refusal> {
    let plan = care.plan.as_deref();
    let status = plan.map(|plan| plan.status.as_str());
    let mut wrong = Vec::new();
    if status != Some("active") {
        wrong.push(standing(Code::CarePlanStatus, status));
    }
    if let Some(end) = plan.and_then(|plan| over(plan, today, terms)) {
        let refusal = Refusal::of(Code::CarePlanExpired).at(Place::Request);
        wrong.push(refusal.with("end", end).with("today", today));
    }
    let status = care.activity.as_deref().map(|activity| activity.status.as_str());
    if !matches!(status, Some("scheduled" | "in_progress")) {
        wrong.push(standing(Code::ActivityStatus, status));
    }
    wrong
}

fn standing(code: Code, status: Option<&str>) -> Refusal {
    Refusal::of(code).at(Place::Request).with("status", status.unwrap_or("not found"))
}

/// The end of a plan that is over. Its last day counts whole; an end that cannot be read is over,
/// because nobody can say that it is not.
fn over<'a>(plan: &'a CarePlan, today: NaiveDate, terms: &Terms) -> Option<&'a str> {
    let end = plan.period.as_ref()?.end.as_ref()?.as_str();
    let last = match DateTime::parse_from_rfc3339(end) {
        Ok(instant) => Some(terms.day_of(instant.to_utc())),
        Err(_) => end.parse::<NaiveDate>().ok(),
    };
    last.is_none_or(|last| last < today).then_some(end)
}

/// Rule Q8: what was prescribed, and what was handed over on the other medication requests of the
/// activity, is within its quantity. Its own parts are not counted twice.
pub(crate) fn activity_has_room(found: &RequestEvidence) -> Judgement {
    let care = found.care.as_ref()?;
    let limit = care.activity.as_ref()?.quantity?;
    let requested = found.request.medication_qty;
    if requested.decimal().saturating_add(care.processed) <= limit.decimal() {
        return PASSED;
    }
    failed(
        Refusal::of(Code::ActivityQuantity)
            .at(Place::Request)
            .with("requested", requested)
            .with("dispensed", care.processed.normalize())
            .with("limit", limit),
    )
}
