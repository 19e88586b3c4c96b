//! A problem as it is written.

use std::fmt;

use dispense_domain::{exact, json_number};
use rust_decimal::Decimal;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::Violation;
use crate::catalogue::Entry;

/// What went wrong, and what the caller can do about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// A link to the entry that explains this kind of problem.
    #[schema(example = "/api/v1/errors#quantity-exceeds-available")]
    r#type: String,
    /// What kind of problem it is, for people; the same for each `code`.
    title: &'a str,
    /// The status, once more.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: &'a str,
    /// The stable name of the problem, for programs.
    #[schema(example = "quantity-exceeds-available")]
    code: &'a str,
    /// Every violation that was found; the first decides `status`, `code` and `detail`.
    #[schema(min_items = 1)]
    errors: Vec<ViolationDocument<'a>>,
    /// Names the request in our logs; also in `X-Request-ID`.
    request_id: &'a str,
}

/// One rule that was broken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Violation)]
pub(crate) struct ViolationDocument<'a> {
    /// The stable name of the problem.
    #[schema(example = "quantity-exceeds-available")]
    code: &'a str,
    /// The part of the request that is to blame, null where it is the whole.
    #[schema(required, example = "$.items")]
    path: Option<&'a str>,
    /// What is wrong and what would be right, for people.
    message: &'a str,
    /// The number of the rule, or the kind of schema violation: `required`, `cast`, `number`,
    /// `format`, `length`, `inclusion`, `schema`.
    #[schema(example = "19")]
    rule: &'a str,
    /// The values that matter, for programs: strings and numbers, and `values`, a list of strings.
    #[schema(value_type = BTreeMap<String, serde_json::Value>, example = json!({"available": 10, "requested": 11}))]
    params: Params<'a>,
}

/// A value that comes with a violation.
#[derive(Debug, Clone)]
pub(crate) enum Param {
    /// As it is.
    Text(String),
    /// As a JSON number, exactly.
    Number(Decimal),
    /// Several of them, one of which is meant.
    List(Vec<String>),
}

#[derive(Debug)]
struct Params<'a>(&'a Violation);

impl From<u32> for Param {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Param {
    fn from(number: usize) -> Self {
        Self::Number(number.into())
    }
}

impl Param {
    /// A value that is no number, whatever it looks like.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A value of a rule: a list of texts as a list, everything else as its text says.
    pub(super) fn told(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::of(text),
            Value::Array(values) => {
                Self::List(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                Self::of(&value.to_string())
            }
        }
    }

    /// The value: a number where the text is one as amounts are written, so that `007` stays a text.
    pub(crate) fn of(text: &str) -> Self {
        match json_number(text) {
            Some(number) if is_amount(text) => Self::Number(number),
            _ => Self::Text(text.to_owned()),
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.normalize().fmt(f),
            Self::List(values) => f.write_str(&values.join(", ")),
        }
    }
}

/// Whether the text is a JSON number without an exponent.
fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole) && digits(places) && (whole == "0" || !whole.starts_with('0'))
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => exact::serialize(number, serializer),
            Self::List(values) => values.serialize(serializer),
        }
    }
}

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let params = &self.0.params;
        let mut map = serializer.serialize_map(Some(params.len()))?;
        for (name, value) in params {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> From<&'a Violation> for ViolationDocument<'a> {
    fn from(violation: &'a Violation) -> Self {
        Self {
            code: violation.code,
            path: violation.path.as_deref(),
            message: &violation.message,
            rule: violation.rule,
            params: Params(violation),
        }
    }
}

impl<'a> ProblemDocument<'a> {
    /// The problem of this entry; its text is that of the first violation.
    pub(super) fn of(
        entry: &'static Entry,
        violations: &'a [Violation],
        request_id: &'a str,
    ) -> Self {
        Self {
            r#type: format!("/api/v1/errors#{}", entry.code),
            title: entry.title,
            status: entry.status,
            detail: violations.first().map_or(entry.title, |first| &first.message),
            code: entry.code,
            errors: violations.iter().map(ViolationDocument::from).collect(),
            request_id,
        }
    }

    /// The bytes. Plain data is always written; an empty body would still carry its status.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
