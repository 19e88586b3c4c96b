//! Rules 7 and 10, which a hold and its hand-over share: the block of the medication request, and
//! the outlet. They look at what the registries say now.

use chrono::{DateTime, NaiveDate, Utc};

use super::table::{Judgement, PASSED, failed};
use crate::registry::{Division, DivisionStatus, MedicationRequest, ProgramSettings};
use crate::{Code, DivisionId, Evidence, LegalEntityId, Place, Refusal, Sight, Switch, Terms};

/// Rule 7: the medication request is not blocked for this legal entity. The pharmacy that blocked
/// it may still dispense; a block that has an end is over after it.
pub(super) fn not_blocked(sight: &Sight, client: LegalEntityId) -> Judgement {
    let request = &sight.evidence.request.as_ref()?.request;
    let own = request.blocked_by_legal_entity_id == Some(client);
    if !request.is_blocked || own || block_is_over(request, &sight.evidence.terms, sight.at) {
        return PASSED;
    }
    let refusal = Refusal::of(Code::MedicationRequestBlocked).at(Place::Request);
    failed(match &request.blocked_to {
        Some(end) => refusal.with("blockedTo", end),
        None => refusal,
    })
}

fn block_is_over(request: &MedicationRequest, terms: &Terms, at: DateTime<Utc>) -> bool {
    let Some(end) = &request.blocked_to else { return false };
    if let Ok(end) = DateTime::parse_from_rfc3339(end.as_str()) {
        return at > end;
    }
    // A day counts whole; an end that cannot be read keeps the block.
    end.as_str().parse::<NaiveDate>().is_ok_and(|end| terms.day_of(at) > end)
}

/// Rule 10a: the outlet exists.
pub(crate) fn division_exists(division: Option<&Division>, id: DivisionId) -> Judgement {
    if division.is_some() {
        return PASSED;
    }
    failed(Refusal::of(Code::DivisionNotFound).at(Place::Division).with("divisionId", id))
}

/// Rule 10b: it is active.
pub(crate) fn division_active(division: Option<&Division>) -> Judgement {
    let division = division?;
    let status = match (division.status, division.is_active) {
        (DivisionStatus::Active, true) => return PASSED,
        (DivisionStatus::Active, false) => "inactive",
        (DivisionStatus::Inactive, _) => "INACTIVE",
    };
    failed(Refusal::of(Code::DivisionNotActive).at(Place::Division).with("status", status))
}

/// Rule 10c: it belongs to that legal entity.
pub(crate) fn division_of(division: Option<&Division>, owner: LegalEntityId) -> Judgement {
    if division?.legal_entity_id == owner {
        return PASSED;
    }
    failed(Refusal::of(Code::DivisionForeign).at(Place::Division))
}

/// Rule 10d: where that is asked for, the regulator for medicines has confirmed its licence. What
/// nobody confirmed counts as not confirmed. A program may do without.
pub(crate) fn division_dls_verified(
    division: Option<&Division>,
    settings: Option<&ProgramSettings>,
    terms: &Terms,
) -> Judgement {
    let skipped = settings.is_some_and(ProgramSettings::skips_division_dls_verify);
    match terms.division_dls_verify {
        Switch::On if !skipped => {}
        Switch::On | Switch::Off => return None,
    }
    if division?.dls_verified == Some(true) {
        return PASSED;
    }
    failed(Refusal::of(Code::DivisionNotDlsVerified).at(Place::Division))
}

/// As [`division_dls_verified`], of the outlet and the program of a command.
pub(super) fn dls_verified(evidence: &Evidence) -> Judgement {
    let settings = evidence.program.as_ref().map(|program| &*program.medical_program_settings);
    division_dls_verified(evidence.division.as_deref(), settings, &evidence.terms)
}
