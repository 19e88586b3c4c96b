//! Rules 7 and 10, which a hold and its hand-over share: the block of the medication request, and
//! the outlet. They look at what the registries say now.

use chrono::{DateTime, NaiveDate, Utc};

use crate::registry::{DivisionStatus, MedicationRequest};
use crate::{Code, DivisionId, Evidence, LegalEntityId, Place, Refusal, Sight, Terms};

/// Rule 7: the medication request is not blocked for this legal entity. The pharmacy that blocked
/// it may still dispense; a block that has an end is over after it.
pub(super) fn not_blocked(sight: &Sight, client: LegalEntityId) -> Vec<Refusal> {
    let Some(found) = &sight.evidence.request else { return Vec::new() };
    let request = &found.request;
    let own = request.blocked_by_legal_entity_id == Some(client);
    if !request.is_blocked || own || block_is_over(request, &sight.evidence.terms, sight.at) {
        return Vec::new();
    }
    let refusal = Refusal::of(Code::MedicationRequestBlocked).at(Place::Request);
    vec![match &request.blocked_to {
        Some(end) => refusal.with("blockedTo", end),
        None => refusal,
    }]
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
pub(super) fn division_exists(evidence: &Evidence, id: DivisionId) -> Vec<Refusal> {
    if evidence.division.is_some() {
        return Vec::new();
    }
    vec![Refusal::of(Code::DivisionNotFound).at(Place::Division).with("divisionId", id)]
}

/// Rule 10b: it is active.
pub(super) fn division_active(evidence: &Evidence) -> Vec<Refusal> {
    let Some(division) = &evidence.division else { return Vec::new() };
    let status = match (division.status, division.is_active) {
        (DivisionStatus::Active, true) => return Vec::new(),
        (DivisionStatus::Active, false) => "inactive",
        (DivisionStatus::Inactive, _) => "INACTIVE",
    };
    vec![Refusal::of(Code::DivisionNotActive).at(Place::Division).with("status", status)]
}

/// Rule 10c: it belongs to that legal entity.
pub(super) fn division_of(evidence: &Evidence, owner: LegalEntityId) -> Vec<Refusal> {
    match &evidence.division {
        Some(division) if division.legal_entity_id != owner => {
            vec![Refusal::of(Code::DivisionForeign).at(Place::Division)]
        }
        Some(_) | None => Vec::new(),
    }
}
