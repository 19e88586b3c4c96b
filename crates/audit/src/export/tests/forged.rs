//! What forgers do: each forgery is found, and named with the first place where it shows, by both
//! checks alike.

use std::fs;
use std::path::{Path, PathBuf};

use super::sample::{PARTITIONS, Sample, key, put, request};
use super::second_check::{assert_same_finding, second};
use super::{Written, check, trust};
use crate::checkpoint::Checkpoint;
use crate::export::{Broken, Kept, Kind, Trust, checkpoint, segment};
use crate::note::{self, SigningKey};

/// What both checks find.
#[track_caller]
pub(super) fn found_with(folder: &Path, kept: &[PathBuf]) -> Broken {
    let open = |path: &PathBuf| {
        let note = fs::read(path).unwrap();
        Kept::open(path.display().to_string(), &note, &trust().keys).unwrap()
    };
    let trust = Trust { kept: kept.iter().map(open).collect(), ..trust() };
    let broken = check(folder, &trust).expect_err("it is forged");
    assert_same_finding(&broken, &second(folder, kept));
    broken
}

/// A row is where it shows.
#[track_caller]
pub(super) fn assert_row(broken: &Broken, kind: Kind, partition: u16, position: u64) {
    let place = &broken.place;
    assert_eq!(
        (broken.kind, place.partition, place.position),
        (kind, Some(partition), Some(position))
    );
}

#[track_caller]
pub(super) fn assert_forged(forged: &Written, kind: Kind, partition: u16, position: u64) {
    assert_row(&found_with(forged.path(), &[]), kind, partition, position);
}

/// The true export, with a file changed after it was written.
fn edited(file: &str, edit: impl FnOnce(String) -> String) -> Written {
    let export = Written::of(&Sample::new());
    let text = fs::read_to_string(export.path().join(file)).unwrap();
    let other = edit(text.clone());
    assert_ne!(text, other);
    put(export.path(), file, &other);
    export
}

fn replaced(file: &str, from: &str, to: &str) -> Written {
    edited(file, |text| text.replacen(from, to, 1))
}

/// The log, changed by whoever can recompute and sign everything.
pub(super) fn resigned(change: impl FnOnce(&mut Sample)) -> Written {
    let mut sample = Sample::new();
    change(&mut sample);
    Written::of(&sample)
}

/// The log, changed and recomputed by whoever does not have the key: checkpoints are the old ones.
fn recomputed(change: impl FnOnce(&mut Sample)) -> Written {
    let (sample, export) = (Sample::new(), resigned(change));
    for (partition, sizes) in (0..PARTITIONS).zip(&sample.checkpoints) {
        for size in sizes {
            let note = note::sign(&sample.checkpoint(partition.into(), *size).text(), &key());
            put(export.path(), &checkpoint(partition, *size as u64), &note);
        }
    }
    export
}

/// The true export, with one row of a log that was changed, and the hash that fits it there.
fn transplanted(position: usize, change: impl FnOnce(&mut Sample)) -> Written {
    let other = fs::read_to_string(resigned(change).path().join(FIRST)).unwrap();
    edited(FIRST, |text| {
        let lines = text.split_inclusive('\n').zip(other.split_inclusive('\n'));
        (1..)
            .zip(lines)
            .map(|(at, (ours, other))| if at == position { other } else { ours })
            .collect()
    })
}

/// The true export, with lines of the first segment in another order, or fewer of them.
fn rearranged(order: &[usize]) -> Written {
    edited(FIRST, |text| {
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        order.iter().map(|position| lines[position - 1]).collect()
    })
}

/// The first segment of partition 0, with its first four rows.
const FIRST: &str = "events/0000/000000000001.ndjson";
/// The third one, with the last row of partition 0.
const THIRD: &str = "events/0000/000000000009.ndjson";

#[test]
fn a_changed_payload() {
    let forged = replaced(FIRST, "\"prescribed\":\"30\"", "\"prescribed\":\"31\"");
    assert_forged(&forged, Kind::Hash, 0, 3);
    let place = found_with(forged.path(), &[]).place;
    assert_eq!((place.file.as_deref(), place.line), (Some(FIRST), Some(3)));
}

#[test]
fn a_changed_amount_with_the_hash_of_its_row() {
    let forged = transplanted(3, |log| {
        log.change(0, 3, "\"prescribed\":\"30\"", "\"prescribed\":\"31\"");
    });
    assert_forged(&forged, Kind::Hash, 0, 4);
    let forged = transplanted(3, |log| {
        log.change(0, 3, "\"quantity\":\"30\"", "\"quantity\":\"31\"");
    });
    assert_forged(&forged, Kind::Quantity, 0, 3);
}

