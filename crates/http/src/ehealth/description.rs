//! `GET /api/openapi.json`

use std::sync::LazyLock;

use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, get};
use utoipa::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa_actix_web::AppExt;

use super::answer;
use super::described::{DispenseAnswer, ErrorAnswer};
use super::{PHARMACY, mount};
use crate::routes::{Bearer, refuse_unknown_members};

/// What belongs to no endpoint of its own.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dispense Service, the register's API",
        description = "Pharmacies hold, hand over and give back medication under an electronic \
                       prescription; nothing is dispensed twice.\n\n\
                       Every answer has an envelope: `meta`, and `data` or `error`. Statuses, types, \
                       paths and texts are the register's; `error.code` is stable, and explained at \
                       `GET /api/v1/errors`."
    ),
    tags(
        (name = "medication_dispenses", description = "To hold medication, hand it over, give it back, and look"),
        (name = "medication_requests", description = "What was prescribed, and what became of it"),
        (name = "reimbursement_reports", description = "What was dispensed, for those who pay and are paid"),
        (name = "description", description = "This API, described")
    ),
    components(schemas(DispenseAnswer, ErrorAnswer)),
    modifiers(&Bearer)
)]
struct Api;

/// The API as `OpenAPI` 3.1 describes it, out of the endpoints themselves.
#[must_use]
pub fn ehealth_openapi() -> utoipa::openapi::OpenApi {
    static API: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
        let app = App::new().into_utoipa_app().openapi(Api::openapi()).configure(mount);
        let mut api = app.split_for_parts().1;
        refuse_unknown_members(&mut api);
        for (path, item) in &mut api.paths.paths {
            if path.starts_with(PHARMACY) {
                rename_operations(item);
            }
        }
        api
    });
    API.clone()
}

/// Gives the operations of a newer path names of their own: they stand in the description twice.
fn rename_operations(item: &mut PathItem) {
    for operation in [&mut item.get, &mut item.post, &mut item.patch].into_iter().flatten() {
        if let Some(name) = &mut operation.operation_id {
            name.insert_str(0, "pharmacy_");
        }
    }
}

/// Written once: it changes with the code alone.
static DESCRIPTION: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&ehealth_openapi()).unwrap_or_default().into());

/// This API as `OpenAPI` 3.1
#[utoipa::path(
    tag = "description",
    responses((status = 200, description = "The description", body = serde_json::Value))
)]
#[get("/api/openapi.json")]
pub(crate) async fn get_ehealth_openapi(request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        Ok(HttpResponse::Ok().content_type(ContentType::json()).body(DESCRIPTION.clone()))
    })
    .await
}
