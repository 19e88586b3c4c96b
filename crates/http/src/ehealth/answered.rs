//! How an endpoint of this API answers.

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use dispensary::{Answer, Shown, document};
use dispense_domain::decide::register_word;

use super::refused::Refused;
use super::{envelope, side};
use crate::answer::{answer_as, answer_command_as};
use crate::idempotency_key::{IdempotencyKey, X_IDEMPOTENCY_KEY};
use crate::problem::Problem;

/// The answer that `work` leads to.
pub(crate) async fn answer(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, Refused>>,
) -> HttpResponse {
    answer_as(request, work).await
}

/// As [`answer`], for a command: whatever becomes of it, the caller learns the key under which to
/// ask again.
pub(super) async fn answer_command(
    request: &HttpRequest,
    payload: Payload,
    work: impl AsyncFnOnce(
        Result<IdempotencyKey, Problem>,
        &mut Payload,
    ) -> Result<HttpResponse, Refused>,
) -> HttpResponse {
    answer_command_as(request, payload, &X_IDEMPOTENCY_KEY, work).await
}

/// The entity tag of a dispense. The status is part of it, because a hold runs out without an event.
pub(super) fn entity_tag(shown: &Shown) -> String {
    format!("\"{}-{}\"", shown.version, register_word(shown.status))
}

/// The answer to a command: the dispense, where it stands in the log, and whether it was asked for
/// before.
pub(super) fn answered(
    request: &HttpRequest,
    status: StatusCode,
    answer: &Answer,
) -> Result<HttpResponse, Refused> {
    let data = document::dispense(&answer.shown, side(request))?;
    let mut response = envelope::object(request, status, &data);
    let mut add = |name: HeaderName, value: String| {
        // All of them are ASCII; what is not could only be left out.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    add(ETAG, entity_tag(&answer.shown));
    add(HeaderName::from_static("dispense-position"), answer.position.to_string());
    if let Some(now) = answer.replayed {
        add(HeaderName::from_static("idempotency-replayed"), "true".to_owned());
        add(HeaderName::from_static("dispense-status"), register_word(now).to_owned());
    }
    Ok(response)
}
