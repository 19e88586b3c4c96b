//! Ed25519 keys in the form of signed notes.
//!
//! ```text
//! PRIVATE+KEY+<name>+<id>+<base64 of 01 ‖ seed>        signs
//! <name>+<id>+<base64 of 01 ‖ public key>              verifies
//! ```
//!
//! The id is the first four bytes, in hexadecimal, of SHA-256(name ‖ line break ‖ 01 ‖ public key).

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The number that signed notes have for Ed25519.
const ED25519_NOTE: u8 = 1;
/// What the text of a key that signs begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// The longest name.
const LONGEST_NAME: usize = 255;

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// A key that signs does not look so.
    #[error("expected PRIVATE+KEY+<name>+<id>+<base64>")]
    SigningKey,
    /// A key that verifies does not look so.
    #[error("expected <name>+<id>+<base64>")]
    VerifierKey,
    /// The name is empty, too long, or has white space or a plus sign.
    #[error("expected a name of 1 to {LONGEST_NAME} bytes without white space and without `+`")]
    Name,
    /// The id is not that of name and key: one of the three was changed.
    #[error("the id of the key does not fit its name and its bytes")]
    Id,
}

/// Whether a key may have that name.
pub(super) fn is_name(name: &str) -> bool {
    let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(forbidden)
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl VerifierKey {
    fn of(name: &str, public: [u8; 32]) -> Result<Self, InvalidKey> {
        if !is_name(name) {
            return Err(InvalidKey::Name);
        }
        let mut hash = Sha256::new();
        hash.update(name.as_bytes());
        hash.update([b'\n', ED25519_NOTE]);
        hash.update(public);
        let hash: [u8; 32] = hash.finalize().into();
        let [first, second, third, fourth, ..] = hash;
        Ok(Self { name: name.to_owned(), id: [first, second, third, fourth], public })
    }

    /// Reads a key; white space around it counts for nothing, so that it may come from a file.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`]
    pub fn read(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim();
        let (name, id, public) = parts(text).ok_or(InvalidKey::VerifierKey)?;
        let key = Self::of(name, public)?;
        if key.to_string() == text && id == key.id { Ok(key) } else { Err(InvalidKey::Id) }
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells it from others of that name.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether the signature is of this key, over these bytes.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(bytes, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", text(&self.name, self.id, self.public))
    }
}

/// A key that signs.
pub struct SigningKey {
    verifier: VerifierKey,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key of that name out of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::Name`]
    pub fn of_seed(name: &str, seed: [u8; 32]) -> Result<Self, InvalidKey> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| InvalidKey::SigningKey)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| InvalidKey::SigningKey)?;
        Ok(Self { verifier: VerifierKey::of(name, public)?, seed, pair })
    }

    /// Reads a key; white space around it counts for nothing, so that it may come from a file.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`]
    pub fn read(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim().strip_prefix(PRIVATE).ok_or(InvalidKey::SigningKey)?;
        let (name, id, seed) = parts(text).ok_or(InvalidKey::SigningKey)?;
        let key = Self::of_seed(name, seed)?;
        if key.id() == id { Ok(key) } else { Err(InvalidKey::Id) }
    }

    /// The text of the key, for the file that nobody else may read.
    #[must_use]
    pub fn secret(&self) -> String {
        format!("{PRIVATE}{}", text(self.name(), self.id(), self.seed))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// What tells it from others of that name.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.verifier.id()
    }

    /// The signature over these bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        // Ed25519 signatures have this length, always.
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }
}

impl fmt::Debug for SigningKey {
    /// Names the key that verifies, and keeps the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

fn text(name: &str, id: [u8; 4], bytes: [u8; 32]) -> String {
    let mut marked = vec![ED25519_NOTE];
    marked.extend(bytes);
    format!("{name}+{}+{}", hex::encode(id), STANDARD.encode(marked))
}

/// Name, id and bytes of a key of Ed25519.
fn parts(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    // Base64 has plus signs of its own, so the last part takes them all.
    let (id, encoded) = rest.split_once('+')?;
    let mut number = [0; 4];
    hex::decode_to_slice(id, &mut number).ok()?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (mark, bytes) = bytes.split_first()?;
    (*mark == ED25519_NOTE).then_some(())?;
    Some((name, number, bytes.try_into().ok()?))
}
