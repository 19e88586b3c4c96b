//! Rules 2 and 6 to 8: the day that is stated, and the medication request.

use std::sync::Arc;

use chrono::TimeDelta;
use dispense_domain::registry::{Intent, RequestStatus};
use dispense_domain::{Code, DispenseDay, Place};
use serde_json::json;

use crate::sample::{
    OTHER_PHARMACY, PHARMACY, REQUEST, Scene, all_in_order, day, id, moment, noon_and, params,
    text, uuid,
};

fn dispensed_on(stated: &str) -> Scene {
    all_in_order().but(|it| it.hold.dispensed_on = day(stated))
}

/// 2.
#[test]
fn a_day_of_dispensing_lies_between_the_prescription_and_today() {
    assert!(dispensed_on("2026-03-10").codes().is_empty(), "today");
    assert!(dispensed_on("2026-03-01").codes().is_empty(), "the day of prescribing");

    let no = dispensed_on("2026-03-11").the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::DispenseDay, Some(Place::DispensedAt)));
    assert_eq!(no.message, "2026-03-11 is after today, 2026-03-10");
    assert_eq!(
        params(&no),
        json!({"actual": "2026-03-11", "latest": "2026-03-10", "earliest": "2026-03-01"})
    );

    let no = dispensed_on("2026-02-28").the_refusal();
    assert_eq!(no.code, Code::DispenseDay);
    assert_eq!(no.message, "2026-02-28 is before the medication request was created, 2026-03-01");
}

/// 2: the register's own API never looked.
#[test]
fn a_day_as_stated_is_not_judged() {
    for stated in ["2026-03-11", "2026-02-28"] {
        let scene = dispensed_on(stated).but(|it| it.hold.dispense_day = DispenseDay::AsStated);
        assert!(scene.codes().is_empty(), "{stated}");
    }
}

/// 2: without a request there is no first day, but today is known all the same.
#[test]
fn a_day_in_the_future_is_refused_whatever_the_request() {
    let unfound = |stated: &str| dispensed_on(stated).but(|it| it.sight.evidence.request = None);
    assert_eq!(unfound("2026-03-11").codes(), ["schema", "medication-request-not-found"]);
    assert_eq!(unfound("1999-01-01").codes(), ["medication-request-not-found"]);
    let undated = dispensed_on("1999-01-01").but(|it| it.request().created_at = None);
    assert!(undated.codes().is_empty());
}

/// 6a, and every rule that would look at the request is silent.
#[test]
fn an_unknown_request_is_refused_and_nothing_else_is_said_of_it() {
    let no = all_in_order()
        .but(|it| it.sight.evidence.request = None)
        .but(|it| it.wants(&["10000"]))
        .the_refusal();
    assert_eq!(
        (no.code, no.place.clone()),
        (Code::MedicationRequestNotFound, Some(Place::Request))
    );
    assert_eq!(params(&no), json!({"medicationRequestId": uuid(REQUEST)}));
}

/// 6b.
#[test]
fn a_request_must_be_active_and_its_record_must_count() {
    for (status, word) in [
        (RequestStatus::Completed, "COMPLETED"),
        (RequestStatus::Rejected, "REJECTED"),
        (RequestStatus::Expired, "EXPIRED"),
    ] {
        let no = all_in_order().but(|it| it.request().status = status).the_refusal();
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::MedicationRequestNotActive, Some(Place::Request))
        );
        assert_eq!(params(&no), json!({"status": word}));
    }
    let no = all_in_order().but(|it| it.request().is_active = false).the_refusal();
    assert_eq!(no.code, Code::MedicationRequestNotActive);
    assert_eq!(params(&no), json!({"status": "inactive"}));
}

/// 6c: first and last day are both inside, by the calendar of Kyiv.
#[test]
fn dispensing_begins_on_its_first_day_and_ends_with_its_last() {
    let at = |instant: &str| {
        all_in_order()
            .but(|it| it.sight.at = moment(instant))
            .but(|it| it.hold.dispense_day = DispenseDay::AsStated)
    };
    assert_eq!(at("2026-02-28T21:59:59.999999Z").codes(), ["outside-dispense-period"]);
    assert!(at("2026-02-28T22:00:00Z").codes().is_empty(), "1 March, 0:00 in Kyiv");
    // Summer time began on 29 March.
    assert!(at("2026-03-30T20:59:59.999999Z").codes().is_empty(), "30 March, the last moment");

    let no = at("2026-03-30T21:00:00Z").the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::OutsideDispensePeriod, Some(Place::Request)));
    assert_eq!(
        params(&no),
        json!({"from": "2026-03-01", "to": "2026-03-30", "today": "2026-03-31"})
    );
}

/// 6c: an order without days cannot be dispensed; of a plan without days only rule 8 speaks.
#[test]
fn an_order_needs_both_days_and_a_plan_none() {
    for (from, to) in [(None, None), (Some("2026-03-01"), None), (None, Some("2026-03-30"))] {
        let scene = all_in_order()
            .but(|it| it.request().dispense_valid_from = from.map(day))
            .but(|it| it.request().dispense_valid_to = to.map(day));
        assert_eq!(scene.codes(), ["outside-dispense-period"], "{from:?} {to:?}");
    }
    let plan = all_in_order()
        .but(|it| it.request().intent = Intent::Plan)
        .but(|it| it.request().dispense_valid_from = None)
        .but(|it| it.request().dispense_valid_to = None);
    assert_eq!(plan.codes(), ["medication-request-is-plan"]);
}

