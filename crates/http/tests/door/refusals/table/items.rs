//! The items and their prices: rules 5.3 and 15.

use dispense_domain::Code;
use dispense_domain::registry::{Medication, ProgramMedication};
use uuid::Uuid;

use super::super::super::world::sample::{MEDICATION, PARTICIPANT};
use super::super::super::world::{Ground, record};
use super::super::case::{Case, HOLD, member};
use super::UNKNOWN;

fn brand(ground: &mut Ground) -> &mut Medication {
    record(&mut ground.registries.medications, MEDICATION)
}

fn participant(ground: &mut Ground) -> &mut ProgramMedication {
    record(&mut ground.registries.program_medications, PARTICIPANT)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            code: Code::PriceMissing,
            text: "required property sell_price was not present",
            ehealth: member("$.dispense_details.[0].sell_price", "required"),
            wanted: |wanted| wanted.item().unit_price = None,
            ..HOLD
        },
        Case {
            code: Code::MedicationNotFound,
            text: "Medication not found",
            ndp: Some((422, "$.items.[0].medicineCode", "15a")),
            ehealth: member("$.dispense_details.[0].medication_id", "invalid"),
            wanted: |wanted| wanted.item().medication = UNKNOWN,
            ..HOLD
        },
        Case {
            code: Code::MedicationNotActive,
            text: "medication is not active",
            ndp: Some((422, "$.items.[0].medicineCode", "15b")),
            ehealth: member("$.dispense_details.[0].medication_id", "required"),
            ground: |ground| brand(ground).package_qty = None,
            ..HOLD
        },
        Case {
            code: Code::MedicationMismatch,
            text: "Medication doesn't match the one in medication request",
            ndp: Some((422, "$.items.[0].medicineCode", "15c")),
            ehealth: member("$.dispense_details.[0].medication_id", "invalid"),
            ground: |ground| {
                brand(ground).ingredients[0].medication_child_id =
                    Some(UNKNOWN.parse::<Uuid>().unwrap().into());
            },
            ..HOLD
        },
        Case {
            code: Code::MedicationNotInProgram,
            text: "medication is not a participant of program",
            ndp: Some((422, "$.items.[0].medicineCode", "15d")),
            ehealth: member("$.dispense_details.[0].medication_id", "invalid"),
            ground: |ground| participant(ground).is_active = false,
            ..HOLD
        },
        Case {
            code: Code::ProgramMedicationInvalid,
            text: "Invalid program medication id",
            ndp: Some((422, "$.items.[0].programMedicationId", "15e")),
            ehealth: member("$.dispense_details.[0].program_medication_id", "invalid"),
            wanted: |wanted| wanted.item().participant = Some(UNKNOWN),
            ..HOLD
        },
        Case {
            code: Code::ProgramMedicationExpired,
            text: "There are no active program medications for this program and medication",
            ndp: Some((422, "$.items.[0].programMedicationId", "15e")),
            ehealth: member("$.dispense_details.[0].program_medication_id", "invalid"),
            ground: |ground| participant(ground).end_date = Some("2026-03-01".parse().unwrap()),
            ..HOLD
        },
        Case {
            code: Code::MedicineExpired,
            text: "Medication is expired",
            ndp: Some((422, "$.items.[0].expiryDate", "15e+")),
            ehealth: member("$.dispense_details.[0].expiry_date", "invalid"),
            wanted: |wanted| wanted.item().expiry = "2026-03-01",
            ..HOLD
        },
        Case {
            code: Code::DiscountOutOfBounds,
            text: "Requested discount price does not satisfy allowed reimbursement amount",
            ndp: Some((422, "$.items.[0].discountAmount", "15f")),
            ehealth: member("$.dispense_details.[0].discount_amount", "required"),
            wanted: |wanted| wanted.item().discount = 35.2,
            ..HOLD
        },
    ]
}
