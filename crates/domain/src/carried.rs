//! JSON that is carried through: rendered as it came, judged by no rule.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::text::{InvalidText, LongText, mended};

/// A JSON value in which every string could stand alone: NFC, at most 1,000 characters, no control
/// characters. Empty strings and nulls are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Carried(Arc<Value>);

impl Serialize for Carried {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Carried {
    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl TryFrom<Value> for Carried {
    type Error = InvalidText;

    fn try_from(mut value: Value) -> Result<Self, Self::Error> {
        believe(&mut value)?;
        Ok(Self(Arc::new(value)))
    }
}

/// Looks at every string, and mends those that are not in NFC.
fn believe(value: &mut Value) -> Result<(), InvalidText> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            if let Some(mended) = mended(text, LongText::MOST)? {
                *text = mended;
            }
        }
        Value::Array(items) => items.iter_mut().try_for_each(believe)?,
        Value::Object(members) => {
            let mut named_otherwise = false;
            for (name, value) in members.iter_mut() {
                named_otherwise |= !name.is_empty() && mended(name, usize::MAX)?.is_some();
                believe(value)?;
            }
            if named_otherwise {
                let members = std::mem::take(members);
                let renamed =
                    |(name, value): (String, Value)| (name.nfc().collect::<String>(), value);
                *value = members.into_iter().map(renamed).collect();
            }
        }
    }
    Ok(())
}
