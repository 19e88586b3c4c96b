//! A problem of each kind, to look at.

use dispense_domain::{Code, Member, Place, Refusal, Refusals};

use super::{BUG, DOOR, Entry, SCHEMA};
use crate::body::Fault;
use crate::ndp;
use crate::problem::{Problem, Violation};

/// The request that all samples answer.
const REQUEST_ID: &str = "0b5a2c1e-6f6e-4f0e-9f0e-3d1f6a7b8c9d";

/// The body of a problem of this entry, written by what writes every problem.
pub(crate) fn example(entry: &'static Entry) -> Vec<u8> {
    problem(entry).document(REQUEST_ID).to_json()
}

/// As [`example`], to be read on a page.
pub(super) fn readable_example(entry: &'static Entry) -> String {
    problem(entry).document(REQUEST_ID).to_page()
}

fn problem(entry: &'static Entry) -> Problem {
    if entry.code == SCHEMA.code {
        return Problem::schema(vec![
            Violation::schema("$.prescriptionId".to_owned(), Fault::required("prescriptionId")),
            Violation::schema(
                "$.items.[0].quantityDispensed".to_owned(),
                Fault::cast("number", "string"),
            ),
        ]);
    }
    if DOOR.iter().any(|known| known.code == entry.code) {
        let params = entry.params.iter();
        return params.fold(Problem::of(entry), |problem, name| problem.with(name, value(name)));
    }
    match Code::ALL.into_iter().find(|code| code.definition().code == entry.code) {
        Some(code) => Problem::refused(&Refusals::from(refusal(code)), ndp::place::path),
        None => Problem::of(&BUG),
    }
}

fn refusal(code: Code) -> Refusal {
    let definition = code.definition();
    let params = definition.params.iter();
    let refusal = params.fold(Refusal::of(code), |refusal, name| refusal.with(name, value(name)));
    match place(definition.rule) {
        Some(place) => refusal.at(place),
        None => refusal,
    }
}

/// What the rule of this number usually blames.
fn place(rule: &str) -> Option<Place> {
    if rule == "15e+" {
        return Some(Place::Item(0, Member::ExpiryDate));
    }
    match rule.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()) {
        "3" | "4" | "5" | "9" => Some(Place::Asker),
        "6" | "7" | "8" | "17" | "18" => Some(Place::Request),
        "10" => Some(Place::Division),
        "12" => Some(Place::Program),
        "15" => Some(Place::Item(0, Member::Medication)),
        "19" => Some(Place::Quantity),
        "21" => Some(Place::PaymentAmount),
        "P4" | "P10" => Some(Place::Content),
        "P5" => Some(if rule == "P5a" { Place::Asker } else { Place::Content }),
        _ => None,
    }
}

/// A value that could stand under this name.
fn value(name: &str) -> &'static str {
    match name {
        "available" | "dispensed" | "applied" => "10",
        "requested" => "11",
        "prescribed" => "30",
        "limit" => "500",
        "status" => "SUSPENDED",
        "from" => "2026-03-01",
        "to" => "2026-03-31",
        "today" | "earliest" => "2026-04-02",
        "expiryDate" => "2026-04-01",
        "blockedTo" => "2026-05-01",
        "expiresAt" => "2026-03-02T10:10:00.000000Z",
        "missing" => "person",
        "type" => "MIS",
        "allowed" => "PHARMACY, MSP_PHARMACY",
        "signatures" | "stamps" => "1",
        "difference" => "$.details.[0].sell_price",
        "why" => "the container is not DER",
        "scope" => "medication_dispense:write",
        _ => "3c5f0f0e-8a1b-4c8e-9d53-0d1f4f2b6a10",
    }
}
