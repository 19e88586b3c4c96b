//! `GET /api/medication_requests/{id}`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::document::{self, DocumentError};
use dispensary::{Asker, Reading, RequestKey};

use super::answered::answer;
use super::described::{MedicationRequestAnswer, RequestErrors};
use super::{READ, envelope, side};
use crate::Door;
use crate::access::Seen;
use crate::auth::require_scope;
use crate::catalogue;
use crate::positions::telling;
use crate::problem::Problem;

/// Allows to look at medication requests.
pub(super) const DETAILS: &str = "medication_request:details";

/// Look at a medication request
///
/// As its registry has it, with status and remaining quantity from the log itself, and so always
/// current. It cannot be shown any more where the patient, or the doctor, was erased.
#[utoipa::path(
    tag = "medication_requests",
    security(
        ("bearer" = ["medication_request:details"]),
        ("bearer" = ["medication_dispense:read"]),
    ),
    params(
        ("id" = String, Path, description = "The medication request: its id, or its number"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
    ),
    responses(
        (status = 200, description = "The medication request", body = MedicationRequestAnswer,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        RequestErrors,
    )
)]
#[get("/medication_requests/{id}")]
pub(crate) async fn get_medication_request(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = admitted(&door, &request).await?;
        let key = key_in_path(&request)?;
        door.judge_position(&request).await?;
        let Reading { read: requested, position } = door.dispensary.requested(&asker, &key).await?;
        let seen = Seen::requested(Looked::MedicationRequest, &requested);
        door.saw(&request, &asker, seen).await?;
        let data = match document::medication_request(&requested, side(&request)) {
            // That somebody was erased is no mistake of the registries.
            Err(DocumentError::BrokenReference(broken))
                if door.dispensary.was_erased(&broken).await? =>
            {
                return Err(Problem::of(&catalogue::ERASED).into());
            }
            data => data?,
        };
        Ok(telling(&position.into(), envelope::object(&request, StatusCode::OK, &data)))
    })
    .await
}

/// Who asks, with either scope: whoever may look at dispenses sees what they were prescribed on.
async fn admitted(door: &Door, request: &HttpRequest) -> Result<Asker, Problem> {
    let asker = door.authenticator.authenticate(request.headers()).await?;
    if !asker.scopes.allows(READ) {
        require_scope(&asker, DETAILS)?;
    }
    Ok(asker)
}

/// The id or number in the path; what is neither names nothing.
pub(super) fn key_in_path(request: &HttpRequest) -> Result<RequestKey, Problem> {
    let missing = || Problem::saying(&catalogue::NOT_FOUND, "There is no such medication request");
    request.match_info().get("id").and_then(|text| text.parse().ok()).ok_or_else(missing)
}
