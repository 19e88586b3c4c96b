//! `POST /api/v1/prescriptions/{id}/qualify`

use std::ops::RangeInclusive;

use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::QueryError;
use dispensary::access::Looked;
use dispense_domain::{DivisionId, MedicalProgramId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::problems::QualifyProblems;
use super::qualified::QualifiedPrograms;
use super::{DETAILS, no_prescription, place, prescription_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer_body;
use crate::body::{self, Json, Members, kinds};
use crate::problem::Problem;
use crate::query::nothing_asked;

/// How many programs can be asked for at once: more than a country has.
const PROGRAMS: RangeInclusive<usize> = 1..=100;

/// For which programs a pharmacy asks.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `asked` reads; a test holds one against the other")]
struct NewQualification {
    /// At least one program.
    #[schema(min_items = 1, max_items = 100)]
    programs: Vec<NewProgram>,
    /// The outlet (division) that would dispense; then it is judged too.
    pharmacy_id: Option<Uuid>,
}

/// One program that is asked for.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `program` reads; a test holds one against the other")]
struct NewProgram {
    /// The program.
    id: Uuid,
}

/// Ask which programs can pay
///
/// Says of each program whether it can pay for the prescription now and, if so, with which brands. A
/// program that cannot pay is an answer and no problem. Nothing is held and nothing changes.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_request:details"])),
    request_body = NewQualification,
    params(("id" = String, Path, description = "The prescription: its id, or its number")),
    responses(
        (status = 200, description = "Each program, in the order in which it was asked for",
         body = QualifiedPrograms,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        QualifyProblems,
    )
)]
#[post("/api/v1/prescriptions/{id}/qualify")]
pub(crate) async fn qualify_prescription(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_body(&request, payload, async |payload| {
        let asker = door.admit(&request, DETAILS).await?;
        let key = prescription_in_path(&request)?;
        let bytes = body::read(&request, payload).await?;
        // Who may not see the prescription learns nothing of how to ask for it.
        let qualifiable = door.dispensary.qualifiable(&asker, &key).await.map_err(in_our_words)?;
        nothing_asked(&request)?;
        body::is_json(request.headers())?;
        let (programs, division) = Json::parse(&bytes)?.walk("$", asked)?;
        let qualified = qualifiable.qualify(programs, division);
        let qualified = qualified.map_err(|refusals| Problem::refused(&refusals, place::path))?;
        let seen = Seen::requested(Looked::Qualification, qualifiable.requested());
        door.saw(&request, &asker, seen).await?;
        Ok(HttpResponse::Ok().json(QualifiedPrograms::of(&qualified)))
    })
    .await
}

/// A prescription that cannot be read, in the words of this API.
fn in_our_words(error: QueryError) -> Problem {
    match error {
        QueryError::NotFound(_) => no_prescription(),
        QueryError::Erased(_) | QueryError::Unavailable(_) => error.into(),
    }
}

/// The programs, and the outlet.
fn asked(body: &mut Members<'_, '_>) -> Option<(Vec<MedicalProgramId>, Option<DivisionId>)> {
    let programs = body.list("programs", PROGRAMS, program);
    let division = body.optional("pharmacyId", kinds::uuid);
    Some((programs?, division.map(Into::into)))
}

fn program(body: &mut Members<'_, '_>) -> Option<MedicalProgramId> {
    body.required("id", kinds::uuid).map(Into::into)
}
