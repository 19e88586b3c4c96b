//! A line of `erasures.ndjson`.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::member::{Unreadable, Unwritable, Value, hash, id, members, write_members};
use crate::chain::Hash;
use crate::erasure::Erasure;
use crate::instant;

/// Appends the erasure and its hash as one line, without the line break.
///
/// # Errors
///
/// [`Unwritable`], for a row that the service does not write.
pub fn write_erasure(
    erasure: &Erasure<'_>,
    hash: Hash,
    into: &mut String,
) -> Result<(), Unwritable> {
    let members = [
        ("{\"number\":", Value::Number(erasure.number)),
        (",\"kind\":", Value::Text(erasure.kind)),
        (",\"id\":", Value::Id(erasure.id)),
        (",\"reason\":", Value::Quoted(erasure.reason)),
        (",\"byUser\":", Value::Quoted(erasure.by_user)),
        (",\"at\":", Value::Instant(erasure.at)),
        (",\"places\":", Value::Json(erasure.places)),
        (",\"hash\":", Value::Hash(hash)),
    ];
    write_members(&members, into)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members<'a> {
    number: i64,
    kind: &'a str,
    id: &'a str,
    reason: String,
    by_user: String,
    at: &'a str,
    #[serde(borrow)]
    places: &'a RawValue,
    hash: &'a str,
}

/// A line of erasures, read: the erasure and its hash.
///
/// What people wrote may have escapes, and so cannot be borrowed from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the columns of erasures")]
pub struct ErasureLine<'a> {
    pub number: i64,
    pub kind: &'a str,
    pub id: Uuid,
    pub reason: String,
    pub by_user: String,
    pub at: i64,
    pub places: &'a str,
    pub hash: Hash,
}

impl ErasureLine<'_> {
    /// What the hash covers.
    #[must_use]
    pub fn erasure(&self) -> Erasure<'_> {
        Erasure {
            number: self.number,
            kind: self.kind,
            id: self.id,
            reason: &self.reason,
            by_user: &self.by_user,
            at: self.at,
            places: self.places,
        }
    }
}

/// Reads a line, without its line break, that [`write_erasure`] wrote.
///
/// # Errors
///
/// [`Unreadable`], for any other bytes.
pub fn read_erasure(text: &str) -> Result<ErasureLine<'_>, Unreadable> {
    let found: Members<'_> = members(text)?;
    let erasure = ErasureLine {
        number: found.number,
        kind: found.kind,
        id: id("id", found.id)?,
        reason: found.reason,
        by_user: found.by_user,
        at: instant::read(found.at).ok_or(Unreadable::Member("at"))?,
        places: found.places.get(),
        hash: hash(found.hash)?,
    };
    let mut again = String::with_capacity(text.len());
    write_erasure(&erasure.erasure(), erasure.hash, &mut again).map_err(|_| Unreadable::Form)?;
    if again == text { Ok(erasure) } else { Err(Unreadable::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERASURE: Erasure<'_> = Erasure {
        number: 1,
        kind: "person",
        id: Uuid::from_u128(1),
        reason: "asked for \"by letter\"\nin März",
        by_user: "9a3b2c1d-0000-4000-8000-000000000001",
        at: 1_700_000_000_000_001,
        places: "[ {} ]",
    };

    #[test]
    fn an_erasure_is_read_as_it_was_written() {
        let mut text = String::new();
        write_erasure(&ERASURE, [7; 32], &mut text).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"number":1,"kind":"person","id":"00000000-0000-0000-0000-000000000001","#,
                r#""reason":"asked for \"by letter\"\nin März","#,
                r#""byUser":"9a3b2c1d-0000-4000-8000-000000000001","#,
                r#""at":"2023-11-14T22:13:20.000001Z","places":[ {} ],"#,
                r#""hash":"0707070707070707070707070707070707070707070707070707070707070707"}"#,
            )
        );
        let line = read_erasure(&text).unwrap();
        assert_eq!(line.erasure(), ERASURE);
        assert_eq!(line.hash, [7; 32]);
        let escaped = text.replacen('M', "\\u004d", 1);
        assert_eq!(read_erasure(&escaped), Err(Unreadable::Form));
    }
}
