//! A small log, written as an export, true or forged.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{ERASURES, EVENTS, LOG, LogFile, checkpoint, segment};
use crate::chain::{self, Hash};
use crate::checkpoint::{Checkpoint, Erasures};
use crate::erasure::{self, Erasure};
use crate::line::{self, Line};
use crate::note::{self, SigningKey};
use crate::tree::Frontier;

pub(super) const LOG_ID: Uuid = Uuid::from_u128(0x0f8f_ad5b_d9cb_469f_a165_7086_7728_950e);
pub(super) const PARTITIONS: u16 = 2;
/// 2026-03-10T08:00:00Z
const MORNING: i64 = 1_773_129_600_000_000;
const SECOND: i64 = 1_000_000;
/// How long a hold lives.
const LASTS: i64 = 600 * SECOND;
/// How many rows a segment has.
const SEGMENT: usize = 4;

pub(super) fn key() -> SigningKey {
    SigningKey::of_seed("dispense.example", [1; 32]).unwrap()
}

/// A row, before it has a position and a hash.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) request: Uuid,
    pub(super) dispense: Uuid,
    pub(super) sequence: i64,
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) payload: String,
    pub(super) metadata: String,
    pub(super) recorded_at: i64,
}

/// A log, and what is said about it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) epoch: u64,
    pub(super) rows: Vec<Vec<Row>>,
    pub(super) erasures: Vec<OwnedErasure>,
    /// Sizes at which there is a checkpoint, for each partition.
    pub(super) checkpoints: Vec<Vec<usize>>,
}

#[derive(Debug, Clone)]
pub(super) struct OwnedErasure {
    pub(super) kind: &'static str,
    pub(super) id: Uuid,
    pub(super) reason: &'static str,
    pub(super) places: &'static str,
}

/// The medication request of that number in a partition.
pub(super) fn request(partition: u16, number: u128) -> Uuid {
    let belongs = |id: &Uuid| (crc32fast::hash(id.as_bytes()) & 0xffff) % 2 == u32::from(partition);
    (0..1_000).map(|it| Uuid::from_u128(number << 64 | it)).find(belongs).unwrap()
}

pub(super) fn dispense(number: u128) -> Uuid {
    Uuid::from_u128(0xd000 + number)
}

fn time(at: i64) -> String {
    crate::instant::written(at).unwrap()
}

impl Sample {
    /// Two partitions of nine rows and three rows: holds that were processed, given back, ran out
    /// and live, one in parts, one processed at once.
    pub(super) fn new() -> Self {
        let mut sample = Self {
            epoch: 1,
            rows: vec![Vec::new(); 2],
            erasures: vec![
                OwnedErasure {
                    kind: "person",
                    id: Uuid::from_u128(0xe1),
                    reason: "asked for \"by letter\", März",
                    places: r#"[{"place":"personal_bodies","partition":0,"position":1}]"#,
                },
                OwnedErasure { kind: "party", id: Uuid::from_u128(0xe2), reason: "", places: "[]" },
            ],
            checkpoints: vec![vec![0, 4, 7], vec![3]],
        };
        let (first, second) = (request(0, 1), request(0, 2));
        sample.hold(0, first, 1, "60", &["20", "10.5"], 0);
        sample.processed(0, first, 1, "29.5", 1);
        sample.hold(0, second, 2, "30", &["30"], 2);
        sample.cancelled(0, second, 2, 3);
        sample.hold(0, second, 3, "30", &["30"], 4);
        sample.hold(0, first, 4, "60", &["29.5"], 5);
        sample.expired(0, second, 3, 605);
        sample.hold_at_once(0, second, 5, "30", &["30"], 606);
        sample.processed(0, second, 5, "0", 606);
        let third = request(1, 3);
        sample.hold(1, third, 6, "1", &["0.5"], 0);
        sample.processed(1, third, 6, "0.5", 600);
        sample.hold(1, third, 7, "1", &["0.5"], 601);
        sample
    }

    pub(super) fn add(
        &mut self,
        partition: usize,
        (request, dispense): (Uuid, Uuid),
        kind: &'static str,
        payload: &Value,
        seconds: i64,
    ) {
        let rows = &mut self.rows[partition];
        let before = rows.iter().filter(|row| row.request == request).count();
        rows.push(Row {
            request,
            dispense,
            sequence: i64::try_from(before).unwrap() + 1,
            kind,
            version: "1.0",
            payload: payload.to_string(),
            metadata: json!({ "user": "someone", "rules_version": "1" }).to_string(),
            recorded_at: MORNING + seconds * SECOND,
        });
    }

    pub(super) fn hold(
        &mut self,
        partition: usize,
        request: Uuid,
        number: u128,
        prescribed: &str,
        quantities: &[&str],
        seconds: i64,
    ) {
        let expires_at = time(MORNING + seconds * SECOND + LASTS);
        // What says nothing about decimals of a second is written without them.
        let expires_at = expires_at.replace(".000000Z", "Z");
        let mut payload = held(request, number, prescribed, quantities);
        payload["processed_at_once"] = json!(false);
        payload["expires_at"] = json!(expires_at);
        self.add(partition, (request, dispense(number)), "HoldCreated", &payload, seconds);
    }

    pub(super) fn hold_at_once(
        &mut self,
        partition: usize,
        request: Uuid,
        number: u128,
        prescribed: &str,
        quantities: &[&str],
        seconds: i64,
    ) {
        let payload = held(request, number, prescribed, quantities);
        self.add(partition, (request, dispense(number)), "HoldCreated", &payload, seconds);
    }

