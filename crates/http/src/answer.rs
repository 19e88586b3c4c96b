//! From what an endpoint found out to what the caller reads.

use std::panic::AssertUnwindSafe;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures::FutureExt;

use crate::idempotency_key::{IDEMPOTENCY_KEY, IdempotencyKey};
use crate::problem::Problem;
use crate::{body, catalogue};

/// The answer that `work` leads to. A panic is a problem of this request alone.
pub(crate) async fn answer(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, Problem>>,
) -> HttpResponse {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.answer(request),
        Err(_panic) => Problem::of(&catalogue::BUG).answer(request),
    }
}

/// As [`answer`], for a request with a body. Where the body was refused unread, a part of the rest is
/// taken off the wire, so that the caller reads the answer and not a broken connection.
pub(crate) async fn answer_body(
    request: &HttpRequest,
    mut payload: Payload,
    work: impl AsyncFnOnce(&mut Payload) -> Result<HttpResponse, Problem>,
) -> HttpResponse {
    let response = answer(request, work(&mut payload)).await;
    if !response.status().is_success() {
        body::drain(&mut payload).await;
    }
    response
}

/// As [`answer_body`], for a command: whatever becomes of it, the caller learns the key under which
/// to ask again.
pub(crate) async fn answer_command(
    request: &HttpRequest,
    payload: Payload,
    work: impl AsyncFnOnce(
        Result<IdempotencyKey, Problem>,
        &mut Payload,
    ) -> Result<HttpResponse, Problem>,
) -> HttpResponse {
    let key = IdempotencyKey::of(request.headers());
    let echo = key.as_ref().ok().map(|key| key.value().clone());
    let mut response =
        answer_body(request, payload, async |payload| work(key, payload).await).await;
    if let Some(echo) = echo {
        response.headers_mut().insert(IDEMPOTENCY_KEY, echo);
    }
    response
}
