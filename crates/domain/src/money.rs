//! Amounts of money.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An amount of money in hryvnia: zero or more, less than [`Money::LIMIT`], and never finer than
/// [`Money::SCALE`] decimal places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "String")]
pub struct Money(Decimal);

/// Why a number is not [`Money`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Less than zero.
    #[error("expected the value to be >= 0")]
    Negative,
    /// A thousand million or more.
    #[error("expected the value to be < {}", Money::LIMIT)]
    TooLarge,
    /// More decimal places than are kept.
    #[error("expected at most {} decimal places", Money::SCALE)]
    TooFine,
}

impl Money {
    /// The most decimal places.
    pub const SCALE: u32 = 4;
    /// Every amount is less than this.
    pub const LIMIT: u32 = 1_000_000_000;
    /// No money.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// The hundredth of one.
    pub const CENT: Self = Self(Decimal::from_parts(1, 0, 0, false, 2));

    /// The number.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Money {
    type Error = InvalidMoney;

    fn try_from(number: Decimal) -> Result<Self, Self::Error> {
        let number = number.normalize();
        if number < Decimal::ZERO {
            return Err(InvalidMoney::Negative);
        }
        if number >= Decimal::from(Self::LIMIT) {
            return Err(InvalidMoney::TooLarge);
        }
        if number.scale() > Self::SCALE {
            return Err(InvalidMoney::TooFine);
        }
        Ok(Self(number))
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        money.0
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.0.to_string()
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
