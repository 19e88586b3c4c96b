//! Rules 17 to 19 and the limit: one hold at a time, something left, and how much may be taken.

use chrono::TimeDelta;
use dispense_domain::decide::MOST_DISPENSES;
use dispense_domain::registry::ProgramSettings;
use dispense_domain::{Cancelled, Code, DispenseEvent, DispenseId, Place, Processed, Remaining};
use rust_decimal::Decimal;
use serde_json::json;

use crate::sample::{
    BRAND, OTHER_PHARMACY, PHARMACY, REQUEST, Scene, all_in_order, id, in_parts, noon_and, params,
    quantity,
};

/// Has the dispense that is asked for processed, as a signature would.
fn processed(scene: &mut Scene) {
    scene.happens();
    let taken = scene.dispensing().dispenses().iter().map(|it| it.taken).sum();
    scene.given.push(DispenseEvent::Processed(Processed {
        dispense_id: scene.hold.dispense_id,
        signed: true,
        payment_amount: None,
        remaining: Remaining::after(quantity("60"), taken),
        content: None,
        key_digest: None,
        request_digest: None,
        personal: None,
    }));
}

/// Sixty tablets that may go in parts, those already handed over.
fn after_parts(parts: &[&str]) -> Scene {
    let mut scene = all_in_order().but(|it| it.under(in_parts())).but(Scene::in_any_quantity);
    for part in parts {
        scene.asks(PHARMACY, &format!("part {}", scene.given.len()));
        scene.wants(&[part]);
        processed(&mut scene);
    }
    scene.asks(PHARMACY, "next");
    scene
}

fn held_by(client: u128) -> Scene {
    let mut scene = all_in_order();
    scene.happens();
    scene.sight.at = noon_and(10);
    scene.asks(client, "second");
    scene.outlet().legal_entity_id = id(client);
    scene
}

/// 17: ten minutes, the last instant included.
#[test]
fn a_hold_keeps_others_out_until_its_last_instant() {
    let scene = held_by(PHARMACY);
    assert_eq!(scene.the_refusal().code, Code::AlreadyHeld);
    assert_eq!(scene.the_refusal().place, Some(Place::Request));
    let after = scene.but(|it| it.sight.at += TimeDelta::microseconds(1));
    assert!(after.codes().is_empty());
}

/// 17: the caller's own hold is named, anybody else's is a secret.
#[test]
fn a_hold_is_named_to_its_owner_alone() {
    let first = all_in_order().hold.dispense_id;
    assert_eq!(
        params(&held_by(PHARMACY).the_refusal()),
        json!({"dispenseId": first.to_string(), "expiresAt": "2026-03-10T10:10:00.000000Z"})
    );
    assert_eq!(params(&held_by(OTHER_PHARMACY).the_refusal()), json!({}));
}

/// 17: also where parts are allowed, they come one after the other.
#[test]
fn parts_are_not_held_side_by_side() {
    let mut scene = after_parts(&[]).but(|it| it.wants(&["10"]));
    scene.happens();
    scene.asks(PHARMACY, "another");
    assert_eq!(scene.codes(), ["already-held"]);
}

/// 17: a cancelled hold makes room at once.
#[test]
fn a_cancelled_hold_keeps_nobody_out() {
    let mut scene = held_by(OTHER_PHARMACY);
    let opened_by = scene.dispensing().dispenses()[0].opened_by;
    scene.given.push(DispenseEvent::Cancelled(Cancelled {
        dispense_id: all_in_order().hold.dispense_id,
        key_digest: opened_by.key,
        request_digest: opened_by.request,
        personal: None,
    }));
    assert!(scene.codes().is_empty());
}

/// 18 with 6b: both say that it is over.
#[test]
fn nothing_is_left_of_what_is_fully_dispensed() {
    let scene = after_parts(&["60"]).but(|it| it.wants(&["0.0001"]));
    let refused = scene.refused();
    let codes: Vec<_> = refused.iter().map(|no| no.code).collect();
    let expected =
        [Code::MedicationRequestNotActive, Code::NothingLeft, Code::QuantityExceedsAvailable];
    assert_eq!(codes, expected);
    assert_eq!(refused[1].place, Some(Place::Request));
    assert_eq!(params(&refused[1]), json!({"prescribed": "60", "dispensed": "60"}));
}

/// 18: where parts are not allowed, a first part is the last.
#[test]
fn a_program_without_parts_has_nothing_left_once_a_part_is_gone() {
    let scene = after_parts(&["59.9999"])
        .but(|it| it.under(ProgramSettings::default()))
        .but(|it| it.wants(&["60"]));
    let no = scene.the_refusal();
    assert_eq!(no.code, Code::NothingLeft);
    assert_eq!(params(&no), json!({"prescribed": "60", "dispensed": "59.9999"}));
    let in_parts = after_parts(&["59.9999"]).but(|it| it.wants(&["0.0001"]));
    assert!(in_parts.codes().is_empty());
}

