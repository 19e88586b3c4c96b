//! What the targets share: where the authority of the seeds is, what it signs, and how containers and
//! bodies are broken so that they are still DER, or JSON.

mod bodies;
mod breaking;
mod dice;

use std::path::PathBuf;

use dispense_audit::note::SigningKey;

pub use bodies::broken_json;
pub use breaking::broken;
use dice::Dice;

/// All that the authority of the seeds ever signs.
pub const DOCUMENTS: [&[u8]; 3] = [
    b"",
    br#"{"id":"2d0b7fd2-1f6a-4c0e-a8a3-2bb7d0c5a111","payment_amount":12.5}"#,
    b"\x30\x03\x02\x01\x05",
];

/// The one text that the key of the seeds signs as a note.
pub const CHECKPOINT: &str = "dispense/00000000-0000-0000-0123-456789abcdef/3\n\
    3\n\
    34lolseZUx8f0eVWzqJqaYmrBoU7y/3T5PUJemEfZY8=\n\
    epoch 1\n\
    erasures 0 FktQqCWZ4o9jNL4x6iQxi98ZQcQyKbNpTuJHbZVUjds=\n";

/// The key that signs it.
///
/// # Panics
///
/// Never: the name is one that a key may have.
#[must_use]
pub fn checkpoint_key() -> SigningKey {
    SigningKey::of_seed("dispense.example", [1; 32]).expect("a name that a key may have")
}

/// The folder of the authority of the seeds, which is made anew where it is missing.
#[must_use]
pub fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/authority")
}

/// The folder of the seeds and of what a target has found.
#[must_use]
pub fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}
