//! Strings that may reach the log.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A string as every door lets it in: NFC, 1 to [`Text::MOST`] characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MOST: usize = 255>(String);

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
        if let Some(bad) = raw.chars().find(|c| c.is_control()) {
            return Err(InvalidText::Control(bad.into()));
        }
        let text = if is_nfc(&raw) { raw } else { raw.nfc().collect() };
        match text.chars().count() {
            0 => Err(InvalidText::Empty),
            actual if actual > MOST => Err(InvalidText::TooLong { most: MOST, actual }),
            _ => Ok(Self(text)),
        }
    }
}

impl<const MOST: usize> TryFrom<&str> for Text<MOST> {
    type Error = InvalidText;

    fn try_from(raw: &str) -> Result<Self, Self::Error> {
        raw.to_owned().try_into()
    }
}

impl<const MOST: usize> From<Text<MOST>> for String {
    fn from(text: Text<MOST>) -> Self {
        text.0
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