/// 6c: the days of treatment are not looked at.
#[test]
fn the_days_of_treatment_do_not_matter() {
    let scene = all_in_order()
        .but(|it| it.request().started_at = Some(day("2027-01-01")))
        .but(|it| it.request().ended_at = Some(day("2025-01-01")));
    assert!(scene.codes().is_empty());
}

/// 6d.
#[test]
fn everything_that_a_request_points_at_must_be_found() {
    type Loss = fn(&mut Scene);
    let losses: [(&str, Loss); 7] = [
        ("employee", |it| it.points_at().employee = None),
        ("employee", |it| it.points_at().doctor = None),
        ("division", |it| it.points_at().division = None),
        ("legal_entity", |it| it.points_at().legal_entity = None),
        ("medication", |it| it.points_at().medication = None),
        ("medical_program", |it| it.points_at().program = None),
        ("person", |it| it.points_at().person = None),
    ];
    for (missing, lose) in losses {
        let no = all_in_order().but(lose).the_refusal();
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::MedicationRequestInvalid, Some(Place::Request))
        );
        assert_eq!(params(&no), json!({"missing": missing}));
    }
    let all = losses.into_iter().fold(all_in_order(), |scene, (_, lose)| scene.but(lose));
    assert_eq!(
        params(&all.the_refusal()),
        json!({"missing": "employee, division, legal_entity, medication, medical_program, person"})
    );
}

/// 6d: what is not pointed at cannot be missing.
#[test]
fn a_request_without_a_program_misses_none() {
    let scene = all_in_order()
        .but(|it| it.request().medical_program_id = None)
        .but(|it| it.points_at().program = None);
    assert!(scene.codes().is_empty());
}

fn blocked(to: Option<&str>) -> Scene {
    all_in_order()
        .but(|it| it.request().is_blocked = true)
        .but(|it| it.request().blocked_to = to.map(text))
}

/// 7.
#[test]
fn a_block_without_an_end_holds_for_everyone() {
    let no = blocked(None).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::MedicationRequestBlocked, Some(Place::Request)));
    assert_eq!(params(&no), json!({}));
    // An end alone blocks nothing.
    let free = blocked(Some("2026-03-20")).but(|it| it.request().is_blocked = false);
    assert!(free.codes().is_empty());
}

/// 7.
#[test]
fn a_block_binds_everyone_but_who_set_it() {
    let own = blocked(Some("2026-03-20"))
        .but(|it| it.request().blocked_by_legal_entity_id = Some(id(PHARMACY)));
    assert!(own.codes().is_empty());
    let foreign = blocked(Some("2026-03-20"))
        .but(|it| it.request().blocked_by_legal_entity_id = Some(id(OTHER_PHARMACY)));
    assert_eq!(params(&foreign.the_refusal()), json!({"blockedTo": "2026-03-20"}));
}

/// 7: an end that is a day counts whole, in Kyiv.
#[test]
fn a_block_to_a_day_ends_with_it() {
    let at = |instant| blocked(Some("2026-03-10")).but(|it| it.sight.at = moment(instant));
    assert_eq!(at("2026-03-10T21:59:59.999999Z").codes(), ["medication-request-blocked"]);
    assert!(at("2026-03-10T22:00:00Z").codes().is_empty());
}

/// 7: an end that is a time is the last instant of the block.
#[test]
fn a_block_to_a_time_ends_after_it() {
    let until_noon = blocked(Some("2026-03-10T12:00:00+02:00"));
    assert_eq!(until_noon.codes(), ["medication-request-blocked"]);
    let after = until_noon.but(|it| it.sight.at = noon_and(0) + TimeDelta::microseconds(1));
    assert!(after.codes().is_empty());
}

/// 7: what cannot be read keeps the block.
#[test]
fn a_block_to_nobody_knows_when_stays() {
    assert_eq!(blocked(Some("10.03.2020")).codes(), ["medication-request-blocked"]);
}

/// 8.
#[test]
fn a_plan_cannot_be_dispensed() {
    let no = all_in_order().but(|it| it.request().intent = Intent::Plan).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::MedicationRequestIsPlan, Some(Place::Request)));
    assert_eq!(params(&no), json!({}));
}

/// 6b: the log knows better than the registry when everything is dispensed.
#[test]
fn what_is_fully_dispensed_is_completed_whatever_the_registry_says() {
    let mut scene = crate::skip_sign::paid_at_once();
    scene.happens();
    scene.asks(PHARMACY, "second");
    assert_eq!(
        scene.sight.evidence.request.as_ref().unwrap().request.status,
        RequestStatus::Active
    );
    let refused = scene.refused();
    assert_eq!(refused[0].code, Code::MedicationRequestNotActive);
    assert_eq!(params(&refused[0]), json!({"status": "COMPLETED"}));

    // Nor does a larger registry quantity undo it.
    Arc::make_mut(&mut scene.points_at().request).medication_qty = crate::sample::quantity("600");
    assert_eq!(scene.refused()[0].code, Code::MedicationRequestNotActive);
}
