//! The same seed and day give the same lines; ids do not even need the day.

use chrono::Days;
use dispense_demo::{Demo, Program};
use serde_json::Value;

use crate::registry::{Registry, today};

fn small() -> Demo {
    Demo::new(today()).with_requests(300)
}

#[test]
fn the_same_seed_and_day_give_the_same_lines() {
    assert!(small().lines().eq(small().lines()));
    assert!(small().with_seed(7).lines().eq(small().with_seed(7).lines()));
}

#[test]
fn another_seed_gives_another_country() {
    let other = small().with_seed(1);
    assert!(small().lines().zip(other.lines()).all(|(one, two)| one != two));
    assert_ne!(small().tour(), other.tour());
    assert_eq!(small().tour(), small().with_seed(1).with_seed(0).tour());
}

#[test]
fn ids_do_not_depend_on_the_day() {
    let ids = |demo: Demo| -> Vec<Value> {
        demo.lines()
            .map(|line| {
                let mut value: Value = serde_json::from_str(&line).unwrap();
                let id = if value["kind"] == "party_user" { "user_id" } else { "id" };
                value["data"][id].take()
            })
            .collect()
    };
    let next_year = Demo::new(today() + Days::new(365)).with_requests(300);
    assert_eq!(ids(small()), ids(next_year.clone()));

    let (now, then) = (small().tour(), next_year.tour());
    assert_eq!(now.hold, then.hold);
    assert_eq!(now.at_once, then.at_once);
    assert_eq!(now.pharmacy, then.pharmacy);
    assert_eq!(then.expiry_date, now.expiry_date + Days::new(365));
}

#[test]
fn a_larger_registry_begins_like_a_smaller_one() {
    let few: Vec<_> = small().holdable(50).collect();
    let many: Vec<_> = small().with_requests(200_000).holdable(50).collect();
    assert_eq!(few, many);
}

#[test]
fn the_tour_is_there_whatever_is_asked_for() {
    let tour = small().tour();
    let other =
        Demo::new(today()).with_requests(0).with_program(Program::Local).with_fresh_requests_only();
    assert_eq!(tour, other.tour());
    let registry = Registry::read(other.lines());
    registry.get("medication_request", &tour.hold.medication_request_id);
    registry.get("medication_request", &tour.at_once.medication_request_id);
}

#[test]
fn a_registry_can_be_of_fresh_requests_under_one_program() {
    for program in Program::ALL {
        let demo = small().with_program(program).with_fresh_requests_only();
        let holdable: Vec<_> = demo.holdable(1_000).collect();
        let expected = if program == Program::Suspended { 0 } else { 298 };
        assert_eq!(holdable.len(), expected, "{program:?}");
        assert!(holdable.iter().all(|request| request.program == program));
    }
    let mixed = small().with_fresh_requests_only();
    assert_eq!(mixed.holdable(1_000).count(), 298);
}
