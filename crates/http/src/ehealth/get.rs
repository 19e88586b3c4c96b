//! `GET /api/medication_dispenses/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::{Moment, Reading, document};

use super::answered::answer;
use super::described::{DispenseAnswer, GetErrors};
use super::{READ, envelope, id_in_path, side};
use crate::Door;
use crate::access::Seen;
use crate::positions::telling;
use crate::problem::Problem;

/// Look at a dispense
///
/// As it stands now, read from the log itself. What registries have said since the hold began
/// changes nothing in it.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
    ),
    responses(
        (status = 200, description = "The dispense", body = DispenseAnswer,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
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
        door.judge_position(&request).await?;
        let reading = door.dispensary.dispense(&asker, id.into(), Moment::Now).await;
        let Reading { read: shown, position } = reading.map_err(Problem::from)?;
        door.saw(&request, &asker, Seen::of(Looked::Dispense, &shown)).await?;
        let data = document::dispense(&shown, side(&request))?;
        Ok(telling(&position.into(), envelope::object(&request, StatusCode::OK, &data)))
    })
    .await
}
