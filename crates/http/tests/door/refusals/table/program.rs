//! The program, its contracts, and whether the outlet provides it: rules 12 to 14.

use std::sync::Arc;

use dispense_domain::registry::{Contract, MedicalProgramProvision};
use dispense_domain::{Code, Switch};
use serde_json::json;
use uuid::Uuid;

use super::super::super::world::sample::{
    self, AT_ONCE, CONTRACT, DIVISION, IN_PARTS, REQUEST_IN_PARTS,
};
use super::super::super::world::{Ground, record};
use super::super::case::{Asked, CONFLICT, Case, HOLD, member};
use super::UNKNOWN;

fn contract(ground: &mut Ground) -> &mut Contract {
    record(&mut ground.registries.contracts, CONTRACT)
}

/// The outlet provides the program under another contract, and that is asked for.
fn provided_under(ground: &mut Ground, number: &str) {
    ground.terms.program_provision_verify = Switch::On;
    let provision: MedicalProgramProvision = sample::read(&json!({
        "id": UNKNOWN,
        "medical_program_id": IN_PARTS,
        "division_id": DIVISION,
        "contract_number": number,
    }));
    ground.registries.provisions.insert(provision.id, Arc::new(provision));
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_program();
    cases.extend(of_contract());
    cases.extend(of_provision());
    cases
}

fn of_program() -> Vec<Case> {
    let mismatch = "Medical program in dispense doesn't match the one in medication request";
    vec![
        Case {
            code: Code::ProgramMismatch,
            text: mismatch,
            ndp: Some((422, "$.programId", "12e")),
            ehealth: member("$.medical_program_id", "invalid"),
            ground: |ground| {
                ground.settings(AT_ONCE).medical_program_change_on_dispense_allowed = None;
            },
            wanted: |wanted| {
                wanted.program = Some(AT_ONCE);
                wanted.payment_amount = Some(20);
            },
            ..HOLD
        },
        Case {
            code: Code::ProgramMismatch,
            text: mismatch,
            ndp: Some((422, "$.programId", "12b")),
            ehealth: member("$.medical_program_id", "invalid"),
            wanted: |wanted| wanted.program = None,
            ..HOLD
        },
        Case {
            code: Code::ProgramNotFound,
            text: "Medical program not found",
            ndp: Some((422, "$.programId", "12c")),
            ehealth: member("$.medical_program_id", "invalid"),
            wanted: |wanted| wanted.program = Some(UNKNOWN),
            ..HOLD
        },
        Case {
            code: Code::ProgramNotFound,
            text: "Medical program not found",
            ndp: Some((422, "$.programs.[1].id", "Q6")),
            ehealth: member("$.programs.[1].id", "required"),
            asked: Asked::Qualify(&[IN_PARTS, UNKNOWN], None),
            ..HOLD
        },
        Case {
            code: Code::ProgramNotActive,
            text: "Medical program is not active",
            ndp: Some((409, "$.programId", "12d")),
            ehealth: CONFLICT,
            ground: |ground| ground.program(IN_PARTS).is_active = false,
            ..HOLD
        },
    ]
}

fn of_contract() -> Vec<Case> {
    vec![
        Case {
            code: Code::NoContract,
            text: "Program cannot be used - no active contract exists",
            ndp: Some((409, "$.programId", "13a")),
            ehealth: CONFLICT,
            ground: |ground| contract(ground).end_date = "2026-03-01".parse().unwrap(),
            ..HOLD
        },
        Case {
            code: Code::ContractSuspended,
            text: "Contract is suspended",
            ndp: Some((409, "$.programId", "13b")),
            ehealth: CONFLICT,
            ground: |ground| contract(ground).is_suspended = true,
            ..HOLD
        },
        Case {
            code: Code::DivisionNotInContract,
            text: "Division should be participant of a contract to create dispense",
            ndp: Some((409, "$.pharmacyId", "13c")),
            ehealth: CONFLICT,
            ground: |ground| contract(ground).division_ids.clear(),
            ..HOLD
        },
    ]
}

fn of_provision() -> Vec<Case> {
    vec![
        Case {
            code: Code::ProgramMisconfigured,
            text: "Program was configured incorrectly. Either incorrect source of funding or option \
                   skip_contract_provision_verify",
            ndp: Some((409, "$.programId", "14")),
            ehealth: CONFLICT,
            ground: |ground| {
                ground.terms.program_provision_verify = Switch::On;
                ground.program(IN_PARTS).funding_source = Some("EMPLOYER".try_into().unwrap());
            },
            ..HOLD
        },
        Case {
            code: Code::ProvisionMissing,
            text: "Division does not provide the medical program",
            ndp: Some((409, "$.pharmacyId", "14")),
            ehealth: CONFLICT,
            ground: |ground| ground.terms.program_provision_verify = Switch::On,
            ..HOLD
        },
        Case {
            code: Code::ProvisionWithoutContract,
            text: "Medical program provision is not related to any actual contract for the current \
                   date",
            ndp: Some((409, "$.programId", "14")),
            ehealth: CONFLICT,
            ground: |ground| provided_under(ground, "0000-AH52-MX34-1129"),
            ..HOLD
        },
        Case {
            code: Code::ProvisionContractSuspended,
            text: "Contract with number 0000-AH52-MX34-1129 is suspended",
            ndp: Some((409, "$.programId", "14")),
            ehealth: CONFLICT,
            ground: |ground| {
                let mut suspended = contract(ground).clone();
                suspended.id = REQUEST_IN_PARTS.parse::<Uuid>().unwrap();
                suspended.contract_number = "0000-AH52-MX34-1129".try_into().unwrap();
                suspended.is_suspended = true;
                ground.registries.contracts.insert(suspended.id, Arc::new(suspended));
                provided_under(ground, "0000-AH52-MX34-1129");
            },
            ..HOLD
        },
    ]
}
