//! JSON that is carried through: rendered as it came, judged by no rule.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::text::{InvalidText, LongText};

/// A JSON value in which every string could stand alone: NFC, at most 1,000 characters, no control
/// characters. Empty strings and nulls are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Carried(Value);

impl Carried {
    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl TryFrom<Value> for Carried {
    type Error = InvalidText;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        believed(value).map(Self)
    }
}

fn believed(value: Value) -> Result<Value, InvalidText> {
    Ok(match value {
        Value::String(text) if !text.is_empty() => Value::String(LongText::try_from(text)?.into()),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(believed).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| match name.chars().find(|c| c.is_control()) {
                    Some(bad) => Err(InvalidText::Control(bad.into())),
                    None => Ok((name.nfc().collect(), believed(value)?)),
                })
                .collect::<Result<_, _>>()?,
        ),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    })
}

impl From<Carried> for Value {
    fn from(carried: Carried) -> Self {
        carried.0
    }
}
