//! Looking back: what counts at an instant that is over, and what is waited for.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use dispensary::history::{History, Remarks};
use dispensary::past::{Subject, UNSETTLED_FOR};
use dispensary::search::PageSize;
use dispensary::{
    Asker, Balance, Beginning, ClientType, DispensesOf, Moment, PastError, QueryError, Recorded,
    RequestKey, Shown,
};
use dispense_domain::registry::RequestStatus;
use dispense_domain::{DispenseEvent, DispenseId, Quantity, Status, Text};
use futures::executor::block_on;
use rust_decimal::Decimal;

use crate::document::{brief, cancelled, full, processed, processed_at_once};
use crate::outside::{Asked, World, asker, dispensary, silent, world};
use crate::registries::{PHARMACY, REQUEST, evidence_of, id, request};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A moment of the morning on which everything happens.
fn past(time: &str) -> Moment {
    Moment::Past(at(&format!("2026-03-10T{time}Z")))
}

/// A world with those events; it is noon in Kyiv, two hours after the last of them.
fn after(events: &[Recorded]) -> World {
    world(evidence_of(request())).but(|world| {
        world.events = events.to_vec();
        world.at = at("2026-03-10T12:00:00Z");
    })
}

/// The hold, which began at 10:00:00.123456, and was handed over at 10:07:30.
fn handed_over() -> World {
    after(&[full(), processed()])
}

fn pharmacist() -> Asker {
    asker(PHARMACY, ClientType::Pharmacy)
}

fn dispense_id() -> DispenseId {
    full().event.dispense_id()
}

fn dispense(world: World, moment: Moment) -> Result<Shown, PastError> {
    let found =
        block_on(dispensary(&Arc::new(world)).dispense(&pharmacist(), dispense_id(), moment));
    found.map(|reading| reading.read)
}

fn status(world: World, moment: Moment) -> Option<Status> {
    match dispense(world, moment) {
        Ok(shown) => Some(shown.status),
        Err(PastError::Query(QueryError::NotFound(_))) => None,
        Err(other) => panic!("{other}"),
    }
}

fn history(world: World, moment: Moment) -> History {
    let found =
        block_on(dispensary(&Arc::new(world)).history(&pharmacist(), dispense_id(), moment));
    found.unwrap().read
}

fn key() -> RequestKey {
    RequestKey::Id(id(REQUEST))
}

fn balance(world: World, moment: Moment) -> Balance {
    let found = block_on(dispensary(&Arc::new(world)).balance(&pharmacist(), &key(), moment));
    found.unwrap().read
}

#[test]
fn what_was_recorded_by_then_counts_and_nothing_later() {
    for (time, expected) in [
        ("10:00:00.123456", Some(Status::Held)),
        ("10:07:29.999999", Some(Status::Held)),
        ("10:07:30", Some(Status::Processed)),
        ("12:00:00", Some(Status::Processed)),
    ] {
        assert_eq!(status(handed_over(), past(time)), expected, "{time}");
    }
}

#[test]
fn a_hold_was_over_when_its_time_had_come() {
    for (time, expected) in [
        ("10:10:00.123456", Status::Held),
        ("10:10:00.123457", Status::Expired),
        ("10:30:00", Status::Expired),
    ] {
        assert_eq!(status(after(&[full()]), past(time)), Some(expected), "{time}");
    }
}

#[test]
fn what_had_not_begun_is_not_there() {
    let mut before = brief();
    before.recorded_at = at("2026-03-10T09:00:00Z");
    let DispenseEvent::HoldCreated(hold) = &mut before.event else { panic!("{before:?}") };
    Arc::make_mut(hold).dispense_id = id(0x9_0001);
    let world = || after(&[before.clone(), full()]);
    assert_eq!(status(world(), past("10:00:00.123455")), None);
    assert_eq!(status(world(), past("10:00:00.123456")), Some(Status::Held));
}

fn refused(world: World, moment: Moment) -> Option<(Option<DateTime<Utc>>, DateTime<Utc>)> {
    match dispense(world, moment) {
        Ok(_) => None,
        Err(PastError::OutOfRange { told, .. }) => Some((told.earliest, told.latest)),
        Err(other @ (PastError::Gone | PastError::Query(_))) => panic!("{other}"),
    }
}

#[test]
fn the_log_tells_from_its_first_event_until_now() {
    let range = Some((Some(full().recorded_at), at("2026-03-10T12:00:00Z")));
    for (time, expected) in [
        ("10:00:00.123455", range),
        ("10:00:00.123456", None),
        ("12:00:00", None),
        ("12:00:00.000001", range),
    ] {
        assert_eq!(refused(handed_over(), past(time)), expected, "{time}");
    }
    assert_eq!(
        refused(after(&[]), past("10:00:00")),
        Some((None, at("2026-03-10T12:00:00Z"))),
        "no event was recorded yet"
    );
}

#[test]
fn what_may_still_be_recorded_is_waited_for_and_nothing_else() {
    let now = at("2026-03-10T12:00:00Z");
    let asked = |moment| {
        let world = Arc::new(handed_over());
        block_on(dispensary(&world).dispense(&pharmacist(), dispense_id(), moment)).unwrap();
        world.asked()
    };
    for ago in [TimeDelta::zero(), UNSETTLED_FOR] {
        let asked = asked(Moment::Past(now - ago));
        let [Asked::Settle(subject)] = asked[..] else { panic!("{asked:?}") };
        assert_eq!(subject, Subject::Dispense(dispense_id()));
    }
    let long_ago = Moment::Past(now - UNSETTLED_FOR - TimeDelta::microseconds(1));
    for moment in [Moment::Now, long_ago] {
        assert!(asked(moment).is_empty(), "{moment:?}");
    }

    let world = Arc::new(handed_over());
    block_on(dispensary(&world).balance(&pharmacist(), &key(), Moment::Past(now))).unwrap();
    let asked = world.asked();
    let [Asked::Settle(subject)] = asked[..] else { panic!("{asked:?}") };
    assert_eq!(subject, Subject::Request(id(REQUEST)));
}

