//! `GET /api/v1/prescriptions/{id}`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Balance;
use dispensary::access::Looked;
use dispense_domain::Text;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dispense::Number;
use super::problems::GetProblems;
use super::{READ, prescription_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::query::nothing_asked;

/// How much of a prescription was prescribed, handed over, reserved and is left.
#[derive(Debug, Serialize, ToSchema)]
struct PrescriptionBalance<'a> {
    /// The prescription.
    id: Uuid,
    /// `COMPLETED` once nothing remains, else what its registry says.
    #[schema(value_type = PrescriptionStatus)]
    status: &'static str,
    /// How much was prescribed.
    prescribed: Number,
    /// How much a live hold reserves.
    held: Number,
    /// How much was handed over.
    dispensed: Number,
    /// `prescribed` − `dispensed` − `held`.
    available: Number,
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
            status: balance.status.as_str(),
            prescribed: balance.prescribed.into(),
            held: balance.held.into(),
            dispensed: balance.dispensed.into(),
            available: balance.available.into(),
            unit: balance.unit.as_ref().map(Text::as_str),
        }
    }
}

/// Look at what is left of a prescription
///
/// Read from the log itself, and so always current. Who has the number alone learns the id.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(("id" = String, Path, description = "The prescription: its id, or its number")),
    responses(
        (status = 200, description = "The balance", body = PrescriptionBalance,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        GetProblems,
    )
)]
#[get("/api/v1/prescriptions/{id}")]
pub(crate) async fn get_prescription(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let key = prescription_in_path(&request)?;
        nothing_asked(&request)?;
        let balance = door.dispensary.balance(&asker, &key).await?;
        let seen = Seen::nothing(Looked::MedicationRequest).request(balance.id);
        door.saw(&request, &asker, seen.patient(balance.person_id)).await?;
        Ok(HttpResponse::Ok().json(PrescriptionBalance::of(&balance)))
    })
    .await
}
