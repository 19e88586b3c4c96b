//! The lines of a demo, read back as an importer would.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use chrono::NaiveDate;
use dispense_demo::Demo;
use serde_json::Value;

/// The day on which the tests look at the registry.
pub(crate) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

/// The registry of seed 0, in the default size.
pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::read(Demo::new(today()).lines()));

/// Records by kind and id.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    kinds: BTreeMap<String, HashMap<String, Value>>,
    pub(crate) lines: usize,
}

impl Registry {
    pub(crate) fn read(lines: impl Iterator<Item = String>) -> Self {
        let mut registry = Self::default();
        for line in lines {
            let mut value: Value = serde_json::from_str(&line).unwrap();
            let kind = value["kind"].as_str().unwrap().to_owned();
            let record = value["data"].take();
            let id = text(&record, if kind == "party_user" { "user_id" } else { "id" }).to_owned();
            let before = registry.kinds.entry(kind).or_default().insert(id, record);
            assert!(before.is_none(), "an id comes twice: {line}");
            registry.lines += 1;
        }
        registry
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.kinds[kind].values()
    }

    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<&Value> {
        self.kinds[kind].get(id)
    }

    pub(crate) fn get(&self, kind: &str, id: &(impl ToString + ?Sized)) -> &Value {
        let id = id.to_string();
        self.find(kind, &id).unwrap_or_else(|| panic!("no {kind} {id}"))
    }

    /// How many records of a kind have this text in this member.
    pub(crate) fn count(&self, kind: &str, member: &str, wanted: &str) -> usize {
        self.all(kind).filter(|record| record[member] == wanted).count()
    }
}

pub(crate) fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record[member].as_str().unwrap_or_else(|| panic!("no text {member} in {record}"))
}

pub(crate) fn day(record: &Value, member: &str) -> NaiveDate {
    text(record, member).parse().unwrap()
}

/// An amount of money, in kopecks.
pub(crate) fn kopecks(amount: &Value) -> u64 {
    let text = amount.to_string();
    let (hryvnias, rest) = text.split_once('.').unwrap_or((&text, "0"));
    assert!(rest.len() <= 2, "{amount} is finer than a kopeck");
    hryvnias.parse::<u64>().unwrap() * 100 + format!("{rest:0<2}").parse::<u64>().unwrap()
}
