//! Signed notes, as C2SP specifies them: a text, an empty line, and lines with signatures.
//!
//! ```text
//! If you think cryptography is the answer to your problem,
//! then you don't know what your problem is.
//!
//! — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
//! ```
//!
//! A signature names its key, so that others may add theirs, and those who do not know them pass
//! them over.

mod key;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use key::{InvalidKey, SigningKey, VerifierKey};

/// The longest note that is read.
pub const LONGEST: usize = 64 * 1024;
/// The most signatures that a note may have.
pub const MOST_SIGNATURES: usize = 100;

/// What a line with a signature begins with: a dash as long as an M, and a space.
const DASH: &str = "\u{2014} ";

/// Why a note is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// It is no signed note.
    #[error("it is no signed note: {0}")]
    Malformed(&'static str),
    /// A key that is trusted did not make the signature that bears its name.
    #[error("the signature of {0} does not fit the text")]
    WrongSignature(String),
    /// No key that is trusted has signed it.
    #[error("no trusted key has signed it, but {}", list(.0))]
    Unknown(Vec<String>),
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

/// A text that a trusted key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// What was signed; it ends with a line break.
    pub text: &'a str,
    /// The names of the trusted keys that have signed it.
    pub signed_by: Vec<&'a str>,
}

/// Signs a text and writes the note. The text ends with a line break and has no control characters
/// beside line breaks; what [`crate::checkpoint`] writes is so.
#[must_use]
pub fn sign(text: &str, key: &SigningKey) -> String {
    let mut signature = key.id().to_vec();
    signature.extend(key.sign(text.as_bytes()));
    format!("{text}\n{DASH}{} {}\n", key.name(), STANDARD.encode(signature))
}

/// Opens a note that at least one of the trusted keys has signed. Signatures of others are passed
/// over, and those of trusted keys must all fit.
///
/// # Errors
///
/// [`NotBelieved`]
pub fn open<'a>(note: &'a [u8], trusted: &[VerifierKey]) -> Result<Opened<'a>, NotBelieved> {
    let (text, lines) = split(note)?;
    let mut signatures = Vec::new();
    for line in lines.split_terminator('\n') {
        if signatures.len() == MOST_SIGNATURES {
            return Err(NotBelieved::Malformed("there are too many signatures"));
        }
        signatures.push(Signature::read(line)?);
    }
    let mut opened = Opened { text, signed_by: Vec::new() };
    let mut others = Vec::new();
    for signature in signatures {
        match trusted.iter().find(|key| signature.is_of(key)) {
            Some(key) if key.verify(text.as_bytes(), &signature.bytes) => {
                opened.signed_by.push(signature.name);
            }
            Some(key) => return Err(NotBelieved::WrongSignature(key.to_string())),
            None => others.push(format!("{}+{}", signature.name, hex::encode(signature.id))),
        }
    }
    if opened.signed_by.is_empty() { Err(NotBelieved::Unknown(others)) } else { Ok(opened) }
}

/// The text of a note and the lines with its signatures. Nobody's signature is looked at: this is
/// for whoever says what a note claims, and not for whoever believes it.
///
/// # Errors
///
/// [`NotBelieved::Malformed`]
pub fn split(note: &[u8]) -> Result<(&str, &str), NotBelieved> {
    if note.len() > LONGEST {
        return Err(NotBelieved::Malformed("it is too long"));
    }
    let note = std::str::from_utf8(note).map_err(|_| NotBelieved::Malformed("it is not UTF-8"))?;
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NotBelieved::Malformed("it has control characters"));
    }
    let end = note.rfind("\n\n").ok_or(NotBelieved::Malformed("it has no signatures"))?;
    let (text, lines) = (&note[..=end], &note[end + 2..]);
    if lines.is_empty() || !lines.ends_with('\n') {
        return Err(NotBelieved::Malformed("it does not end with a line with a signature"));
    }
    Ok((text, lines))
}

struct Signature<'a> {
    name: &'a str,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl<'a> Signature<'a> {
    fn read(line: &'a str) -> Result<Self, NotBelieved> {
        Self::of(line).ok_or(NotBelieved::Malformed("a line with a signature is malformed"))
    }

    fn of(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        if !key::is_name(name) {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        (!bytes.is_empty()).then(|| Self { name, id: *id, bytes: bytes.to_vec() })
    }

    fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }
}

#[cfg(test)]
mod tests;
