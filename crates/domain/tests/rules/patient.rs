//! Rule 16a (9.2): the code that the patient got.

use chrono::{DateTime, TimeDelta, Utc};
use dispense_domain::decide::create_hold::{
    MOST_WRONG_CODES, Verdict, WRONG_CODES_COUNT_FOR, explain,
};
use dispense_domain::{Code, CodeTurn, Place};
use serde_json::json;

use crate::sample::{Scene, all_in_order, in_parts, moment, noon_and, params, text};

const RIGHT: &str = "1212";

/// The medication request has that code, and the pharmacy gives this one.
fn code(kept: Option<&str>, given: Option<&str>) -> Scene {
    all_in_order().but(|it| {
        it.request().verification_code = kept.map(text);
        it.hold.verification_code = given.map(text);
    })
}

/// Wrong codes were given so many minutes ago.
fn after_tries(scene: Scene, minutes_ago: &[i64]) -> Scene {
    after_tries_at(scene, minutes_ago.iter().map(|ago| noon_and(-ago)).collect())
}

fn after_tries_at(scene: Scene, tries: Vec<DateTime<Utc>>) -> Scene {
    scene.but(|it| it.sight.evidence.wrong_codes = tries)
}

fn verdict(scene: &Scene) -> Verdict {
    let rules = explain(&scene.dispensing(), &scene.hold, &scene.sight);
    rules.into_iter().find(|it| it.rule == "16a").unwrap().verdict
}

#[test]
fn a_code_is_right_or_wrong_as_the_table_says() {
    let table = [
        (None, None, true),
        (None, Some("0000"), true),
        (None, Some("0"), false),
        (None, Some("00000"), false),
        (None, Some("1212"), false),
        (Some(RIGHT), Some("1212"), true),
        (Some(RIGHT), None, false),
        (Some(RIGHT), Some("0000"), false),
        (Some(RIGHT), Some("1213"), false),
    ];
    for (kept, given, right) in table {
        let codes = code(kept, given).codes();
        assert_eq!(codes.is_empty(), right, "{kept:?} {given:?}: {codes:?}");
        assert!(right || codes == ["wrong-code"], "{kept:?} {given:?}: {codes:?}");
    }
}

#[test]
fn a_code_that_differs_anywhere_or_in_length_is_wrong() {
    let others = ["2212", "1112", "1222", "1211", "2121", "121", "12121", "1", "12120000"];
    for other in others {
        assert_eq!(code(Some(RIGHT), Some(other)).codes(), ["wrong-code"], "{other}");
        assert_eq!(code(Some(other), Some(RIGHT)).codes(), ["wrong-code"], "{other}");
        assert!(code(Some(other), Some(other)).codes().is_empty(), "{other}");
    }
}

#[test]
fn a_wrong_code_is_refused_with_the_tries_that_are_left() {
    let refusal = code(Some(RIGHT), Some("9999")).the_refusal();
    assert_eq!((refusal.code, refusal.rule), (Code::WrongCode, "16a"));
    assert_eq!(refusal.place, Some(Place::Code));
    assert_eq!(refusal.message, "Incorrect code");
    assert_eq!(params(&refusal), json!({"triesLeft": "4"}));
}

#[test]
fn a_wrong_code_costs_a_try_and_a_missing_one_does_not() {
    for (tries, left_after_wrong, left_after_none) in [
        (&[][..], "4", "5"),
        (&[1], "3", "4"),
        (&[1, 1], "2", "3"),
        (&[3, 2, 1], "1", "2"),
        (&[4, 3, 2, 1], "0", "1"),
    ] {
        for (given, left) in [(Some("9999"), left_after_wrong), (None, left_after_none)] {
            let refusal = after_tries(code(Some(RIGHT), given), tries).the_refusal();
            assert_eq!(refusal.code, Code::WrongCode);
            assert_eq!(refusal.message, "Incorrect code");
            assert_eq!(params(&refusal), json!({"triesLeft": left}), "{tries:?} {given:?}");
        }
    }
}

