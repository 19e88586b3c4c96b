//! What the targets share: where the authority of the seeds is, what it signs, and how containers and
//! bodies are broken so that they are still DER, or JSON.

mod bodies;
mod breaking;
mod dice;

use std::path::PathBuf;

pub use bodies::broken_json;
pub use breaking::broken;
use dice::Dice;

/// All that the authority of the seeds ever signs.
pub const DOCUMENTS: [&[u8]; 3] = [
    b"",
    br#"{"id":"2d0b7fd2-1f6a-4c0e-a8a3-2bb7d0c5a111","payment_amount":12.5}"#,
    b"\x30\x03\x02\x01\x05",
];

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
