//! A body on its way in: bytes, then JSON, then members that are believed or named.
//!
//! [`read`] takes the bytes and [`Json`] the text; [`Members`] walks it and collects every violation
//! with its path; `kinds.rs` has a reader for each kind of value.

mod fault;
mod json;
pub(crate) mod kinds;
mod members;

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures::StreamExt;

use crate::catalogue;
use crate::problem::Problem;

pub(crate) use fault::Fault;
pub(crate) use json::Json;
pub(crate) use members::{Element, Members};

/// The longest body, but for registry data.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// The most that is read of a body that was refused already.
const DRAINED_BYTES: usize = 1024 * 1024;

/// How long that may take.
const DRAINED_WITHIN: Duration = Duration::from_secs(1);

/// The longest part of a name that is shown back.
const CLIPPED_BYTES: usize = 64;

/// The whole body.
///
/// # Errors
///
/// `too-large`, `timeout`, `incomplete-body`.
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Bytes, Problem> {
    if announced(request.headers()).is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_WITHIN, gathered(payload)).await {
        Ok(body) => body,
        Err(_elapsed) => Err(Problem::of(&catalogue::TIMEOUT)),
    }
}

/// Takes a part of what was not read of a body off the wire.
pub(crate) async fn drain(payload: &mut Payload) {
    let drained = async {
        let mut room = DRAINED_BYTES;
        while let Some(Ok(piece)) = payload.next().await {
            let Some(left) = room.checked_sub(piece.len()) else { return };
            room = left;
        }
    };
    // Whether all of it came does not matter: the answer is given either way.
    let _in_time = tokio::time::timeout(DRAINED_WITHIN, drained).await;
}

/// The length that the caller announces; the body itself is measured all the same.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn gathered(payload: &mut Payload) -> Result<Bytes, Problem> {
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(broken)?;
    let Some(second) = payload.next().await else { return within_limit(first) };
    // Most bodies come in one piece, and are not copied.
    let mut body = BytesMut::from(&first[..]);
    let mut next = Some(second);
    while let Some(piece) = next {
        body.extend_from_slice(&piece.map_err(broken)?);
        if body.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        next = payload.next().await;
    }
    within_limit(body.freeze())
}

fn within_limit(body: Bytes) -> Result<Bytes, Problem> {
    if body.len() > MAX_BODY_BYTES { Err(too_large()) } else { Ok(body) }
}

/// The problem of a body that is longer than [`MAX_BODY_BYTES`].
pub(crate) fn too_large() -> Problem {
    Problem::of(&catalogue::TOO_LARGE).with("limit", &MAX_BODY_BYTES.to_string())
}

/// The body broke off.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn broken(error: PayloadError) -> Problem {
    match error {
        PayloadError::Overflow => too_large(),
        _ => Problem::of(&catalogue::INCOMPLETE_BODY),
    }
}

/// Lets a body pass that says it is JSON.
///
/// # Errors
///
/// `unsupported-media-type`.
pub(crate) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = media_type(headers);
    let is_json = media_type.as_deref().is_some_and(|it| {
        it == "application/json" || (it.starts_with("application/") && it.ends_with("+json"))
    });
    if is_json && is_plain(headers) {
        return Ok(());
    }
    Err(Problem::of(&catalogue::UNSUPPORTED_MEDIA_TYPE))
}

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

/// Whether the body is not compressed: nothing here would unpack it.
pub(crate) fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}

/// A name that the caller chose, short enough to be shown back.
pub(crate) fn clipped(name: &str) -> &str {
    &name[..name.floor_char_boundary(CLIPPED_BYTES)]
}
