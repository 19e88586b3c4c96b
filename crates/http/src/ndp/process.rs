//! `POST /api/v1/dispenses/{id}/process`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::WantedProcess;
use utoipa::ToSchema;

use super::answers::Processed;
use super::dispense;
use super::problems::ProcessProblems;
use super::{PROCESS, id_in_path, place};
use crate::Door;
use crate::answer::answer_command;
use crate::body::{self, Json, Members, kinds};
use crate::problem::Problem;
use crate::query::nothing_asked;
use crate::visit::origin;

/// What a pharmacy sends when it hands medication over.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct NewProcess {
    /// The document of `GET /api/v1/dispenses/{id}/content` with `payment_amount` and `payment_id`
    /// set, signed by the pharmacist: CMS `SignedData` in DER, attached, in base64.
    #[schema(content_encoding = "base64")]
    signed_content: String,
    /// How `signedContent` is written.
    signed_content_encoding: Encoding,
}

/// How signed content is written.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "describes the one word that is read")]
enum Encoding {
    Base64,
}

/// Hand medication over
///
/// Records that the medication left the pharmacy, paid and signed for. Signed is the document of the
/// hold, by the person whose token asks; the container is stored before anything is recorded.
///
/// Sent twice with one `Idempotency-Key` it is done once, also if the second container was signed
/// anew: what counts is the document.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:process"])),
    request_body = NewProcess,
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(
        Processed,
        ProcessProblems,
    )
)]
#[post("/api/v1/dispenses/{id}/process")]
pub(crate) async fn process_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, PROCESS).await?;
        let key = key?;
        let id = id_in_path(&request, "dispense")?;
        nothing_asked(&request)?;
        let bytes = body::read(&request, payload).await?;
        body::is_json(request.headers())?;
        let wanted = Json::parse(&bytes)?.walk("$", wanted)?;
        let origin = origin(&request, &asker);
        let processed =
            door.dispensary.process(&asker, id.into(), wanted, key.as_str(), origin).await;
        let processed = processed.map_err(|error| Problem::of_command(&error, place::path))?;
        Ok(dispense::answered(StatusCode::OK, &processed))
    })
    .await
}

fn wanted(body: &mut Members<'_, '_>) -> Option<WantedProcess> {
    let container = body.required("signedContent", kinds::base64);
    let encoding = body.required("signedContentEncoding", |json| kinds::word(json, "base64"));
    encoding?;
    Some(WantedProcess { container: container? })
}
