//! What can stand in the way of a program, as both APIs have to tell it.

use std::sync::Arc;

use dispense_domain::registry::{DivisionStatus, Intent, ProgramMedication, RequestStatus};
use dispense_domain::{Care, Switch};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::sample::{
    AT_ONCE, CONTRACT, CONTRACT_NUMBER, DIVISION, IN_PARTS, MEDICATION, OTHER_PHARMACY,
    PARTICIPANT, PERSON, REQUEST_IN_PARTS, read,
};
use crate::world::{Ground, record};

/// An id that no registry knows.
pub(in super::super) const NOBODY: &str = "00000000-0000-4000-8000-0000000000ff";

/// A rule that forbids to look at programs at all.
pub(in super::super) struct Forbidden {
    pub(in super::super) rule: &'static str,
    pub(in super::super) code: &'static str,
    pub(in super::super) status: u16,
    pub(in super::super) message: &'static str,
    /// The places of the programs that are to blame.
    pub(in super::super) programs_at: &'static [usize],
    pub(in super::super) change: fn(&mut Ground),
    pub(in super::super) programs: &'static [&'static str],
    pub(in super::super) division: Option<&'static str>,
}

const CONFLICT: Forbidden = Forbidden {
    rule: "",
    code: "",
    status: 409,
    message: "",
    programs_at: &[],
    change: |_| (),
    programs: &[IN_PARTS],
    division: Some(DIVISION),
};

const NOT_ACTIVE: Forbidden = Forbidden {
    rule: "Q3",
    code: "medication-request-not-active",
    message: "Invalid status Medication request for qualify action!",
    ..CONFLICT
};

const UNKNOWN_PROGRAM: Forbidden = Forbidden {
    rule: "Q6",
    code: "program-not-found",
    status: 422,
    message: "Medical program not found",
    ..CONFLICT
};

/// Every rule of 5.10 that stops the whole, in order.
pub(in super::super) const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        change: |ground| ground.request(REQUEST_IN_PARTS).status = RequestStatus::Rejected,
        ..NOT_ACTIVE
    },
    Forbidden {
        change: |ground| ground.request(REQUEST_IN_PARTS).status = RequestStatus::Expired,
        ..NOT_ACTIVE
    },
    Forbidden { change: |ground| ground.request(REQUEST_IN_PARTS).is_active = false, ..NOT_ACTIVE },
    Forbidden {
        rule: "Q4",
        code: "medication-request-is-plan",
        message: "Medication request with type (intent) PLAN cannot be qualified",
        change: |ground| ground.request(REQUEST_IN_PARTS).intent = Intent::Plan,
        ..CONFLICT
    },
    Forbidden { programs: &[NOBODY], programs_at: &[0], ..UNKNOWN_PROGRAM },
    Forbidden {
        change: |ground| record(&mut ground.registries.medical_programs, AT_ONCE).is_active = false,
        programs: &[NOBODY, IN_PARTS, AT_ONCE],
        programs_at: &[0, 2],
        ..UNKNOWN_PROGRAM
    },
    Forbidden {
        rule: "Q7",
        code: "care-plan-status",
        message: "Invalid care plan status",
        change: |ground| follow(ground, "suspended", "2026-12-31", "scheduled"),
        ..CONFLICT
    },
    Forbidden {
        rule: "Q7",
        code: "care-plan-expired",
        message: "Care plan expired",
        change: |ground| follow(ground, "active", "2026-03-01", "scheduled"),
        ..CONFLICT
    },
    Forbidden {
        rule: "Q7",
        code: "activity-status",
        message: "Invalid activity status",
        change: |ground| follow(ground, "active", "2026-03-02", "completed"),
        ..CONFLICT
    },
    Forbidden {
        rule: "Q8",
        code: "activity-quantity",
        message: "The total amount of the dispensed medication quantity exceeds quantity in care \
                  plan activity",
        change: |ground| {
            follow(ground, "active", "2026-12-31", "in_progress");
            ground.records(REQUEST_IN_PARTS).care.as_mut().unwrap().processed = 11.into();
        },
        ..CONFLICT
    },
    Forbidden {
        rule: "Q9a",
        code: "division-not-found",
        status: 422,
        message: "Division not found",
        division: Some(NOBODY),
        ..CONFLICT
    },
    Forbidden {
        rule: "Q9b",
        code: "division-not-active",
        message: "Division is not active",
        change: |ground| {
            record(&mut ground.registries.divisions, DIVISION).status = DivisionStatus::Inactive;
        },
        ..CONFLICT
    },
    Forbidden {
        rule: "Q9c",
        code: "division-foreign",
        message: "Division does not belong to user's legal entity",
        change: |ground| {
            let division = record(&mut ground.registries.divisions, DIVISION);
            division.legal_entity_id = OTHER_PHARMACY.parse::<Uuid>().unwrap().into();
        },
        ..CONFLICT
    },
    Forbidden {
        rule: "Q9d",
        code: "division-not-dls-verified",
        message: "Division is not verified in DLS",
        change: unverified,
        ..CONFLICT
    },
];

