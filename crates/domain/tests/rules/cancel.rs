//! Rules 4.1 and 5.6: a live hold is given back, by who owns it or by the payer.

use chrono::TimeDelta;
use dispense_domain::command::key_digest;
use dispense_domain::{
    Cancel, CancelledBody, Code, Command, DispenseEvent, Reach, Refusal, Refusals, Status, decide,
    salt_for,
};
use serde_json::json;

use crate::sample::{
    OTHER_PHARMACY, PHARMACY, Scene, USER, all_in_order, id, noon_and, params, text,
};

pub(crate) const PAYER: u128 = 0x9_0001;

/// All sixty tablets are held, one minute ago.
pub(crate) fn one_hold() -> Scene {
    let mut scene = all_in_order();
    scene.happens();
    scene.sight.at = noon_and(1);
    scene
}

/// Who holds wants to give it back.
pub(crate) fn cancel(scene: &Scene, key: &str) -> Cancel {
    Cancel {
        dispense_id: scene.hold.dispense_id,
        user: id(USER),
        client: id(PHARMACY),
        reach: Reach::Own,
        reason: None,
        payment_id: None,
        key_digest: key_digest(id(PHARMACY), key),
    }
}

pub(crate) fn asked(scene: &Scene, cancel: &Cancel) -> Result<Vec<DispenseEvent>, Refusals> {
    decide(&scene.dispensing(), &Command::Cancel(cancel.clone()), &scene.sight)
}

#[track_caller]
pub(crate) fn the_refusal(scene: &Scene, cancel: &Cancel) -> Refusal {
    let [only] =
        <[Refusal; 1]>::try_from(asked(scene, cancel).unwrap_err().all().to_vec()).unwrap();
    only
}

#[track_caller]
pub(crate) fn cancelled(scene: &mut Scene, cancel: &Cancel) {
    let events = asked(scene, cancel).unwrap();
    scene.given.extend(events);
}

#[test]
fn a_hold_is_given_back_and_the_tablets_are_free_again() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    let events = asked(&scene, &wish).unwrap();
    let [DispenseEvent::Cancelled(event)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.dispense_id, scene.hold.dispense_id);
    assert_eq!(event.key_digest, wish.key_digest);
    assert_eq!(event.request_digest, wish.request_digest());
    assert_eq!(event.personal, None, "nothing was said, so nothing is kept");

    scene.given.extend(events);
    let after = scene.dispensing();
    assert_eq!(after.dispenses()[0].status(scene.sight.at), Status::Cancelled);
    assert!(after.held(scene.sight.at).is_zero());
    scene.asks(PHARMACY, "again");
    assert!(scene.codes().is_empty());
}

#[test]
fn reason_and_receipt_are_kept_beside_the_log() {
    let scene = one_hold();
    for (reason, payment_id) in
        [(Some("wrong box"), Some("A-1")), (Some("wrong box"), None), (None, Some("A-1"))]
    {
        let mut wish = cancel(&scene, "cancel");
        wish.reason = reason.map(text);
        wish.payment_id = payment_id.map(text);
        let events = asked(&scene, &wish).unwrap();
        let body = events[0].personal().unwrap().text().unwrap();
        let body: CancelledBody = serde_json::from_str(body).unwrap();
        assert_eq!(
            body,
            CancelledBody {
                salt: salt_for(&scene.sight.salt, "Cancelled"),
                payment_id: payment_id.map(text),
                reason: reason.map(text),
            }
        );
    }
}

/// D-10: what is not there and what is another's look the same.
#[test]
fn an_unknown_dispense_and_a_foreign_one_are_not_found() {
    let scene = one_hold();
    let mut unknown = cancel(&scene, "cancel");
    unknown.dispense_id = id(0xdead);
    let mut foreign = cancel(&scene, "cancel");
    foreign.client = id(OTHER_PHARMACY);
    let (unknown, foreign) = (the_refusal(&scene, &unknown), the_refusal(&scene, &foreign));
    assert_eq!(unknown.code, Code::DispenseNotFound);
    assert_eq!(unknown, foreign);
}

/// D-10: a foreign dispense stays unseen whatever became of it.
#[test]
fn a_foreign_dispense_that_is_over_is_not_found_either() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    cancelled(&mut scene, &wish);
    let mut foreign = cancel(&scene, "cancel");
    foreign.client = id(OTHER_PHARMACY);
    assert_eq!(the_refusal(&scene, &foreign).code, Code::DispenseNotFound);
}

#[test]
fn the_payer_may_cancel_for_others_but_not_what_does_not_exist() {
    let scene = one_hold();
    let mut wish = cancel(&scene, "cancel");
    wish.client = id(PAYER);
    wish.key_digest = key_digest(id(PAYER), "cancel");
    wish.reach = Reach::All;
    assert!(matches!(asked(&scene, &wish).unwrap()[..], [DispenseEvent::Cancelled(_)]));
    wish.dispense_id = id(0xdead);
    assert_eq!(the_refusal(&scene, &wish).code, Code::DispenseNotFound);
}

/// D-06: the last instant of a hold still belongs to it.
#[test]
fn a_hold_can_be_cancelled_until_its_last_instant() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    scene.sight.at = noon_and(10);
    assert!(asked(&scene, &wish).is_ok());

    scene.sight.at += TimeDelta::microseconds(1);
    let no = the_refusal(&scene, &wish);
    assert_eq!(no.code, Code::WrongStatus);
    assert_eq!(no.message, "Can't update medication dispense status from EXPIRED to REJECTED");
    assert_eq!(params(&no), json!({"from": "EXPIRED", "to": "REJECTED"}));
}

/// 4.1: what is over stays over.
#[test]
fn a_final_status_cannot_be_left() {
    let mut scene = one_hold();
    let first = cancel(&scene, "cancel");
    cancelled(&mut scene, &first);
    let no = the_refusal(&scene, &cancel(&scene, "another key"));
    assert_eq!(no.message, "Can't update medication dispense status from REJECTED to REJECTED");

    let mut processed = crate::skip_sign::paid_at_once();
    processed.happens();
    let no = the_refusal(&processed, &cancel(&processed, "cancel"));
    assert_eq!(no.message, "Can't update medication dispense status from PROCESSED to REJECTED");
    assert_eq!(params(&no), json!({"from": "PROCESSED", "to": "REJECTED"}));

    let mut lapsed = one_hold();
    lapsed.sight.at = noon_and(11);
    lapsed.given.extend(crate::expire::expired(&lapsed));
    let no = the_refusal(&lapsed, &cancel(&lapsed, "cancel"));
    assert_eq!(no.message, "Can't update medication dispense status from EXPIRED to REJECTED");
}
