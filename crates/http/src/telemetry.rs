//! A name, a span and a counter for each request.
//!
//! Logged are the route's pattern, the status and the duration: never a query string, a body, a name
//! or a token.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use metrics::{Counter, Histogram};
use tracing::Instrument;
use tracing::field::Empty;

use crate::routes::pattern_of;
use crate::visit::{RequestId, X_REQUEST_ID};

/// Where the server library logs as errors what strangers send that is not HTTP, and what breaks on
/// the way to them. Nobody has to look at it: whoever logs keeps it out.
pub const LOGS_OF_STRANGERS: &str = "actix_http::h1";

/// Wraps every request, those without a route too.
pub(crate) async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let id = RequestId::of(request.headers());
    let echo = HeaderValue::from_str(id.as_str());
    let method = method_name(request.method());
    let route = pattern_of(request.path());
    let span = tracing::info_span!(
        "request",
        request.id = id.as_str(),
        method,
        route,
        status = Empty,
        duration_ms = Empty
    );
    request.extensions_mut().insert(id);

    let mut answer = next.call(request).instrument(span.clone()).await;

    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let took = began.elapsed().as_secs_f64();
    tracing::record_all!(span, status = status.as_u16(), duration_ms = took * 1000.0);
    span.in_scope(|| tracing::debug!("answered"));
    count(Told { route, method, status }, took);
    if let (Ok(response), Ok(echo)) = (&mut answer, echo) {
        response.headers_mut().insert(X_REQUEST_ID, echo);
    }
    answer
}

/// What a request is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Told {
    route: &'static str,
    method: &'static str,
    status: StatusCode,
}

/// Where it is counted.
struct Meter {
    requests: Counter,
    duration: Histogram,
}

thread_local! {
    /// The meters that this worker has used: to ask the recorder for each request would cost more
    /// than to count. Bounded by routes, methods and statuses, all of which are ours.
    static METERS: RefCell<HashMap<Told, Meter>> = RefCell::default();
}

fn count(told: Told, seconds: f64) {
    METERS.with_borrow_mut(|meters| {
        let meter = meters.entry(told).or_insert_with(|| Meter {
            requests: metrics::counter!(
                "http_requests_total",
                "route" => told.route,
                "method" => told.method,
                "status" => told.status.as_u16().to_string()
            ),
            duration: metrics::histogram!(
                "http_request_duration_seconds",
                "route" => told.route,
                "method" => told.method,
                "status" => told.status.as_u16().to_string()
            ),
        });
        meter.requests.increment(1);
        meter.duration.record(seconds);
    });
}

/// The method, of which there must not be more than a label can bear.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
