//! Decimals on their way in and out: exact, from the text of the JSON number.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The longest number text that is looked at; no amount we take needs more.
const LONGEST: usize = 64;

/// The value of a JSON number, exactly, or `None` if no [`Decimal`] is equal to it or it is longer
/// than 64 characters.
///
/// Trailing zeros do not count, minus zero is zero, and `1e3` is 1000.
#[must_use]
pub fn json_number(text: &str) -> Option<Decimal> {
    if text.len() > LONGEST {
        return None;
    }
    let number = match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok()?,
        Some((digits, exponent)) => scaled(digits, exponent.parse().ok()?)?,
    };
    let mut number = number.normalize();
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    Some(number)
}

/// Digits times a power of ten. What it costs does not grow with the exponent: a document that somebody
/// signed may be full of such numbers.
fn scaled(digits: &str, exponent: i32) -> Option<Decimal> {
    let number = Decimal::from_str_exact(digits).ok()?.normalize();
    if number.is_zero() {
        return Some(Decimal::ZERO);
    }
    let mut mantissa = number.mantissa();
    let mut places = i64::from(number.scale()) - i64::from(exponent);
    while places > i64::from(Decimal::MAX_SCALE) && mantissa % 10 == 0 {
        mantissa /= 10;
        places -= 1;
    }
    if let Ok(zeros) = u32::try_from(-places) {
        mantissa = mantissa.checked_mul(10_i128.checked_pow(zeros)?)?;
        places = 0;
    }
    Decimal::try_from_i128_with_scale(mantissa, u32::try_from(places).ok()?).ok()
}

/// An amount as a JSON number, exact both ways. For text formats of `serde_json` only.
pub mod exact {
    use super::{Decimal, Deserialize, Deserializer, RawValue, Serialize, Serializer, json_number};

    /// Writes the number without trailing zeros.
    #[allow(clippy::missing_errors_doc, reason = "the signature is serde's")]
    pub fn serialize<T, S>(amount: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Copy + Into<Decimal>,
        S: Serializer,
    {
        let number: Decimal = (*amount).into();
        let text = number.normalize().to_string();
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }

    /// Reads a JSON number from its text, never through a float.
    #[allow(clippy::missing_errors_doc, reason = "the signature is serde's")]
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: TryFrom<Decimal>,
        T::Error: std::fmt::Display,
        D: Deserializer<'de>,
    {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Err(serde::de::Error::custom(format!("expected a number but got {text:.40}")));
        }
        let number = json_number(text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:.40} is out of range")))?;
        T::try_from(number).map_err(serde::de::Error::custom)
    }
}

/// As [`exact`], for an amount that may be null or left out (with `#[serde(default)]`).
pub mod exact_option {
    use super::{Decimal, Deserialize, Deserializer, Serializer, exact};

    #[derive(Deserialize)]
    #[serde(bound = "T: TryFrom<Decimal>, T::Error: std::fmt::Display")]
    struct Exact<T>(#[serde(with = "reading")] T);

    mod reading {
        pub(super) use super::exact::deserialize;
    }

    /// Writes the number, or null.
    #[allow(clippy::missing_errors_doc, reason = "the signature is serde's")]
    #[allow(clippy::ref_option, reason = "the signature is serde's")]
    pub fn serialize<T, S>(amount: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Copy + Into<Decimal>,
        S: Serializer,
    {
        match amount {
            Some(amount) => exact::serialize(amount, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a number or null.
    #[allow(clippy::missing_errors_doc, reason = "the signature is serde's")]
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: TryFrom<Decimal>,
        T::Error: std::fmt::Display,
        D: Deserializer<'de>,
    {
        Ok(Option::<Exact<T>>::deserialize(deserializer)?.map(|exact| exact.0))
    }
}
