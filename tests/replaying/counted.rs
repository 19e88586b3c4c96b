//! The figures of a moment, counted from the JSON of the events alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{Audit, Entry};

/// Up to where the log is counted.
pub(super) enum Cut {
    /// What was recorded by then.
    At(DateTime<Utc>),
    /// Those places; other partitions do not count.
    UpTo(Vec<(u16, i64)>),
}

/// A dispense, as far as it is counted.
struct Dispense<'a> {
    hold: &'a Value,
    end: Option<(&'a str, &'a Value)>,
}

fn decimal(value: &Value) -> Decimal {
    match value {
        Value::Null => Decimal::ZERO,
        value => value.as_str().unwrap().parse().unwrap(),
    }
}

fn sum(hold: &Value, member: &str) -> Decimal {
    hold["items"].as_array().unwrap().iter().map(|item| decimal(&item[member])).sum()
}

impl Dispense<'_> {
    fn status(&self, at: DateTime<Utc>) -> &'static str {
        let ends = self.hold["expires_at"].as_str().map(|it| it.parse::<DateTime<Utc>>().unwrap());
        match self.end.map(|(kind, _)| kind) {
            Some("Processed") => "COMPLETED",
            Some("Cancelled") => "CANCELLED",
            Some("Expired") => "EXPIRED",
            None if ends.is_some_and(|ends| at > ends) => "EXPIRED",
            None => "HELD",
            Some(other) => panic!("{other}"),
        }
    }

    /// What the patient paid: what was said, else what the program left.
    fn paid(&self) -> Decimal {
        let said = self.end.map_or(&Value::Null, |(_, event)| &event["payment_amount"]);
        match said {
            Value::Null => sum(self.hold, "total_price") - sum(self.hold, "discount_amount"),
            said => decimal(said),
        }
    }
}

/// Dispenses, quantity, total, coverage, copayment, and what is held.
type Figures = [Decimal; 6];

/// What a replay should print of that moment.
pub(super) fn counted(audit: &Audit, cut: &Cut) -> Value {
    let counts = |entry: &&Entry| match cut {
        Cut::At(at) => entry.recorded_at <= *at,
        Cut::UpTo(places) => places.iter().any(|(partition, position)| {
            entry.partition == *partition && entry.position <= *position
        }),
    };
    let entries: Vec<_> = audit.entries.iter().filter(counts).collect();
    let at = match cut {
        Cut::At(at) => *at,
        Cut::UpTo(_) => entries.iter().map(|it| it.recorded_at).max().unwrap(),
    };
    let mut positions: BTreeMap<u16, i64> = match cut {
        Cut::At(_) => (0..4).map(|partition| (partition, 0)).collect(),
        Cut::UpTo(places) => places.iter().copied().collect(),
    };
    let mut dispenses = BTreeMap::new();
    let mut requests: BTreeMap<_, (Decimal, Decimal)> = BTreeMap::new();
    for entry in &entries {
        let position = positions.entry(entry.partition).or_default();
        *position = entry.position.max(*position);
        if entry.kind == "HoldCreated" {
            dispenses.insert(entry.dispense, Dispense { hold: &entry.payload, end: None });
            let prescribed = decimal(&entry.payload["prescribed"]);
            requests.entry(entry.request).or_insert((prescribed, Decimal::ZERO));
        } else {
            let dispense = dispenses.get_mut(&entry.dispense).unwrap();
            dispense.end = Some((&entry.kind, &entry.payload));
            if entry.kind == "Processed" {
                requests.get_mut(&entry.request).unwrap().1 += sum(dispense.hold, "quantity");
            }
        }
    }

    let mut statuses: BTreeMap<&str, i64> = BTreeMap::new();
    let mut programs: BTreeMap<Option<String>, Figures> = BTreeMap::new();
    let (mut open, mut ends) = (0, BTreeSet::new());
    for dispense in dispenses.values() {
        let status = dispense.status(at);
        *statuses.entry(status).or_default() += 1;
        let program = dispense.hold["medical_program"]["id"].as_str().map(str::to_owned);
        let figures = match status {
            "COMPLETED" => [
                Decimal::ONE,
                sum(dispense.hold, "quantity"),
                sum(dispense.hold, "total_price"),
                sum(dispense.hold, "discount_amount"),
                dispense.paid(),
                Decimal::ZERO,
            ],
            "HELD" => {
                if let Some(end) = dispense.hold["expires_at"].as_str() {
                    open += 1;
                    ends.insert(end.parse::<DateTime<Utc>>().unwrap());
                }
                let mut figures = Figures::default();
                figures[5] = sum(dispense.hold, "quantity");
                figures
            }
            _ => continue,
        };
        let own = programs.entry(program).or_default();
        for (sum, figure) in own.iter_mut().zip(figures) {
            *sum += figure;
        }
    }
    let names = ["dispenses", "quantity", "totalAmount", "insuranceCoverage", "copayment", "held"];
    let programs: Vec<Value> = programs
        .into_iter()
        .map(|(id, figures)| {
            let mut program = json!({ "programId": id });
            for (name, figure) in names.into_iter().zip(figures) {
                program[name] = json!(figure.normalize().to_string());
            }
            program
        })
        .collect();
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let list: Vec<_> =
        positions.iter().map(|(partition, it)| format!("{partition}:{it}")).collect();
    let left_out: Vec<u16> = (0..4).filter(|it| !positions.contains_key(it)).collect();
    let count = |status| statuses.get(status).copied().unwrap_or(0);
    json!({
        "positions": list.join(","), "at": text(at), "leftOut": left_out, "schema": null,
        "events": entries.len(), "medicationRequests": requests.len(),
        "fullyDispensed": requests.values().filter(|(all, done)| all == done).count(),
        "HELD": count("HELD"), "COMPLETED": count("COMPLETED"),
        "CANCELLED": count("CANCELLED"), "EXPIRED": count("EXPIRED"),
        "openHolds": open, "nextExpiry": ends.first().copied().map(text),
        "programs": programs,
    })
}
