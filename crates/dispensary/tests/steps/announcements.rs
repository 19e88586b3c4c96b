//! What the streams tell: letter by letter, whoever makes it again, and nothing that is not listed.
//!
//! The golden messages are promises: whoever reads the streams has written against them. They are the
//! examples of `docs/asyncapi.yaml` too.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use dispensary::announcement::{Announcement, Fact, Topic};
use dispensary::{LogPosition, Recorded};
use dispense_domain::{DispenseEvent, HoldCreated, Remaining};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::document::{brief, cancelled, expired, full, processed, processed_at_once};

const LOG: Uuid = Uuid::from_u128(0xd15b_0001);
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// An event of a dispense that began like that.
fn fact(position: i64, recorded: Recorded, hold: &HoldCreated, handed_over: u32) -> Fact {
    Fact {
        place: LogPosition { partition: 7, position },
        hash: [0xa0 + u8::try_from(position).unwrap(); 32],
        event_id: recorded.event_id,
        recorded_at: recorded.recorded_at,
        event: recorded.event,
        hold: Arc::new(hold.clone()),
        handed_over,
        traceparent: None,
    }
}

fn beginning(recorded: &Recorded) -> HoldCreated {
    match &recorded.event {
        DispenseEvent::HoldCreated(hold) => (**hold).clone(),
        DispenseEvent::Processed(_) | DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => {
            panic!("a dispense begins with a hold")
        }
    }
}

/// A hold, and its fact.
fn held(position: i64, recorded: Recorded) -> (Fact, HoldCreated) {
    let hold = beginning(&recorded);
    (fact(position, recorded, &hold, 0), hold)
}

/// A hold outside any program, of which little is known, that waits for its hand-over.
fn brief_hold() -> Recorded {
    let mut recorded = brief();
    let hold = HoldCreated {
        processed_at_once: false,
        expires_at: Some("2026-03-10T10:10:00.123456Z".parse().unwrap()),
        ..beginning(&recorded)
    };
    recorded.event = DispenseEvent::HoldCreated(Arc::new(hold));
    recorded
}

/// The last hand-over of a medication request.
fn last() -> Recorded {
    let mut recorded = processed();
    if let DispenseEvent::Processed(event) = &mut recorded.event {
        event.remaining = Remaining::NOTHING;
    }
    recorded
}

/// Every way in which a dispense goes, with the golden names of its messages.
fn all() -> Vec<(Fact, &'static [&'static str])> {
    let (begun, hold) = held(1, full());
    let begun = Fact { traceparent: Some(TRACE.to_owned()), ..begun };
    let (outside, _) = held(5, brief_hold());
    let [at_once, recorded_at_once] = processed_at_once();
    let (at_once, unheld) = held(6, at_once);
    let partial = fact(2, processed(), &hold, 1);
    vec![
        (begun, &["hold_created-in-a-program"]),
        (Fact { traceparent: Some(TRACE.to_owned()), ..partial }, &["recorded-partial"]),
        (fact(3, last(), &hold, 2), &["recorded-last", "fully_dispensed"]),
        (fact(4, cancelled(), &hold, 1), &["cancelled"]),
        (outside, &["hold_created-outside-any-program"]),
        (fact(8, expired(), &hold, 1), &["expired"]),
        (at_once, &[]),
        (
            fact(7, recorded_at_once, &unheld, 1),
            &["recorded-at-once", "fully_dispensed-outside-any-program"],
        ),
    ]
}

/// A message as its golden file has it; the members stand on one line, as they travel.
#[derive(Serialize)]
struct Golden<'a> {
    topic: &'static str,
    key: String,
    #[serde(serialize_with = "in_order")]
    attributes: Vec<(&'static str, String)>,
    data: &'a RawValue,
}

fn in_order<S: serde::Serializer>(
    attributes: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(attributes.iter().map(|(name, value)| (name, value)))
}

fn golden(announcement: &Announcement) -> String {
    let golden = Golden {
        topic: announcement.topic.name(),
        key: announcement.key.to_string(),
        attributes: announcement.attributes(),
        data: serde_json::from_str(&announcement.data).unwrap(),
    };
    serde_json::to_string_pretty(&golden).unwrap() + "\n"
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/announcements")
}