/// 18: under an unknown program only what everyone knows is said.
#[test]
fn something_may_be_left_under_an_unknown_program() {
    let scene = after_parts(&["20"]).but(|it| it.sight.evidence.program = None);
    assert_eq!(scene.codes(), ["program-not-found"]);
    let scene = after_parts(&["60"]).but(|it| it.sight.evidence.program = None);
    assert_eq!(
        scene.codes(),
        ["medication-request-not-active", "program-not-found", "nothing-left"]
    );
}

/// 19, without parts: the whole quantity, no more and no less.
#[test]
fn without_parts_exactly_what_was_prescribed() {
    let scene = || all_in_order().but(Scene::in_any_quantity);
    for taken in [&["60"][..], &["60.0000"], &["20", "40"], &["0.0001", "59.9999"]] {
        assert!(scene().but(|it| it.wants(taken)).codes().is_empty(), "{taken:?}");
    }
    for (taken, requested) in
        [(&["59"][..], "59"), (&["61"], "61"), (&["30", "29.5"], "59.5"), (&["60.0001"], "60.0001")]
    {
        let no = scene().but(|it| it.wants(taken)).the_refusal();
        assert_eq!((no.code, no.place.clone()), (Code::QuantityNotEqual, Some(Place::Quantity)));
        assert_eq!(
            no.message,
            "Dispensed medication quantity must be equal to medication quantity in Medication \
             Request"
        );
        assert_eq!(params(&no), json!({"requested": requested, "prescribed": "60"}));
    }
}

/// 19, in parts: up to what is left, and the message says how much that is.
#[test]
fn in_parts_no_more_than_is_left() {
    let text = "Dispensed medication quantity must be lower or equal to medication quantity in \
                Medication Request. Available quantity is ";
    for (parts, left, more) in [
        (&[][..], "60", "60.0001"),
        (&["20", "10"], "30", "31"),
        (&["52.5"], "7.5", "7.5001"),
        (&["59.9999"], "0.0001", "0.0002"),
    ] {
        assert!(after_parts(parts).but(|it| it.wants(&[left])).codes().is_empty(), "{left}");
        let no = after_parts(parts).but(|it| it.wants(&[more])).the_refusal();
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::QuantityExceedsAvailable, Some(Place::Quantity))
        );
        assert_eq!(no.message, format!("{text}{left}"));
        assert_eq!(params(&no), json!({"requested": more, "available": left}));
    }
    let lines = after_parts(&["20", "10"]).but(|it| it.wants(&["15", "16"]));
    assert_eq!(lines.codes(), ["quantity-exceeds-available"], "lines are added up");
}

/// Somebody holds so much and gives it back.
fn cancelled(scene: &mut Scene, number: &str) {
    scene.asks(PHARMACY, "given back");
    scene.wants(&[number]);
    scene.happens();
    let opened_by = scene.dispensing().get(scene.hold.dispense_id).unwrap().opened_by;
    scene.given.push(DispenseEvent::Cancelled(Cancelled {
        dispense_id: scene.hold.dispense_id,
        key_digest: opened_by.key,
        request_digest: opened_by.request,
        personal: None,
    }));
}

/// 7.2, the worked example: 20 and 10 handed over, 30 rejected, 30 expired; 30 are left.
#[test]
fn only_what_was_handed_over_counts_as_taken() {
    let mut before = after_parts(&["20", "10"]);
    cancelled(&mut before, "30");
    before.asks(PHARMACY, "runs out");
    before.wants(&["30"]);
    before.happens();
    before.sight.at = noon_and(11);
    before.asks(PHARMACY, "next");

    let no = before.clone().but(|it| it.wants(&["31"])).the_refusal();
    assert_eq!(
        no.message,
        "Dispensed medication quantity must be lower or equal to medication quantity in Medication \
         Request. Available quantity is 30"
    );
    let mut all = before.clone().but(|it| it.wants(&["30"]));
    processed(&mut all);
    assert!(all.dispensing().is_completed());
    all.asks(PHARMACY, "too late");
    assert_eq!(all.codes()[..2], ["medication-request-not-active", "nothing-left"]);

    let mut part = before.but(|it| it.wants(&["10"]));
    processed(&mut part);
    assert!(!part.dispensing().is_completed());
    part.asks(PHARMACY, "the rest");
    assert_eq!(part.clone().but(|it| it.wants(&["20"])).codes(), [""; 0]);
    let no = part.but(|it| it.wants(&["20.0001"])).the_refusal();
    assert_eq!(params(&no)["available"], "20");
}

