//! `PATCH /api/medication_dispenses/{id}/actions/reject`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, patch, web};
use dispensary::WantedCancel;
use utoipa::ToSchema;

use super::answered::{answer_command, answered};
use super::described::{DispenseChanged, RejectErrors};
use super::{REJECT, id_in_path};
use crate::Door;
use crate::body::{self, Json, Members, kinds};
use crate::query::{DRY_RUN, without};
use crate::visit::origin;

/// What a pharmacy says when it gives a hold back; the body may be empty, and other members are
/// ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct MedicationDispenseToReject {
    /// Receipt number.
    #[schema(min_length = 1, max_length = 255)]
    payment_id: Option<String>,
    /// Free text.
    #[schema(min_length = 1, max_length = 1000)]
    reject_reason: Option<String>,
}

/// Give a hold back
///
/// The quantity is free again at once. Only a live hold can be given back, by the legal entity that
/// owns it or by the payer.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:reject"])),
    request_body = Option<MedicationDispenseToReject>,
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("X-Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(DispenseChanged, RejectErrors)
)]
#[patch("/medication_dispenses/{id}/actions/reject")]
pub(crate) async fn reject_medication_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, REJECT).await?;
        let key = key?;
        without(&request, DRY_RUN)?;
        let bytes = body::read(&request, payload).await?;
        let wanted = if bytes.is_empty() {
            WantedCancel { reason: None, payment_id: None }
        } else {
            body::is_json(request.headers())?;
            Json::parse(&bytes)?.walk("$", wanted)?
        };
        let id = id_in_path(&request, "dispense")?;
        let origin = origin(&request, &asker);
        let rejected =
            door.dispensary.cancel(&asker, id.into(), wanted, key.as_str(), origin).await?;
        answered(&request, StatusCode::OK, &rejected)
    })
    .await
}

#[allow(clippy::unnecessary_wraps, reason = "as every walk; here no member is required")]
fn wanted(body: &mut Members<'_, '_>) -> Option<WantedCancel> {
    let payment_id = body.optional("payment_id", kinds::text);
    let reason = body.optional("reject_reason", kinds::text);
    body.ignore_others();
    Some(WantedCancel { reason, payment_id })
}