#[test]
fn rows_that_moved() {
    assert_forged(&rearranged(&[1, 3, 2, 4]), Kind::Position, 0, 2);
    assert_forged(&rearranged(&[1, 2, 4]), Kind::Position, 0, 3);
    assert_forged(&rearranged(&[2, 3, 4]), Kind::Position, 0, 1);
    assert_forged(&rearranged(&[1, 1, 2, 3, 4]), Kind::Position, 0, 2);
    // The rows after the missing one stand in the next file.
    assert_forged(&rearranged(&[1, 2, 3]), Kind::Layout, 0, 4);
    assert_forged(&rearranged(&[]), Kind::Layout, 0, 1);
}

#[test]
fn a_deleted_row_where_everything_after_it_was_recomputed() {
    let forged = recomputed(|log| {
        log.remove(0, 3);
        log.remove(0, 3);
    });
    assert_forged(&forged, Kind::Root, 0, 4);
}

#[test]
fn a_truncated_tail() {
    let export = Written::of(&Sample::new());
    fs::remove_file(export.path().join(THIRD)).unwrap();
    assert!(check(export.path(), &trust()).is_ok(), "no checkpoint covers the last two rows");
    fs::remove_file(export.path().join(segment(0, 5))).unwrap();
    assert_forged(&export, Kind::Tail, 0, 5);
    let place = found_with(export.path(), &[]).place;
    assert_eq!(place.file, Some(checkpoint(0, 7)));

    let forged = edited(&segment(1, 1), |text| text[..text.len() - 1].to_owned());
    assert_forged(&forged, Kind::Line, 1, 3);
    let forged = edited(&segment(1, 1), |text| text.lines().next().unwrap().to_owned() + "\n");
    assert_forged(&forged, Kind::Tail, 1, 2);
}

/// Writes a checkpoint that an auditor kept.
fn kept(folder: &Path, checkpoint: &Checkpoint) -> Vec<PathBuf> {
    let path = folder.join(".kept.txt");
    fs::write(&path, note::sign(&checkpoint.text(), &key())).unwrap();
    vec![path]
}

#[test]
fn a_recomputed_chain_against_an_old_checkpoint() {
    let (old, forged) = (Sample::new(), resigned(|log| log.rows[0][7].metadata = "{}".to_owned()));
    assert!(check(forged.path(), &trust()).is_ok(), "its own checkpoints were signed anew");
    for size in [8, 9] {
        let kept = kept(forged.path(), &old.checkpoint(0, size));
        assert_row(&found_with(forged.path(), &kept), Kind::Kept, 0, size as u64);
    }
    let mut longer = old.clone();
    longer.cancelled(0, request(0, 1), 4, 607);
    let longer = kept(forged.path(), &longer.checkpoint(0, 10));
    assert_row(&found_with(forged.path(), &longer), Kind::Tail, 0, 10);

    let recomputed = recomputed(|log| log.rows[0][1].metadata = "{}".to_owned());
    assert_forged(&recomputed, Kind::Root, 0, 4);
}

#[test]
fn a_kept_checkpoint_of_another_log() {
    let (sample, export) = (Sample::new(), Written::of(&Sample::new()));
    let true_one = sample.checkpoint(0, 4);
    for other in [
        Checkpoint { log_id: uuid::Uuid::nil(), ..true_one },
        Checkpoint { partition: 2, ..true_one },
        Checkpoint { epoch: 2, ..true_one },
    ] {
        let kept = kept(export.path(), &other);
        assert_eq!(found_with(export.path(), &kept).kind, Kind::Kept);
    }
    let kept = kept(export.path(), &Checkpoint { partition: 1, size: 3, ..true_one });
    assert_row(&found_with(export.path(), &kept), Kind::Kept, 1, 3);
}

#[test]
fn segments_that_were_swapped() {
    let export = Written::of(&Sample::new());
    let (first, second) = (export.path().join(FIRST), export.path().join(segment(0, 5)));
    let (one, other) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
    fs::write(&first, other).unwrap();
    fs::write(&second, one).unwrap();
    assert_forged(&export, Kind::Position, 0, 1);

    let export = Written::of(&Sample::new());
    fs::copy(export.path().join(segment(1, 1)), export.path().join(FIRST)).unwrap();
    assert_forged(&export, Kind::Partition, 0, 1);

    let export = Written::of(&Sample::new());
    fs::rename(export.path().join(FIRST), export.path().join(segment(0, 2))).unwrap();
    assert_forged(&export, Kind::Layout, 0, 1);
}