/// Breaks every rule that one question can break.
pub(in super::super) fn break_all(ground: &mut Ground) {
    let request = ground.request(REQUEST_IN_PARTS);
    (request.status, request.intent) = (RequestStatus::Expired, Intent::Plan);
    follow(ground, "suspended", "2026-03-01", "completed");
    ground.records(REQUEST_IN_PARTS).care.as_mut().unwrap().processed = 11.into();
    for scene in FORBIDDEN.iter().filter(|it| it.rule.starts_with("Q9")) {
        (scene.change)(ground);
    }
}

/// A reason why a program cannot pay.
pub(in super::super) struct Rejected {
    pub(in super::super) reason: &'static str,
    pub(in super::super) change: fn(&mut Ground),
    /// What mends it.
    pub(in super::super) mend: fn(&mut Ground),
    pub(in super::super) division: Option<&'static str>,
}

/// Every reason, in order.
pub(in super::super) const REJECTED: &[Rejected] = &[
    Rejected {
        reason: "Division is not verified in DLS",
        change: |ground| {
            unverified(ground);
            ground.settings(AT_ONCE).skip_dispense_division_dls_verify = Some(true);
        },
        mend: |ground| ground.settings(IN_PARTS).skip_dispense_division_dls_verify = Some(true),
        division: Some(DIVISION),
    },
    Rejected {
        reason: "Program was configured incorrectly. Either incorrect source of funding or option \
                 skip_contract_provision_verify",
        change: |ground| {
            provide(ground, CONTRACT_NUMBER);
            ground.program(IN_PARTS).funding_source = Some("DONORS".to_owned().try_into().unwrap());
        },
        mend: |ground| ground.program(IN_PARTS).funding_source = None,
        division: Some(DIVISION),
    },
    Rejected {
        reason: "Division does not provide the medical program",
        change: |ground| ground.terms.program_provision_verify = Switch::On,
        mend: |ground| ground.settings(IN_PARTS).skip_contract_provision_verify = Some(true),
        division: Some(DIVISION),
    },
    Rejected {
        reason: "Medical program provision is not related to any actual contract for the current \
                 date",
        change: |ground| provide(ground, "0000-0000-0000-0000"),
        mend: |ground| provide(ground, CONTRACT_NUMBER),
        division: Some(DIVISION),
    },
    Rejected {
        reason: "Contract with number 0000-A123-K456-7890 is suspended",
        change: |ground| {
            provide(ground, CONTRACT_NUMBER);
            record(&mut ground.registries.contracts, CONTRACT).is_suspended = true;
        },
        mend: |ground| record(&mut ground.registries.contracts, CONTRACT).is_suspended = false,
        division: Some(DIVISION),
    },
    Rejected {
        reason: "Innm not on the list of approved innms for program 'Affordable medicines'",
        change: |ground| participant(ground).end_date = Some("2026-03-01".parse().unwrap()),
        mend: |ground| participant(ground).end_date = Some("2026-03-02".parse().unwrap()),
        division: None,
    },
    Rejected {
        reason: "For the patient at the same term there can be only 1 dispensed medication request \
                 per one and the same innm!",
        change: |ground| {
            let mut other = ground.request(REQUEST_IN_PARTS).clone();
            other.id = NOBODY.parse::<Uuid>().unwrap().into();
            other.status = RequestStatus::Completed;
            ground.records(REQUEST_IN_PARTS).others.push(Arc::new(other));
        },
        mend: |ground| ground.settings(IN_PARTS).skip_treatment_period = Some(true),
        division: None,
    },
];

