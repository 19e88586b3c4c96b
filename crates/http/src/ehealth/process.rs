//! `PATCH /api/medication_dispenses/{id}/actions/process`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, patch, web};
use dispensary::WantedProcess;
use utoipa::ToSchema;

use super::answered::{answer_command, answered};
use super::described::{DispenseChanged, ProcessErrors};
use super::{PROCESS, id_in_path};
use crate::Door;
use crate::body::{self, Json, Members, kinds};
use crate::query::{DRY_RUN, without};
use crate::visit::origin;

/// The signed dispense; other members are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct MedicationDispenseToProcess {
    /// The dispense as it is read, with the payment added: signed as CMS `SignedData`, the document
    /// within, in base64.
    signed_medication_dispense: String,
    /// How it is encoded.
    #[schema(value_type = Encoding)]
    signed_content_encoding: String,
}

/// How a signed document is encoded.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the one word that `wanted` reads")]
enum Encoding {
    Base64,
}

/// Hand medication over
///
/// Makes a hold final. The document is the `data` of the dispense, with `payment_amount` and, where
/// there is a receipt, `payment_id`; it is signed by the user of the token.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:process"])),
    request_body = MedicationDispenseToProcess,
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("X-Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(DispenseChanged, ProcessErrors)
)]
#[patch("/medication_dispenses/{id}/actions/process")]
pub(crate) async fn process_medication_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, PROCESS).await?;
        let key = key?;
        without(&request, DRY_RUN)?;
        let bytes = body::read(&request, payload).await?;
        body::is_json(request.headers())?;
        // The body comes before the dispense: the register names what is missing in it first.
        let wanted = Json::parse(&bytes)?.walk("$", wanted)?;
        let id = id_in_path(&request, "dispense")?;
        let origin = origin(&request, &asker);
        let processed =
            door.dispensary.process(&asker, id.into(), wanted, key.as_str(), origin).await?;
        answered(&request, StatusCode::OK, &processed)
    })
    .await
}

fn wanted(body: &mut Members<'_, '_>) -> Option<WantedProcess> {
    let container = body.required("signed_medication_dispense", kinds::base64);
    let encoding = body.required("signed_content_encoding", |json| kinds::word(json, "base64"));
    body.ignore_others();
    encoding?;
    Some(WantedProcess { container: container? })
}