#[test]
fn erasures_that_were_removed_or_made_up() {
    let line = |line, kind, forged: Written| {
        let broken = found_with(forged.path(), &[]);
        let place = broken.place;
        assert_eq!((broken.kind, place.line), (kind, line));
        assert_eq!(place.file.as_deref(), Some("erasures.ndjson"));
    };
    let file = "erasures.ndjson";
    let first = |text: String| text.lines().next().unwrap().to_owned() + "\n";
    let second = |text: String| text.lines().nth(1).unwrap().to_owned() + "\n";
    line(Some(1), Kind::Erasure, edited(file, second));
    line(Some(1), Kind::Erasure, replaced(file, "März", "Mai"));
    line(Some(1), Kind::Line, replaced(file, "\"number\":1", "\"number\": 1"));
    line(Some(1), Kind::Line, replaced(file, "\\\"by", "\\u0022by"));
    line(Some(2), Kind::Line, edited(file, |text| text.trim_end().to_owned()));
    line(Some(3), Kind::Line, edited(file, |text| text + "\n"));
    line(Some(3), Kind::Erasure, edited(file, |text| format!("{text}{}", second(text.clone()))));
    line(Some(1), Kind::Erasure, resigned(|log| log.erasures[0].places = "{}"));
    line(Some(1), Kind::Erasure, resigned(|log| log.erasures[0].kind = "nobody"));
    line(Some(1), Kind::Erasure, resigned(|log| log.erasures[0].places = r#"[{"a":1,"a":2}]"#));
    // The last one is gone, and the chain is whole; the checkpoints know of it.
    assert_forged(&edited(file, first), Kind::Erasure, 0, 4);
    assert_forged(&recomputed(|log| log.erasures[1].reason = "made up"), Kind::Erasure, 0, 4);
    assert_forged(&recomputed(|log| log.erasures.clear()), Kind::Erasure, 0, 4);

    let export = Written::of(&Sample::new());
    fs::remove_file(export.path().join(file)).unwrap();
    line(None, Kind::Layout, export);
}

#[test]
fn checkpoints_that_were_changed() {
    let file = checkpoint(0, 4);
    assert_forged(&replaced(&file, "epoch 1", "epoch 2"), Kind::Signature, 0, 4);
    assert_forged(&replaced(&file, "\n4\n", "\n5\n"), Kind::Signature, 0, 4);
    assert_forged(&replaced(&file, "\u{2014} ", "- "), Kind::Checkpoint, 0, 4);
    assert_forged(&edited(&file, |text| text + "\n"), Kind::Checkpoint, 0, 4);
    assert_forged(&edited(&file, |text| text.replace('\n', "\r\n")), Kind::Checkpoint, 0, 4);
    assert_forged(&edited(&file, |_| String::new()), Kind::Checkpoint, 0, 4);
    assert_forged(&edited(&file, |_| "a".repeat(note::LONGEST + 1)), Kind::Checkpoint, 0, 4);
    assert_forged(&replaced("log.json", "\"epoch\":1", "\"epoch\":0"), Kind::Checkpoint, 0, 0);

    let sample = Sample::new();
    let true_one = sample.checkpoint(0, 4);
    let signed = |text: &str| {
        let note = note::sign(text, &key());
        edited(&file, |_| note)
    };
    for other in [
        Checkpoint { log_id: uuid::Uuid::nil(), ..true_one },
        Checkpoint { partition: 1, ..true_one },
        Checkpoint { size: 5, ..true_one },
        Checkpoint { epoch: 2, ..true_one },
        Checkpoint { epoch: 0, ..true_one },
    ] {
        assert_forged(&signed(&other.text()), Kind::Checkpoint, 0, 4);
    }
    assert_forged(&signed(&(true_one.text() + "more\n")), Kind::Checkpoint, 0, 4);
    assert_forged(&signed("any text\n"), Kind::Checkpoint, 0, 4);
    assert_forged(&signed(&sample.checkpoint(1, 3).text()), Kind::Checkpoint, 0, 4);
    let root = Checkpoint { root: [7; 32], ..true_one };
    assert_forged(&signed(&root.text()), Kind::Root, 0, 4);
    let mut erasures = true_one;
    erasures.erasures.hash = [7; 32];
    assert_forged(&signed(&erasures.text()), Kind::Erasure, 0, 4);
    erasures.erasures.number = u64::MAX;
    assert_forged(&signed(&erasures.text()), Kind::Erasure, 0, 4);
}

#[test]
fn a_foreign_key() {
    let (folder, foreign) = (tempfile::tempdir().unwrap(), SigningKey::of_seed("foreign", [2; 32]));
    Sample::new().write(folder.path(), &foreign.unwrap());
    assert_forged(&Written(folder), Kind::Signature, 0, 0);
    let (folder, namesake) =
        (tempfile::tempdir().unwrap(), SigningKey::of_seed("dispense.example", [2; 32]));
    Sample::new().write(folder.path(), &namesake.unwrap());
    assert_forged(&Written(folder), Kind::Signature, 0, 0);
}

#[test]
fn lines_in_another_form() {
    for (from, to) in [
        ("\"position\":2", "\"position\": 2"),
        ("\"position\":2", "\"position\":2,\"position\":2"),
        ("\"position\":2", "\"position\":02"),
        ("\"position\":2", "\"position\":2.0"),
        ("\"position\":2,", ""),
        ("{\"partition\":0,\"position\":2", "{\"position\":2,\"partition\":0"),
        ("\"Processed\",\"version\"", "\"\\u0050rocessed\",\"version\""),
        ("},\"metadata\"", "} ,\"metadata\""),
        ("\"metadata\":{", "\"metadata\": {"),
        ("\"metadata\":{", "\"metadata\":{,"),
        ("000000Z\",\"medication", "000Z\",\"medication"),
        ("-03-10T08:00:01", "-02-30T08:00:01"),
        ("}\n{\"partition\":0,\"position\":3", "} \n{\"partition\":0,\"position\":3"),
        ("}\n{\"partition\":0,\"position\":3", "}\r\n{\"partition\":0,\"position\":3"),
        ("}\n{\"partition\":0,\"position\":3", "}\n\n{\"partition\":0,\"position\":3"),
    ] {
        let forged = edited(FIRST, |text| {
            let (first, second) = text.split_once('\n').unwrap();
            format!("{first}\n{}", second.replacen(from, to, 1))
        });
        let position = if to.starts_with("}\n\n") { 3 } else { 2 };
        assert_forged(&forged, Kind::Line, 0, position);
    }
    assert_forged(&edited(FIRST, |text| text.replace('\n', "\r\n")), Kind::Line, 0, 1);
    assert_forged(&edited(FIRST, |text| text.replacen('u', "\u{e9}", 1)), Kind::Line, 0, 1);
    assert_forged(&edited(THIRD, |text| text + "garbage"), Kind::Line, 0, 10);
    assert_forged(&edited(THIRD, |text| text + "garbage\n"), Kind::Line, 0, 10);
    assert_forged(&replaced(FIRST, "\"position\":2", "\"position\":-2"), Kind::Position, 0, 2);
    let export = Written::of(&Sample::new());
    let mut bytes = fs::read(export.path().join(FIRST)).unwrap();
    bytes[20] = 0xff;
    fs::write(export.path().join(FIRST), bytes).unwrap();
    assert_forged(&export, Kind::Line, 0, 1);
}

#[test]
fn files_that_no_export_has() {
    for stranger in [
        "more.txt",
        "events/more.txt",
        "events/0002/000000000001.ndjson",
        "events/00/000000000001.ndjson",
        "events/0000/1.ndjson",
        "events/0000/000000000001.ndjson.gz",
        "checkpoints/0000/000000000001.ndjson",
    ] {
        let export = Written::of(&Sample::new());
        put(export.path(), stranger, "more");
        assert_eq!(found_with(export.path(), &[]).kind, Kind::Layout, "{stranger}");
    }
    let export = Written::of(&Sample::new());
    fs::write(export.path().join(segment(0, 10)), "").unwrap();
    assert_forged(&export, Kind::Layout, 0, 10);
}

#[test]
fn a_log_file_that_was_changed() {
    let log = "log.json";
    for (from, to) in
        [("log/1", "log/2"), (":2,", ":2000,"), (":1,", ":-1,"), ("}\n", "}"), ("+", "-")]
    {
        let broken = found_with(replaced(log, from, to).path(), &[]);
        assert_eq!((broken.kind, broken.place.file.as_deref()), (Kind::Log, Some(log)), "{to}");
    }
    // Another log, or another number of partitions, is another chain.
    let broken = found_with(replaced(log, "0f8fad5b", "0f8fad5c").path(), &[]);
    assert_eq!((broken.kind, broken.place.line), (Kind::Erasure, Some(1)));
    assert_forged(&replaced(log, ":2,", ":3,"), Kind::Hash, 0, 1);
    let export = Written::of(&Sample::new());
    fs::remove_file(export.path().join(log)).unwrap();
    assert_eq!(found_with(export.path(), &[]).kind, Kind::Log);
}
