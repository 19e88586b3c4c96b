//! `cursor`: where a list goes on. What a caller is handed has our seal; what comes back without it, or
//! belongs to another question, is refused.
//!
//! ```text
//!  base64url:  format ‖ question, 16 bytes ‖ place ‖ HMAC-SHA-256 of all that, 16 bytes
//! ```
//!
//! All instances on one database have one key, so that any of them shows the next page.

use std::fmt;

use actix_web::HttpRequest;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dispensary::Asker;
use dispensary::cursor::ListError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::catalogue;
use crate::problem::Problem;
use crate::query::members;

/// The member that carries it.
pub(crate) const CURSOR: &str = "cursor";

/// The member that says how long a page is: it may change from page to page.
pub(crate) const LIMIT: &str = "limit";

/// How cursors are written. A cursor that an older version wrote otherwise is refused.
const FORMAT: u8 = 1;

/// How much of a digest stands in a cursor.
const DIGEST_BYTES: usize = 16;

/// What vouches for cursors.
#[derive(Clone)]
pub struct CursorKey(hmac::Key);

impl CursorKey {
    /// That key, which all instances share.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// What a list is asked for, and by whom: everything that decides what its pages show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question([u8; DIGEST_BYTES]);

impl Question {
    /// The question of that request: its path and all its members, but for which page and how long.
    pub(crate) fn of(request: &HttpRequest, asker: &Asker) -> Self {
        let mut stated = members(request);
        stated.retain(|(name, _)| name != CURSOR && name != LIMIT);
        stated.sort_unstable();
        let client = asker.client.to_string();
        let whose = [request.path(), &client, asker.client_type.as_str()];
        let members = stated.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let mut hash = Sha256::new();
        for part in whose.into_iter().chain(members) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut digest = [0; DIGEST_BYTES];
        digest.copy_from_slice(&hash.finalize()[..DIGEST_BYTES]);
        Self(digest)
    }
}

impl CursorKey {
    /// The cursor of a place in the list that was asked for.
    ///
    /// # Errors
    ///
    /// `bug`: the place cannot be written.
    pub(crate) fn seal(
        &self,
        question: Question,
        place: &impl Serialize,
    ) -> Result<String, Problem> {
        let mut sealed = vec![FORMAT];
        sealed.extend(question.0);
        let place = postcard::to_stdvec(place)
            .map_err(|error| Problem::of(&catalogue::BUG).caused_by(&error))?;
        sealed.extend(place);
        let seal = hmac::sign(&self.0, &sealed);
        sealed.extend(&seal.as_ref()[..DIGEST_BYTES]);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The place of a cursor that was handed out for that question.
    ///
    /// # Errors
    ///
    /// `cursor-invalid`.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        question: Question,
        cursor: &str,
    ) -> Result<T, Problem> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid(MADE_UP))?;
        let whole =
            sealed.len().checked_sub(DIGEST_BYTES).and_then(|at| sealed.split_at_checked(at));
        let (signed, seal) = whole.ok_or_else(|| invalid(MADE_UP))?;
        let expected = hmac::sign(&self.0, signed);
        let is_ours = aws_lc_rs::constant_time::verify_slices_are_equal(
            seal,
            &expected.as_ref()[..DIGEST_BYTES],
        );
        is_ours.map_err(|_| invalid(MADE_UP))?;
        let (format, rest) = signed.split_first().ok_or_else(|| invalid(MADE_UP))?;
        if *format != FORMAT {
            return Err(invalid(OUTDATED));
        }
        let (asked, place) = rest.split_at_checked(DIGEST_BYTES).ok_or_else(|| invalid(MADE_UP))?;
        if asked != question.0 {
            return Err(invalid(OF_ANOTHER));
        }
        postcard::from_bytes(place).map_err(|_| invalid(OUTDATED))
    }
}

const MADE_UP: &str = "expected the cursor of a page of this list, letter by letter; send that, or begin again without it";
const OUTDATED: &str = "this cursor is of another version of this service; begin again without it";
const OF_ANOTHER: &str = "this cursor is of another question, or of another client: filters stay the same from page to page; \
     or begin again without it";
const GONE: &str = "what this cursor goes on from is not kept any more: the list was rebuilt, or the log restored; \
     begin again without it";

