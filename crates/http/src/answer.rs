//! From what an endpoint found out to what the caller reads.

use std::panic::AssertUnwindSafe;

use actix_web::http::header::{ETAG, HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use dispensary::{Answer, Shown};
use dispense_domain::Status;
use futures::FutureExt;

use crate::idempotency_key::{IDEMPOTENCY_KEY, IdempotencyKey, KeyHeader};
use crate::positions::DISPENSE_POSITION;
use crate::problem::Problem;
use crate::{body, catalogue};

/// What an API answers in place of a success.
pub(crate) trait Denial: From<Problem> {
    /// Answers the request, and logs the cause, once and for us alone.
    fn answer(&self, request: &HttpRequest) -> HttpResponse;
}

impl Denial for Problem {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        Self::answer(self, request)
    }
}

/// The answer that `work` leads to. A panic is a problem of this request alone.
pub(crate) async fn answer(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, Problem>>,
) -> HttpResponse {
    answer_as(request, work).await
}

/// As [`answer`], for a request with a body. Where the body was refused unread, a part of the rest is
/// taken off the wire, so that the caller reads the answer and not a broken connection.
pub(crate) async fn answer_body(
    request: &HttpRequest,
    payload: Payload,
    work: impl AsyncFnOnce(&mut Payload) -> Result<HttpResponse, Problem>,
) -> HttpResponse {
    answer_body_as(request, payload, work).await
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
    answer_command_as(request, payload, &IDEMPOTENCY_KEY, work).await
}

/// As [`answer`], in the shape of any API.
pub(crate) async fn answer_as<D: Denial>(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, D>>,
) -> HttpResponse {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(denial)) => denial.answer(request),
        Err(_panic) => D::from(Problem::of(&catalogue::BUG)).answer(request),
    }
}

/// As [`answer_body`], in the shape of any API.
pub(crate) async fn answer_body_as<D: Denial>(
    request: &HttpRequest,
    mut payload: Payload,
    work: impl AsyncFnOnce(&mut Payload) -> Result<HttpResponse, D>,
) -> HttpResponse {
    let response = answer_as(request, work(&mut payload)).await;
    if !response.status().is_success() {
        body::drain(&mut payload).await;
    }
    response
}

/// As [`answer_command`], in the shape of any API. The key is beside the request until it is
/// answered.
pub(crate) async fn answer_command_as<D: Denial>(
    request: &HttpRequest,
    payload: Payload,
    header: &KeyHeader,
    work: impl AsyncFnOnce(Result<IdempotencyKey, Problem>, &mut Payload) -> Result<HttpResponse, D>,
) -> HttpResponse {
    let key = IdempotencyKey::of(request.headers(), header);
    let echo = key.as_ref().ok().map(|key| key.value().clone());
    if let Ok(key) = &key {
        request.extensions_mut().insert(key.clone());
    }
    let mut response =
        answer_body_as(request, payload, async |payload| work(key, payload).await).await;
    if let Some(echo) = echo {
        response.headers_mut().insert(header.name.clone(), echo);
    }
    response
}

/// The word of an API for a status.
pub(crate) type Word = fn(Status) -> &'static str;

/// The entity tag of a dispense. The status is part of it, because a hold runs out without an event;
/// and whether something was erased, so that nobody keeps what was.
pub(crate) fn entity_tag(shown: &Shown, word: Word) -> String {
    let erased = if shown.erased { "-erased" } else { "" };
    format!("\"{}-{}{erased}\"", shown.version, word(shown.status))
}

/// Tells in headers where the dispense stands in the log, and whether it was asked for before.
pub(crate) fn tell(response: &mut HttpResponse, answer: &Answer, word: Word) {
    let mut add = |name: HeaderName, value: String| {
        // All of them are ASCII; what is not could only be left out.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    add(ETAG, entity_tag(&answer.shown, word));
    add(DISPENSE_POSITION, answer.position.to_string());
    if let Some(now) = answer.replayed {
        add(HeaderName::from_static("idempotency-replayed"), "true".to_owned());
        add(HeaderName::from_static("dispense-status"), word(now).to_owned());
    }
}
