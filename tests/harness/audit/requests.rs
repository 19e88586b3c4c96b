//! The invariant: processed + live holds ≤ prescribed, for each medication request, at every
//! position. Counted from the JSON of the events.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::entry::Entry;

/// What the events so far say of one medication request.
#[derive(Default)]
struct Account<'a> {
    prescribed: Option<Decimal>,
    holds: BTreeMap<Uuid, Hold>,
    last: Option<&'a Entry>,
}

/// One dispense.
struct Hold {
    taken: Decimal,
    /// None if it was recorded at once.
    expires_at: Option<DateTime<Utc>>,
    /// What ended it.
    ended: Option<String>,
}

/// Goes through the log, event by event.
pub(super) fn check(entries: &[Entry]) {
    let mut accounts: BTreeMap<Uuid, Account<'_>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.aggregate_type, "dispense", "{entry:#?}");
        assert_eq!(entry.payload["type"], *entry.kind, "{entry:#?}");
        assert_eq!(entry.payload["dispense_id"], *entry.dispense.to_string(), "{entry:#?}");
        let account = accounts.entry(entry.request).or_default();
        account.follow(entry);
        account.assert_within_bounds(entry);
        if is_at_once(entry) {
            recorded_at_once(entry, entries.get(index + 1));
        }
    }
}

fn is_at_once(entry: &Entry) -> bool {
    entry.kind == "HoldCreated" && entry.payload["processed_at_once"] == true
}

/// What is recorded at once stands side by side, in one commit.
fn recorded_at_once(hold: &Entry, next: Option<&Entry>) {
    let next = next.unwrap_or_else(|| panic!("never processed: {hold:#?}"));
    let beside = (next.partition, next.position) == (hold.partition, hold.position + 1);
    assert!(beside && next.kind == "Processed" && next.dispense == hold.dispense, "{next:#?}");
    assert_eq!(next.transaction, hold.transaction, "two commits: {hold:#?} {next:#?}");
}

impl<'a> Account<'a> {
    fn follow(&mut self, entry: &'a Entry) {
        let (partition, sequence) =
            self.last.map_or((entry.partition, 0), |last| (last.partition, last.sequence));
        assert_eq!((entry.partition, entry.sequence), (partition, sequence + 1), "{entry:#?}");
        match &*entry.kind {
            "HoldCreated" => self.open(entry),
            "Processed" | "Cancelled" | "Expired" => self.close(entry),
            other => panic!("{other} is no event of this log"),
        }
        self.last = Some(entry);
    }

    fn open(&mut self, entry: &Entry) {
        let prescribed = Entry::amount(&entry.payload["prescribed"]);
        let known = *self.prescribed.get_or_insert(prescribed);
        assert_eq!(prescribed, known, "what was prescribed has changed: {entry:#?}");
        for (other, hold) in &self.holds {
            // Also one that has lapsed is ended before the next one begins, in the same commit.
            assert!(hold.ended.is_some(), "{other} is still open: {entry:#?}");
        }
        let items = entry.payload["items"].as_array().unwrap();
        let taken = items.iter().map(|item| Entry::amount(&item["quantity"])).sum();
        assert!(taken > Decimal::ZERO, "{entry:#?}");
        let expires_at = entry.instant("expires_at");
        assert_eq!(expires_at.is_none(), is_at_once(entry), "{entry:#?}");
        assert!(expires_at.is_none_or(|end| end > entry.recorded_at), "{entry:#?}");
        let hold = Hold { taken, expires_at, ended: None };
        assert!(self.holds.insert(entry.dispense, hold).is_none(), "begun twice: {entry:#?}");
    }

    fn close(&mut self, entry: &Entry) {
        let hold = self.holds.get_mut(&entry.dispense);
        let hold = hold.unwrap_or_else(|| panic!("ended, but never begun: {entry:#?}"));
        assert_eq!(hold.ended, None, "ended twice: {entry:#?}");
        // A hold lives through its last instant.
        let lives = hold.expires_at.is_none_or(|end| entry.recorded_at <= end);
        assert_eq!(lives, entry.kind != "Expired", "{entry:#?}");
        hold.ended = Some(entry.kind.clone());
    }

    fn assert_within_bounds(&self, entry: &Entry) {
        let sum = |counts: &dyn Fn(&Hold) -> bool| -> Decimal {
            self.holds.values().filter(|hold| counts(hold)).map(|hold| hold.taken).sum()
        };
        let processed = sum(&|hold| hold.ended.as_deref() == Some("Processed"));
        let is_live = |hold: &Hold| {
            hold.ended.is_none() && hold.expires_at.is_none_or(|end| entry.recorded_at <= end)
        };
        let live = self.holds.values().filter(|hold| is_live(hold)).count();
        assert!(live <= 1, "{live} live holds after {entry:#?}");
        let prescribed = self.prescribed.unwrap();
        let spoken_for = processed + sum(&is_live);
        assert!(spoken_for <= prescribed, "{spoken_for} of {prescribed} after {entry:#?}");
        if entry.kind == "Processed" {
            let remaining = Entry::amount(&entry.payload["remaining"]);
            assert_eq!(remaining, prescribed - processed, "{entry:#?}");
        }
    }
}
