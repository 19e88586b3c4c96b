//! Rules 12 to 14: the program, the contract, and whether the outlet provides the program.

use std::sync::Arc;

use super::Case;
use crate::decide::table::{Judgement, PASSED, failed};
use crate::qualify::provision;
use crate::registry::{Contract, MedicalProgram};
use crate::{Code, Place, Refusal, Switch};

/// Rule 12b: what was prescribed under a program is dispensed under one.
pub(super) fn stated(case: &Case<'_>) -> Judgement {
    let request = &case.sight.evidence.request.as_ref()?.request;
    match (case.command.medical_program_id, request.medical_program_id) {
        (None, Some(prescribed)) => failed(mismatch().with("prescribed", prescribed)),
        (None, None) | (Some(_), _) => PASSED,
    }
}

/// Rule 12c: the program exists.
pub(super) fn exists(case: &Case<'_>) -> Judgement {
    let id = case.command.medical_program_id?;
    if case.sight.evidence.program.is_some() {
        return PASSED;
    }
    failed(Refusal::of(Code::ProgramNotFound).at(Place::Program).with("medicalProgramId", id))
}

/// Rule 12d: it is active.
pub(super) fn active(case: &Case<'_>) -> Judgement {
    let program = case.sight.evidence.program.as_ref()?;
    if program.is_active {
        return PASSED;
    }
    let refusal = Refusal::of(Code::ProgramNotActive).at(Place::Program);
    failed(refusal.with("medicalProgramId", program.id))
}

/// Rule 12e: it is the one of the medication request, unless that has none, or it takes over what
/// was prescribed under others.
pub(super) fn of_request(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let program = evidence.program.as_ref()?;
    match evidence.request.as_ref()?.request.medical_program_id {
        Some(prescribed)
            if prescribed != program.id
                && !program.medical_program_settings.takes_over_from_others() =>
        {
            failed(mismatch().with("prescribed", prescribed).with("requested", program.id))
        }
        Some(_) | None => PASSED,
    }
}

fn mismatch() -> Refusal {
    Refusal::of(Code::ProgramMismatch).at(Place::Program)
}

/// The program, if a contract for it is asked for.
fn contracted<'a>(case: &'a Case<'_>) -> Option<&'a Arc<MedicalProgram>> {
    let program = case.sight.evidence.program.as_ref()?;
    case.sight.evidence.legal_entity.as_ref()?;
    (!program.medical_program_settings.skips_contract_and_provision()).then_some(program)
}

/// The company's reimbursement contracts for that program that are in force today.
fn in_force<'a>(
    case: &'a Case<'_>,
    program: &'a MedicalProgram,
) -> impl Iterator<Item = &'a Arc<Contract>> {
    let today = case.today;
    let contracts = case.sight.evidence.contracts.iter();
    contracts.filter(move |contract| {
        contract.kind.as_str() == "REIMBURSEMENT"
            && contract.contractor_legal_entity_id == case.command.client
            && contract.covers(program.id)
            && contract.is_in_force_on(today)
    })
}

/// Rule 13a: the company has a reimbursement contract for the program that is in force today. Two
/// of them are no mistake.
pub(super) fn contract_exists(case: &Case<'_>) -> Judgement {
    let program = contracted(case)?;
    if in_force(case, program).next().is_some() {
        return PASSED;
    }
    failed(
        Refusal::of(Code::NoContract)
            .at(Place::Program)
            .with("medicalProgramId", program.id)
            .with("today", case.today),
    )
}

/// Rule 13b: one of them is not suspended.
pub(super) fn contract_not_suspended(case: &Case<'_>) -> Judgement {
    let program = contracted(case)?;
    let first = in_force(case, program).next()?;
    if in_force(case, program).any(|contract| !contract.is_suspended) {
        return PASSED;
    }
    let refusal = Refusal::of(Code::ContractSuspended).at(Place::Program);
    failed(refusal.with("contractNumber", &first.contract_number))
}

/// Rule 13c: the outlet takes part in one of those. Where provisions are asked for, they say it
/// instead (K-24).
pub(super) fn division_in_contract(case: &Case<'_>) -> Judgement {
    let program = contracted(case)?;
    match case.sight.evidence.terms.program_provision_verify {
        Switch::On => return None,
        Switch::Off => {}
    }
    let division = case.sight.evidence.division.as_ref()?.id;
    let counted = || in_force(case, program).filter(|contract| !contract.is_suspended);
    let first = counted().next()?;
    if counted().any(|contract| contract.division_ids.contains(&division)) {
        return PASSED;
    }
    let refusal = Refusal::of(Code::DivisionNotInContract).at(Place::Division);
    failed(refusal.with("contractNumber", &first.contract_number))
}

/// Rule 14: the outlet provides the program, under a contract that is in force today.
pub(super) fn provided(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    case.own_outlet()?;
    let today = case.today;
    let program = evidence.program.as_ref()?;
    match provision(program, &evidence.provisions, today, &evidence.terms)? {
        Ok(()) => PASSED,
        Err(refusal) => failed(refusal),
    }
}
