//! Strings that may reach the log.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A string as every door lets it in: NFC, 1 to [`Text::MOST`] characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MOST: usize = 255>(Arc<str>);

impl<const MOST: usize> Serialize for Text<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A note or a reason: like [`Text`], up to 1,000 characters.
pub type LongText = Text<1000>;

/// Why a string is not a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing in it.
    #[error("expected at least 1 character")]
    Empty,
    /// Too many characters.
    #[error("expected at most {most} characters but got {actual}")]
    TooLong {
        /// The most characters that fit.
        most: usize,
        /// How many there are.
        actual: usize,
    },
    /// A character that is not for reading, U+0000 among them.
    #[error("control character U+{0:04X} is not allowed")]
    Control(u32),
}

impl<const MOST: usize> Text<MOST> {
    /// The most characters that fit.
    pub const MOST: usize = MOST;

    /// The string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> TryFrom<String> for Text<MOST> {
    type Error = InvalidText;

    /// Brings the string into NFC, then looks at it.
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        raw.as_str().try_into()
    }
}

impl<const MOST: usize> TryFrom<&str> for Text<MOST> {
    type Error = InvalidText;

    fn try_from(raw: &str) -> Result<Self, Self::Error> {
        let mended = mended(raw, MOST)?;
        Ok(Self(mended.as_deref().unwrap_or(raw).into()))
    }
}

impl<const MOST: usize> From<Text<MOST>> for String {
    fn from(text: Text<MOST>) -> Self {
        text.0.as_ref().to_owned()
    }
}

/// Looks whether a string may stand in the log, and brings it into NFC if it is not: most are
/// already, and ASCII always is.
pub(crate) fn mended(raw: &str, most: usize) -> Result<Option<String>, InvalidText> {
    if raw.is_ascii() {
        if let Some(bad) = raw.bytes().find(u8::is_ascii_control) {
            return Err(InvalidText::Control(bad.into()));
        }
        return fits(raw.len(), most).map(|()| None);
    }
    if let Some(bad) = raw.chars().find(|c| c.is_control()) {
        return Err(InvalidText::Control(bad.into()));
    }
    let mended = (!is_nfc(raw)).then(|| raw.nfc().collect::<String>());
    fits(mended.as_deref().unwrap_or(raw).chars().count(), most).map(|()| mended)
}

const fn fits(actual: usize, most: usize) -> Result<(), InvalidText> {
    match actual {
        0 => Err(InvalidText::Empty),
        actual if actual > most => Err(InvalidText::TooLong { most, actual }),
        _ => Ok(()),
    }
}

impl<const MOST: usize> AsRef<str> for Text<MOST> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> std::fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
