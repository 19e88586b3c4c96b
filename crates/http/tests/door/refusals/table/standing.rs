//! Who asks, the medication request, and the outlet: rules 2 to 11.

use dispense_domain::registry::{
    Division, DivisionStatus, EmployeeStatus, Intent, LegalEntity, LegalEntityStatus, RequestStatus,
};
use dispense_domain::{Code, Switch};
use uuid::Uuid;

use super::super::super::world::sample::{
    DIVISION, DOSAGE, IN_PARTS, OTHER_PHARMACY, PHARMACIST, PHARMACY, REQUEST_IN_PARTS,
};
use super::super::super::world::{Ground, record};
use super::super::case::{CONFLICT, Case, FORBIDDEN, HOLD, Register, member};
use super::UNKNOWN;

fn company(ground: &mut Ground) -> &mut LegalEntity {
    record(&mut ground.registries.legal_entities, PHARMACY)
}

fn outlet(ground: &mut Ground) -> &mut Division {
    record(&mut ground.registries.divisions, DIVISION)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_asker();
    cases.extend(of_request());
    cases.extend(of_outlet());
    cases
}

fn of_asker() -> Vec<Case> {
    vec![
        Case {
            code: Code::DispenseDay,
            text: "2026-03-03 is after today, 2026-03-02",
            ndp: Some((422, "$.dispensedAt", "2")),
            wanted: |wanted| wanted.day = "2026-03-03",
            ..HOLD
        },
        Case {
            code: Code::LegalEntityNotFound,
            text: "Legal entity not found",
            ndp: Some((422, "$", "3a")),
            ehealth: member("$.legal_entity_id", "invalid"),
            client: UNKNOWN,
            ..HOLD
        },
        Case {
            code: Code::LegalEntityClosed,
            text: "Legal entity is not active",
            ndp: Some((422, "$", "3b")),
            ehealth: member("$.legal_entity_id", "invalid"),
            ground: |ground| company(ground).status = LegalEntityStatus::Reorganized,
            ..HOLD
        },
        Case {
            code: Code::LegalEntityNotActive,
            text: "Legal entity is not active",
            ndp: Some((409, "$", "4a")),
            ehealth: CONFLICT,
            ground: |ground| company(ground).status = LegalEntityStatus::Suspended,
            ..HOLD
        },
        Case {
            code: Code::LegalEntityNotVerified,
            text: "Legal entity is not verified",
            ndp: Some((409, "$", "4b")),
            ehealth: CONFLICT,
            ground: |ground| ground.terms.legal_entity_nhs_verify = Switch::On,
            ..HOLD
        },
        Case {
            code: Code::LegalEntityType,
            text: "Invalid legal entity type",
            ndp: Some((409, "$", "4c")),
            ehealth: CONFLICT,
            ground: |ground| company(ground).kind = "MSP".try_into().unwrap(),
            ..HOLD
        },
        Case {
            code: Code::PartyNotFound,
            text: "Party not found",
            ndp: Some((400, "$", "5")),
            ehealth: Some(Register::Malformed(400)),
            ground: |ground| ground.registries.party_users.clear(),
            ..HOLD
        },
    ]
}

