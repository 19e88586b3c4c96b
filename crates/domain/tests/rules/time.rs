//! Every period at its first and last instant: days are those of `TIME_ZONE`, and both ends belong
//! to them.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use dispense_domain::decide::create_hold;
use dispense_domain::{
    Care, Command, DispenseDay, DispenseEvent, Expire, Provision, Switch, decide,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::records::contract;
use crate::sample::{Scene, all_in_order, day, moment, record, text, uuid};

/// A day of a zone: its first instant, and the first of the day after it.
type Day = (&'static str, &'static str, &'static str);

/// Days in Kyiv: usual ones, ends of months and years, and those on which the clock is changed.
#[rustfmt::skip]
const KYIV: [Day; 12] = [
    ("2026-03-10", "2026-03-09T22:00:00Z", "2026-03-10T22:00:00Z"),
    ("2026-07-15", "2026-07-14T21:00:00Z", "2026-07-15T21:00:00Z"),
    ("2026-01-31", "2026-01-30T22:00:00Z", "2026-01-31T22:00:00Z"),
    ("2026-12-31", "2026-12-30T22:00:00Z", "2026-12-31T22:00:00Z"),
    ("2026-02-28", "2026-02-27T22:00:00Z", "2026-02-28T22:00:00Z"),
    ("2028-02-28", "2028-02-27T22:00:00Z", "2028-02-28T22:00:00Z"),
    ("2028-02-29", "2028-02-28T22:00:00Z", "2028-02-29T22:00:00Z"),
    ("2026-03-28", "2026-03-27T22:00:00Z", "2026-03-28T22:00:00Z"),
    ("2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"), // 23 hours
    ("2026-03-30", "2026-03-29T21:00:00Z", "2026-03-30T21:00:00Z"),
    ("2026-10-25", "2026-10-24T21:00:00Z", "2026-10-25T22:00:00Z"), // 25 hours
    ("2026-10-26", "2026-10-25T22:00:00Z", "2026-10-26T22:00:00Z"),
];

/// Days elsewhere: where the clock is changed at midnight some day has no midnight, or two.
#[rustfmt::skip]
const ELSEWHERE: [(Tz, Day); 7] = [
    (Tz::UTC, ("2026-03-29", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z")),
    (Tz::America__Santiago, ("2026-04-04", "2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z")),
    (Tz::America__Santiago, ("2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")),
    (Tz::Asia__Beirut, ("2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z")),
    (Tz::Asia__Beirut, ("2026-10-24", "2026-10-23T21:00:00Z", "2026-10-24T22:00:00Z")),
    (Tz::Asia__Kathmandu, ("2026-03-10", "2026-03-09T18:15:00Z", "2026-03-10T18:15:00Z")),
    // On the other side of the day that Samoa left out.
    (Tz::Pacific__Apia, ("2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z")),
];

/// The smallest step of the clock.
const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Everything is in order on every day.
fn on_any_day() -> Scene {
    let mut scene = all_in_order();
    let (first, last) = (day("1990-01-01"), day("2190-12-31"));
    dispensable(&mut scene, first, last);
    contracted(&mut scene, first, last);
    scene.request().created_at = Some(first);
    scene.hold.dispensed_on = first;
    scene
}

fn dispensable(scene: &mut Scene, first: NaiveDate, last: NaiveDate) {
    scene.request().dispense_valid_from = Some(first);
    scene.request().dispense_valid_to = Some(last);
}

fn contracted(scene: &mut Scene, first: NaiveDate, last: NaiveDate) {
    scene.contract().start_date = first;
    scene.contract().end_date = last;
}

fn provided(scene: &mut Scene, first: NaiveDate, last: NaiveDate) {
    scene.terms().program_provision_verify = Switch::On;
    let mut in_force = contract();
    let dates = Arc::make_mut(&mut in_force);
    (dates.start_date, dates.end_date) = (first, last);
    let record = scene.provision().record.clone();
    *scene.provision() = Provision { record, contracts: Arc::new([in_force]) };
}

fn reimbursed(scene: &mut Scene, first: NaiveDate, last: NaiveDate) {
    scene.participant().start_date = Some(first);
    scene.participant().end_date = Some(last);
}

fn approved(scene: &mut Scene, first: NaiveDate, last: NaiveDate) {
    let participant = Arc::make_mut(&mut scene.approved().participant);
    participant.start_date = Some(first);
    participant.end_date = Some(last);
}

fn good_until(scene: &mut Scene, _: NaiveDate, last: NaiveDate) {
    scene.hold.items[0].expiry_date = Some(last);
}

fn cared_for_until(scene: &mut Scene, _: NaiveDate, last: NaiveDate) {
    planned_until(scene, &last.to_string());
}

fn planned_until(scene: &mut Scene, end: &str) {
    scene.points_at().care = Some(Care {
        plan: Some(record(&json!({
            "id": uuid(0xB0), "person_id": uuid(0x7_0001), "status": "active",
            "period": {"start": "1990-01-01", "end": end}
        }))),
        activity: Some(record(&json!({
            "id": uuid(0xB1), "care_plan_id": uuid(0xB0), "status": "in_progress"
        }))),
        processed: Decimal::ZERO,
    });
}

fn blocked_until(scene: &mut Scene, end: &str) {
    scene.request().is_blocked = true;
    scene.request().blocked_to = Some(text(end));
}

fn stated_as_of(scene: &mut Scene, first: NaiveDate, _: NaiveDate) {
    scene.hold.dispense_day = DispenseDay::Bounded;
    scene.hold.dispensed_on = first;
}

type Limit = fn(&mut Scene, NaiveDate, NaiveDate);

/// What has a first and a last day, and what is said outside them.
const PERIODS: [(Limit, &str); 5] = [
    (dispensable, "outside-dispense-period"),
    (contracted, "no-contract"),
    (provided, "provision-without-contract"),
    (reimbursed, "program-medication-expired"),
    (approved, "not-qualified"),
];

/// What has a last day alone.
const ENDS: [(Limit, &str); 2] =
    [(good_until, "medicine-expired"), (cared_for_until, "care-plan-expired")];

#[track_caller]
fn assert_codes(scene: &Scene, at: DateTime<Utc>, codes: &[&str]) {
    let scene = scene.clone().but(|it| it.sight.at = at);
    let zone = scene.sight.evidence.terms.zone;
    assert_eq!(scene.codes(), codes, "at {at}, {} in {zone}", at.with_timezone(&zone));
}

/// Looks at every limit that begins and ends with that day: from both sides of both midnights.
fn every_limit_holds_for(zone: Tz, (date, first, after): Day) {
    let (date, first, after) = (day(date), moment(first), moment(after));
    let limited = |limit: Limit| {
        on_any_day().but(|it| it.terms().zone = zone).but(|it| limit(it, date, date))
    };
    for (limit, code) in PERIODS {
        let scene = limited(limit);
        assert_codes(&scene, first - TICK, &[code]);
        assert_codes(&scene, first, &[]);
        assert_codes(&scene, first + (after - first) / 2, &[]);
        assert_codes(&scene, after - TICK, &[]);
        assert_codes(&scene, after, &[code]);
    }
    for (limit, code) in ENDS {
        let scene = limited(limit);
        assert_codes(&scene, first - TICK, &[]);
        assert_codes(&scene, after - TICK, &[]);
        assert_codes(&scene, after, &[code]);
    }
    // A block is the other way round: what it ends with is the freedom to dispense.
    let scene = limited(|it, _, last| blocked_until(it, &last.to_string()));
    assert_codes(&scene, first, &["medication-request-blocked"]);
    assert_codes(&scene, after - TICK, &["medication-request-blocked"]);
    assert_codes(&scene, after, &[]);
    // The stated day is at most today.
    let scene = limited(stated_as_of);
    assert_codes(&scene, first - TICK, &["schema"]);
    assert_codes(&scene, first, &[]);
    assert_codes(&scene, after, &[]);
}

/// 2, 6c, 7, 13a, 14, 15e, 15e+, 16b, 16c.
#[test]
fn every_day_in_kyiv_belongs_to_its_period_from_midnight_to_midnight() {
    for date in KYIV {
        every_limit_holds_for(Tz::Europe__Kyiv, date);
    }
}

/// The same elsewhere, where a day may have no midnight, or two.
#[test]
fn every_day_of_another_zone_is_counted_there() {
    for (zone, date) in ELSEWHERE {
        every_limit_holds_for(zone, date);
    }
}

/// At one instant it is the tenth in Kyiv and the ninth in London: the setting decides.
#[test]
fn the_zone_that_is_set_decides_which_day_it_is() {
    let scene = on_any_day().but(|it| dispensable(it, day("2026-03-10"), day("2026-03-10")));
    let late = moment("2026-03-09T22:30:00Z");
    assert_codes(&scene, late, &[]);
    let scene = scene.but(|it| it.terms().zone = Tz::Europe__London);
    assert_codes(&scene, late, &["outside-dispense-period"]);
}

/// The hour that is there twice belongs to its day both times.
#[test]
fn the_hour_that_comes_twice_is_of_one_day() {
    for (limit, _) in PERIODS {
        let scene = on_any_day().but(|it| limit(it, day("2026-10-25"), day("2026-10-25")));
        for instant in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert_codes(&scene, moment(instant), &[]);
        }
    }
}

/// A year without a leap day has none in its registries either.
#[test]
fn a_day_that_is_not_in_the_calendar_is_no_day() {
    for (text, there) in [("2026-02-29", false), ("2028-02-29", true), ("2026-02-30", false)] {
        assert_eq!(text.parse::<NaiveDate>().is_ok(), there, "{text}");
        let expiry = serde_json::from_value::<NaiveDate>(json!(text));
        assert_eq!(expiry.is_ok(), there, "{text}");
    }
}

/// 15e+: the stated day counts where it is later than today.
#[test]
fn a_medicine_outlasts_the_stated_day_too() {
    let scene = |stated: &str| {
        let mut scene = on_any_day().but(|it| good_until(it, day("2026-01-01"), day("2028-02-28")));
        scene.hold.dispense_day = DispenseDay::AsStated;
        scene.hold.dispensed_on = day(stated);
        scene
    };
    let noon = moment("2028-02-28T10:00:00Z");
    assert_codes(&scene("2028-02-28"), noon, &[]);
    assert_codes(&scene("2028-02-29"), noon, &["medicine-expired"]);
}

/// 7: a block that ends at an instant ends with it, wherever it was written down.
#[test]
fn a_block_that_ends_at_an_instant_includes_it() {
    for end in ["2026-03-29T01:00:00Z", "2026-03-29T04:00:00+03:00", "2026-03-28T20:00:00-05:00"] {
        let scene = on_any_day().but(|it| blocked_until(it, end));
        let last = moment("2026-03-29T01:00:00Z");
        assert_codes(&scene, last, &["medication-request-blocked"]);
        assert_codes(&scene, last + TICK, &[]);
    }
}

/// 16b: of a plan that ends at an instant the whole day of it counts, as it is in Kyiv.
#[test]
fn a_care_plan_that_ends_at_an_instant_lasts_until_the_end_of_that_day() {
    for (end, last) in [
        ("2026-03-10T21:59:59Z", "2026-03-10T22:00:00Z"),
        ("2026-03-10T22:00:00Z", "2026-03-11T22:00:00Z"),
        ("2026-03-29T00:00:00+03:00", "2026-03-28T22:00:00Z"),
        ("2026-10-25T23:59:59+02:00", "2026-10-25T22:00:00Z"),
    ] {
        let scene = on_any_day().but(|it| planned_until(it, end));
        assert_codes(&scene, moment(last) - TICK, &[]);
        assert_codes(&scene, moment(last), &["care-plan-expired"]);
    }
}

/// D-06: ten minutes are ten minutes, whatever the clock on the wall does meanwhile.
#[test]
fn a_hold_lasts_as_long_over_a_change_of_the_clock() {
    for begins in [
        "2026-03-29T00:55:00Z", // 02:55, until 04:05
        "2026-10-25T00:55:00Z", // 03:55, until 03:05
        "2026-12-31T21:55:00Z", // until next year
        "2028-02-28T21:55:00.000001Z",
    ] {
        let mut scene = on_any_day().but(|it| it.sight.at = moment(begins));
        let events = scene.happens();
        let DispenseEvent::HoldCreated(hold) = &events[0] else { panic!("{events:?}") };
        let last = moment(begins) + TimeDelta::minutes(10);
        assert_eq!(hold.expires_at, Some(last));
        assert_eq!(scene.dispensing().live_hold(last).map(|it| it.id), Some(hold.dispense_id));
        assert_eq!(scene.dispensing().live_hold(last + TICK), None);
        let expire = |at| {
            let sight = scene.clone().but(|it| it.sight.at = at).sight;
            decide(&scene.dispensing(), &Command::Expire(Expire), &sight).unwrap().len()
        };
        assert_eq!((expire(last), expire(last + TICK)), (0, 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// There is a day at every instant everywhere, and a period of that day alone is open then.
    #[test]
    fn there_is_a_day_at_every_instant_in_every_zone(
        zone in prop::sample::select(TZ_VARIANTS.to_vec()),
        seconds in 946_684_800..4_102_444_800i64,
        micros in prop_oneof![Just(0u32), Just(999_999), 0..1_000_000u32],
    ) {
        let at = DateTime::from_timestamp(seconds, micros * 1_000).unwrap();
        let today = at.with_timezone(&zone).date_naive();
        let mut scene = on_any_day().but(|it| it.terms().zone = zone);
        scene.sight.at = at;
        for (limit, _) in PERIODS.into_iter().chain(ENDS) {
            limit(&mut scene, today, today);
        }
        scene.hold.dispensed_on = today;
        prop_assert_eq!(scene.codes(), [""; 0]);
        let said = create_hold::explain(&scene.dispensing(), &scene.hold, &scene.sight);
        prop_assert_eq!(said.len(), create_hold::order().count());
        blocked_until(&mut scene, &today.to_string());
        prop_assert_eq!(scene.codes(), ["medication-request-blocked"]);
    }
}

/// A registry may write anything as an end. What cannot be read keeps a block, and ends a plan.
#[test]
fn an_end_that_cannot_be_read_is_decided_on_the_safe_side() {
    for strange in ["soon", "2026-02-29", "2026-13-01", "10.03.2199", "2199-03-10T25:00:00Z"] {
        let blocked = on_any_day().but(|it| blocked_until(it, strange));
        assert_eq!(blocked.codes(), ["medication-request-blocked"], "{strange}");
        let planned = on_any_day().but(|it| planned_until(it, strange));
        assert_eq!(planned.codes(), ["care-plan-expired"], "{strange}");
    }
}