    pub(super) fn processed(
        &mut self,
        partition: usize,
        request: Uuid,
        number: u128,
        remaining: &str,
        seconds: i64,
    ) {
        let dispense = dispense(number);
        let payload = json!({
            "type": "Processed",
            "dispense_id": dispense,
            "signed": true,
            "remaining": remaining,
        });
        self.add(partition, (request, dispense), "Processed", &payload, seconds);
    }

    pub(super) fn cancelled(
        &mut self,
        partition: usize,
        request: Uuid,
        number: u128,
        seconds: i64,
    ) {
        let dispense = dispense(number);
        let payload = json!({ "type": "Cancelled", "dispense_id": dispense });
        self.add(partition, (request, dispense), "Cancelled", &payload, seconds);
    }

    pub(super) fn expired(&mut self, partition: usize, request: Uuid, number: u128, seconds: i64) {
        let dispense = dispense(number);
        let hold = self.rows[partition].iter().find(|row| row.dispense == dispense).unwrap();
        let hold: Value = serde_json::from_str(&hold.payload).unwrap();
        let payload = json!({
            "type": "Expired",
            "dispense_id": dispense,
            "expires_at": hold["expires_at"],
        });
        self.add(partition, (request, dispense), "Expired", &payload, seconds);
    }

    /// Takes a row away, and lets those after it count on.
    pub(super) fn remove(&mut self, partition: usize, position: usize) {
        let removed = self.rows[partition].remove(position - 1);
        for row in &mut self.rows[partition][position - 1..] {
            row.sequence -= i64::from(row.request == removed.request);
        }
    }

    /// Changes the payload of a row, as whoever recomputes everything would.
    pub(super) fn change(&mut self, partition: usize, position: usize, from: &str, to: &str) {
        let payload = &mut self.rows[partition][position - 1].payload;
        assert!(payload.contains(from), "{payload}");
        *payload = payload.replacen(from, to, 1);
    }

    /// The chain of erasures: lines, and hashes from the one before the first on.
    fn erased(&self) -> (String, Vec<Hash>) {
        let (mut text, mut hashes) = (String::new(), vec![erasure::first(LOG_ID)]);
        for (number, erased) in (1..).zip(&self.erasures) {
            let erasure = Erasure {
                number,
                kind: erased.kind,
                id: erased.id,
                reason: erased.reason,
                by_user: "ombudsman",
                at: MORNING + number * SECOND,
                places: erased.places,
            };
            let hash = erasure::next(hashes.last().unwrap(), &erasure);
            line::write_erasure(&erasure, hash, &mut text).unwrap();
            text.push('\n');
            hashes.push(hash);
        }
        (text, hashes)
    }

    /// The lines of a partition, and its roots by size.
    fn lines(&self, partition: usize) -> (Vec<String>, Vec<Hash>) {
        let number = u16::try_from(partition).unwrap();
        let mut hash = chain::first(LOG_ID, number, PARTITIONS);
        let mut tree = Frontier::default();
        let (mut lines, mut roots) = (Vec::new(), vec![tree.root()]);
        for (position, row) in (1..).zip(&self.rows[partition]) {
            let id = row.request.to_string();
            let line = Line {
                partition: number,
                position,
                sequence: row.sequence,
                event_id: Uuid::new_v5(&row.dispense, row.kind.as_bytes()),
                event_type: row.kind,
                event_version: row.version,
                recorded_at: row.recorded_at,
                medication_request_id: &id,
                dispense_id: row.dispense,
                payload: &row.payload,
                metadata: &row.metadata,
                hash,
            };
            hash = chain::next(&hash, &line.row());
            let mut text = String::new();
            line::write(&Line { hash, ..line }, &mut text).unwrap();
            lines.push(text);
            tree.append(&hash, |_, _| {});
            roots.push(tree.root());
        }
        (lines, roots)
    }

    /// The checkpoint of a partition at that size.
    pub(super) fn checkpoint(&self, partition: usize, size: usize) -> Checkpoint {
        let number = size.min(self.erasures.len());
        Checkpoint {
            log_id: LOG_ID,
            partition: u16::try_from(partition).unwrap(),
            size: size as u64,
            root: self.lines(partition).1[size],
            epoch: 1,
            erasures: Erasures { number: number as u64, hash: self.erased().1[number] },
        }
    }

    /// Writes the export, signed with that key.
    pub(super) fn write(&self, folder: &Path, key: &SigningKey) {
        let log = LogFile {
            log_id: LOG_ID,
            partitions: PARTITIONS,
            epoch: self.epoch,
            key: Some(key.verifier().clone()),
        };
        fs::create_dir_all(folder.join(EVENTS)).unwrap();
        fs::write(folder.join(LOG), log.text()).unwrap();
        fs::write(folder.join(ERASURES), self.erased().0).unwrap();
        for partition in 0..self.rows.len() {
            let number = u16::try_from(partition).unwrap();
            for (piece, lines) in self.lines(partition).0.chunks(SEGMENT).enumerate() {
                let file = segment(number, (piece * SEGMENT) as u64 + 1);
                put(folder, &file, &(lines.join("\n") + "\n"));
            }
            for size in &self.checkpoints[partition] {
                let note = note::sign(&self.checkpoint(partition, *size).text(), key);
                put(folder, &checkpoint(number, *size as u64), &note);
            }
        }
    }
}

fn held(request: Uuid, number: u128, prescribed: &str, quantities: &[&str]) -> Value {
    let items: Vec<_> = quantities.iter().map(|it| json!({ "quantity": it })).collect();
    json!({
        "type": "HoldCreated",
        "dispense_id": dispense(number),
        "processed_at_once": true,
        "prescribed": prescribed,
        "items": items,
        "medication_request": { "id": request },
    })
}

/// Writes a file, and its folder if there is none yet.
pub(super) fn put(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