/// The brand in [`IN_PARTS`].
fn participant(ground: &mut Ground) -> &mut ProgramMedication {
    record(&mut ground.registries.program_medications, PARTICIPANT)
}

/// Asks for confirmed outlets, and takes the confirmation away.
fn unverified(ground: &mut Ground) {
    ground.terms.division_dls_verify = Switch::On;
    record(&mut ground.registries.divisions, DIVISION).dls_verified = Some(false);
}

/// Has the outlet provide [`IN_PARTS`] under the contract of that number, and asks for it.
fn provide(ground: &mut Ground, contract_number: &str) {
    ground.terms.program_provision_verify = Switch::On;
    add(
        &mut ground.registries.provisions,
        &json!({"id": NOBODY, "medical_program_id": IN_PARTS, "division_id": DIVISION,
            "contract_number": contract_number}),
    );
}

/// Has the medication request follow from a care plan that ends on that day, and from an activity
/// for forty tablets.
fn follow(ground: &mut Ground, plan: &str, end: &str, activity: &str) {
    let plan = json!({"id": NOBODY, "person_id": PERSON, "status": plan, "period": {"end": end}});
    let activity =
        json!({"id": NOBODY, "care_plan_id": NOBODY, "status": activity, "quantity": 40});
    ground.records(REQUEST_IN_PARTS).care = Some(Care {
        plan: Some(Arc::new(read(&plan))),
        activity: Some(Arc::new(read(&activity))),
        processed: 0.into(),
    });
}

/// Adds a record to a registry.
pub(in super::super) fn add<K, V: DeserializeOwned>(
    registry: &mut std::collections::HashMap<K, Arc<V>>,
    wanted: &Value,
) where
    K: From<Uuid> + Eq + std::hash::Hash,
{
    let id: Uuid = wanted["id"].as_str().unwrap().parse().unwrap();
    registry.insert(id.into(), Arc::new(read(wanted)));
}

/// Says all that a registry can say of the brand in [`IN_PARTS`], amounts with trailing zeros.
pub(in super::super) fn say_all(ground: &mut Ground) {
    let participant = r#"{
        "id": "00000000-0000-4000-8000-0000000000a1",
        "medication_id": "00000000-0000-4000-8000-0000000000b1",
        "medical_program_id": "00000000-0000-4000-8000-0000000000f1",
        "reimbursement": {"type": "FIXED", "reimbursement_amount": 35.2000},
        "wholesale_price": 30.50, "consumer_price": 40.10,
        "reimbursement_daily_dosage": 1.1730, "estimated_payment_amount": 0.00,
        "start_date": "2026-01-01", "end_date": "2026-12-31",
        "registry_number": "17", "package_qty_divisible": true
    }"#;
    *self::participant(ground) = serde_json::from_str(participant).unwrap();
    let brand = record(&mut ground.registries.medications, MEDICATION);
    let shown = json!({"name": "Pharma JSC", "country": "UA"});
    brand.manufacturer = Some(read(&shown));
    brand.container = Some(read(&json!({"numerator_unit": "PILL", "numerator_value": 1})));
    brand.drlz_sku_id = Some("9876".to_owned().try_into().unwrap());
    (brand.package_qty, brand.package_min_qty) =
        (Some("30.0".parse().unwrap()), Some("2.50".parse().unwrap()));
}
