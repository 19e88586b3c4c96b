//! What is whole, and what is told of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sample::{LOG_ID, Sample, key};
use super::second_check::{assert_same, second};
use super::{Trust, Written, check, trust};
use crate::export::verify::verify_with;
use crate::export::{Extent, Kept, extent};
use crate::note;

#[test]
fn a_true_export_is_whole() {
    let sample = Sample::new();
    let export = Written::of(&sample);
    let summary = check(export.path(), &trust()).unwrap();
    assert_eq!(summary.log_id, LOG_ID);
    assert_eq!(summary.epoch, 1);
    assert_eq!((summary.rows(), summary.covered()), (12, 10));
    assert_eq!((summary.erasures, summary.erasures_covered()), (2, 2));
    assert_eq!((summary.medication_requests(), summary.checkpoints()), (3, 4));
    let first = &summary.partitions[0];
    assert_eq!((first.partition, first.rows, first.covered), (0, 9, 7));
    assert_eq!(first.root, sample.checkpoint(0, 9).root);
    assert_eq!(first.signed_by, BTreeSet::from(["dispense.example".to_owned()]));
    assert_same(&summary, &second(export.path(), &[]));
}

#[test]
fn a_kept_checkpoint_covers_what_it_covers() {
    let sample = Sample::new();
    let export = Written::of(&sample);
    let note = note::sign(&sample.checkpoint(0, 9).text(), &key());
    let kept = Kept::open("kept.txt".to_owned(), note.as_bytes(), &trust().keys).unwrap();
    let trust = Trust { kept: vec![kept.clone(), kept], ..trust() };
    assert_eq!(check(export.path(), &trust).unwrap().partitions[0].covered, 9);
}

#[test]
fn an_empty_log_is_whole() {
    let none = Sample {
        rows: vec![Vec::new(); 2],
        erasures: Vec::new(),
        checkpoints: vec![vec![0], vec![]],
        ..Sample::new()
    };
    let export = Written::of(&none);
    let summary = check(export.path(), &trust()).unwrap();
    assert_eq!((summary.rows(), summary.checkpoints()), (0, 1));
    assert_same(&summary, &second(export.path(), &[]));
}

#[test]
fn names_that_begin_with_a_dot_are_not_looked_at() {
    let export = Written::of(&Sample::new());
    super::sample::put(export.path(), ".state", "more");
    super::sample::put(export.path(), "events/0000/.part", "more");
    let summary = check(export.path(), &trust()).unwrap();
    assert_same(&summary, &second(export.path(), &[]));
}

#[test]
fn every_byte_of_rows_is_told() {
    let export = Written::of(&Sample::new());
    let told = AtomicU64::new(0);
    let tell = |bytes| {
        told.fetch_add(bytes, Ordering::Relaxed);
    };
    crate::export::verify(export.path(), &trust(), &tell).unwrap();
    let expected = Extent { bytes: told.into_inner(), checkpoints: 4 };
    assert_eq!(extent(export.path()).unwrap(), expected);
}

#[test]
fn shares_of_the_medication_requests_show_what_the_whole_shows() {
    let sample = Sample::new();
    let whole = Written::of(&sample);
    let expected = check(whole.path(), &trust()).unwrap();
    let overdrawn = |position, from, to| {
        let mut overdrawn = sample.clone();
        overdrawn.change(0, position, from, to);
        let overdrawn = Written::of(&overdrawn);
        let broken = check(overdrawn.path(), &trust()).unwrap_err();
        assert_eq!(broken.place.position, Some(position as u64));
        (overdrawn, broken.to_string())
    };
    let overdrawn = [overdrawn(6, "29.5", "30"), overdrawn(1, "10.5", "50")];
    // Which share a medication request falls into is drawn anew each time.
    for most in [0, 1].repeat(20) {
        let found = verify_with(whole.path(), &trust(), &|_| {}, most).unwrap();
        assert_eq!(found, expected);
        for (overdrawn, broken) in &overdrawn {
            let found = verify_with(overdrawn.path(), &trust(), &|_| {}, most).unwrap_err();
            assert_eq!(found.to_string(), *broken);
        }
    }
}
