//! The name of a command, under which it is done once.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};

use crate::catalogue;
use crate::problem::Problem;
use crate::visit::{drawn, visible_ascii};

/// The header that carries the key, both ways; each API has its own. That of the other is taken as
/// well: a key that was overlooked would let a retry dispense a second time.
pub(crate) struct KeyHeader {
    /// The header.
    pub(crate) name: HeaderName,
    other: HeaderName,
    written: &'static str,
}

/// The header of the platform's API.
pub(crate) static IDEMPOTENCY_KEY: KeyHeader = KeyHeader {
    name: HeaderName::from_static("idempotency-key"),
    other: HeaderName::from_static("x-idempotency-key"),
    written: "Idempotency-Key",
};

/// The header of the register's API.
pub(crate) static X_IDEMPOTENCY_KEY: KeyHeader = KeyHeader {
    name: HeaderName::from_static("x-idempotency-key"),
    other: HeaderName::from_static("idempotency-key"),
    written: "X-Idempotency-Key",
};

/// The key of a command: that of the caller, or one that was drawn for it.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyKey {
    text: String,
    value: HeaderValue,
}

impl IdempotencyKey {
    /// The key that the caller sent, or a new one where none was sent.
    ///
    /// # Errors
    ///
    /// `idempotency-key-invalid`: more than one key, or not 1 to 255 visible ASCII characters.
    pub(crate) fn of(headers: &HeaderMap, header: &KeyHeader) -> Result<Self, Problem> {
        let mut sent = headers.get_all(&header.name).chain(headers.get_all(&header.other));
        let written = header.written;
        let invalid = |why| Problem::saying(&catalogue::IDEMPOTENCY_KEY_INVALID, why);
        match (sent.next(), sent.next()) {
            (None, _) => Ok(Self::drawn()),
            (Some(_), Some(_)) => Err(invalid(format!("expected one {written} but got several"))),
            (Some(value), None) => match visible_ascii(value.as_bytes()) {
                Some(text) => Ok(Self { text: text.to_owned(), value: value.clone() }),
                None => Err(invalid(format!(
                    "expected an {written} of 1 to 255 visible ASCII characters"
                ))),
            },
        }
    }

    /// The key that a request was given, if it is a command with a good one.
    pub(crate) fn given_to(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    fn drawn() -> Self {
        let text = drawn().to_string();
        // A UUID is always a header value; an empty one would merely echo nothing.
        let value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { text, value }
    }

    /// The key.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The key as it is echoed.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }
}
