//! What becomes of a record when line after line is laid upon it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use dispense_domain::registry::RegistryKind;
use uuid::Uuid;

use super::found_by::FoundBy;

/// A line that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number.
    pub line: u64,
    /// What it describes.
    pub kind: RegistryKind,
    /// Its id; of a `party_user`, the user's.
    pub id: Uuid,
    /// The record, as it will be kept.
    pub data: String,
    /// What a medication request is found by beside its id.
    pub found_by: FoundBy,
    /// When its owner changed it, if the line says so.
    pub updated_at: Option<DateTime<Utc>>,
}

/// What is kept of a record.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Its text.
    pub data: String,
    /// The version that brought it.
    pub version: i64,
    /// The last that was heard of its owner's time.
    pub updated_at: Option<DateTime<Utc>>,
    /// What it is found by: an older version may have left that as it was, or out.
    pub found_by: FoundBy,
}

/// Records with the lines that were laid upon them.
#[derive(Debug, Default)]
pub(super) struct Merged<'a> {
    records: HashMap<(RegistryKind, Uuid), Record<'a>>,
}

#[derive(Debug, Default)]
struct Record<'a> {
    kept: Option<Kept>,
    last: Option<&'a Entry>,
    updated_at: Option<DateTime<Utc>>,
}

/// A record that has to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    /// The line that had the last word.
    pub entry: &'a Entry,
    /// The time to keep.
    pub updated_at: Option<DateTime<Utc>>,
    /// The version that is kept, if the record itself stays as it is.
    pub stays_at: Option<i64>,
}

impl<'a> Merged<'a> {
    /// What is kept of a record, before any line is laid upon it.
    pub(super) fn keep(&mut self, kind: RegistryKind, id: Uuid, kept: Kept) {
        let updated_at = kept.updated_at;
        self.records.insert((kind, id), Record { kept: Some(kept), last: None, updated_at });
    }

    /// What is kept, record by record.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Uuid, &Kept)> {
        self.records.iter().filter_map(|((_, id), record)| Some((*id, record.kept.as_ref()?)))
    }

    /// Whether the line is older than what is known; the same time is not older.
    pub(super) fn is_outdated(&self, entry: &Entry) -> bool {
        let known = self.records.get(&(entry.kind, entry.id)).and_then(|record| record.updated_at);
        entry.updated_at.is_some_and(|at| known.is_some_and(|known| at < known))
    }

    /// Lays a line upon its record. A line without a time counts, and leaves the time that is known.
    pub(super) fn lay(&mut self, entry: &'a Entry) {
        if self.is_outdated(entry) {
            return;
        }
        let record = self.records.entry((entry.kind, entry.id)).or_default();
        record.last = Some(entry);
        record.updated_at = entry.updated_at.or(record.updated_at);
    }

    /// What has to be written, in the order of the lines. Records that are what they were before
    /// are not among it.
    pub(super) fn written(&self) -> Vec<Written<'a>> {
        let mut written: Vec<_> = self.records.values().filter_map(Record::written).collect();
        written.sort_by_key(|record| record.entry.line);
        written
    }
}

impl<'a> Record<'a> {
    fn written(&self) -> Option<Written<'a>> {
        let entry = self.last?;
        let same = self.kept.as_ref().filter(|kept| kept.data == entry.data);
        let found_as_before =
            |kept: &Kept| kept.updated_at == self.updated_at && kept.found_by == entry.found_by;
        if same.is_some_and(found_as_before) {
            return None;
        }
        let stays_at = same.map(|kept| kept.version);
        Some(Written { entry, updated_at: self.updated_at, stays_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(second, 0)
    }

    fn entry(line: u64, data: &str, updated_at: Option<DateTime<Utc>>) -> Entry {
        let kind = RegistryKind::Party;
        let found_by = FoundBy::default();
        Entry { line, kind, id: Uuid::nil(), data: data.into(), found_by, updated_at }
    }

    fn merged(kept: Option<(&str, i64)>, entries: &[Entry]) -> Vec<(String, Option<i64>)> {
        let mut merged = Merged::default();
        if let Some((data, second)) = kept {
            let found_by = FoundBy::default();
            let kept = Kept { data: data.into(), version: 7, updated_at: at(second), found_by };
            merged.keep(RegistryKind::Party, Uuid::nil(), kept);
        }
        for entry in entries {
            merged.lay(entry);
        }
        let written = merged.written();
        written.iter().map(|it| (it.entry.data.clone(), it.stays_at)).collect()
    }

    #[test]
    fn the_last_line_wins() {
        let lines = [entry(1, "a", None), entry(2, "b", None)];
        assert_eq!(merged(None, &lines), [("b".into(), None)]);
        assert_eq!(merged(Some(("a", 9)), &lines), [("b".into(), None)]);
    }

    #[test]
    fn an_older_line_is_laid_aside_and_one_of_the_same_time_is_not() {
        assert_eq!(merged(Some(("a", 9)), &[entry(1, "b", at(8))]), []);
        assert_eq!(merged(Some(("a", 9)), &[entry(1, "b", at(9))]), [("b".into(), None)]);
        let lines = [entry(1, "b", at(10)), entry(2, "c", at(9))];
        assert_eq!(merged(None, &lines), [("b".into(), None)]);
    }

    #[test]
    fn a_line_without_time_counts_and_the_known_time_goes_on_counting() {
        let lines = [entry(1, "b", None), entry(2, "c", at(8))];
        assert_eq!(merged(Some(("a", 9)), &lines), [("b".into(), None)]);
    }

    #[test]
    fn the_same_again_is_not_written_and_a_new_time_is_without_a_new_version() {
        assert_eq!(merged(Some(("a", 9)), &[entry(1, "a", None)]), []);
        assert_eq!(merged(Some(("a", 9)), &[entry(1, "a", at(9))]), []);
        assert_eq!(merged(Some(("a", 9)), &[entry(1, "a", at(10))]), [("a".into(), Some(7))]);
        let there_and_back = [entry(1, "b", None), entry(2, "a", None)];
        assert_eq!(merged(Some(("a", 9)), &there_and_back), []);
    }
}
