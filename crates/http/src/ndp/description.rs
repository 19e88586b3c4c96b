//! `GET /api/v1/openapi.json`, and a page to try the API at `/api/v1/docs/`.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{CONTENT_ENCODING, ContentType, LOCATION};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Scope, get, web};
use utoipa_swagger_ui::{Config, Url};

use crate::answer::answer;
use crate::catalogue;
use crate::problem::Problem;
use crate::query::nothing_asked;

/// Written once: it changes with the code alone.
static DESCRIPTION: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&crate::openapi()).unwrap_or_default().into());

/// How the page is set: both APIs, and no validator, which would send the description to a
/// stranger.
static PAGE: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let described = [
        Url::with_primary("The platform's API", "/api/v1/openapi.json", true),
        Url::new("The register's API", "/api/openapi.json"),
    ];
    let page = Config::new(described).validator_url("none");
    Arc::new(page.persist_authorization(true).try_it_out_enabled(true))
});

/// This API as `OpenAPI` 3.1
#[utoipa::path(
    tag = "description",
    responses((status = 200, description = "The description", body = serde_json::Value))
)]
#[get("/api/v1/openapi.json")]
pub(crate) async fn get_openapi(request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        nothing_asked(&request)?;
        Ok(HttpResponse::Ok().content_type(ContentType::json()).body(DESCRIPTION.clone()))
    })
    .await
}

/// The page and its files.
pub(crate) fn docs() -> Scope {
    web::scope("/api/v1/docs")
        .route("", web::get().to(to_page))
        .route("/", web::get().to(page))
        .route("/{file}", web::get().to(page))
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/v1/docs/")).finish()
}

async fn page(request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let name = request.match_info().get("file").unwrap_or_default();
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&PAGE)).ok().flatten();
        let file = file.ok_or_else(|| Problem::of(&catalogue::NOT_FOUND))?;
        let mut response = HttpResponse::Ok();
        if file.gzpipped {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
    })
    .await
}
