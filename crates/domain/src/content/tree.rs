//! JSON as a tree in which numbers are exact, for comparing by value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_number;

/// How deep values may be nested in each other: as deep as any door lets in.
const DEEPEST: usize = 32;

/// A JSON value. Objects forget the order of their members, numbers how they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Number {
    /// Its value.
    Exact(Decimal),
    /// No decimal is equal to it; it equals itself alone, as it was written.
    Odd(String),
}

/// Why a text is no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTree {
    /// It is not JSON in UTF-8, or nested too deep.
    NotJson,
    /// An object has a member twice: nobody knows which was meant.
    Repeated,
}

impl Tree {
    /// The value of a text.
    pub(super) fn read(text: &[u8]) -> Result<Self, NoTree> {
        let raw: &RawValue = serde_json::from_slice(text).map_err(|_| NoTree::NotJson)?;
        Self::of(raw, DEEPEST)
    }

    fn of(raw: &RawValue, depth: usize) -> Result<Self, NoTree> {
        let text = raw.get();
        let deeper = || depth.checked_sub(1).ok_or(NoTree::NotJson);
        match text.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'"') => serde_json::from_str(text).map(Self::Text).map_err(|_| NoTree::NotJson),
            Some(b'[') => {
                let deeper = deeper()?;
                let raw: Vec<&RawValue> =
                    serde_json::from_str(text).map_err(|_| NoTree::NotJson)?;
                let items = raw.into_iter().map(|raw| Self::of(raw, deeper));
                Ok(Self::List(items.collect::<Result<_, _>>()?))
            }
            Some(b'{') => {
                let deeper = deeper()?;
                let found = serde_json::Deserializer::from_str(text)
                    .deserialize_map(Members)
                    .map_err(|_| NoTree::NotJson)?;
                let mut members = BTreeMap::new();
                for (name, raw) in found {
                    if members.insert(name, Self::of(raw, deeper)?).is_some() {
                        return Err(NoTree::Repeated);
                    }
                }
                Ok(Self::Object(members))
            }
            _ => Ok(Self::Number(match json_number(text) {
                Some(number) => Number::Exact(number),
                None => Number::Odd(text.to_owned()),
            })),
        }
    }

    /// The name of the type, as the schema library has it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(Number::Exact(number)) if number.is_integer() => "integer",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The path of the first place at which the two differ.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let mut path = "$".to_owned();
        self.differs(other, &mut path).then_some(path)
    }

    /// Leaves in `path` the first place that differs, if any does.
    fn differs(&self, other: &Self, path: &mut String) -> bool {
        let length = path.len();
        match (self, other) {
            (Self::Object(ours), Self::Object(theirs)) => {
                let names = ours.keys().chain(theirs.keys().filter(|it| !ours.contains_key(*it)));
                for name in names {
                    let _ = write!(path, ".{}", clipped(name));
                    let same = match (ours.get(name), theirs.get(name)) {
                        (Some(one), Some(other)) => !one.differs(other, path),
                        (None, _) | (Some(_), None) => false,
                    };
                    if !same {
                        return true;
                    }
                    path.truncate(length);
                }
                false
            }
            (Self::List(ours), Self::List(theirs)) if ours.len() == theirs.len() => {
                for (place, (one, other)) in ours.iter().zip(theirs).enumerate() {
                    let _ = write!(path, ".[{place}]");
                    if one.differs(other, path) {
                        return true;
                    }
                    path.truncate(length);
                }
                false
            }
            (one, other) => one != other,
        }
    }

    /// The one text of this value: members in order of their names, no white space, numbers without
    /// trailing zeros.
    pub(super) fn canonical(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) {
        match self {
            Self::Null => to.push_str("null"),
            Self::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
            // Writing to a string cannot fail.
            Self::Number(Number::Exact(number)) => {
                let _ = write!(to, "{number}");
            }
            Self::Number(Number::Odd(text)) => to.push_str(text),
            Self::Text(text) => quote(text, to),
            Self::List(items) => {
                to.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        to.push(',');
                    }
                    item.write(to);
                }
                to.push(']');
            }
            Self::Object(members) => {
                to.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    if place > 0 {
                        to.push(',');
                    }
                    quote(name, to);
                    to.push(':');
                    value.write(to);
                }
                to.push('}');
            }
        }
    }
}

/// A name that the caller chose, short enough to be shown back.
pub(super) fn clipped(name: &str) -> &str {
    &name[..name.floor_char_boundary(64)]
}

/// A string is always written; an empty one would merely change a digest.
fn quote(text: &str, to: &mut String) {
    to.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Takes the members of an object as they stand, repeated ones too.
struct Members;

impl<'b> Visitor<'b> for Members {
    type Value = Vec<(String, &'b RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some((name, value)) = map.next_entry::<Name, &'b RawValue>()? {
            found.push((name.0, value));
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct Name(String);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_equal_however_they_are_written() {
        assert_eq!(tree(r#"{"a":50.0,"b":[1e1, "x"]}"#), tree(r#"{"b":[10,"\u0078"],"a":50}"#));
        assert_ne!(tree("49.68"), tree("49.680000000000000001"));
        assert_ne!(tree("[1,2]"), tree("[2,1]"));
        assert_ne!(tree("1"), tree(r#""1""#));
        assert_eq!(tree(r#"{"b":1.50,"a":null}"#).canonical(), r#"{"a":null,"b":1.5}"#);
    }

    #[test]
    fn the_first_difference_is_named() {
        let differ = |one: &str, other: &str| tree(one).difference(&tree(other));
        let place = |path: &str| Some(path.to_owned());
        assert_eq!(differ(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":2.0}]}"#), None);
        assert_eq!(differ(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":3}]}"#), place("$.a.[1].b"));
        assert_eq!(differ(r#"{"a":1}"#, r#"{"a":1,"z":2}"#), place("$.z"));
        assert_eq!(differ(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#), place("$.a"));
        assert_eq!(differ("1", "[]"), place("$"));
    }

    #[test]
    fn what_could_mean_two_things_is_no_tree() {
        assert_eq!(Tree::read(br#"{"a":1,"\u0061":2}"#), Err(NoTree::Repeated));
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        assert_eq!(Tree::read(deep.as_bytes()), Err(NoTree::NotJson));
        for bad in [&b""[..], b"{", b"\xff", b"{} {}", br#""\ud800""#] {
            assert_eq!(Tree::read(bad), Err(NoTree::NotJson), "{bad:?}");
        }
    }
}
