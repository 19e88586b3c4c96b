//! What stands under `error`.

use std::borrow::Cow;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::problem::{Param, Violation};

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct ErrorObject<'a> {
    /// What kind of error it is.
    #[schema(example = "validation_failed")]
    pub(super) r#type: &'static str,
    /// What happened, for people. The texts never change: pharmacy systems match on them.
    #[schema(example = "Active medication dispense already exists")]
    pub(super) message: &'a str,
    /// The stable name of the problem, for programs; `GET /api/v1/errors` explains each.
    #[schema(example = "already-held")]
    pub(super) code: &'a str,
    /// What is to blame, where it can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) invalid: Vec<Invalid<'a>>,
}

/// A part of the request that is to blame.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Invalid<'a> {
    /// `json_data_property`, or `request` where it is the whole.
    #[schema(example = "json_data_property")]
    entry_type: &'static str,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "$.medication_dispense.division_id")]
    entry: Option<&'a str>,
    /// Which rule it breaks: always one.
    #[schema(value_type = Vec<Broken<'a>>, min_items = 1, max_items = 1)]
    rules: [Broken<'a>; 1],
}

/// A rule that was broken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
struct Broken<'a> {
    /// Its name.
    #[schema(example = "required")]
    rule: &'a str,
    /// What is wrong and what would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "required property division_id was not present")]
    description: Option<&'a str>,
    /// The same with names in place of values, where a schema was violated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "required property %{property} was not present")]
    raw_description: Option<String>,
    /// The values that a schema names; an empty list where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>, example = json!({"property": "division_id"}))]
    params: Option<Params<'a>>,
}

#[derive(Debug)]
struct Params<'a>(Vec<(&'a str, Cow<'a, Param>)>);

impl<'a> Invalid<'a> {
    /// The request as a whole.
    pub(super) const REQUEST: Self = Self {
        entry_type: "request",
        entry: None,
        rules: [Broken { rule: "json", description: None, raw_description: None, params: None }],
    };

    /// A member that broke a rule of that name. The register gives no values with those.
    pub(super) fn by_rule(violation: &'a Violation, rule: &'static str) -> Self {
        let rule = Broken {
            rule,
            description: Some(&violation.message),
            raw_description: None,
            params: Some(Params(Vec::new())),
        };
        Self::member(violation, rule)
    }

    /// A member that a schema does not allow.
    pub(super) fn by_schema(violation: &'a Violation) -> Self {
        let params = Params::of(violation);
        let rule = Broken {
            rule: violation.rule,
            description: Some(&violation.message),
            raw_description: Some(params.taken_out_of(&violation.message)),
            params: Some(params),
        };
        Self::member(violation, rule)
    }

    fn member(violation: &'a Violation, rule: Broken<'a>) -> Self {
        let entry = violation.path.as_deref().unwrap_or("$");
        Self { entry_type: "json_data_property", entry: Some(entry), rules: [rule] }
    }
}

impl<'a> Params<'a> {
    fn of(violation: &'a Violation) -> Self {
        let mut params: Vec<(&str, Cow<'_, Param>)> =
            violation.params.iter().map(|(name, it)| (name.as_ref(), Cow::Borrowed(it))).collect();
        let path = violation.path.as_deref();
        if let (true, Some((_, name))) =
            (violation.rule == "required", path.and_then(|path| path.rsplit_once('.')))
        {
            params.push(("property", Cow::Owned(Param::text(name))));
        }
        Self(params)
    }

    /// The text with `%{name}` where a value stands in it.
    fn taken_out_of(&self, text: &str) -> String {
        let named = |text: String, (name, value): &(&str, Cow<'_, Param>)| {
            text.replacen(&value.to_string(), &format!("%{{{name}}}"), 1)
        };
        self.0.iter().fold(text.to_owned(), named)
    }
}

/// As the register writes it: an object, but an empty list where there is nothing.
impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            return serializer.serialize_seq(Some(0))?.end();
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
