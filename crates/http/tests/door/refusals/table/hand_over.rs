//! Handing over, and giving back: rules D-10, P4 to P10 and 4.1.

use chrono::TimeDelta;
use dispensary::{SignatureFault, Signer};
use dispense_domain::registry::DivisionStatus;
use dispense_domain::{Code, Switch};
use serde_json::json;

use super::super::super::world::sample::{DIVISION, OTHER_PHARMACY, REQUEST_IN_PARTS, TAX_ID};
use super::super::super::world::{World, record};
use super::super::OTHER_SIGNER;
use super::super::case::{Asked, Before, CONFLICT, Case, FORBIDDEN, HAND_OVER, Register, member};

const MALFORMED: Option<Register> = Some(Register::Malformed(422));
const SIGNED: &str = "$.signedContent";

fn signed_by(world: &World, tax_id: Option<&str>, surname: Option<&str>) {
    let [tax_id, surname] = [tax_id, surname].map(|it| it.map(str::to_owned));
    world.state.get().signature = Ok(Signer { tax_id, surname });
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_signature();
    cases.extend(of_signer());
    cases.extend(of_standing());
    cases.extend(of_content());
    cases
}

fn of_signature() -> Vec<Case> {
    vec![
        Case {
            code: Code::DispenseNotFound,
            text: "There is no such dispense",
            ndp: Some((404, "", "D-10")),
            ehealth: Some(Register::Message(404, "not_found")),
            client: OTHER_PHARMACY,
            asked: Asked::GiveBack,
            ..HAND_OVER
        },
        Case {
            code: Code::SignatureCount,
            text: "document must contain 1 signature and 0 stamps but contains 0 signature(s) and \
                   0 stamp(s)",
            ndp: Some((400, SIGNED, "P4a")),
            ehealth: Some(Register::Malformed(400)),
            before: Before::Held(|world| {
                let why = Some("the container is not DER".to_owned());
                world.state.get().signature =
                    Err(SignatureFault::Count { signatures: 0, stamps: 0, why });
            }),
            ..HAND_OVER
        },
        Case {
            code: Code::SignatureInvalid,
            text: "the certificate has expired",
            ndp: Some((400, SIGNED, "P4b")),
            ehealth: Some(Register::Malformed(400)),
            before: Before::Held(|world| {
                let why = "the certificate has expired".to_owned();
                world.state.get().signature = Err(SignatureFault::Invalid { why });
            }),
            ..HAND_OVER
        },
    ]
}

fn of_signer() -> Vec<Case> {
    vec![
        Case {
            code: Code::SignerUnknown,
            text: "User is not allowed to this action by client_id",
            ndp: Some((403, "$", "P5a")),
            ehealth: FORBIDDEN,
            before: Before::Held(|world| {
                world.change(|ground| ground.registries.party_users.clear());
            }),
            ..HAND_OVER
        },
        Case {
            code: Code::SignerTaxIdMissing,
            text: "Invalid drfo",
            ndp: Some((422, SIGNED, "P5b")),
            ehealth: MALFORMED,
            before: Before::Held(|world| signed_by(world, None, Some("Shevchenko"))),
            ..HAND_OVER
        },
        Case {
            code: Code::SignerTaxId,
            text: "Does not match the signer drfo",
            ndp: Some((422, SIGNED, "P5c")),
            ehealth: MALFORMED,
            before: Before::Held(|world| {
                signed_by(world, Some(OTHER_SIGNER.0), Some("Shevchenko"));
            }),
            ..HAND_OVER
        },
        Case {
            code: Code::SignerSurnameMissing,
            text: "Invalid surname",
            ndp: Some((422, SIGNED, "P5d")),
            ehealth: MALFORMED,
            before: Before::Held(|world| signed_by(world, Some(TAX_ID), None)),
            ..HAND_OVER
        },
        Case {
            code: Code::SignerSurname,
            text: "Does not match the signer last name",
            ndp: Some((422, SIGNED, "P5d")),
            ehealth: MALFORMED,
            before: Before::Held(|world| signed_by(world, Some(TAX_ID), Some(OTHER_SIGNER.1))),
            ..HAND_OVER
        },
    ]
}

/// What a hand-over shares with a hold, as the registries have it by then.
fn of_standing() -> Vec<Case> {
    vec![
        Case {
            code: Code::DivisionNotActive,
            text: "Division is not active",
            ndp: Some((409, "$.pharmacyId", "10b")),
            ehealth: CONFLICT,
            before: Before::Held(|world| {
                world.change(|ground| {
                    record(&mut ground.registries.divisions, DIVISION).status =
                        DivisionStatus::Inactive;
                });
            }),
            ..HAND_OVER
        },
        Case {
            code: Code::DivisionNotDlsVerified,
            text: "Invalid division dls status",
            ndp: Some((409, "$.pharmacyId", "10d")),
            ehealth: CONFLICT,
            ground: |ground| ground.terms.division_dls_verify = Switch::On,
            before: Before::Held(|world| {
                world.change(|ground| {
                    record(&mut ground.registries.divisions, DIVISION).dls_verified = None;
                });
            }),
            ..HAND_OVER
        },
        Case {
            code: Code::MedicationRequestBlocked,
            text: "Medication request is blocked",
            ndp: Some((422, "$.prescriptionId", "7")),
            ehealth: MALFORMED,
            before: Before::Held(|world| {
                world.change(|ground| ground.request(REQUEST_IN_PARTS).is_blocked = true);
            }),
            ..HAND_OVER
        },
    ]
}

fn of_content() -> Vec<Case> {
    vec![
        Case {
            code: Code::WrongStatus,
            text: "Can't update medication dispense status from EXPIRED to REJECTED",
            ndp: Some((409, "", "4.1")),
            ehealth: CONFLICT,
            before: Before::Held(|world| world.state.get().now += TimeDelta::minutes(11)),
            asked: Asked::GiveBack,
            ..HAND_OVER
        },
        Case {
            code: Code::ContentSchema,
            text: "type mismatch. Expected number but got string",
            ndp: Some((422, "$.copayment", "cast")),
            ehealth: member("$.payment_amount", "cast"),
            asked: Asked::HandOver(|document| document["payment_amount"] = json!("20")),
            ..HAND_OVER
        },
        Case {
            code: Code::ContentSchema,
            text: "value is not allowed in enum",
            ndp: Some((422, "$.status", "inclusion")),
            ehealth: member("$.status", "inclusion"),
            asked: Asked::HandOver(|document| document["status"] = json!("PROCESSED")),
            ..HAND_OVER
        },
        Case {
            code: Code::ContentMismatch,
            text: "Signed content does not match the previously created content",
            ndp: Some((422, SIGNED, "P10")),
            ehealth: member("$.content", "invalid"),
            asked: Asked::HandOver(|document| document["division"]["name"] = json!("renamed")),
            ..HAND_OVER
        },
    ]
}
