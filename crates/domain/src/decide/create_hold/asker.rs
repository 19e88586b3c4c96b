//! Rules 3 to 5 and 9: who asks.

use super::Case;
use crate::registry::{EmployeeStatus, LegalEntityStatus};
use crate::{Code, Place, Refusal};

/// Rule 3a: the token's legal entity exists.
pub(super) fn legal_entity_exists(case: &Case<'_>) -> Vec<Refusal> {
    if case.sight.evidence.legal_entity.is_some() {
        return Vec::new();
    }
    vec![
        Refusal::of(Code::LegalEntityNotFound)
            .at(Place::Asker)
            .with("legalEntityId", case.command.client),
    ]
}

/// Rule 3b: it is neither closed nor reorganised.
pub(super) fn legal_entity_not_closed(case: &Case<'_>) -> Vec<Refusal> {
    let Some(entity) = &case.sight.evidence.legal_entity else { return Vec::new() };
    let status = match entity.status {
        LegalEntityStatus::Active | LegalEntityStatus::Suspended => return Vec::new(),
        LegalEntityStatus::Closed => "CLOSED",
        LegalEntityStatus::Reorganized => "REORGANIZED",
    };
    vec![Refusal::of(Code::LegalEntityClosed).at(Place::Asker).with("status", status)]
}

/// Rule 4a: it is active. One that rule 3b refuses is not active either, but that was said.
pub(super) fn legal_entity_active(case: &Case<'_>) -> Vec<Refusal> {
    let Some(entity) = &case.sight.evidence.legal_entity else { return Vec::new() };
    let status = match (entity.status, entity.is_active) {
        (LegalEntityStatus::Active, false) => "inactive",
        (LegalEntityStatus::Suspended, _) => "SUSPENDED",
        (LegalEntityStatus::Active, true)
        | (LegalEntityStatus::Closed | LegalEntityStatus::Reorganized, _) => return Vec::new(),
    };
    vec![Refusal::of(Code::LegalEntityNotActive).at(Place::Asker).with("status", status)]
}

/// Rule 4c: it is of a type that may dispense.
pub(super) fn legal_entity_may_dispense(case: &Case<'_>) -> Vec<Refusal> {
    let evidence = &case.sight.evidence;
    let Some(entity) = &evidence.legal_entity else { return Vec::new() };
    let allowed = &evidence.terms.legal_entity_types;
    if allowed.iter().any(|kind| kind == entity.kind.as_str()) {
        return Vec::new();
    }
    vec![
        Refusal::of(Code::LegalEntityType)
            .at(Place::Asker)
            .with("type", &entity.kind)
            .with("allowed", allowed.join(", ")),
    ]
}

/// Rule 5: the token's user is linked with a person.
pub(super) fn party_exists(case: &Case<'_>) -> Vec<Refusal> {
    if case.sight.evidence.party.is_some() {
        return Vec::new();
    }
    vec![Refusal::of(Code::PartyNotFound).at(Place::Asker).with("userId", case.command.user)]
}

/// Rule 9: that person has an approved, active job in the legal entity.
pub(super) fn employee_authorised(case: &Case<'_>) -> Vec<Refusal> {
    let evidence = &case.sight.evidence;
    let (Some(party), Some(_)) = (&evidence.party, &evidence.legal_entity) else {
        return Vec::new();
    };
    let authorised = evidence
        .employees
        .iter()
        .any(|job| job.is_active && job.status == EmployeeStatus::Approved);
    if authorised {
        return Vec::new();
    }
    vec![Refusal::of(Code::EmployeeNotAuthorised).at(Place::Asker).with("partyId", party.id)]
}
