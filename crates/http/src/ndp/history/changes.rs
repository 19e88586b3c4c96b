//! What an event changed in a dispense, as this API shows one.

use std::fmt;

use dispensary::Shown;
use dispensary::history::Step;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::super::dispense::Dispense;
use crate::catalogue;
use crate::problem::Problem;

/// A member of a dispense that an event changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DispenseChange)]
pub(super) struct Change {
    /// Its name in a dispense.
    #[schema(example = "status")]
    member: String,
    /// What it was; null before the dispense began.
    #[schema(required, value_type = Option<serde_json::Value>, example = "HELD")]
    from: Box<RawValue>,
    /// What it became.
    #[schema(required, value_type = Option<serde_json::Value>, example = "COMPLETED")]
    to: Box<RawValue>,
}

/// What is shown of a dispense, member by member as it is written: numbers keep their digits.
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn of(shown: &Shown) -> serde_json::Result<Self> {
        serde_json::from_str(&serde_json::to_string(&Dispense::of(shown))?)
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// What the event changed, in the order of the members. One that began a dispense changed every
/// member that says something.
pub(super) fn of(step: &Step) -> serde_json::Result<Vec<Change>> {
    let before = step.before.as_ref().map(Members::of).transpose()?;
    let mut changes = Vec::new();
    for (member, to) in Members::of(&step.after)?.0 {
        let from = before.as_ref().and_then(|before| before.get(&member));
        let from = from.unwrap_or(RawValue::NULL);
        if from.get() != to.get() {
            changes.push(Change { member, from: from.to_owned(), to });
        }
    }
    Ok(changes)
}

/// Plain data that cannot be written down, which it always can.
pub(super) fn unwritable(error: &serde_json::Error) -> Problem {
    Problem::of(&catalogue::BUG).caused_by(error)
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
