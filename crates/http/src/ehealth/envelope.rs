//! What is around every answer of this API: `meta`, and `data` or `error`.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::ErrorObject;
use crate::idempotency_key::IdempotencyKey;
use crate::visit::RequestId;

/// About the answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Meta {
    /// The status, once more.
    #[schema(example = 200)]
    code: u16,
    /// What was asked, without its query.
    #[schema(example = "https://example.org/api/medication_dispenses")]
    url: String,
    /// `object` or `list`: what `data` is.
    #[schema(value_type = MetaType)]
    r#type: &'static str,
    /// Names the request in our logs; also in `X-Request-ID`.
    request_id: String,
    /// Names the command: what the caller sent, or what was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

/// What `data` is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the words of `Meta`")]
enum MetaType {
    Object,
    List,
}

/// Which part of a list this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Paging {
    /// The page, counted from 1.
    #[schema(minimum = 1)]
    pub(super) page_number: u64,
    /// How many entries a page has.
    #[schema(minimum = 1, maximum = 300)]
    pub(super) page_size: u64,
    /// How many entries there are on all pages.
    pub(super) total_entries: u64,
    /// How many pages there are; at least one.
    #[schema(minimum = 1)]
    pub(super) total_pages: u64,
}

#[derive(Serialize)]
struct Success<T> {
    meta: Meta,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<Paging>,
}

#[derive(Serialize)]
struct Failure<'a> {
    meta: Meta,
    error: &'a ErrorObject<'a>,
}

impl Meta {
    fn of(request: &HttpRequest, status: StatusCode, r#type: &'static str) -> Self {
        let address = request.connection_info();
        Self {
            code: status.as_u16(),
            // A query can hold a verification code, and answers are kept in logs of others.
            url: format!("{}://{}{}", address.scheme(), address.host(), request.path()),
            r#type,
            request_id: RequestId::given_to(request).as_str().to_owned(),
            idempotency_key: IdempotencyKey::given_to(request).map(|key| key.as_str().to_owned()),
        }
    }
}

/// One thing.
pub(super) fn object(request: &HttpRequest, status: StatusCode, data: &RawValue) -> HttpResponse {
    let meta = Meta::of(request, status, "object");
    HttpResponse::build(status).json(Success { meta, data, paging: None })
}

/// A list of things, and which part of it this is where it comes in pages.
pub(super) fn list(
    request: &HttpRequest,
    data: &[impl Serialize],
    paging: Option<Paging>,
) -> HttpResponse {
    let meta = Meta::of(request, StatusCode::OK, "list");
    HttpResponse::Ok().json(Success { meta, data, paging })
}

/// The beginning of a list of unknown length, up to its first thing.
pub(super) fn head_of_list(request: &HttpRequest) -> Result<Bytes, serde_json::Error> {
    let mut head = b"{\"meta\":".to_vec();
    serde_json::to_writer(&mut head, &Meta::of(request, StatusCode::OK, "list"))?;
    head.extend_from_slice(b",\"data\":[");
    Ok(head.into())
}

/// What ends such a list.
pub(super) const END_OF_LIST: Bytes = Bytes::from_static(b"]}");

/// What went wrong. `head` has the status, and the headers that come with it.
pub(super) fn failure(
    request: &HttpRequest,
    mut head: HttpResponseBuilder,
    status: StatusCode,
    error: &ErrorObject<'_>,
) -> HttpResponse {
    head.json(Failure { meta: Meta::of(request, status, "object"), error })
}
