//! `POST /api/v1/dispenses/{id}/cancel`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::WantedCancel;
use utoipa::ToSchema;

use super::answers::Cancelled;
use super::dispense;
use super::problems::CancelProblems;
use super::{REJECT, id_in_path, place};
use crate::Door;
use crate::answer::answer_command;
use crate::body::{self, Json, Members, kinds};
use crate::problem::Problem;
use crate::query::nothing_asked;
use crate::visit::origin;

/// What a pharmacy says when it gives a hold back; the body may be empty.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct NewCancel {
    /// Free text.
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
    /// Receipt number.
    #[schema(min_length = 1, max_length = 255)]
    payment_id: Option<String>,
}

/// Give a hold back
///
/// The quantity is free again at once. Only a live hold can be given back, by the legal entity that
/// owns it or by the payer.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:reject"])),
    request_body = Option<NewCancel>,
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(Cancelled, CancelProblems)
)]
#[post("/api/v1/dispenses/{id}/cancel")]
pub(crate) async fn cancel_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, REJECT).await?;
        let key = key?;
        let id = id_in_path(&request, "dispense")?;
        nothing_asked(&request)?;
        let bytes = body::read(&request, payload).await?;
        let wanted = if bytes.is_empty() {
            WantedCancel { reason: None, payment_id: None }
        } else {
            body::is_json(request.headers())?;
            Json::parse(&bytes)?.walk("$", wanted)?
        };
        let origin = origin(&request, &asker);
        let cancelled =
            door.dispensary.cancel(&asker, id.into(), wanted, key.as_str(), origin).await;
        let cancelled = cancelled.map_err(|error| Problem::of_command(&error, place::path))?;
        Ok(dispense::answered(StatusCode::OK, &cancelled))
    })
    .await
}

#[allow(clippy::unnecessary_wraps, reason = "as every walk; here no member is required")]
fn wanted(body: &mut Members<'_, '_>) -> Option<WantedCancel> {
    let reason = body.optional("reason", kinds::text);
    let payment_id = body.optional("paymentId", kinds::text);
    Some(WantedCancel { reason, payment_id })
}
