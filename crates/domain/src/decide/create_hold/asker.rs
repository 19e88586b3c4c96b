//! Rules 3 to 5 and 9: who asks.

use super::Case;
use crate::decide::table::{Judgement, PASSED, failed};
use crate::registry::{EmployeeStatus, LegalEntityStatus};
use crate::{Code, Place, Refusal, Switch};

/// Rule 3a: the token's legal entity exists.
pub(super) fn legal_entity_exists(case: &Case<'_>) -> Judgement {
    if case.sight.evidence.legal_entity.is_some() {
        return PASSED;
    }
    let refusal = Refusal::of(Code::LegalEntityNotFound).at(Place::Asker);
    failed(refusal.with("legalEntityId", case.command.client))
}

/// Rule 3b: it is neither closed nor reorganised.
pub(super) fn legal_entity_not_closed(case: &Case<'_>) -> Judgement {
    let entity = case.sight.evidence.legal_entity.as_ref()?;
    let status = match entity.status {
        LegalEntityStatus::Active | LegalEntityStatus::Suspended => return PASSED,
        LegalEntityStatus::Closed => "CLOSED",
        LegalEntityStatus::Reorganized => "REORGANIZED",
    };
    failed(Refusal::of(Code::LegalEntityClosed).at(Place::Asker).with("status", status))
}

/// Rule 4a: it is active. One that rule 3b refuses is not active either, but that was said.
pub(super) fn legal_entity_active(case: &Case<'_>) -> Judgement {
    let entity = case.sight.evidence.legal_entity.as_ref()?;
    let status = match (entity.status, entity.is_active) {
        (LegalEntityStatus::Active, false) => "inactive",
        (LegalEntityStatus::Suspended, _) => "SUSPENDED",
        (LegalEntityStatus::Active, true)
        | (LegalEntityStatus::Closed | LegalEntityStatus::Reorganized, _) => return PASSED,
    };
    failed(Refusal::of(Code::LegalEntityNotActive).at(Place::Asker).with("status", status))
}

/// Rule 4b: where that is asked for, the payer has verified it.
pub(super) fn legal_entity_verified(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    match evidence.terms.legal_entity_nhs_verify {
        Switch::On => {}
        Switch::Off => return None,
    }
    if evidence.legal_entity.as_ref()?.nhs_verified {
        return PASSED;
    }
    failed(Refusal::of(Code::LegalEntityNotVerified).at(Place::Asker))
}

/// Rule 4c: it is of a type that may dispense.
pub(super) fn legal_entity_may_dispense(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let entity = evidence.legal_entity.as_ref()?;
    let allowed = &evidence.terms.legal_entity_types;
    if allowed.iter().any(|kind| kind == entity.kind.as_str()) {
        return PASSED;
    }
    failed(
        Refusal::of(Code::LegalEntityType)
            .at(Place::Asker)
            .with("type", &entity.kind)
            .with("allowed", allowed.join(", ")),
    )
}

/// Rule 5: the token's user is linked with a person.
pub(super) fn party_exists(case: &Case<'_>) -> Judgement {
    if case.sight.evidence.party.is_some() {
        return PASSED;
    }
    failed(Refusal::of(Code::PartyNotFound).at(Place::Asker).with("userId", case.command.user))
}

/// Rule 9: that person has an approved, active job in the legal entity.
pub(super) fn employee_authorised(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let (party, _) = (evidence.party.as_ref()?, evidence.legal_entity.as_ref()?);
    let authorised = evidence
        .employees
        .iter()
        .any(|job| job.is_active && job.status == EmployeeStatus::Approved);
    if authorised {
        return PASSED;
    }
    failed(Refusal::of(Code::EmployeeNotAuthorised).at(Place::Asker).with("partyId", party.id))
}
