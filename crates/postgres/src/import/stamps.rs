//! Members that every record may carry: who wrote it, and when.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A record as it came, without those members.
#[derive(Debug)]
pub(super) struct Stamped<'a> {
    /// The JSON object that is left.
    pub record: Cow<'a, str>,
    /// When its owner changed it, if it says so. The others are not kept: who changed the copy is
    /// in `registry_changes`.
    pub updated_at: Option<DateTime<Utc>>,
}

/// The members of an object, unread.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name that is copied only if it has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Takes the members off, and reads the one that counts.
pub(super) fn take_off(data: &RawValue) -> Result<Stamped<'_>, String> {
    if !data.get().starts_with('{') {
        return Err(format!("data: expected an object but found {:.40}", data.get()));
    }
    let Members(members) = serde_json::from_str(data.get()).map_err(|error| error.to_string())?;
    let is_stamp =
        |name: &str| matches!(name, "inserted_at" | "inserted_by" | "updated_at" | "updated_by");
    let (stamps, rest): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|(name, _)| is_stamp(name));
    if stamps.is_empty() {
        return Ok(Stamped { record: data.get().into(), updated_at: None });
    }
    let mut times = stamps.into_iter().filter(|(name, _)| name == "updated_at");
    let updated_at = match (times.next(), times.next()) {
        (None, _) => None,
        (Some((_, raw)), None) => time(raw)?,
        (Some(_), Some(_)) => return Err("data.updated_at: expected only once".to_owned()),
    };
    Ok(Stamped { record: object(&rest).into(), updated_at })
}

fn object(members: &[(Cow<'_, str>, &RawValue)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{}", serde_json::Value::from(&**name), value.get()))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// An RFC 3339 time or null; without a zone, it is UTC. Kept to the microsecond, as in the tables.
fn time(raw: &RawValue) -> Result<Option<DateTime<Utc>>, String> {
    let text: Option<Cow<'_, str>> = serde_json::from_str(raw.get()).map_err(|_| expected(raw))?;
    let Some(text) = text else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc()).or_else(|_| {
        NaiveDateTime::parse_from_str(&text.replacen(' ', "T", 1), "%Y-%m-%dT%H:%M:%S%.f")
            .map(|time| time.and_utc())
    });
    match time {
        Ok(time) if YEARS.contains(&chrono::Datelike::year(&time)) => {
            Ok(Some(time.trunc_subsecs(6)))
        }
        Ok(_) | Err(_) => Err(expected(raw)),
    }
}

/// The years that RFC 3339 and the database both know.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

fn expected(raw: &RawValue) -> String {
    format!(
        "data.updated_at: expected a time such as 2026-01-31T10:00:00Z or null but found {:.40}",
        raw.get()
    )
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(All)
    }
}

struct All;

impl<'de> Visitor<'de> for All {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}
