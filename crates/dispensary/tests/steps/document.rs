//! The register's document of a dispense: letter by letter, whatever happens later, and nothing in
//! it that is not listed.

mod of_request;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispensary::document::{DocumentError, Side, dispense, frozen};
use dispensary::{LogPosition, Recorded, Shown};
use dispense_domain::{DispenseEvent, DispenseId};
use serde_json::Value;
use uuid::Uuid;

const HELD_AT: &str = "2026-03-10T10:00:00.123456Z";
const LATER: &str = "2026-03-10T10:07:30Z";
const PHARMACIST: &str = "00000000-0000-0000-0000-0000000b0001";
const SOMEBODY_ELSE: &str = "00000000-0000-0000-0000-0000000b0002";

/// The oldest shapes of event and body that the log can hold.
macro_rules! of_log {
    ($name:literal) => {
        include_str!(concat!("../../../domain/tests/golden/", $name, ".json"))
    };
}

/// A document, letter by letter.
macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../golden/", $name, ".json")).trim_end()
    };
}

fn recorded(event: &str, body: Option<&str>, at: &str, user: &str) -> Recorded {
    let event: DispenseEvent = serde_json::from_str(event).unwrap();
    Recorded {
        place: LogPosition { partition: 0, position: 1 },
        sequence: 1,
        event_id: event.dispense_id().event_id(event.name()),
        recorded_at: at.parse().unwrap(),
        event,
        body: body.map(Arc::from),
        metadata: BTreeMap::from([("user".to_owned(), user.to_owned())]),
    }
}

/// A hold of which everything is known.
pub(crate) fn full() -> Recorded {
    let body = of_log!("HoldBody-full");
    recorded(of_log!("HoldCreated-1.0-full"), Some(body), HELD_AT, PHARMACIST)
}

/// A hold outside any program, of which little is known.
pub(crate) fn brief() -> Recorded {
    let body = of_log!("HoldBody-brief");
    recorded(of_log!("HoldCreated-1.0-brief"), Some(body), HELD_AT, PHARMACIST)
}

pub(crate) fn processed() -> Recorded {
    let body = of_log!("ProcessedBody");
    recorded(of_log!("Processed-1.0-signed"), Some(body), LATER, SOMEBODY_ELSE)
}

pub(crate) fn cancelled() -> Recorded {
    let body = of_log!("CancelledBody");
    recorded(of_log!("Cancelled-1.0-said"), Some(body), LATER, SOMEBODY_ELSE)
}

/// A dispense that was recorded at once: both of its events.
pub(crate) fn processed_at_once() -> [Recorded; 2] {
    [brief(), recorded(of_log!("Processed-1.0-at-once"), None, HELD_AT, PHARMACIST)]
}

pub(crate) fn expired() -> Recorded {
    recorded(of_log!("Expired-1.0"), None, LATER, SOMEBODY_ELSE)
}

fn id_of(events: &[Recorded]) -> DispenseId {
    events[0].event.dispense_id()
}

/// The document as it was signed.
fn signed(events: &[Recorded], side: Side) -> String {
    frozen(events, id_of(events), side).unwrap().get().to_owned()
}

