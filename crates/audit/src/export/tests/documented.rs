//! The vectors of the documentation.

use uuid::Uuid;

use super::sample::{LOG_ID, key};
use crate::checkpoint::{Checkpoint, Erasures};
use crate::erasure::{self, Erasure};
use crate::export::{FORMAT, Kind};
use crate::note;
use crate::tree::{Frontier, leaf};

/// What somebody else writes a check from.
const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md"));

#[track_caller]
fn assert_documented(text: &str) {
    assert!(PAGE.contains(text), "docs/audit.md does not have {text}");
}

#[test]
fn the_documented_tree_and_checkpoint_are_ours() {
    let log_id = Uuid::from_u128(0x0123_4567_89ab_cdef);
    assert_ne!(log_id, LOG_ID);
    let mut tree = Frontier::default();
    for row in [[1; 32], [2; 32], [3; 32]] {
        assert_documented(&hex::encode(leaf(&row)));
        tree.append(&row, |_, _| {});
        assert_documented(&hex::encode(tree.root()));
    }
    let erasure = Erasure {
        number: 1,
        kind: "person",
        id: Uuid::from_u128(1),
        reason: "asked for by letter 17",
        by_user: "9a3b2c1d-0000-4000-8000-000000000001",
        at: 1_700_000_000_000_001,
        places: r#"[{"place":"personal_bodies","partition":0,"position":12}]"#,
    };
    let hash = erasure::next(&erasure::first(log_id), &erasure);
    assert_documented(&hex::encode(hash));
    let checkpoint = Checkpoint {
        log_id,
        partition: 3,
        size: 3,
        root: tree.root(),
        epoch: 1,
        erasures: Erasures { number: 1, hash },
    };
    assert_documented(&format!("```text\n{}```\n", note::sign(&checkpoint.text(), &key())));
    assert_documented(&format!("```text\n{}\n{}\n```\n", key().secret(), key().verifier()));
}

#[test]
fn every_kind_of_finding_is_explained() {
    assert_documented(FORMAT);
    for kind in Kind::ALL {
        assert_documented(&format!("| `{kind}` |"));
        assert_documented(&format!("(`{kind}`"));
    }
}
