//! `GET /api/v1/dispenses/{id}`

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;

use super::dispense::Dispense;
use super::entity_tag::{entity_tag, has_already};
use super::problems::GetProblems;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::query::nothing_asked;

/// Look at a dispense
///
/// As it stands now, read from the log itself.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags that are known already"),
    ),
    responses(
        (status = 200, description = "The dispense", body = Dispense,
         headers(
            ("ETag" = String, description = "`\"<version>-<status>\"`"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        (status = 304, description = "It is as `If-None-Match` says"),
        GetProblems,
    )
)]
#[get("/api/v1/dispenses/{id}")]
pub(crate) async fn get_dispense(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        nothing_asked(&request)?;
        let shown = door.dispensary.dispense(&asker, id.into()).await?;
        door.saw(&request, &asker, Seen::of(Looked::Dispense, &shown)).await?;
        let tag = entity_tag(&shown);
        if has_already(request.headers(), &tag) {
            return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
        }
        Ok(HttpResponse::Ok().insert_header((ETAG, tag)).json(Dispense::of(&shown)))
    })
    .await
}
