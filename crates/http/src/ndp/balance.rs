//! `GET /api/v1/prescriptions/{id}`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::{Balance, Reading};
use dispense_domain::Text;
use dispense_domain::registry::RequestStatus;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dispense::Number;
use super::problems::PastProblems;
use super::{READ, prescription_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::positions::told;
use crate::{past, query};

/// How much of a prescription was prescribed, handed over, reserved and is left.
#[derive(Debug, Serialize, ToSchema)]
struct PrescriptionBalance<'a> {
    /// The prescription.
    id: Uuid,
    /// `COMPLETED` once nothing remains, else what its registry says; that is null for the past.
    #[schema(required, value_type = Option<PrescriptionStatus>)]
    status: Option<&'static str>,
    /// How much was prescribed; null for the past before the first dispense, when only the registry
    /// knew.
    #[schema(required)]
    prescribed: Option<Number>,
    /// How much a live hold reserves.
    held: Number,
    /// How much was handed over.
    dispensed: Number,
    /// `prescribed` − `dispensed` − `held`; null where `prescribed` is.
    #[schema(required)]
    available: Option<Number>,
    /// In what unit, such as `PILL`.
    #[schema(required)]
    unit: Option<&'a str>,
}

/// Where a prescription stands.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "describes the words of the registry")]
enum PrescriptionStatus {
    Active,
    Completed,
    Rejected,
    Expired,
}

impl<'a> PrescriptionBalance<'a> {
    fn of(balance: &'a Balance) -> Self {
        Self {
            id: balance.id.into(),
            status: balance.status.map(RequestStatus::as_str),
            prescribed: balance.prescribed.map(Number::from),
            held: balance.held.into(),
            dispensed: balance.dispensed.into(),
            available: balance.available.map(Number::from),
            unit: balance.unit.as_ref().map(Text::as_str),
        }
    }
}

/// Look at what is left of a prescription
///
/// Read from the log itself, and so always current; or for an instant that is over. Who has the number
/// alone learns the id. What only the registry knows is not told for the past.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = String, Path, description = "The prescription: its id, or its number"),
        ("asOf" = Option<DateTime<Utc>>, Query, description = "An instant as of RFC 3339 that is over; now if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
    ),
    responses(
        (status = 200, description = "The balance", body = PrescriptionBalance,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        PastProblems,
    )
)]
#[get("/api/v1/prescriptions/{id}")]
pub(crate) async fn get_prescription(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let key = prescription_in_path(&request)?;
        let moment = query::read(&request, |query| Some(past::moment(query)))?;
        door.judge_position(&request).await?;
        let Reading { read: balance, position } =
            door.dispensary.balance(&asker, &key, moment).await?;
        let seen = Seen::nothing(Looked::MedicationRequest).request(balance.id);
        door.saw(&request, &asker, seen.patient(balance.person_id)).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&position.into()));
        Ok(response.json(PrescriptionBalance::of(&balance)))
    })
    .await
}
