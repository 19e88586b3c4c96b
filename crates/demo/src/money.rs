//! Amounts of money, exact to the kopeck.

use std::fmt;

use serde::{Serialize, Serializer, ser::Error};

/// An amount of hryvnias, counted in kopecks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    kopecks: u64,
}

impl Money {
    /// So many kopecks.
    #[must_use]
    pub const fn from_kopecks(kopecks: u64) -> Self {
        Self { kopecks }
    }

    /// How many kopecks it is.
    #[must_use]
    pub const fn kopecks(self) -> u64 {
        self.kopecks
    }

    /// So many hundredths of it, rounded down.
    pub(crate) const fn percent(self, percent: u32) -> Self {
        Self { kopecks: self.kopecks * percent as u64 / 100 }
    }

    /// It, so many times.
    pub(crate) const fn times(self, count: u32) -> Self {
        Self { kopecks: self.kopecks * count as u64 }
    }

    /// Its share of `count` parts, rounded up.
    pub(crate) const fn shared_among(self, count: u32) -> Self {
        Self { kopecks: self.kopecks.div_ceil(count as u64) }
    }

    /// It, unless it is nothing.
    pub(crate) const fn if_any(self) -> Option<Self> {
        if self.kopecks == 0 { None } else { Some(self) }
    }

    /// What is left when `other` is taken away; nothing if it is more.
    pub(crate) const fn less(self, other: Self) -> Self {
        Self { kopecks: self.kopecks.saturating_sub(other.kopecks) }
    }
}

impl fmt::Display for Money {
    /// Writes hryvnias without trailing zeros: `50`, `49.5`, `49.68`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hryvnias, rest) = (self.kopecks / 100, self.kopecks % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{hryvnias}"),
            (_, 0) => write!(f, "{hryvnias}.{}", rest / 10),
            _ => write!(f, "{hryvnias}.{rest:02}"),
        }
    }
}

impl Serialize for Money {
    /// Writes a JSON number with the digits of [`Money`]'s `Display`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(&self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A decimal text as a JSON number.
///
/// `serde_json` keeps it as the nearest double and writes the shortest text that reads back as the
/// same, which for at most 15 digits is the text that came in.
pub(crate) fn number(text: &str) -> serde_json::Result<serde_json::Number> {
    text.parse()
}