/// The document as it stands at that time.
fn standing(events: &[Recorded], at: &str) -> Value {
    let at: DateTime<Utc> = at.parse().unwrap();
    let shown = Shown::of(events, id_of(events), at).unwrap();
    serde_json::from_str(dispense(&shown, Side::Whole).unwrap().get()).unwrap()
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Every name of a member, at any depth.
fn all_names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                found.push(name.clone());
                all_names(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_names(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn what_is_signed_is_the_same_letter_by_letter_for_ever() {
    assert_eq!(signed(&[full()], Side::Whole), golden!("full-whole"));
    assert_eq!(signed(&[full()], Side::WithoutPrescriber), golden!("full-without-prescriber"));
    assert_eq!(signed(&[brief()], Side::Whole), golden!("brief-whole"));
}

#[test]
fn nothing_that_happens_later_alters_what_is_signed() {
    for side in [Side::Whole, Side::WithoutPrescriber] {
        let before = signed(&[full()], side);
        for later in [processed(), cancelled(), expired()] {
            assert_eq!(signed(&[full(), later], side), before);
        }
    }
}

#[test]
fn a_document_says_where_the_dispense_stands() {
    let held = standing(&[full()], HELD_AT);
    assert_eq!(held["status"], "NEW");
    assert_eq!(held["inserted_at"], HELD_AT);
    assert_eq!(held["updated_at"], HELD_AT);
    assert_eq!(held["updated_by"], PHARMACIST);
    assert_eq!((&held["payment_id"], &held["payment_amount"]), (&Value::Null, &Value::Null));

    let handed_over = standing(&[full(), processed()], LATER);
    assert_eq!(handed_over["status"], "PROCESSED");
    assert_eq!(handed_over["payment_id"], "A-1");
    assert_eq!(handed_over["payment_amount"], 416.33);
    assert_eq!(handed_over["inserted_at"], HELD_AT);
    assert_eq!(handed_over["inserted_by"], PHARMACIST);
    assert_eq!(handed_over["updated_at"], "2026-03-10T10:07:30.000000Z");
    assert_eq!(handed_over["updated_by"], SOMEBODY_ELSE);

    let given_back = standing(&[full(), cancelled()], LATER);
    assert_eq!(
        (&given_back["status"], &given_back["payment_id"]),
        (&"REJECTED".into(), &"A-1".into())
    );
    assert_eq!(standing(&[full(), expired()], LATER)["status"], "EXPIRED");
}

#[test]
fn a_hold_whose_time_has_come_is_over_before_anybody_records_it() {
    let over = standing(&[full()], "2026-03-10T10:10:00.123457Z");
    assert_eq!(over["status"], "EXPIRED");
    assert_eq!(over["updated_at"], HELD_AT, "nothing was recorded");
}

#[test]
fn nothing_but_where_it_stands_moves_with_a_dispense() {
    let mut before = standing(&[full()], HELD_AT);
    let mut after = standing(&[full(), processed()], LATER);
    for moving in ["status", "payment_id", "payment_amount", "updated_at", "updated_by"] {
        before[moving] = Value::Null;
        after[moving] = Value::Null;
    }
    assert_eq!(before, after);
}

#[test]
fn numbers_are_exact_and_have_no_trailing_zeros() {
    let text = signed(&[full()], Side::Whole);
    for number in [
        r#""medication_qty":30.5,"#,
        r#""sell_price":18.65,"#,
        r#""discount_amount":152.5,"#,
        r#""reimbursement_amount":150,"#,
        r#""medication_remaining_qty":60}"#,
        r#""numerator_value":500,"#,
    ] {
        assert!(text.contains(number), "{number} in {text}");
    }
}

#[test]
fn what_a_dispense_lacks_is_left_out() {
    let brief = standing(&[brief()], HELD_AT);
    for missing in ["note", "medical_program"] {
        assert!(!names(&brief).contains(&missing), "{missing}");
    }
    assert_eq!(brief["dispensed_by"], Value::Null);
    assert_eq!(
        names(&brief["details"][0]),
        ["medication", "medication_qty", "reimbursement_amount"],
    );
    assert_eq!(
        names(&brief["medication_request"]),
        [
            "division",
            "employee",
            "id",
            "intent",
            "is_blocked",
            "legal_entity",
            "medication_info",
            "person",
            "status"
        ],
    );
}

#[test]
fn a_program_of_the_dispense_stands_in_for_the_one_of_the_doctor() {
    let mut event: Value = serde_json::from_str(of_log!("HoldCreated-1.0-full")).unwrap();
    let request = event["medication_request"].as_object_mut().unwrap();
    request.remove("medical_program").unwrap();
    let hold = recorded(&event.to_string(), Some(of_log!("HoldBody-full")), HELD_AT, PHARMACIST);
    assert_eq!(standing(&[hold], HELD_AT), standing(&[full()], HELD_AT));
}

#[test]
fn pharmacies_are_not_shown_who_prescribed() {
    let text = signed(&[full()], Side::WithoutPrescriber);
    let trimmed: Value = serde_json::from_str(&text).unwrap();
    let mut whole = standing(&[full()], HELD_AT);
    for missing in ["legal_entity", "division", "employee"] {
        whole["medication_request"].as_object_mut().unwrap().remove(missing).unwrap();
    }
    assert_eq!(trimmed, whole);
    for strange in ["doctor-", "clinic-", "site-"] {
        assert!(!text.contains(strange), "{strange}");
    }
}

#[test]
fn of_persons_there_is_nothing_but_what_is_listed() {
    let full = standing(&[full()], HELD_AT);
    let request = &full["medication_request"];
    assert_eq!(
        names(&full["party"]),
        ["birth_date", "first_name", "id", "last_name", "no_tax_id", "phones", "second_name"],
    );
    assert_eq!(names(&request["person"]), ["age", "id", "short_name"]);
    assert_eq!(names(&request["employee"]), ["id", "party", "position"]);
    assert_eq!(
        names(&request["employee"]["party"]),
        ["first_name", "id", "last_name", "phones", "second_name"],
    );
    let mut found = Vec::new();
    all_names(&full, &mut found);
    for private in ["tax_id", "documents", "salt", "verification_code"] {
        assert!(!found.iter().any(|name| name == private), "{private}");
    }
}

/// What is left where the body was erased.
#[test]
fn what_was_erased_is_null_and_the_rest_stays() {
    let mut erased = full();
    erased.body = None;
    let left = standing(&[erased], HELD_AT);
    let whole = standing(&[full()], HELD_AT);
    for (path, value) in [
        ("/party/last_name", &Value::Null),
        ("/party/no_tax_id", &Value::Null),
        ("/legal_entity/name", &Value::Null),
        ("/division/addresses", &Value::Null),
        ("/dispensed_by", &Value::Null),
        ("/medication_request/person/short_name", &Value::Null),
        ("/medication_request/person/age", &Value::Null),
        ("/medication_request/employee/party", &Value::Null),
        ("/medication_request/legal_entity/licenses", &Value::Null),
    ] {
        assert_eq!(left.pointer(path), Some(value), "{path}");
        assert_ne!(whole.pointer(path), Some(value), "{path}");
    }
    for gone in
        ["/note", "/medication_request/dosage_instruction", "/medication_request/is_blocked"]
    {
        assert_eq!(left.pointer(gone), None, "{gone}");
        assert!(whole.pointer(gone).is_some(), "{gone}");
    }
    for kept in [
        "/id",
        "/inserted_by",
        "/party/id",
        "/legal_entity/id",
        "/division/name",
        "/medical_program",
        "/details",
        "/medication_request/person/id",
        "/medication_request/employee/id",
        "/medication_request/legal_entity/id",
        "/medication_request/division/id",
        "/medication_request/medication_info",
        "/medication_request/medical_program",
        "/medication_request/request_number",
    ] {
        assert_eq!(left.pointer(kept), whole.pointer(kept), "{kept}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_not_taken_for_an_erased_one() {
    let mut broken = full();
    broken.body = Some("{}".into());
    let id = id_of(&[broken.clone()]);
    let read = frozen(&[broken], id, Side::Whole);
    assert!(matches!(read, Err(DocumentError::BodyUnreadable(_))), "{read:?}");
}

#[test]
fn a_dispense_that_never_began_has_no_document() {
    let unknown = DispenseId::from(Uuid::nil());
    let read = frozen(&[full(), processed()], unknown, Side::Whole);
    assert!(matches!(read, Err(DocumentError::NoHold)), "{read:?}");
}