#[test]
fn nothing_is_told_of_what_cannot_be_waited_for() {
    let silent = handed_over().but(|world| world.answers = silent);
    let error = dispense(silent, past("12:00:00")).unwrap_err();
    assert!(matches!(error, PastError::Query(QueryError::Unavailable(_))), "{error}");
}

#[test]
fn the_balance_of_the_past_is_what_the_log_says() {
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let held = balance(handed_over(), past("10:05:00"));
    assert_eq!(held.prescribed.map(Quantity::decimal), Some(decimal("60")));
    assert_eq!((held.held, held.dispensed), (decimal("30.5"), Decimal::ZERO));
    assert_eq!(held.available, Some(decimal("29.5")));
    assert_eq!(held.unit.as_ref().map(Text::as_str), Some("PILL"));
    assert_eq!(held.status, None, "what the registry said then is not known");

    let done = balance(handed_over(), past("11:00:00"));
    assert_eq!((done.held, done.dispensed), (Decimal::ZERO, decimal("30.5")));
    assert_eq!((done.available, done.status), (Some(decimal("29.5")), None));

    let now = balance(handed_over(), Moment::Now);
    assert_eq!(now.status, Some(RequestStatus::Active));
}

#[test]
fn a_request_that_was_used_up_is_known_to_be_completed() {
    let at_once = after(&processed_at_once());
    assert_eq!(balance(at_once, past("11:00:00")).status, Some(RequestStatus::Completed));
}

#[test]
fn of_a_request_that_the_log_did_not_know_nothing_is_told_but_that() {
    let mut other = brief();
    other.recorded_at = at("2026-03-10T09:00:00Z");
    // The log began with an event that is older than anything of this request.
    let world = after(&[full()]).but(|world| world.log_began_at = Some(other.recorded_at));
    let before = balance(world, past("09:30:00"));
    assert_eq!((before.prescribed, before.available, before.unit), (None, None, None));
    assert_eq!(
        (before.held, before.dispensed, before.status),
        (Decimal::ZERO, Decimal::ZERO, None)
    );
}

#[test]
fn the_dispenses_of_a_request_stood_where_they_stood_then() {
    let listed = |moment, statuses: &[Status]| {
        let world = Arc::new(handed_over());
        let found = block_on(dispensary(&world).page_of_dispenses(
            &pharmacist(),
            &key(),
            statuses,
            Beginning::Last(moment),
            PageSize::USUAL,
        ));
        let DispensesOf { dispenses, .. } = found.unwrap().read.of;
        dispenses.iter().map(|shown| shown.status).collect::<Vec<_>>()
    };
    assert_eq!(listed(past("10:05:00"), &[]), [Status::Held]);
    assert_eq!(listed(past("10:05:00"), &[Status::Processed]), []);
    assert_eq!(listed(Moment::Now, &[Status::Processed]), [Status::Processed]);
}

#[test]
fn a_history_has_every_event_with_what_was_before_and_after_it() {
    let told = history(handed_over(), Moment::Now);
    assert_eq!(told.shown.status, Status::Processed);
    let statuses: Vec<_> = told
        .steps
        .iter()
        .map(|step| (step.before.as_ref().map(|it| it.status), step.after.status))
        .collect();
    let expected = [(None, Status::Held), (Some(Status::Held), Status::Processed)];
    assert_eq!(statuses, expected);
    let then = history(handed_over(), past("10:05:00"));
    assert_eq!((then.shown.status, then.steps.len()), (Status::Held, 1));
}

#[test]
fn a_hold_that_ran_out_unrecorded_is_over_and_its_history_ends_with_the_hold() {
    let told = history(after(&[full()]), Moment::Now);
    assert_eq!((told.shown.status, told.steps.len()), (Status::Expired, 1));
    assert_eq!(told.steps[0].after.status, Status::Held);
}

#[test]
fn a_dispense_that_was_recorded_at_once_was_never_held() {
    let told = history(after(&processed_at_once()), Moment::Now);
    let statuses: Vec<_> = told.steps.iter().map(|step| step.after.status).collect();
    assert_eq!(statuses, [Status::Processed; 2]);
}

#[test]
fn what_somebody_wrote_down_is_there_until_it_is_erased() {
    let remarks = |world| {
        let told = history(world, Moment::Now);
        told.steps.iter().map(dispensary::Step::remarks).collect::<Vec<_>>()
    };
    let receipt = Remarks { payment_id: Some("A-1".try_into().unwrap()), ..Remarks::default() };
    assert_eq!(remarks(handed_over())[1], receipt);
    assert_eq!(remarks(after(&[full(), cancelled()]))[1], receipt);

    let erased: Vec<Recorded> =
        [full(), processed()].into_iter().map(|it| Recorded { body: None, ..it }).collect();
    assert_eq!(remarks(after(&erased)), [Remarks::default(), Remarks::default()]);
    let told = history(after(&erased), Moment::Now);
    assert!(told.shown.erased && told.steps.iter().all(|step| step.recorded.is_erased()));
    let whole = history(handed_over(), Moment::Now);
    assert!(!whole.shown.erased && !whole.steps.iter().any(|step| step.recorded.is_erased()));
}
