//! Amounts of medication as events write them, counted in their smallest part.

use std::fmt;

/// How many decimal places an amount may have.
const PLACES: usize = 4;
/// How many digits may stand before the point.
const DIGITS: usize = 7;

/// An amount in ten-thousandths, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Amount(u64);

impl Amount {
    /// Reads an amount in its one form: no sign, no zeros that say nothing.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').map_or((text, None), |it| (it.0, Some(it.1)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let whole_fits =
            digits(whole) && whole.len() <= DIGITS && (whole == "0" || !whole.starts_with('0'));
        let part_fits =
            part.is_none_or(|part| digits(part) && part.len() <= PLACES && !part.ends_with('0'));
        if !whole_fits || !part_fits {
            return None;
        }
        format!("{whole}{:0<PLACES$}", part.unwrap_or_default()).parse().ok().map(Self)
    }

    pub(super) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Both together. No log has so much that this would not be exact.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it, never less than nothing.
    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 10_000, self.0 % 10_000);
        let part = format!(".{part:0PLACES$}");
        write!(f, "{whole}{}", part.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_and_has_one_form() {
        for (text, parts) in [
            ("0", 0),
            ("60", 600_000),
            ("30.5", 305_000),
            ("0.0001", 1),
            ("9999999.9999", 99_999_999_999),
        ] {
            assert_eq!(Amount::read(text), Some(Amount(parts)));
            assert_eq!(Amount(parts).to_string(), text);
        }
        for text in [
            "", "00", "01", "1.", ".5", "1.50", "1.0", "1.00001", "-1", "+1", "1e1", "10000000",
            " 1", "1_0", "١",
        ] {
            assert_eq!(Amount::read(text), None, "{text}");
        }
        let (ten, three) = (Amount::read("10").unwrap(), Amount::read("3.3").unwrap());
        assert_eq!(ten.plus(three).to_string(), "13.3");
        assert_eq!(ten.without(three).to_string(), "6.7");
        assert!(three.without(ten).is_zero());
    }
}
