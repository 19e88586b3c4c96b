//! Rule 16b (9.3): the care plan that a medication request follows.

use std::sync::Arc;

use dispense_domain::decide::create_hold::{Verdict, explain};
use dispense_domain::registry::{CarePlan, CarePlanActivity, Period};
use dispense_domain::{Care, Code, Place};
use rust_decimal::Decimal;
use serde_json::json;

use crate::sample::{Scene, all_in_order, moment, params, record, text, uuid};

/// A plan that runs, and an activity of it that is due.
pub(crate) fn followed() -> Care {
    Care {
        plan: Some(record(&json!({
            "id": uuid(0xA_0001), "person_id": uuid(0x7_0001), "status": "active"
        }))),
        activity: Some(record(&json!({
            "id": uuid(0xA_0002), "care_plan_id": uuid(0xA_0001), "status": "scheduled"
        }))),
        processed: Decimal::ZERO,
    }
}

/// The medication request is based on that.
pub(crate) fn following(care: Care) -> Scene {
    all_in_order().but(|it| it.points_at().care = Some(care))
}

fn plan(care: &mut Care) -> &mut CarePlan {
    Arc::make_mut(care.plan.as_mut().unwrap())
}

pub(crate) fn activity(care: &mut Care) -> &mut CarePlanActivity {
    Arc::make_mut(care.activity.as_mut().unwrap())
}

/// A plan that runs until then.
pub(crate) fn until(end: Option<&str>) -> Care {
    let mut care = followed();
    plan(&mut care).period = Some(Period { start: None, end: end.map(text) });
    care
}

/// What that rule says.
pub(crate) fn verdict(scene: &Scene, rule: &str) -> Verdict {
    let rules = explain(&scene.dispensing(), &scene.hold, &scene.sight);
    rules.into_iter().find(|it| it.rule == rule).unwrap().verdict
}

#[test]
fn only_an_active_plan_is_followed() {
    assert!(following(followed()).codes().is_empty());
    for status in ["completed", "terminated", "entered-in-error", "new", "ACTIVE", "active "] {
        let mut care = followed();
        plan(&mut care).status = text(status);
        let refusal = following(care).the_refusal();
        assert_eq!((refusal.code, refusal.rule), (Code::CarePlanStatus, "16b"));
        assert_eq!(refusal.place, Some(Place::Request));
        assert_eq!(refusal.message, "Invalid care plan status");
        assert_eq!(params(&refusal), json!({"status": status}));
    }
}

#[test]
fn only_an_activity_that_is_due_is_carried_out() {
    for (status, due) in [
        ("scheduled", true),
        ("in_progress", true),
        ("completed", false),
        ("cancelled", false),
        ("not_started", false),
        ("IN_PROGRESS", false),
    ] {
        let mut care = followed();
        activity(&mut care).status = text(status);
        let scene = following(care);
        if due {
            assert!(scene.codes().is_empty(), "{status}");
            continue;
        }
        let refusal = scene.the_refusal();
        assert_eq!((refusal.code, refusal.rule), (Code::ActivityStatus, "16b"));
        assert_eq!(refusal.place, Some(Place::Request));
        assert_eq!(refusal.message, "Invalid activity status");
        assert_eq!(params(&refusal), json!({"status": status}));
    }
}

#[test]
fn what_the_registry_does_not_have_is_not_followed() {
    let no_plan = following(Care { plan: None, ..followed() });
    assert_eq!(no_plan.codes(), ["care-plan-status"]);
    assert_eq!(params(&no_plan.the_refusal()), json!({"status": "not found"}));
    let no_activity = following(Care { activity: None, ..followed() });
    assert_eq!(no_activity.codes(), ["activity-status"]);
    assert_eq!(params(&no_activity.the_refusal()), json!({"status": "not found"}));
}

/// It is noon of 10 March in Kyiv, which is two hours ahead.
#[test]
fn the_last_day_of_a_plan_counts_whole() {
    for (end, runs) in [
        (None, true),
        (Some("2026-03-11"), true),
        (Some("2026-03-10"), true),
        (Some("2026-03-09"), false),
        (Some("2026-03-10T00:00:00+02:00"), true),
        (Some("2026-03-09T23:59:59+02:00"), false),
        (Some("2026-03-09T22:00:00Z"), true),
        (Some("2026-03-09T21:59:59.999Z"), false),
        (Some("2026-03-09T12:00:00-10:00"), true),
        (Some("soon"), false),
        (Some("2026-02-30"), false),
        (Some("10.03.2027"), false),
    ] {
        let scene = following(until(end));
        if runs {
            assert!(scene.codes().is_empty(), "{end:?}");
            continue;
        }
        let refusal = scene.the_refusal();
        assert_eq!((refusal.code, refusal.rule), (Code::CarePlanExpired, "16b"));
        assert_eq!(refusal.place, Some(Place::Request));
        assert_eq!(refusal.message, "Care plan expired");
        assert_eq!(params(&refusal), json!({"end": end, "today": "2026-03-10"}));
    }
    let mut care = followed();
    plan(&mut care).period = None;
    assert!(following(care).codes().is_empty(), "a plan without a period");
}

#[test]
fn days_of_a_plan_are_those_of_the_installation() {
    let at = |instant, zone, end| {
        let scene = following(until(Some(end))).but(|it| {
            it.terms().zone = zone;
            it.sight.at = moment(instant);
        });
        scene.codes()
    };
    let (kyiv, utc) = (chrono_tz::Europe::Kyiv, chrono_tz::UTC);
    let expired = ["care-plan-expired"];
    assert!(at("2026-03-10T21:59:59.999999Z", kyiv, "2026-03-10").is_empty());
    assert_eq!(at("2026-03-10T22:00:00Z", kyiv, "2026-03-10"), expired);
    assert!(at("2026-03-10T22:00:00Z", utc, "2026-03-10").is_empty());
    // The same instant is the 10th in Kyiv, and still the 9th in Greenwich.
    assert!(at("2026-03-10T12:00:00Z", kyiv, "2026-03-09T22:00:00Z").is_empty());
    assert_eq!(at("2026-03-10T12:00:00Z", utc, "2026-03-09T22:00:00Z"), expired);
}

#[test]
fn all_that_is_wrong_with_a_plan_is_told_in_order() {
    let mut care = until(Some("2026-03-09"));
    plan(&mut care).status = text("completed");
    activity(&mut care).status = text("cancelled");
    let all = ["care-plan-status", "care-plan-expired", "activity-status"];
    assert_eq!(following(care.clone()).codes(), all);
    let outside = following(care).but(Scene::without_program);
    assert_eq!(outside.codes(), all, "under no program it is judged as well");
    let nothing = Care { plan: None, activity: None, ..followed() };
    assert_eq!(following(nothing).codes(), ["care-plan-status", "activity-status"]);
}

#[test]
fn what_is_based_on_no_activity_is_not_judged_by_a_plan() {
    for scene in [all_in_order(), all_in_order().but(Scene::without_program)] {
        assert_eq!(verdict(&scene, "16b"), Verdict::NotEvaluated);
        assert!(scene.codes().is_empty());
    }
    assert_eq!(verdict(&following(followed()), "16b"), Verdict::Passed);
    let nobody = all_in_order().but(|it| it.sight.evidence.request = None);
    assert_eq!(verdict(&nobody, "16b"), Verdict::NotEvaluated);
}
