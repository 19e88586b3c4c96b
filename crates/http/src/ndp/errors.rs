//! `GET /api/v1/errors`

use std::sync::LazyLock;

use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::answer::answer;
use crate::catalogue::{self, Entry};
use crate::problem::ProblemDocument;
use crate::query::nothing_asked;

/// Every problem that this API can answer with.
#[derive(Debug, Serialize, ToSchema)]
struct Catalogue {
    /// In the order in which they are judged.
    items: Vec<CatalogueEntry>,
}

/// What a code means and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
struct CatalogueEntry {
    /// Its stable name.
    #[schema(example = "quantity-exceeds-available")]
    code: &'static str,
    /// The status that it is answered with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What kind of problem it is.
    title: &'static str,
    /// What to do about it.
    remedy: &'static str,
    /// The number of the rule.
    rule: &'static str,
    /// The values that can come with it.
    params: &'static [&'static str],
    /// An answer with this code.
    #[schema(value_type = ProblemDocument<'static>)]
    example: Option<Box<RawValue>>,
}

impl From<&'static Entry> for CatalogueEntry {
    fn from(entry: &'static Entry) -> Self {
        Self {
            code: entry.code,
            status: entry.status,
            title: entry.title,
            remedy: entry.remedy,
            rule: entry.rule,
            params: entry.params,
            example: catalogue::example(entry),
        }
    }
}

/// Written once: it changes with the code alone.
static CATALOGUE: LazyLock<Bytes> = LazyLock::new(|| {
    let items = catalogue::all().iter().map(CatalogueEntry::from).collect();
    serde_json::to_vec(&Catalogue { items }).unwrap_or_default().into()
});

/// All problems, and what to do about each
#[utoipa::path(
    tag = "description",
    responses((status = 200, description = "The catalogue", body = Catalogue))
)]
#[get("/api/v1/errors")]
pub(crate) async fn get_errors(request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        nothing_asked(&request)?;
        Ok(HttpResponse::Ok().content_type(ContentType::json()).body(CATALOGUE.clone()))
    })
    .await
}
