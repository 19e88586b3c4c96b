//! `GET /api/medication_dispenses/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::document;

use super::answered::answer;
use super::described::{DispenseAnswer, GetErrors};
use super::{READ, envelope, id_in_path, side};
use crate::Door;
use crate::access::Seen;

/// Look at a dispense
///
/// As it stands now, read from the log itself. What registries have said since the hold began
/// changes nothing in it.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(("id" = Uuid, Path, description = "The dispense")),
    responses(
        (status = 200, description = "The dispense", body = DispenseAnswer,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        GetErrors,
    )
)]
#[get("/medication_dispenses/{id}")]
pub(crate) async fn get_medication_dispense(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        let shown = door.dispensary.dispense(&asker, id.into()).await?;
        door.saw(&request, &asker, Seen::of(Looked::Dispense, &shown)).await?;
        let data = document::dispense(&shown, side(&request))?;
        Ok(envelope::object(&request, StatusCode::OK, &data))
    })
    .await
}
