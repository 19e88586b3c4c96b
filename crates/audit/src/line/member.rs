//! The members of a line: how each kind of value is spelled, and read.

use serde::Deserialize;
use uuid::Uuid;

use crate::chain::Hash;
use crate::instant;

/// Why a line cannot be written so that it could be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A name, a version or an id with anything but plain visible ASCII.
    #[error("{0} is not plain ASCII text")]
    Text(&'static str),
    /// JSON text that would not fill its place on a line exactly.
    #[error("{0} is empty, begins or ends with white space, or has a line break")]
    Json(&'static str),
    /// An instant outside the years 1 to 9999.
    #[error("{0} is not within the years 1 to 9999")]
    Instant(&'static str),
}

/// Why a line is not one that an export has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON object with exactly these members.
    #[error("{0}")]
    Members(String),
    /// A member does not say what it should.
    #[error("`{0}` is malformed")]
    Member(&'static str),
    /// It says the right things in another form: order, white space, letters.
    #[error("the line is not in the form in which it is written")]
    Form,
}

/// A value, and how it is spelled.
pub(super) enum Value<'a> {
    Number(i64),
    Id(Uuid),
    /// Plain ASCII, which needs no escapes.
    Text(&'a str),
    /// Any text, with as few escapes as JSON allows.
    Quoted(&'a str),
    Instant(i64),
    /// JSON as it is.
    Json(&'a str),
    Hash(Hash),
}

pub(super) fn write_members(
    members: &[(&'static str, Value<'_>)],
    into: &mut String,
) -> Result<(), Unwritable> {
    let begin = into.len();
    for (opening, value) in members {
        into.push_str(opening);
        if let Err(wrong) = write_value(name(opening), value, into) {
            into.truncate(begin);
            return Err(wrong);
        }
    }
    into.push('}');
    Ok(())
}

/// The name of a member out of what stands before its value.
fn name(opening: &'static str) -> &'static str {
    opening.trim_matches(|letter: char| !letter.is_ascii_alphabetic())
}

fn write_value(name: &'static str, value: &Value<'_>, into: &mut String) -> Result<(), Unwritable> {
    match value {
        Value::Number(number) => into.push_str(&number.to_string()),
        Value::Id(id) => quote(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()), into),
        Value::Text(text) => {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            if !text.bytes().all(plain) {
                return Err(Unwritable::Text(name));
            }
            quote(text, into);
        }
        Value::Quoted(text) => into.push_str(&serde_json::Value::from(*text).to_string()),
        Value::Instant(microseconds) => {
            quote(&instant::written(*microseconds).ok_or(Unwritable::Instant(name))?, into);
        }
        Value::Json(json) => {
            let inside = json.trim_matches([' ', '\t', '\n', '\r']);
            if inside.is_empty() || inside != *json || json.contains(['\n', '\r']) {
                return Err(Unwritable::Json(name));
            }
            into.push_str(json);
        }
        Value::Hash(hash) => quote(&hex::encode(hash), into),
    }
    Ok(())
}

fn quote(text: &str, into: &mut String) {
    into.push('"');
    into.push_str(text);
    into.push('"');
}

/// Reads one JSON object with exactly the members of `T`, each once.
pub(super) fn members<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Members(error.to_string()))
}

pub(super) fn id(name: &'static str, text: &str) -> Result<Uuid, Unreadable> {
    Uuid::parse_str(text).map_err(|_| Unreadable::Member(name))
}

pub(super) fn hash(text: &str) -> Result<Hash, Unreadable> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).map_err(|_| Unreadable::Member("hash"))?;
    Ok(hash)
}
