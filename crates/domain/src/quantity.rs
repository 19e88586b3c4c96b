//! Amounts of medication.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An amount of medication, in the unit of its medication request: tablets, millilitres, doses.
///
/// More than zero, less than [`Quantity::LIMIT`], and never finer than [`Quantity::SCALE`] decimal
/// places. A decimal because half tablets exist, and never a float because three thirds must make
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "String")]
pub struct Quantity(Decimal);

/// Why a number is not a [`Quantity`] or a [`Remaining`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    /// Zero or less.
    #[error("expected the value to be > 0")]
    NotPositive,
    /// Less than zero.
    #[error("expected the value to be >= 0")]
    Negative,
    /// Ten million or more.
    #[error("expected the value to be < {}", Quantity::LIMIT)]
    TooLarge,
    /// More decimal places than are kept.
    #[error("expected at most {} decimal places", Quantity::SCALE)]
    TooFine,
}

impl Quantity {
    /// The most decimal places.
    pub const SCALE: u32 = 4;
    /// Every quantity is less than this.
    pub const LIMIT: u32 = 10_000_000;

    /// The number.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

fn checked(number: Decimal) -> Result<Decimal, InvalidQuantity> {
    let number = number.normalize();
    if number >= Decimal::from(Quantity::LIMIT) {
        return Err(InvalidQuantity::TooLarge);
    }
    if number.scale() > Quantity::SCALE {
        return Err(InvalidQuantity::TooFine);
    }
    Ok(number)
}

impl TryFrom<Decimal> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(number: Decimal) -> Result<Self, Self::Error> {
        if number <= Decimal::ZERO {
            return Err(InvalidQuantity::NotPositive);
        }
        checked(number).map(Self)
    }
}

impl From<Quantity> for Decimal {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.0.to_string()
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What is left of a prescribed quantity: as [`Quantity`], but it may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "String")]
pub struct Remaining(Decimal);

impl Remaining {
    /// Nothing is left.
    pub const NOTHING: Self = Self(Decimal::ZERO);

    /// What is left of `whole` after `taken`; never less than nothing.
    #[must_use]
    pub fn after(whole: Quantity, taken: Decimal) -> Self {
        Self(whole.0.saturating_sub(taken).max(Decimal::ZERO).normalize())
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.0.is_zero()
    }
}

impl TryFrom<Decimal> for Remaining {
    type Error = InvalidQuantity;

    fn try_from(number: Decimal) -> Result<Self, Self::Error> {
        if number < Decimal::ZERO {
            return Err(InvalidQuantity::Negative);
        }
        checked(number).map(Self)
    }
}

impl From<Remaining> for Decimal {
    fn from(remaining: Remaining) -> Self {
        remaining.0
    }
}

impl From<Remaining> for String {
    fn from(remaining: Remaining) -> Self {
        remaining.0.to_string()
    }
}

impl std::fmt::Display for Remaining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
