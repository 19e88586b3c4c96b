//! Programs without signature: held and handed over in one commit.

use dispense_domain::{
    DispenseEvent, HoldCreated, Processed, ProcessedBody, Remaining, Stated, Status, salt_for,
};
use rust_decimal::Decimal;

use crate::sample::{
    PHARMACY, Scene, all_in_order, hryvnias, in_parts, noon_and, text, without_signature,
};

/// All sixty tablets for 136.50, recorded at once.
pub(crate) fn paid_at_once() -> Scene {
    all_in_order()
        .but(|it| it.under(without_signature()))
        .but(|it| it.hold.payment_amount = Stated::Value(hryvnias("136.50")))
}

/// The same in parts.
fn part(number: &str) -> Scene {
    let mut settings = without_signature();
    settings.multi_medication_dispense_allowed = in_parts().multi_medication_dispense_allowed;
    paid_at_once()
        .but(|it| it.under(settings))
        .but(Scene::in_any_quantity)
        .but(|it| it.wants(&[number]))
}

#[track_caller]
fn hold_and_hand_over(scene: &Scene) -> (HoldCreated, Processed) {
    let events = scene.granted();
    let [DispenseEvent::HoldCreated(hold), DispenseEvent::Processed(processed)] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    (hold.as_ref().clone(), processed.clone())
}

fn left(number: &str) -> Remaining {
    Remaining::try_from(number.parse::<Decimal>().unwrap()).unwrap()
}

#[test]
fn both_events_come_together_and_no_hold_is_ever_seen() {
    let mut scene = paid_at_once();
    let (hold, processed) = hold_and_hand_over(&scene);
    assert!(hold.processed_at_once);
    assert_eq!(hold.expires_at, None);
    assert_eq!(
        processed,
        Processed {
            dispense_id: scene.hold.dispense_id,
            signed: false,
            payment_amount: Some(hryvnias("136.50")),
            remaining: Remaining::NOTHING,
            content: None,
            key_digest: None,
            request_digest: None,
            personal: None,
        }
    );
    scene.happens();
    let after = scene.dispensing();
    assert_eq!(after.dispenses()[0].status(scene.sight.at), Status::Processed);
    assert_eq!(after.dispenses()[0].version, 2);
    assert_eq!(after.processed(), Decimal::from(60));
    assert!(after.is_completed());
}

#[test]
fn a_receipt_is_kept_beside_the_log() {
    let scene = paid_at_once().but(|it| it.hold.payment_id = Stated::Value(text("A-1")));
    let (_, processed) = hold_and_hand_over(&scene);
    let body = processed.personal.unwrap();
    let body: ProcessedBody = serde_json::from_str(body.text().unwrap()).unwrap();
    let salt = salt_for(&scene.sight.salt, "Processed");
    assert_eq!(body, ProcessedBody { salt, payment_id: Some(text("A-1")) });
}

#[test]
fn each_part_says_what_is_left() {
    let mut scene = part("20");
    for (key, number, before, after) in
        [("first", "20", "60", "40"), ("second", "32.5", "40", "7.5"), ("last", "7.5", "7.5", "0")]
    {
        scene.asks(PHARMACY, key);
        scene.wants(&[number]);
        let (hold, processed) = hold_and_hand_over(&scene);
        assert_eq!(hold.medication_request.remaining, left(before));
        assert_eq!(processed.remaining, left(after));
        scene.happens();
    }
    assert!(scene.dispensing().is_completed());
}

#[test]
fn a_replay_brings_neither_event_again() {
    let mut scene = paid_at_once();
    scene.happens();
    assert_eq!(scene.granted(), []);
}

/// What was handed over does not run out.
#[test]
fn time_does_not_undo_it() {
    let mut scene = part("20");
    scene.happens();
    scene.sight.at = noon_and(60);
    assert_eq!(scene.dispensing().dispenses()[0].status(scene.sight.at), Status::Processed);
    scene.asks(PHARMACY, "second");
    scene.wants(&["40.0001"]);
    assert_eq!(scene.codes(), ["quantity-exceeds-available"]);
}

/// A live hold from a time when the program wanted signatures keeps others out all the same.
#[test]
fn a_live_hold_keeps_out_a_dispense_at_once() {
    let mut scene = all_in_order();
    scene.happens();
    let mut scene = Scene { given: scene.given, ..paid_at_once() };
    scene.asks(PHARMACY, "second");
    assert_eq!(scene.codes(), ["already-held"]);
}

/// A hold that ran out is recorded first, then both events.
#[test]
fn three_events_where_a_hold_ran_out_before() {
    let mut scene = all_in_order();
    scene.happens();
    let mut scene = Scene { given: scene.given, ..paid_at_once() };
    scene.asks(PHARMACY, "second");
    scene.sight.at = noon_and(11);
    let names: Vec<_> = scene.granted().iter().map(DispenseEvent::name).collect();
    assert_eq!(names, ["Expired", "HoldCreated", "Processed"]);
}
