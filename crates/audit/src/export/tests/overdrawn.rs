//! Logs that break a rule, recomputed and signed by whoever has all keys: nothing but the events
//! themselves shows it.

use serde_json::json;

use super::forged::{assert_forged, resigned};
use super::sample::{Row, Sample, dispense, request};
use crate::export::Kind;

#[test]
fn more_than_prescribed() {
    let of = |change: fn(&mut Sample)| resigned(change);
    let quantity = |position, change: fn(&mut Sample)| {
        assert_forged(&of(change), Kind::Quantity, 0, position);
    };
    quantity(1, |log| log.change(0, 1, "\"10.5\"", "\"40.0001\""));
    // Two holds at once, each of them small enough.
    quantity(10, |log| log.hold(0, request(0, 1), 8, "60", &["0.0001"], 607));
    quantity(10, |log| log.hold(0, request(0, 2), 8, "30", &["1"], 607));
    quantity(6, |log| log.change(0, 6, "\"prescribed\":\"60\"", "\"prescribed\":\"61\""));
    quantity(2, |log| log.change(0, 2, "\"remaining\":\"29.5\"", "\"remaining\":\"30\""));
    quantity(9, |log| log.change(0, 9, "\"remaining\":\"0\"", "\"remaining\":\"30\""));
}

#[test]
fn a_dispense_that_begins_or_ends_twice() {
    let order = |position, change: fn(&mut Sample)| {
        assert_forged(&resigned(change), Kind::Order, 0, position);
    };
    order(10, |log| log.processed(0, request(0, 1), 1, "0", 607));
    order(10, |log| log.cancelled(0, request(0, 2), 5, 607));
    order(10, |log| log.cancelled(0, request(0, 1), 9, 607));
    order(10, |log| log.hold(0, request(0, 2), 2, "30", &["1"], 607));
    order(10, |log| log.cancelled(0, request(0, 7), 9, 607));
    // What was processed at once is processed next, and nothing else happens to it.
    order(9, |log| {
        log.remove(0, 9);
        log.cancelled(0, request(0, 2), 5, 606);
    });
    order(9, |log| {
        log.remove(0, 9);
        log.hold(0, request(0, 2), 9, "30", &["1"], 606);
    });
}

#[test]
fn a_hold_that_lives_after_its_end() {
    let order = |position, change: fn(&mut Sample)| {
        assert_forged(&resigned(change), Kind::Order, 0, position);
    };
    order(10, |log| log.processed(0, request(0, 1), 4, "0", 606));
    order(10, |log| log.cancelled(0, request(0, 1), 4, 606));
    order(7, |log| log.rows[0][6].recorded_at -= 1_000_000);
    order(7, |log| log.change(0, 7, ":04Z", ":05Z"));
}

#[test]
fn times_and_numbers_that_go_back() {
    let row = |kind, position: usize, change: fn(&mut Row)| {
        let forged = resigned(|log| change(&mut log.rows[0][position - 1]));
        assert_forged(&forged, kind, 0, position as u64);
    };
    row(Kind::Time, 2, |row| row.recorded_at -= 2_000_000);
    row(Kind::Sequence, 2, |row| row.sequence = 3);
    row(Kind::Sequence, 2, |row| row.sequence = 1);
    row(Kind::Sequence, 3, |row| row.sequence = 0);
}

#[test]
fn a_medication_request_in_two_partitions() {
    // Each partition alone would show half of what was taken.
    let twice = resigned(|log| log.hold(1, request(0, 1), 8, "60", &["60"], 602));
    assert_forged(&twice, Kind::Partition, 1, 4);
}

#[test]
fn payloads_that_readers_could_take_in_two_ways() {
    for (from, to) in [
        ("\"prescribed\":\"60\"", "\"prescribed\":\"60\",\"prescribed\":\"6000\""),
        ("\"prescribed\":\"60\"", "\"prescribed\":\"60\",\"\\u0070rescribed\":\"6000\""),
        ("\"quantity\":\"20\"", "\"quantity\":\"20\",\"quantity\":\"1\""),
        ("\"prescribed\":\"60\"", "\"prescribed\":60"),
        ("\"prescribed\":\"60\"", "\"prescribed\":\"60.0\""),
        ("\"prescribed\":\"60\"", "\"prescribed\":\"6e1\""),
        ("\"prescribed\":\"60\"", "\"prescribed\":\"60\",\"more\":1e999"),
        ("\"prescribed\":\"60\"", "\"prescribed\":\"60\",\"more\":\"\\ud800\""),
        ("\"quantity\":\"20\"", "\"quantity\":\"0\""),
        ("[{\"quantity\":\"10.5\"},{\"quantity\":\"20\"}]", "[]"),
        ("[{\"quantity\":\"10.5\"},{\"quantity\":\"20\"}]", "[[]]"),
        ("\"type\":\"HoldCreated\"", "\"type\":\"Cancelled\""),
        ("\"processed_at_once\":false", "\"processed_at_once\":true"),
        ("\"processed_at_once\":false", "\"processed_at_once\":null"),
        ("08:10:00Z", "08:10:00+00:00"),
        ("08:10:00Z", "08:10:00.0Z"),
        ("08:10:00Z", "08:60:00Z"),
        ("00000000d001", "00000000d002"),
    ] {
        let forged = resigned(|log| {
            let payload = &mut log.rows[0][0].payload;
            *payload = payload.replacen(
                "[{\"quantity\":\"20\"},{\"quantity\":\"10.5\"}]",
                "[{\"quantity\":\"10.5\"},{\"quantity\":\"20\"}]",
                1,
            );
            log.change(0, 1, from, to);
        });
        assert_forged(&forged, Kind::Event, 0, 1);
    }
    let deep = "[".repeat(127) + &"]".repeat(127);
    let forged = resigned(|log| log.change(0, 1, "\"type\"", &format!("\"deep\":{deep},\"type\"")));
    assert_forged(&forged, Kind::Event, 0, 1);
    let deep = &deep[1..deep.len() - 1];
    let fits = resigned(|log| log.change(0, 1, "\"type\"", &format!("\"deep\":{deep},\"type\"")));
    assert!(super::check(fits.path(), &super::trust()).is_ok());
    assert_eq!(super::second_check::second(fits.path(), &[])["whole"], true);
}

#[test]
fn rows_that_contradict_themselves() {
    let event = |change: fn(&mut Sample)| assert_forged(&resigned(change), Kind::Event, 0, 2);
    event(|log| log.rows[0][1].version = "1.1");
    event(|log| log.rows[0][1].kind = "Refunded");
    event(|log| log.rows[0][1].dispense = dispense(2));
    event(|log| log.rows[0][1].payload = "[]".to_owned());
    event(|log| log.rows[0][1].payload = "\"Processed\"".to_owned());
    event(|log| log.rows[0][1].metadata = "[]".to_owned());
    event(|log| log.rows[0][1].metadata = json!({ "user": 1 }).to_string());
    event(|log| log.rows[0][1].metadata = "{\"user\":\"a\",\"user\":\"b\"}".to_owned());
    let other = resigned(|log| {
        let other = request(0, 2).to_string();
        log.change(0, 1, &request(0, 1).to_string(), &other);
    });
    assert_forged(&other, Kind::Event, 0, 1);
}