fn invalid(message: &'static str) -> Problem {
    Problem::saying(&catalogue::CURSOR_INVALID, message).at("?cursor")
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Gone => invalid(GONE),
            ListError::Query(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use chrono::DateTime;
    use dispensary::cursor::Snapshot;
    use dispensary::list::{DispensePlace, ListCursor, Walk};
    use dispensary::{ClientType, Scopes};
    use uuid::Uuid;

    use super::*;

    fn asker(client: u128, client_type: ClientType) -> Asker {
        let (user, client) = (Uuid::from_u128(1), Uuid::from_u128(client));
        Asker { user, client, client_type, scopes: Scopes::parse("") }
    }

    fn asked(uri: &str) -> Question {
        let request = TestRequest::get().uri(uri).to_http_request();
        Question::of(&request, &asker(2, ClientType::Pharmacy))
    }

    fn key(byte: u8) -> CursorKey {
        CursorKey::new(&[byte; 32])
    }

    /// Somewhere in a list of a log with so many partitions.
    fn place(partitions: i64) -> ListCursor {
        let at = DateTime::from_timestamp_micros(1_772_445_600_000_001).unwrap();
        ListCursor {
            snapshot: Snapshot {
                version: 3,
                positions: (0..partitions).map(|n| 25_000_000 + n).collect(),
                at,
            },
            walk: Walk::Medication,
            held_since: Some(at),
            after: DispensePlace {
                dispensed_on: "2026-03-02".parse().unwrap(),
                inserted_at: at,
                id: Uuid::from_u128(0xD1).into(),
            },
        }
    }

    fn refused(opened: Result<ListCursor, Problem>) -> String {
        let problem = opened.unwrap_err();
        assert_eq!(problem.entry().code, "cursor-invalid");
        problem.violations()[0].message.clone().into_owned()
    }

    #[test]
    fn what_was_sealed_is_opened_by_whoever_has_the_key() {
        let question = asked("/lists?status=HELD");
        for place in [place(4), ListCursor { held_since: None, ..place(1) }] {
            let cursor = key(7).seal(question, &place).unwrap();
            assert_eq!(key(7).open::<ListCursor>(question, &cursor).unwrap(), place);
            assert!(cursor.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it)));
        }
    }

    #[test]
    fn a_cursor_fits_into_a_query_however_the_log_is_divided() {
        let question = asked("/lists");
        assert!(key(7).seal(question, &place(4)).unwrap().len() < 200);
        assert!(key(7).seal(question, &place(1024)).unwrap().len() < 7_000);
    }

    #[test]
    fn no_letter_of_a_cursor_can_be_another() {
        let question = asked("/lists");
        let cursor = key(7).seal(question, &place(4)).unwrap();
        for at in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'Q' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(refused(key(7).open(question, &forged)), MADE_UP, "{at}");
        }
        assert_eq!(refused(key(8).open(question, &cursor)), MADE_UP, "of another database");
        for strange in ["", "A", "AAAA", "%", "ö", &cursor[1..], &cursor[..40], &"A".repeat(4_000)]
        {
            assert_eq!(refused(key(7).open(question, strange)), MADE_UP, "{strange}");
        }
    }

    #[test]
    fn a_cursor_is_of_one_question() {
        let question = asked("/lists?status=HELD&from=2026-03-01");
        let cursor = key(7).seal(question, &place(4)).unwrap();
        for same in [
            "/lists?from=2026-03-01&status=HELD",
            "/lists?status=HELD&from=2026-03-01&limit=7&cursor=x",
            "/lists?status=%48ELD&&from=2026-03-01",
        ] {
            assert!(key(7).open::<ListCursor>(asked(same), &cursor).is_ok(), "{same}");
        }
        for other in [
            "/lists",
            "/lists?status=HELD",
            "/lists?status=HELD&from=2026-03-02",
            "/lists?status=HELD&to=2026-03-01",
            "/lists?status=HELDfrom&=2026-03-01",
            "/other?status=HELD&from=2026-03-01",
        ] {
            assert_eq!(refused(key(7).open(asked(other), &cursor)), OF_ANOTHER, "{other}");
        }
    }

    #[test]
    fn a_cursor_is_of_one_client_whoever_is_logged_in() {
        let request = TestRequest::get().uri("/lists").to_http_request();
        let own = asker(2, ClientType::Pharmacy);
        let question = Question::of(&request, &own);
        let colleague = Asker { user: Uuid::from_u128(9), ..own.clone() };
        assert_eq!(Question::of(&request, &colleague), question);
        for other in [asker(3, ClientType::Pharmacy), asker(2, ClientType::Nhs)] {
            assert_ne!(Question::of(&request, &other), question, "{other:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_version_is_refused() {
        let question = asked("/lists");
        let sealed = |format: u8, place: &[u8]| {
            let mut sealed = vec![format];
            sealed.extend(question.0);
            sealed.extend(place);
            let seal = hmac::sign(&key(7).0, &sealed);
            sealed.extend(&seal.as_ref()[..DIGEST_BYTES]);
            URL_SAFE_NO_PAD.encode(sealed)
        };
        let place = postcard::to_stdvec(&place(4)).unwrap();
        assert!(key(7).open::<ListCursor>(question, &sealed(FORMAT, &place)).is_ok());
        assert_eq!(refused(key(7).open(question, &sealed(FORMAT + 1, &place))), OUTDATED);
        assert_eq!(refused(key(7).open(question, &sealed(FORMAT, &place[..9]))), OUTDATED);
    }
}