/// Where there is no code, guesses count all the same: nobody learns by them that there is none.
#[test]
fn a_code_for_a_request_without_one_costs_a_try_too() {
    let refusal = after_tries(code(None, Some("9999")), &[2, 1]).the_refusal();
    assert_eq!(params(&refusal), json!({"triesLeft": "2"}));
}

#[test]
fn the_fifth_try_is_judged_and_the_sixth_is_not_even_if_it_is_right() {
    let four = [4, 3, 2, 1];
    assert!(after_tries(code(Some(RIGHT), Some(RIGHT)), &four).codes().is_empty());
    assert_eq!(after_tries(code(Some(RIGHT), Some("9999")), &four).codes(), ["wrong-code"]);
    let five = [5, 4, 3, 2, 1];
    let asked = [
        (Some(RIGHT), Some(RIGHT)),
        (Some(RIGHT), Some("9999")),
        (Some(RIGHT), None),
        (None, None),
        (None, Some("0000")),
    ];
    for (kept, given) in asked {
        let refusal = after_tries(code(kept, given), &five).the_refusal();
        assert_eq!((refusal.code, refusal.rule), (Code::TooManyWrongCodes, "16a"));
        assert_eq!(refusal.place, Some(Place::Code));
        assert_eq!(
            refusal.message,
            "Too many wrong verification codes for this medication request"
        );
        let expected =
            json!({"limit": "5", "retryAt": "2026-03-10T10:10:00.000000Z", "retryAfter": "600"});
        assert_eq!(params(&refusal), expected, "{kept:?} {given:?}");
    }
    assert_eq!((MOST_WRONG_CODES, WRONG_CODES_COUNT_FOR), (5, TimeDelta::minutes(15)));
}

#[test]
fn a_try_counts_for_fifteen_minutes_and_no_longer() {
    let right = || code(Some(RIGHT), Some(RIGHT));
    let first = moment("2026-03-10T09:45:00Z");
    let tries = |first| vec![first, noon_and(-4), noon_and(-3), noon_and(-2), noon_and(-1)];
    assert_eq!(right().sight.at - first, TimeDelta::minutes(15));
    assert!(after_tries_at(right(), tries(first)).codes().is_empty(), "exactly 15 minutes later");
    let counts = first + TimeDelta::microseconds(1);
    assert_eq!(after_tries_at(right(), tries(counts)).codes(), ["too-many-wrong-codes"]);

    let wrong = after_tries_at(code(Some(RIGHT), Some("9999")), tries(first));
    assert_eq!(params(&wrong.the_refusal()), json!({"triesLeft": "0"}), "the window slides");
    let long_ago = after_tries(code(Some(RIGHT), Some("9999")), &[15, 16, 60, 1_440, 15]);
    assert_eq!(params(&long_ago.the_refusal()), json!({"triesLeft": "4"}));
}

#[test]
fn there_is_room_again_when_the_fifth_last_try_counts_no_more() {
    let tries = [
        (vec![14, 10, 5, 3, 1], "2026-03-10T10:01:00.000000Z"),
        (vec![1, 3, 14, 10, 5], "2026-03-10T10:01:00.000000Z"),
        // Of seven that count, the last five do not go under before the third does.
        (vec![14, 13, 12, 11, 10, 9, 8], "2026-03-10T10:03:00.000000Z"),
        // What no longer counts is none of the five.
        (vec![20, 15, 9, 8, 7, 6, 5], "2026-03-10T10:06:00.000000Z"),
    ];
    for (minutes_ago, again) in tries {
        let mut scene = after_tries(code(Some(RIGHT), Some(RIGHT)), &minutes_ago);
        assert_eq!(params(&scene.the_refusal())["retryAt"], again, "{minutes_ago:?}");
        scene.sight.at = moment(again);
        assert!(scene.codes().is_empty(), "at that instant: {minutes_ago:?}");
        scene.sight.at -= TimeDelta::microseconds(1);
        let params = params(&scene.the_refusal());
        assert_eq!(params["retryAt"], again, "just before: {minutes_ago:?}");
        assert_eq!(params["retryAfter"], "1", "a part of a second counts whole: {minutes_ago:?}");
    }
}