#[test]
fn every_message_is_the_same_letter_by_letter_for_ever() {
    let mut told = BTreeSet::new();
    for (fact, names) in all() {
        let made = fact.announcements(LOG).unwrap();
        assert_eq!(made.len(), names.len(), "{names:?}");
        for (announcement, name) in made.iter().zip(names) {
            let promised = fs::read_to_string(folder().join(format!("{name}.json")));
            let made = golden(announcement);
            assert_eq!(promised.unwrap_or_default(), made, "{name}");
            told.insert(format!("{name}.json"));
        }
    }
    let files = fs::read_dir(folder()).unwrap();
    let files: BTreeSet<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, told, "a golden message that nobody makes any more");
}

#[test]
fn every_topic_has_its_golden_messages() {
    let told: BTreeSet<Topic> = all().iter().flat_map(|(fact, _)| fact.topics()).copied().collect();
    assert_eq!(told, Topic::ALL.into());
}

/// The relay makes a message anew after a crash, and whoever compares the streams with the log makes
/// it a third time.
#[test]
fn a_message_that_is_made_again_is_the_same_message() {
    for (fact, names) in all() {
        let again = fact.clone();
        assert_eq!(
            fact.announcements(LOG).unwrap(),
            again.announcements(LOG).unwrap(),
            "{names:?}"
        );
    }
}

#[test]
fn no_two_messages_have_one_id() {
    let made = all().into_iter().flat_map(|(fact, _)| fact.announcements(LOG).unwrap());
    let mut ids = BTreeSet::new();
    for announcement in made {
        // The sample ends one dispense in ways that exclude each other, and have the same id.
        let id = (announcement.id.clone(), announcement.place.position);
        assert!(ids.insert(id), "{} comes twice", announcement.id);
        let words = announcement.id.rsplit('/').next().unwrap();
        assert!(announcement.topic.name().ends_with(words), "{}", announcement.id);
    }
}

/// Each string of an event by its path, with `*` for any item of a list.
fn strings(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                strings(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| strings(it, &format!("{path}.*"), found)),
        Value::String(text) => found.push((path.trim_start_matches('.').to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Gives every id a value of its own, so that what is found in a message came from there alone.
fn told_apart(value: &mut Value, next: &mut u128) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|it| told_apart(it, next)),
        Value::Array(items) => items.iter_mut().for_each(|it| told_apart(it, next)),
        Value::String(text) if text.parse::<Uuid>().is_ok() => {
            *next += 1;
            *text = Uuid::from_u128(0xfeed_0000_0000 + *next).to_string();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What may be told of the beginning of a dispense. Neither patient nor pharmacist, doctor or clinic
/// are among it, nor the name of anything, nor the digest of what was said about persons.
const TOLD: [&str; 18] = [
    "dispense_id",
    "dispensed_on",
    "division.id",
    "expires_at",
    "items.*.batch_number",
    "items.*.discount_amount",
    "items.*.expiry_date",
    "items.*.id",
    "items.*.medication.id",
    "items.*.program_medication_id",
    "items.*.quantity",
    "items.*.reimbursement_amount",
    "items.*.total_price",
    "items.*.unit_price",
    "legal_entity_id",
    "medical_program.id",
    "medication_request.id",
    "medication_request.request_number",
];

/// A shorter string may be a part of anything.
const TELLING: usize = 6;

#[test]
fn nothing_of_an_event_is_told_that_is_not_listed() {
    let mut event = serde_json::to_value(&full().event).unwrap();
    told_apart(&mut event, &mut 0);
    let hold: Arc<HoldCreated> = serde_json::from_value(event.clone()).unwrap();
    let mut known = Vec::new();
    strings(&event, "", &mut known);
    known.retain(|(_, text)| text.len() >= TELLING);
    assert!(known.iter().any(|(path, _)| path == "medication_request.person_id"), "{known:#?}");

    let mut seen = BTreeSet::new();
    let begun = Recorded { event: DispenseEvent::HoldCreated(Arc::clone(&hold)), ..full() };
    for recorded in [begun, processed(), last(), cancelled(), expired()] {
        for message in fact(1, recorded, &hold, 1).announcements(LOG).unwrap() {
            let whole = golden(&message);
            let told = known.iter().filter(|(_, text)| whole.contains(text.as_str()));
            for (path, text) in told {
                assert!(TOLD.contains(&path.as_str()), "{path} is told: {text} in {whole}");
                seen.insert(path.as_str());
            }
        }
    }
    for id in ["dispense_id", "division.id", "items.*.id", "medical_program.id"] {
        assert!(seen.contains(id), "{id} is found in no message");
    }
}
