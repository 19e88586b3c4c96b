//! The code of the patient, the care plan, and what the program of the medication request says:
//! rules 16 and Q8.

use std::sync::Arc;

use dispense_domain::registry::{CarePlan, CarePlanActivity};
use dispense_domain::{Care, Code};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::super::super::world::Ground;
use super::super::super::world::sample::{self, IN_PARTS, PERSON, REQUEST_IN_PARTS};
use super::super::case::{Asked, Before, CONFLICT, Case, HOLD, Register};
use super::super::{GIVEN_CODE, KEPT_CODE};
use super::UNKNOWN;

fn with_code(ground: &mut Ground) {
    ground.request(REQUEST_IN_PARTS).verification_code = Some(KEPT_CODE.try_into().unwrap());
}

/// The medication request follows from an activity of this status and quantity, in a plan of that
/// status with that last day.
fn cared_for(ground: &mut Ground, plan: (&str, Option<&str>), activity: (&str, Option<u32>)) {
    let plan: CarePlan = sample::read(&json!({
        "id": UNKNOWN, "person_id": PERSON, "status": plan.0, "period": {"end": plan.1},
    }));
    let activity: CarePlanActivity = sample::read(&json!({
        "id": UNKNOWN, "care_plan_id": UNKNOWN, "status": activity.0, "quantity": activity.1,
    }));
    ground.records(REQUEST_IN_PARTS).care = Some(Care {
        plan: Some(Arc::new(plan)),
        activity: Some(Arc::new(activity)),
        processed: Decimal::TEN,
    });
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            code: Code::WrongCode,
            text: "Incorrect code",
            ndp: Some((401, "$.verificationCode", "16a")),
            ehealth: Some(Register::Message(401, "access_denied")),
            ground: with_code,
            wanted: |wanted| wanted.code = Some(GIVEN_CODE),
            ..HOLD
        },
        Case {
            code: Code::TooManyWrongCodes,
            text: "Too many wrong verification codes for this medication request",
            ndp: Some((429, "$.verificationCode", "16a")),
            ehealth: Some(Register::Message(429, "too_many_requests")),
            ground: with_code,
            wanted: |wanted| wanted.code = Some(GIVEN_CODE),
            before: Before::Refused(5),
            asked: Asked::Hold("k", |wanted| wanted.code = Some(KEPT_CODE)),
            ..HOLD
        },
        Case {
            code: Code::CarePlanStatus,
            text: "Invalid care plan status",
            ndp: Some((409, "$.prescriptionId", "16b")),
            ehealth: CONFLICT,
            ground: |ground| {
                cared_for(ground, ("completed", None), ("scheduled", None));
            },
            ..HOLD
        },
        Case {
            code: Code::CarePlanExpired,
            text: "Care plan expired",
            ndp: Some((409, "$.prescriptionId", "16b")),
            ehealth: CONFLICT,
            ground: |ground| {
                cared_for(ground, ("active", Some("2026-03-01")), ("scheduled", None));
            },
            ..HOLD
        },
        Case {
            code: Code::ActivityStatus,
            text: "Invalid activity status",
            ndp: Some((409, "$.prescriptionId", "16b")),
            ehealth: CONFLICT,
            ground: |ground| cared_for(ground, ("active", None), ("cancelled", None)),
            ..HOLD
        },
        Case {
            code: Code::ActivityQuantity,
            text: "The total amount of the dispensed medication quantity exceeds quantity in care \
                   plan activity",
            ndp: Some((409, "$.prescriptionId", "Q8")),
            ehealth: CONFLICT,
            ground: |ground| cared_for(ground, ("active", None), ("scheduled", Some(30))),
            asked: Asked::Qualify(&[IN_PARTS], None),
            ..HOLD
        },
        Case {
            code: Code::NotQualified,
            text: "Medication request can not be dispensed. Invoke qualify medication request API \
                   to get detailed info",
            ndp: Some((409, "$.prescriptionId", "16c")),
            ehealth: CONFLICT,
            ground: |ground| {
                let mut other = ground.request(REQUEST_IN_PARTS).clone();
                other.id = UNKNOWN.parse::<Uuid>().unwrap().into();
                ground.records(REQUEST_IN_PARTS).others.push(Arc::new(other));
            },
            ..HOLD
        },
    ]
}
