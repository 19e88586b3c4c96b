//! Keys: the same question gets the same answer, and a key is good for one question.

use std::sync::Arc;

use dispense_domain::command::key_digest;
use dispense_domain::{Code, DispenseDay, Stated};
use serde_json::json;

use crate::cancel::{PAYER, asked, cancel, cancelled, one_hold, the_refusal};
use crate::sample::{
    OTHER_PHARMACY, PHARMACY, Scene, all_in_order, day, hryvnias, id, item, noon_and, params, text,
};

#[test]
fn the_same_question_brings_nothing_new() {
    assert_eq!(one_hold().granted(), []);
}

/// Whatever became of the dispense, the registry and the day since.
#[test]
fn a_replay_is_recognised_before_every_rule() {
    let mut scene = one_hold();
    let nothing_known = |scene: Scene| {
        scene.but(|it| {
            let evidence = &mut it.sight.evidence;
            evidence.legal_entity = None;
            evidence.party = None;
            evidence.employees.clear();
            evidence.division = None;
            evidence.program = None;
            evidence.medications.clear();
            evidence.participants.clear();
            evidence.request = None;
            it.sight.at = noon_and(1_000_000);
        })
    };
    assert_eq!(nothing_known(scene.clone()).granted(), []);
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    assert_eq!(nothing_known(scene).granted(), []);
}

#[test]
fn the_verification_code_and_the_asking_user_are_no_part_of_a_question() {
    let digest = all_in_order().hold.request_digest();
    let same = [
        all_in_order().but(|it| it.hold.verification_code = Some(text("1234"))),
        all_in_order().but(|it| it.hold.user = id(0x6_0077)),
        all_in_order().but(|it| it.hold.dispense_day = DispenseDay::AsStated),
        all_in_order().but(|it| it.hold.payment_id = Stated::Null),
    ];
    for scene in same {
        assert_eq!(scene.hold.request_digest(), digest);
    }
}

#[test]
fn another_question_with_the_same_key_is_refused() {
    type Change = fn(&mut Scene);
    let changes: [Change; 16] = [
        |it| it.hold.division_id = id(0xdead),
        |it| it.hold.medical_program_id = None,
        |it| it.hold.dispensed_on = day("2026-03-09"),
        |it| it.hold.dispensed_by = Some(text("Maria Shevchuk")),
        |it| it.hold.note = Some(text("in the evening")),
        |it| it.hold.payment_id = Stated::Value(text("A-1")),
        |it| it.hold.payment_amount = Stated::Value(hryvnias("0")),
        |it| it.hold.items.push(item("1")),
        |it| it.hold.items[0] = item("59"),
        |it| it.hold.items[0].medication_id = id(0xdead),
        |it| it.hold.items[0].unit_price = Some(hryvnias("0")),
        |it| it.hold.items[0].total_price = Some(hryvnias("0")),
        |it| it.hold.items[0].discount_amount = Some(hryvnias("0")),
        |it| it.hold.items[0].program_medication_id = Some(id(0xdead)),
        |it| it.hold.items[0].batch_number = Some(text("B7")),
        |it| it.hold.items[0].expiry_date = Some(day("2027-01-01")),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let no = one_hold().but(change).the_refusal();
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::IdempotencyKeyReused, None),
            "change {number}"
        );
        assert_eq!(params(&no), json!({}));
    }
}

/// Before every rule: a reused key is refused as that, however wrong the rest is.
#[test]
fn a_reused_key_is_refused_before_every_rule() {
    let scene = one_hold()
        .but(|it| it.hold.items[0] = item("61"))
        .but(|it| it.sight.evidence.legal_entity = None)
        .but(|it| it.sight.evidence.request = None);
    assert_eq!(scene.codes(), ["idempotency-key-reused"]);
}

#[test]
fn two_clients_with_one_key_never_meet() {
    let mut scene = one_hold();
    scene.asks(OTHER_PHARMACY, "first");
    scene.outlet().legal_entity_id = id(OTHER_PHARMACY);
    assert_eq!(scene.codes(), ["already-held"]);
}

/// Numbers count by value, so that two doors that write them differently ask the same.
#[test]
fn the_same_number_written_otherwise_is_the_same_question() {
    let mut scene = one_hold();
    scene.hold.items[0] = item("60.0000");
    assert_eq!(scene.granted(), []);
}

#[test]
fn a_refused_command_leaves_no_trace_and_is_decided_afresh() {
    let mut scene = all_in_order().but(|it| it.request().is_blocked = true);
    assert_eq!(scene.codes(), ["medication-request-blocked"]);
    scene.request().is_blocked = false;
    assert_eq!(scene.granted().len(), 1);
}

/// The key of a hold that is over stays spent; a new attempt needs a new one.
#[test]
fn a_new_attempt_after_a_cancel_needs_a_new_key() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    assert_eq!(scene.granted(), []);
    scene.asks(PHARMACY, "second");
    assert_eq!(scene.granted().len(), 1);
}

#[test]
fn a_cancel_asked_twice_brings_nothing_new_even_much_later() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    assert_eq!(asked(&scene, &wish).unwrap(), []);
    scene.sight.at = noon_and(1_000_000);
    assert_eq!(asked(&scene, &wish).unwrap(), []);
}

#[test]
fn another_cancel_with_the_same_key_is_refused() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    let mut with_reason = wish.clone();
    with_reason.reason = Some(text("wrong box"));
    assert_eq!(the_refusal(&scene, &with_reason).code, Code::IdempotencyKeyReused);
    let mut with_receipt = wish;
    with_receipt.payment_id = Some(text("A-1"));
    assert_eq!(the_refusal(&scene, &with_receipt).code, Code::IdempotencyKeyReused);
}

/// Keys of different operations do not meet: this one was spent on the hold.
#[test]
fn the_key_of_the_hold_may_cancel_it_too() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "first");
    cancelled(&mut scene, &wish);
    assert_eq!(scene.granted(), [], "the hold is still a replay");
    assert_eq!(asked(&scene, &wish).unwrap(), [], "and so is the cancel");
}

/// The payer's key is not the pharmacy's, though it is spelt alike.
#[test]
fn another_client_gets_no_replay() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    let mut payers = wish;
    payers.client = id(PAYER);
    payers.reach = dispense_domain::Reach::All;
    payers.key_digest = key_digest(id(PAYER), "cancel");
    assert_eq!(the_refusal(&scene, &payers).code, Code::WrongStatus);
}

/// Whoever replays sees the first answer; the evidence of today does not matter.
#[test]
fn a_replay_does_not_read_the_registry() {
    let mut scene = one_hold();
    Arc::make_mut(&mut scene.points_at().request).medication_qty = crate::sample::quantity("6");
    assert_eq!(scene.granted(), []);
}
