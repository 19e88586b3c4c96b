//! The key of a container: `<dispense id>/<SHA-256 of the container in hexadecimal>`.

use object_store::path::Path;
use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// A key of that form.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    text: String,
    digest: [u8; 32],
}

impl Key {
    /// Nothing else is ever looked for: what is not of this form could name a file outside.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let misnamed = || Fault::Misnamed { key: text.to_owned() };
        let (dispense, hexadecimal) = text.split_once('/').ok_or_else(misnamed)?;
        let is_id =
            |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-';
        let mut digest = [0; 32];
        hex::decode_to_slice(hexadecimal, &mut digest).map_err(|_| misnamed())?;
        if dispense.is_empty() || !dispense.bytes().all(is_id) || hex::encode(digest) != hexadecimal
        {
            return Err(misnamed());
        }
        Ok(Self { text: text.to_owned(), digest })
    }

    pub(crate) fn path(&self) -> Path {
        Path::from(self.text.as_str())
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Whether these are the bytes that the key promises.
    pub(crate) fn is_of(&self, container: &[u8]) -> bool {
        Sha256::digest(container)[..] == self.digest
    }
}
