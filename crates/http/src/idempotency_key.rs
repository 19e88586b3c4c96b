//! The name of a command, under which it is done once.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::catalogue;
use crate::problem::Problem;
use crate::visit::{drawn, visible_ascii};

/// Carries the key, both ways.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut sent = headers.get_all(IDEMPOTENCY_KEY);
        let invalid = |why| Problem::saying(&catalogue::IDEMPOTENCY_KEY_INVALID, why);
        match (sent.next(), sent.next()) {
            (None, _) => Ok(Self::drawn()),
            (Some(_), Some(_)) => Err(invalid("expected one Idempotency-Key but got several")),
            (Some(value), None) => match visible_ascii(value.as_bytes()) {
                Some(text) => Ok(Self { text: text.to_owned(), value: value.clone() }),
                None => {
                    Err(invalid("expected an Idempotency-Key of 1 to 255 visible ASCII characters"))
                }
            },
        }
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