/// The code is judged last, so that nobody learns about it who cannot dispense anyway.
#[test]
fn judged_last_a_code_is_heard_only_if_all_else_is_in_order() {
    let broken: [fn(&mut Scene); 4] = [
        |it| it.request().is_blocked = true,
        |it| it.outlet().dls_verified = None,
        |it| it.wants(&["50"]),
        |it| it.hold.payment_id = dispense_domain::Stated::Null,
    ];
    for (place, breaking) in broken.into_iter().enumerate() {
        for given in [None, Some(RIGHT), Some("9999")] {
            let scene = code(Some(RIGHT), given).but(breaking);
            let scene = scene.but(|it| {
                it.hold.code_turn = CodeTurn::Last;
                it.terms().division_dls_verify = dispense_domain::Switch::On;
            });
            let codes = scene.codes();
            assert_eq!(codes.len(), 1, "{place}: {codes:?}");
            assert_ne!(codes, ["wrong-code"], "{place}");
            assert_eq!(verdict(&scene), Verdict::NotEvaluated, "{place}");
            let tried = after_tries(scene, &[1; 5]);
            assert_eq!(tried.codes(), codes, "{place}: nor are tries counted aloud");
        }
    }
}

#[test]
fn judged_in_its_place_a_code_waits_for_what_comes_before_it_alone() {
    let asked = |given, breaking: fn(&mut Scene)| {
        let scene = code(Some(RIGHT), given).but(breaking);
        scene.but(|it| it.hold.code_turn = CodeTurn::InPlace)
    };
    let later: fn(&mut Scene) = |it| it.wants(&["50"]);
    assert_eq!(asked(Some("9999"), later).codes(), ["wrong-code", "quantity-not-equal"]);
    assert_eq!(asked(None, later).codes(), ["wrong-code", "quantity-not-equal"]);
    assert_eq!(asked(Some(RIGHT), later).codes(), ["quantity-not-equal"]);
    assert_eq!(verdict(&asked(Some(RIGHT), later)), Verdict::Passed);

    let before: fn(&mut Scene) = |it| it.hold.items[0].discount_amount = None;
    for given in [Some("9999"), None, Some(RIGHT)] {
        assert_eq!(asked(given, before).codes(), ["discount-out-of-bounds"], "{given:?}");
        assert_eq!(verdict(&asked(given, before)), Verdict::NotEvaluated);
    }
    let nothing: fn(&mut Scene) = |_| {};
    assert_eq!(asked(Some("9999"), nothing).codes(), ["wrong-code"]);
    assert!(asked(Some(RIGHT), nothing).codes().is_empty());
}

#[test]
fn without_a_medication_request_there_is_no_code_to_judge() {
    let mut scene = code(Some(RIGHT), Some("9999"));
    scene.hold.code_turn = CodeTurn::InPlace;
    scene.sight.evidence.request = None;
    assert_eq!(verdict(&scene), Verdict::NotEvaluated);
}

#[test]
fn neither_code_is_kept_or_told_anywhere() {
    let (kept, given) = ("8156", "7364");
    let never_told = |told: String| {
        assert!(!told.contains(kept) && !told.contains(given), "{told}");
    };
    for given in [kept, given] {
        let mut scene = code(Some(kept), Some(given));
        scene.under(in_parts());
        scene.hold.code_turn = CodeTurn::InPlace;
        let before = scene.dispensing();
        for rule in explain(&before, &scene.hold, &scene.sight) {
            never_told(format!("{rule:?}"));
        }
        let scene = after_tries(scene, &[1; 5]);
        never_told(format!("{:?}", scene.refused()));
    }
    for event in code(Some(kept), Some(kept)).granted() {
        never_told(serde_json::to_string(&event).unwrap());
        let body = event.personal().and_then(|it| it.text()).map(ToString::to_string);
        never_told(body.unwrap());
    }
}
