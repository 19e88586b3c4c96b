//! How an endpoint of this API answers.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use dispensary::{Answer, document};
use dispense_domain::decide::register_word;

use super::refused::Refused;
use super::{envelope, side};
use crate::answer::{answer_as, answer_command_as, tell};
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

/// The answer to a command: the dispense, where it stands in the log, and whether it was asked for
/// before.
pub(super) fn answered(
    request: &HttpRequest,
    status: StatusCode,
    answer: &Answer,
) -> Result<HttpResponse, Refused> {
    let data = document::dispense(&answer.shown, side(request))?;
    let mut response = envelope::object(request, status, &data);
    tell(&mut response, answer, register_word);
    Ok(response)
}