fn of_request() -> Vec<Case> {
    vec![
        Case {
            code: Code::MedicationRequestNotFound,
            text: "Medication request not found",
            ndp: Some((422, "$.prescriptionId", "6a")),
            ehealth: member("$.medication_request_id", "invalid"),
            wanted: |wanted| wanted.request = UNKNOWN,
            ..HOLD
        },
        Case {
            code: Code::MedicationRequestNotActive,
            text: "Medication request is not active",
            ndp: Some((409, "$.prescriptionId", "6b")),
            ehealth: CONFLICT,
            ground: |ground| ground.request(REQUEST_IN_PARTS).status = RequestStatus::Rejected,
            ..HOLD
        },
        Case {
            code: Code::OutsideDispensePeriod,
            text: "Invalid dispense period",
            ndp: Some((409, "$.prescriptionId", "6c")),
            ehealth: CONFLICT,
            ground: |ground| {
                ground.request(REQUEST_IN_PARTS).dispense_valid_to =
                    Some("2026-03-01".parse().unwrap());
            },
            ..HOLD
        },
        Case {
            code: Code::MedicationRequestInvalid,
            text: "Medication request is not valid",
            ndp: Some((422, "$.prescriptionId", "6d")),
            ehealth: member("$.medication_request_id", "required"),
            ground: |ground| ground.records(REQUEST_IN_PARTS).person = None,
            ..HOLD
        },
        Case {
            code: Code::MedicationRequestBlocked,
            text: "Medication request is blocked",
            ndp: Some((422, "$.prescriptionId", "7")),
            ehealth: Some(Register::Malformed(422)),
            ground: |ground| {
                let request = ground.request(REQUEST_IN_PARTS);
                request.is_blocked = true;
                request.blocked_to = Some("2026-03-31".try_into().unwrap());
            },
            ..HOLD
        },
        Case {
            code: Code::MedicationRequestIsPlan,
            text: "Medication request with intent PLAN cannot be dispensed",
            ndp: Some((409, "$.prescriptionId", "8")),
            ehealth: CONFLICT,
            ground: |ground| ground.request(REQUEST_IN_PARTS).intent = Intent::Plan,
            ..HOLD
        },
        Case {
            code: Code::EmployeeNotAuthorised,
            text: "Employee id doesn't match",
            ndp: Some((403, "$", "9")),
            ehealth: FORBIDDEN,
            ground: |ground| {
                record(&mut ground.registries.employees, PHARMACIST).status =
                    EmployeeStatus::Dismissed;
            },
            ..HOLD
        },
    ]
}

fn of_outlet() -> Vec<Case> {
    vec![
        Case {
            code: Code::DivisionNotFound,
            text: "Division not found",
            ndp: Some((422, "$.pharmacyId", "10a")),
            ehealth: member("$.division_id", "invalid"),
            wanted: |wanted| wanted.division = UNKNOWN,
            ..HOLD
        },
        Case {
            code: Code::DivisionNotActive,
            text: "Division is not active",
            ndp: Some((409, "$.pharmacyId", "10b")),
            ehealth: CONFLICT,
            ground: |ground| outlet(ground).status = DivisionStatus::Inactive,
            ..HOLD
        },
        Case {
            code: Code::DivisionForeign,
            text: "Division does not belong to user's legal entity",
            ndp: Some((409, "$.pharmacyId", "10c")),
            ehealth: CONFLICT,
            ground: |ground| {
                outlet(ground).legal_entity_id = OTHER_PHARMACY.parse::<Uuid>().unwrap().into();
            },
            ..HOLD
        },
        Case {
            code: Code::DivisionNotDlsVerified,
            text: "Invalid division dls status",
            ndp: Some((409, "$.pharmacyId", "10d")),
            ehealth: CONFLICT,
            ground: |ground| {
                ground.terms.division_dls_verify = Switch::On;
                outlet(ground).dls_verified = None;
            },
            ..HOLD
        },
        Case {
            code: Code::LicenceMissing,
            text: "Division must have active licenses to dispense medication request",
            ndp: Some((409, "$.pharmacyId", "11a")),
            ehealth: CONFLICT,
            ground: |ground| {
                ground.settings(IN_PARTS).license_types_allowed =
                    Some(["PHARMACY", "PHARMACY_DRUGS"].map(|it| it.try_into().unwrap()).into());
            },
            ..HOLD
        },
        Case {
            code: Code::ProductionLicenceMissing,
            text: "Division does not have active license to produce medication",
            ndp: Some((409, "$.items.[0].medicineCode", "11b")),
            ehealth: CONFLICT,
            wanted: |wanted| wanted.item().medication = DOSAGE,
            ..HOLD
        },
    ]
}
