//! `GET /api/v1/dispenses/{id}/content`

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, VARY};
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;

use super::problems::ContentProblems;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::query::nothing_asked;

/// The media type of a container.
const CONTAINER: &str = "application/pkcs7-mime";

/// The document to sign
///
/// The register's document of the dispense as it was when the hold began. To hand it over, set
/// `payment_amount` (what the patient paid; 0 if nothing) and `payment_id` (the receipt's number, or
/// null), change nothing else, and sign it. Once it was signed, the payment stands in it.
///
/// With `Accept: application/pkcs7-mime` the container as it was signed, byte for byte.
///
/// Where the names in it were erased, there is no document any more; a container may have been kept.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("Accept" = Option<String>, Header, description = "`application/json`, or `application/pkcs7-mime` for the signed container"),
    ),
    responses(
        (status = 200, description = "The document, or the container",
         content(
            (Object = "application/json", example = json!({"id": "7f2c…", "status": "NEW", "payment_amount": null, "payment_id": null})),
            (String = "application/pkcs7-mime"),
         ),
         headers(("X-Request-ID" = String, description = "Names the request"))),
        ContentProblems,
    )
)]
#[get("/api/v1/dispenses/{id}/content")]
pub(crate) async fn get_content(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        nothing_asked(&request)?;
        let mut response = HttpResponse::Ok();
        response.insert_header((VARY, ACCEPT.as_str()));
        if wants_container(&request) {
            let (shown, container) = door.dispensary.container(&asker, id.into()).await?;
            door.saw(&request, &asker, Seen::of(Looked::Content, &shown)).await?;
            let name = format!("attachment; filename=\"{id}.p7m\"");
            response.insert_header((CONTENT_DISPOSITION, name)).content_type(CONTAINER);
            return Ok(response.body(container));
        }
        let (shown, content) = door.dispensary.content(&asker, id.into()).await?;
        door.saw(&request, &asker, Seen::of(Looked::Content, &shown)).await?;
        Ok(response.content_type("application/json").body(content.get().to_owned()))
    })
    .await
}

fn wants_container(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(CONTAINER));
        // A weight of zero says "anything but this" (RFC 9110, 12.4.2).
        let weight = parts.find_map(|it| it.strip_prefix("q=")?.parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}
