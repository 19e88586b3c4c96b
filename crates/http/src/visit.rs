//! One request: its name, and where its command comes from.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{HttpMessage, HttpRequest};
use dispensary::{Asker, Origin};
use uuid::Uuid;

/// Names a request in logs, events and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that a caller can give to a request, or to a command.
pub(crate) const MAX_NAME_BYTES: usize = 255;

/// The name of a request; beside the request until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The name that the caller gave, if it can stand in a log, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).map(actix_web::http::header::HeaderValue::as_bytes);
        match given.and_then(visible_ascii) {
            Some(given) => Self(given.into()),
            None => Self(drawn().to_string().into()),
        }
    }

    /// The name that the request was given on its way in.
    pub(crate) fn given_to(request: &HttpRequest) -> Self {
        match request.extensions().get::<Self>() {
            Some(id) => id.clone(),
            None => Self::of(request.headers()),
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a command of this asker comes from.
pub(crate) fn origin(request: &HttpRequest, asker: &Asker) -> Origin {
    Origin {
        user: asker.user.into(),
        client: Some(asker.client.into()),
        client_type: Some(asker.client_type),
        request_id: RequestId::given_to(request).0,
        traceparent: traceparent(request.headers()).map(Arc::from),
    }
}

/// A name for a request or a command that came without one.
#[allow(clippy::disallowed_methods, reason = "the door names what came without a name")]
pub(crate) fn drawn() -> Uuid {
    Uuid::new_v4()
}

/// The bytes as text, if they are 1 to [`MAX_NAME_BYTES`] visible ASCII characters.
pub(crate) fn visible_ascii(bytes: &[u8]) -> Option<&str> {
    let fits = (1..=MAX_NAME_BYTES).contains(&bytes.len());
    if fits && bytes.iter().all(u8::is_ascii_graphic) { str::from_utf8(bytes).ok() } else { None }
}

/// The caller's place in a trace, if it is well formed; a malformed one is as good as none.
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all("traceparent");
    let (Some(one), None) = (given.next(), given.next()) else { return None };
    let text = one.to_str().ok()?;
    is_traceparent(text).then_some(text)
}

/// W3C Trace Context, version 00: `00-<trace id>-<parent id>-<flags>`, in lower-case hexadecimal,
/// neither id all zeros.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let hex = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| {
            part.len() == length && part.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let id = |part: Option<&str>, length| {
        hex(part, length) && part.is_some_and(|part| part.bytes().any(|digit| digit != b'0'))
    };
    parts.next() == Some("00")
        && id(parts.next(), 32)
        && id(parts.next(), 16)
        && hex(parts.next(), 2)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_is_believed_in_its_exact_form_only() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        for bad in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_is_visible_and_not_too_long() {
        assert_eq!(visible_ascii(b"a-1~"), Some("a-1~"));
        assert_eq!(visible_ascii(&[b'x'; 255]).map(str::len), Some(255));
        for bad in [&b""[..], b"a b", b"a\x7f", "ключ".as_bytes(), &[b'x'; 256]] {
            assert_eq!(visible_ascii(bad), None);
        }
    }
}
