//! What is left, in which parts, and who pays when: rules 17 to 21, the limit, and the key.

use std::sync::Arc;

use dispense_domain::{Code, DispenseEvent, DispenseId};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::super::super::world::sample::{AT_ONCE, IN_PARTS, MEDICATION, PARTICIPANT};
use super::super::super::world::{World, record};
use super::super::case::{Asked, Before, CONFLICT, Case, FORBIDDEN, HOLD, member};
use super::super::wanted::{Wanted, WantedItem};

/// As if the one hold had been asked for, and had run out, again and again.
fn held_too_often(world: &World) {
    let mut inner = world.state.get();
    let (request, first) = inner.events[0].clone();
    let DispenseEvent::HoldCreated(hold) = &first.event else { panic!("{:?}", first.event) };
    let more = (1..500).map(|number| {
        let mut hold = hold.clone();
        Arc::make_mut(&mut hold).dispense_id = DispenseId::from(Uuid::from_u128(number));
        let mut recorded = first.clone();
        recorded.event = DispenseEvent::HoldCreated(hold);
        (request, recorded)
    });
    let more: Vec<_> = more.collect();
    inner.events.extend(more);
    inner.now += chrono::TimeDelta::minutes(11);
}

fn at_once(wanted: &mut Wanted) {
    wanted.program = Some(AT_ONCE);
    wanted.payment_amount = Some(20);
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_quantity();
    cases.extend(of_payment());
    cases
}

fn of_quantity() -> Vec<Case> {
    let quantity = "$.medication_request.medication_qty";
    let of_item = "$.dispense_details.[0].medication_qty";
    vec![
        Case {
            code: Code::AlreadyHeld,
            text: "Active medication dispense already exists",
            ndp: Some((403, "$.prescriptionId", "17")),
            ehealth: FORBIDDEN,
            before: Before::Held(|_| ()),
            ..HOLD
        },
        Case {
            code: Code::NothingLeft,
            text: "No more medication dispense could be done with this medication request",
            ndp: Some((403, "$.prescriptionId", "18")),
            ehealth: FORBIDDEN,
            wanted: at_once,
            before: Before::Held(|world| {
                world.change(|ground| {
                    ground.settings(AT_ONCE).multi_medication_dispense_allowed = None;
                });
            }),
            ..HOLD
        },
        Case {
            code: Code::QuantityExceedsAvailable,
            text: "Dispensed medication quantity must be lower or equal to medication quantity in \
                   Medication Request. Available quantity is 30",
            ndp: Some((422, "$.items", "19")),
            ehealth: member(quantity, "required"),
            wanted: |wanted| wanted.items = vec![WantedItem::of(30), WantedItem::of(10)],
            ..HOLD
        },
        Case {
            code: Code::QuantityNotEqual,
            text: "Dispensed medication quantity must be equal to medication quantity in \
                   Medication Request",
            ndp: Some((422, "$.items", "19")),
            ehealth: member(quantity, "required"),
            ground: |ground| ground.settings(IN_PARTS).multi_medication_dispense_allowed = None,
            ..HOLD
        },
        Case {
            code: Code::QuantityNotDivisible,
            text: "Requested medication brand quantity must be a multiplier of package minimal \
                   quantity",
            ndp: Some((422, "$.items.[0].quantityDispensed", "20")),
            ehealth: member(of_item, "required"),
            ground: |ground| {
                record(&mut ground.registries.medications, MEDICATION).package_min_qty =
                    Some(Decimal::from(15));
            },
            ..HOLD
        },
        Case {
            code: Code::QuantityNotDivisible,
            text: "Requested medication brand quantity must be a multiplier of package_min_qty (or \
                   package_qty if program_medication.package_quantity_divisible = false)",
            ndp: Some((422, "$.items.[0].quantityDispensed", "20")),
            ehealth: member(of_item, "required"),
            ground: |ground| {
                record(&mut ground.registries.program_medications, PARTICIPANT)
                    .package_qty_divisible = Some(false);
            },
            ..HOLD
        },
    ]
}

fn of_payment() -> Vec<Case> {
    vec![
        Case {
            code: Code::PaymentNotAllowed,
            text: "schema does not allow additional properties",
            ndp: Some((422, "$.copayment", "21")),
            ehealth: member("$.payment_amount", "schema"),
            wanted: |wanted| wanted.payment_amount = Some(20),
            ..HOLD
        },
        Case {
            code: Code::PaymentNotAllowed,
            text: "schema does not allow additional properties",
            ndp: Some((422, "$.paymentId", "21")),
            ehealth: member("$.payment_id", "schema"),
            wanted: |wanted| wanted.payment_id = Some("R-1"),
            ..HOLD
        },
        Case {
            code: Code::PaymentRequired,
            text: "required property payment_amount was not present",
            ndp: Some((422, "$.copayment", "21")),
            ehealth: member("$.payment_amount", "required"),
            wanted: |wanted| wanted.program = Some(AT_ONCE),
            ..HOLD
        },
        Case {
            code: Code::TooManyDispenses,
            text: "Too many dispenses of this medication request",
            ndp: Some((409, "", "limit")),
            ehealth: CONFLICT,
            before: Before::Held(held_too_often),
            ..HOLD
        },
        Case {
            code: Code::IdempotencyKeyReused,
            text: "The idempotency key was used for another request",
            ndp: Some((422, "", "key")),
            ehealth: CONFLICT,
            before: Before::Held(|_| ()),
            asked: Asked::Hold("before", |wanted| wanted.items = vec![WantedItem::of(20)]),
            ..HOLD
        },
    ]
}
