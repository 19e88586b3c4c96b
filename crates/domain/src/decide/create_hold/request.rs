//! Rules 2, 6 and 8: the medication request.

use super::Case;
use crate::decide::table::{Judgement, PASSED, failed};
use crate::registry::{Intent, RequestStatus};
use crate::{Code, DispenseDay, Place, Refusal, RequestEvidence};

fn evidence<'a>(case: &'a Case<'_>) -> Option<&'a RequestEvidence> {
    case.sight.evidence.request.as_ref()
}

/// Rule 2: the stated day is not after today, nor before the medication request was created.
pub(super) fn dispense_day(case: &Case<'_>) -> Judgement {
    match case.command.dispense_day {
        DispenseDay::AsStated => return None,
        DispenseDay::Bounded => {}
    }
    let today = case.today;
    let created = evidence(case).and_then(|found| found.request.created_at);
    let actual = case.command.dispensed_on;
    let message = match created {
        _ if actual > today => format!("{actual} is after today, {today}"),
        Some(created) if actual < created => {
            format!("{actual} is before the medication request was created, {created}")
        }
        Some(_) | None => return PASSED,
    };
    let refusal = Refusal::saying(Code::DispenseDay, message)
        .at(Place::DispensedAt)
        .with("actual", actual)
        .with("latest", today);
    failed(match created {
        Some(created) => refusal.with("earliest", created),
        None => refusal,
    })
}

/// Rule 6a: the medication request exists.
pub(super) fn exists(case: &Case<'_>) -> Judgement {
    if evidence(case).is_some() {
        return PASSED;
    }
    let refusal = Refusal::of(Code::MedicationRequestNotFound).at(Place::Request);
    failed(refusal.with("medicationRequestId", case.command.medication_request_id))
}

/// Rule 6b: it is active, by its registry and by the log: what is fully dispensed is completed.
pub(super) fn active(case: &Case<'_>) -> Judgement {
    let found = evidence(case)?;
    let status = if case.dispensing.is_completed() {
        RequestStatus::Completed.as_str()
    } else if found.request.status != RequestStatus::Active {
        found.request.status.as_str()
    } else if found.request.is_active {
        return PASSED;
    } else {
        "inactive"
    };
    failed(Refusal::of(Code::MedicationRequestNotActive).at(Place::Request).with("status", status))
}

/// Rule 6c: dispensing has its days, the first and the last included. A plan has none, and rule 8
/// speaks of it.
pub(super) fn in_its_period(case: &Case<'_>) -> Judgement {
    let found = evidence(case)?;
    let today = case.today;
    let (from, to) = (found.request.dispense_valid_from, found.request.dispense_valid_to);
    let inside = from.is_some_and(|from| from <= today) && to.is_some_and(|to| today <= to);
    if inside || (found.request.intent == Intent::Plan && from.is_none() && to.is_none()) {
        return PASSED;
    }
    let mut refusal =
        Refusal::of(Code::OutsideDispensePeriod).at(Place::Request).with("today", today);
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(day) = day {
            refusal = refusal.with(name, day);
        }
    }
    failed(refusal)
}

/// Rule 6d: everything that it points at can be found.
pub(super) fn resolves(case: &Case<'_>) -> Judgement {
    let found = evidence(case)?;
    let program_found = found.request.medical_program_id.is_none() || found.program.is_some();
    let missing: Vec<&str> = [
        ("employee", found.employee.is_some() && found.doctor.is_some()),
        ("division", found.division.is_some()),
        ("legal_entity", found.legal_entity.is_some()),
        ("medication", found.medication.is_some()),
        ("medical_program", program_found),
        ("person", found.person.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, there)| (!there).then_some(name))
    .collect();
    if missing.is_empty() {
        return PASSED;
    }
    let refusal = Refusal::of(Code::MedicationRequestInvalid).at(Place::Request);
    failed(refusal.with("missing", missing.join(", ")))
}

/// Rule 8: it is an order, not a plan.
pub(super) fn is_order(case: &Case<'_>) -> Judgement {
    match evidence(case)?.request.intent {
        Intent::Order => PASSED,
        Intent::Plan => failed(Refusal::of(Code::MedicationRequestIsPlan).at(Place::Request)),
    }
}
