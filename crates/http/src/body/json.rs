//! The text of a body: one JSON value, not too deep.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::catalogue;
use crate::problem::Problem;

/// How deep values may be nested in each other.
const DEEPEST: usize = 32;

/// One JSON value as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'b>(&'b str);

/// The members of an object, in the order in which they stand.
pub(super) type Found<'b> = Vec<(Cow<'b, str>, Json<'b>)>;

impl<'b> Json<'b> {
    /// The one value of a body.
    ///
    /// # Errors
    ///
    /// `malformed-json`.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Self, Problem> {
        let malformed = |why| Problem::saying(&catalogue::MALFORMED_JSON, why);
        let text = str::from_utf8(bytes).map_err(|_| malformed("The body is not UTF-8"))?;
        if depth(bytes) > DEEPEST {
            return Err(malformed("The body is nested more than 32 deep"));
        }
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let why = format!("The body is not JSON; see line {line}, column {column}");
            Problem::saying(&catalogue::MALFORMED_JSON, why)
        })?;
        Ok(Self(raw.get()))
    }

    /// The text.
    pub(crate) const fn text(self) -> &'b str {
        self.0
    }

    /// The name of the type, as the schema library has it.
    pub(crate) fn type_name(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ if self.0.contains(['.', 'e', 'E']) => "number",
            _ => "integer",
        }
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The members, if it is an object whose names are Unicode.
    pub(super) fn members(self) -> Option<Found<'b>> {
        serde_json::Deserializer::from_str(self.0).deserialize_map(MembersVisitor).ok()
    }

    /// The elements, if it is an array.
    pub(super) fn elements(self) -> Option<Vec<Self>> {
        let raw: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(raw.into_iter().map(|raw| Self(raw.get())).collect())
    }
}

/// The depth of the deepest value; text that is no JSON has one too.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct MembersVisitor;

#[derive(Deserialize)]
struct Name<'b>(#[serde(borrow)] Cow<'b, str>);

impl<'b> Visitor<'b> for MembersVisitor {
    type Value = Found<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::with_capacity(12);
        while let Some((name, value)) = map.next_entry::<Name<'b>, &'b RawValue>()? {
            found.push((name.0, Json(value.get())));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_is_nested_and_no_brackets_in_strings() {
        assert_eq!(depth(b"1"), 0);
        assert_eq!(depth(br#"{"a": "[[[\"[["}"#), 1);
        assert_eq!(depth(br#"[{"a": [1]}, [[]], 2]"#), 3);
        assert_eq!(depth(br#"["\\", []]"#), 2);
    }
}
