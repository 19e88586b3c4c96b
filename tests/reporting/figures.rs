//! What dispenses add up to, counted from the JSON of the events: by no code that the service has.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::Audit;

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: Option<String>,
    pub(super) dispenses: u64,
    /// Quantity, total, covered, paid.
    pub(super) amounts: [Decimal; 4],
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) group_by: &'a str,
    pub(super) statuses: Option<&'a str>,
    pub(super) own: Option<Uuid>,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

/// A dispense as its events tell it.
struct Dispense {
    hold: Value,
    ended: Option<(String, Value)>,
}

fn dispenses(audit: &Audit) -> BTreeMap<Uuid, Dispense> {
    let mut dispenses: BTreeMap<Uuid, Dispense> = BTreeMap::new();
    for entry in &audit.entries {
        let payload = entry.payload.clone();
        if entry.kind == "HoldCreated" {
            dispenses.insert(entry.dispense, Dispense { hold: payload, ended: None });
        } else {
            dispenses.get_mut(&entry.dispense).unwrap().ended = Some((entry.kind.clone(), payload));
        }
    }
    dispenses
}

fn amount(of: &Value) -> Decimal {
    of.as_str().map_or(Decimal::ZERO, |text| text.parse().unwrap())
}

impl Dispense {
    fn status(&self) -> &'static str {
        match self.ended.as_ref().map(|(kind, _)| kind.as_str()) {
            Some("Processed") => "COMPLETED",
            Some("Cancelled") => "CANCELLED",
            Some("Expired") => "EXPIRED",
            Some(other) => panic!("{other}"),
            None => {
                let ends: DateTime<Utc> =
                    self.hold["expires_at"].as_str().unwrap().parse().unwrap();
                let now = DateTime::<Utc>::from(std::time::SystemTime::now());
                if now > ends { "EXPIRED" } else { "HELD" }
            }
        }
    }

    fn items(&self) -> &Vec<Value> {
        self.hold["items"].as_array().unwrap()
    }

    /// Quantity, total and covered of some of its items.
    fn sums(&self, is_counted: impl Fn(&Value) -> bool) -> [Decimal; 3] {
        let counted = || self.items().iter().filter(|item| is_counted(item));
        ["quantity", "total_price", "discount_amount"]
            .map(|name| counted().map(|item| amount(&item[name])).sum())
    }

    /// Its lines: the key of each, and what it adds to it.
    fn lines(&self, group_by: &str) -> Vec<(Option<String>, [Decimal; 4])> {
        let text = |of: &Value| of.as_str().map(str::to_owned);
        if group_by == "medicine" {
            let medicine = |item: &Value| text(&item["medication"]["id"]);
            let medicines: BTreeSet<_> = self.items().iter().map(medicine).collect();
            let line = |key: Option<String>| {
                let [quantity, total, covered] = self.sums(|item| medicine(item) == key);
                (key, [quantity, total, covered, total - covered])
            };
            return medicines.into_iter().map(line).collect();
        }
        let key = match group_by {
            "day" => text(&self.hold["dispensed_on"]),
            "pharmacy" => text(&self.hold["division"]["id"]),
            "program" => text(&self.hold["medical_program"]["id"]),
            "status" => Some(self.status().to_owned()),
            other => panic!("{other}"),
        };
        let [quantity, total, covered] = self.sums(|_| true);
        let paid = self.ended.as_ref().and_then(|(_, payload)| payload["payment_amount"].as_str());
        let paid = paid.map_or(total - covered, |paid| paid.parse().unwrap());
        vec![(key, [quantity, total, covered, paid])]
    }
}

/// The lines of a report, in the order of their keys.
pub(super) fn counted(audit: &Audit, asked: &Asked<'_>) -> Vec<Line> {
    let usual =
        if asked.group_by == "status" { "HELD,COMPLETED,CANCELLED,EXPIRED" } else { "COMPLETED" };
    let statuses = asked.statuses.unwrap_or(usual);
    let mut lines: BTreeMap<(usize, Option<String>), Line> = BTreeMap::new();
    for dispense in dispenses(audit).values() {
        let day: NaiveDate = dispense.hold["dispensed_on"].as_str().unwrap().parse().unwrap();
        let company: Uuid = dispense.hold["legal_entity_id"].as_str().unwrap().parse().unwrap();
        if !statuses.split(',').any(|status| status == dispense.status())
            || day < asked.first
            || day > asked.last
            || asked.own.is_some_and(|own| own != company)
        {
            continue;
        }
        for (key, amounts) in dispense.lines(asked.group_by) {
            let line = lines.entry((rank(key.as_deref()), key.clone())).or_insert(Line {
                key,
                dispenses: 0,
                amounts: [Decimal::ZERO; 4],
            });
            line.dispenses += 1;
            for (sum, amount) in line.amounts.iter_mut().zip(amounts) {
                *sum += amount;
            }
        }
    }
    lines.into_values().collect()
}

/// Statuses come in the order of a dispense's life, and what has no key comes last.
fn rank(key: Option<&str>) -> usize {
    let life = ["HELD", "COMPLETED", "CANCELLED", "EXPIRED"];
    key.map_or(9, |key| life.iter().position(|status| *status == key).unwrap_or_default())
}

/// What the log says of each medication request: held until it says otherwise, and processed.
pub(super) fn balances(audit: &Audit) -> Vec<(Uuid, String, String)> {
    let mut balances: BTreeMap<Uuid, [Decimal; 2]> = BTreeMap::new();
    for dispense in dispenses(audit).values() {
        let id = dispense.hold["medication_request"]["id"].as_str().unwrap().parse().unwrap();
        let [held, processed] = balances.entry(id).or_default();
        let [taken, _, _] = dispense.sums(|_| true);
        match dispense.ended.as_ref().map(|(kind, _)| kind.as_str()) {
            None => *held += taken,
            Some("Processed") => *processed += taken,
            Some(_) => {}
        }
    }
    let text = |amount: Decimal| amount.normalize().to_string();
    balances.into_iter().map(|(id, [held, processed])| (id, text(held), text(processed))).collect()
}
