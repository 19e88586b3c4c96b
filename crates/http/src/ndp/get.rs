//! `GET /api/v1/dispenses/{id}`

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Reading;
use dispensary::access::Looked;

use super::dispense::Dispense;
use super::entity_tag::{entity_tag, has_already};
use super::problems::PastProblems;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::positions::told;
use crate::{past, query};

/// Look at a dispense
///
/// As it stands now, read from the log itself; or as it stood at an instant that is over. A dispense
/// that had not begun then is not there.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("asOf" = Option<DateTime<Utc>>, Query, description = "An instant as of RFC 3339 that is over; now if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags that are known already"),
    ),
    responses(
        (status = 200, description = "The dispense", body = Dispense,
         headers(
            ("ETag" = String, description = "`\"<version>-<status>\"`"),
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        (status = 304, description = "It is as `If-None-Match` says"),
        PastProblems,
    )
)]
#[get("/api/v1/dispenses/{id}")]
pub(crate) async fn get_dispense(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        let moment = query::read(&request, |query| Some(past::moment(query)))?;
        door.judge_position(&request).await?;
        let Reading { read: shown, position } =
            door.dispensary.dispense(&asker, id.into(), moment).await?;
        door.saw(&request, &asker, Seen::of(Looked::Dispense, &shown)).await?;
        let tag = entity_tag(&shown);
        let is_known = has_already(request.headers(), &tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, tag)).insert_header(told(&position.into()));
        Ok(if is_known { response.finish() } else { response.json(Dispense::of(&shown)) })
    })
    .await
}
