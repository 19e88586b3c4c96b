//! What was signed is kept: whole, and where its event says.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::erasures::Erased;

/// Looks into the store for what each hand-over names; what was erased is not there.
pub(super) fn check(entries: &[Entry], store: &Path, erased: &Erased) {
    for entry in entries.iter().filter(|entry| entry.kind == "Processed") {
        if entry.payload["signed"] == true {
            let key = entry.payload["content"]["key"].as_str().unwrap_or_default();
            if erased.contents.contains(key) {
                assert!(!store.join(key).exists(), "it is still there: {entry:#?}");
            } else {
                signed(entry, store);
            }
        } else {
            assert!(entry.payload.get("content").is_none(), "signed by nobody: {entry:#?}");
        }
    }
}

fn signed(entry: &Entry, store: &Path) {
    let text = |member: &str| {
        let text = entry.payload["content"][member].as_str();
        text.unwrap_or_else(|| panic!("no {member}: {entry:#?}"))
    };
    let (key, digest) = (text("key"), text("digest"));
    assert_eq!(key, format!("{}/{digest}", entry.dispense), "{entry:#?}");
    let container = std::fs::read(store.join(key));
    let container = container.unwrap_or_else(|error| panic!("{error} at {key}: {entry:#?}"));
    assert_eq!(hex::encode(Sha256::digest(&container)), digest, "{entry:#?}");
    // The document stands in the container as it was signed, and says which dispense it is of.
    let id = entry.dispense.to_string();
    let named = container.windows(id.len()).any(|part| part == id.as_bytes());
    assert!(named, "the container is of another dispense: {entry:#?}");
}
