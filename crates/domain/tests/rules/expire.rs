//! D-06: a hold that ran out is over by the clock, and is recorded as such once.

use chrono::TimeDelta;
use dispense_domain::{Command, DispenseEvent, Expire, Expired, Status, decide};

use crate::cancel::one_hold;
use crate::sample::{OTHER_PHARMACY, PHARMACY, Scene, all_in_order, id, noon_and};

/// What the sweeper would record.
pub(crate) fn expired(scene: &Scene) -> Vec<DispenseEvent> {
    decide(&scene.dispensing(), &Command::Expire(Expire), &scene.sight).unwrap()
}

fn expiry_of(scene: &Scene) -> DispenseEvent {
    let dispense_id = scene.hold.dispense_id;
    DispenseEvent::Expired(Expired { dispense_id, expires_at: noon_and(10) })
}

#[test]
fn the_last_instant_of_a_hold_still_belongs_to_it() {
    let mut scene = one_hold();
    scene.sight.at = noon_and(10);
    assert_eq!(expired(&scene), []);
    assert_eq!(scene.dispensing().dispenses()[0].status(scene.sight.at), Status::Held);

    scene.sight.at += TimeDelta::microseconds(1);
    assert_eq!(expired(&scene), [expiry_of(&scene)]);
    assert_eq!(scene.dispensing().dispenses()[0].status(scene.sight.at), Status::Expired);
    assert_eq!(scene.dispensing().dispenses()[0].recorded_status(), Status::Held);
    assert_eq!(scene.dispensing().live_hold(scene.sight.at), None);
    assert!(scene.dispensing().held(scene.sight.at).is_zero());
}

#[test]
fn an_expiry_is_recorded_once() {
    let mut scene = one_hold();
    scene.sight.at = noon_and(11);
    scene.given.extend(expired(&scene));
    assert_eq!(scene.dispensing().dispenses()[0].recorded_status(), Status::Expired);
    assert_eq!(expired(&scene), []);
}

#[test]
fn there_is_nothing_to_expire_where_nothing_was_held() {
    assert_eq!(expired(&all_in_order()), []);
    let mut processed = crate::skip_sign::paid_at_once();
    processed.happens();
    processed.sight.at = noon_and(1_000_000);
    assert_eq!(expired(&processed), []);
}

/// The next hold records the end of the one before it, first and in the same commit.
#[test]
fn a_hold_that_ran_out_makes_room_for_the_next() {
    let mut scene = one_hold();
    let lapsed = expiry_of(&scene);
    scene.sight.at = noon_and(11);
    scene.asks(OTHER_PHARMACY, "mine");
    scene.outlet().legal_entity_id = id(OTHER_PHARMACY);
    let events = scene.happens();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], lapsed);
    let DispenseEvent::HoldCreated(hold) = &events[1] else { panic!("{events:?}") };
    assert_eq!(hold.dispense_id, scene.hold.dispense_id);
    assert_eq!(hold.expires_at, Some(noon_and(21)));
}

/// A refused command records nothing, not even what it noticed.
#[test]
fn a_refused_hold_does_not_record_an_expiry() {
    let mut scene = one_hold();
    scene.sight.at = noon_and(11);
    scene.asks(PHARMACY, "too much");
    scene.wants(&["70"]);
    assert_eq!(scene.codes(), ["quantity-not-equal"]);
}

/// A hold lasts as long as the installation says.
#[test]
fn a_hold_lasts_as_long_as_configured() {
    let mut scene = all_in_order();
    scene.terms().hold_lasts = std::time::Duration::from_secs(90);
    let events = scene.granted();
    let DispenseEvent::HoldCreated(hold) = &events[0] else { panic!("{events:?}") };
    assert_eq!(hold.expires_at, Some(noon_and(1) + TimeDelta::seconds(30)));
}

/// A setting beyond the end of time is no reason to panic.
#[test]
fn a_hold_without_end_cannot_be_recorded() {
    for seconds in [u64::MAX / 1_000, u64::MAX] {
        let mut scene = all_in_order();
        scene.terms().hold_lasts = std::time::Duration::from_secs(seconds);
        assert_eq!(scene.codes(), ["medication-request-invalid"]);
    }
}
