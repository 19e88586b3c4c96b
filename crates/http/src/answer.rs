//! From what an endpoint found out to what the caller reads.

use std::panic::AssertUnwindSafe;

use actix_web::{HttpRequest, HttpResponse};
use futures::FutureExt;

use crate::catalogue;
use crate::idempotency_key::{IDEMPOTENCY_KEY, IdempotencyKey};
use crate::problem::Problem;

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

/// As [`answer`], for a command: whatever becomes of it, the caller learns the key under which to
/// ask again.
pub(crate) async fn answer_command<W>(
    request: &HttpRequest,
    work: impl FnOnce(Result<IdempotencyKey, Problem>) -> W,
) -> HttpResponse
where
    W: Future<Output = Result<HttpResponse, Problem>>,
{
    let key = IdempotencyKey::of(request.headers());
    let echo = key.as_ref().ok().map(|key| key.value().clone());
    let mut response = answer(request, work(key)).await;
    if let Some(echo) = echo {
        response.headers_mut().insert(IDEMPOTENCY_KEY, echo);
    }
    response
}