/// 19: what a hold has of several brands is added up, and each counts.
#[test]
fn the_items_of_several_brands_are_added_up() {
    let brands = |quantities: &[&str]| {
        let mut scene = after_parts(&["20"]).but(|it| it.wants(quantities));
        for (index, item) in scene.hold.items.iter_mut().enumerate() {
            item.medication_id = id(BRAND + index as u128);
            let medication = scene.sight.evidence.medications[index].as_mut().unwrap();
            std::sync::Arc::make_mut(medication).id = item.medication_id;
        }
        scene
    };
    assert_eq!(brands(&["7.5", "12.5", "20"]).codes(), [""; 0]);
    let no = brands(&["7.5", "12.5", "20.0001"]).the_refusal();
    assert_eq!(params(&no), json!({"requested": "40.0001", "available": "40"}));
    let mut first = brands(&["15", "15"]);
    processed(&mut first);
    first.asks(PHARMACY, "the rest");
    first.wants(&["10.5"]);
    assert_eq!(params(&first.the_refusal())["available"], "10", "both were taken");
}

/// 19: outside any program parts are a matter of the installation.
#[test]
fn outside_any_program_the_installation_says_whether_parts_are_allowed() {
    let scene = all_in_order().but(Scene::without_program).but(|it| it.wants(&["10"]));
    assert_eq!(scene.codes(), ["quantity-not-equal"]);
    let scene = scene.but(|it| it.terms().multi_dispense_without_program = true);
    assert!(scene.codes().is_empty());
    // It has no say in a program.
    let scene = all_in_order().but(|it| it.wants(&["10"])).but(|it| {
        it.terms().multi_dispense_without_program = true;
    });
    assert_eq!(scene.codes(), ["quantity-not-equal"]);
}

/// 19: the setting must be said; null and false are no.
#[test]
fn parts_are_allowed_only_where_the_program_says_true() {
    for setting in [None, Some(false)] {
        let mut scene = all_in_order().but(|it| it.wants(&["10"]));
        let mut settings = in_parts();
        settings.multi_medication_dispense_allowed = setting;
        scene.under(settings);
        assert_eq!(scene.codes(), ["quantity-not-equal"], "{setting:?}");
    }
}

/// 19: the prescribed quantity is that of the stream, once it has one.
#[test]
fn a_later_registry_quantity_changes_nothing() {
    let mut scene = after_parts(&["20"]).but(|it| it.wants(&["40"]));
    scene.request().medication_qty = quantity("6");
    assert!(scene.codes().is_empty());
    scene.request().medication_qty = quantity("600");
    scene.wants(&["41"]);
    assert_eq!(scene.codes(), ["quantity-exceeds-available"]);

    let mut whole = all_in_order();
    whole.happens();
    whole.sight.at = noon_and(11);
    whole.asks(PHARMACY, "after the first ran out");
    whole.request().medication_qty = quantity("600");
    assert_eq!(whole.codes(), [""; 0]);
    whole.wants(&["600"]);
    assert_eq!(params(&whole.the_refusal()), json!({"requested": "600", "prescribed": "60"}));
}

/// 19: sums beyond every limit are refused, not wrapped and not a panic.
#[test]
fn a_sum_of_many_large_lines_is_refused() {
    let scene = all_in_order()
        .but(Scene::in_any_quantity)
        .but(|it| it.sight.evidence.participants[0].clear())
        .but(|it| it.wants(&["9999999.9999"; 300]));
    let refused = scene.refused();
    assert_eq!(refused.len(), 301, "no line takes part in the program");
    let no = refused.last().unwrap();
    assert_eq!(no.code, Code::QuantityNotEqual);
    let requested: Decimal = "2999999999.97".parse().unwrap();
    assert_eq!(params(no)["requested"], requested.to_string());
}

/// limit.
#[test]
fn the_five_hundredth_attempt_is_the_last() {
    let mut scene = all_in_order();
    let first = scene.granted().remove(0);
    let DispenseEvent::HoldCreated(hold) = first else { panic!("{first:?}") };
    for attempt in 1..MOST_DISPENSES {
        let mut hold = hold.as_ref().clone();
        hold.dispense_id =
            DispenseId::asked_for(id(REQUEST), id(PHARMACY), &format!("attempt {attempt}"));
        hold.expires_at = Some(noon_and(-1));
        scene.given.push(DispenseEvent::HoldCreated(hold.into()));
    }
    assert!(scene.codes().is_empty(), "the 500th");
    scene.happens();
    scene.sight.at = noon_and(11);
    scene.asks(PHARMACY, "the 501st");
    let no = scene.the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::TooManyDispenses, None));
    assert_eq!(params(&no), json!({"limit": "500"}));
}
