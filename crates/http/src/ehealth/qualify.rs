//! `POST /api/medication_requests/{id}/actions/qualify`

use std::ops::RangeInclusive;

use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::access::Looked;
use dispense_domain::{DivisionId, MedicalProgramId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::described::{ProgramsQualified, QualifyErrors};
use super::envelope;
use super::medication_request::{DETAILS, key_in_path};
use super::qualified::QualifiedProgram;
use super::refused::Refused;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer_body_as;
use crate::body::{self, Json, Members, kinds};
use crate::problem::Problem;

/// How many programs can be asked for at once: more than a country has.
const PROGRAMS: RangeInclusive<usize> = 1..=100;

/// For which programs a pharmacy asks.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `asked` reads; a test holds one against the other")]
struct NewQualification {
    /// At least one program.
    #[schema(min_items = 1, max_items = 100)]
    programs: Vec<NewProgram>,
    /// The outlet that would dispense; then it is judged too.
    #[schema(nullable = false)]
    division_id: Option<Uuid>,
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
/// Says of each program whether it can pay for the medication request now and, if so, with which
/// brands. A program that cannot pay is an answer and no error. Nothing is held and nothing changes.
#[utoipa::path(
    tag = "medication_requests",
    security(("bearer" = ["medication_request:details"])),
    request_body = NewQualification,
    params(("id" = String, Path, description = "The medication request: its id, or its number")),
    responses(
        (status = 200, description = "Each program, in the order in which it was asked for",
         body = ProgramsQualified,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        QualifyErrors,
    )
)]
#[post("/medication_requests/{id}/actions/qualify")]
pub(crate) async fn qualify_medication_request(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_body_as(&request, payload, async |payload| -> Result<_, Refused> {
        let asker = door.admit(&request, DETAILS).await?;
        let key = key_in_path(&request)?;
        let bytes = body::read(&request, payload).await?;
        let qualifiable = door.dispensary.qualifiable(&asker, &key).await?;
        // The medication request comes before the body: the register says first what is wrong with it.
        qualifiable.check()?;
        let (programs, division) = asked_in(&request, &bytes)?;
        let qualified = qualifiable.qualify(programs, division)?;
        let seen = Seen::requested(Looked::Qualification, qualifiable.requested());
        door.saw(&request, &asker, seen).await?;
        let data: Vec<_> = qualified.iter().map(QualifiedProgram::of).collect();
        Ok(envelope::list(&request, &data, None))
    })
    .await
}

/// The programs, and the outlet.
type Asked = (Vec<MedicalProgramId>, Option<DivisionId>);

/// What a body asks for; an empty one is an object without members, as the register has it.
fn asked_in(request: &HttpRequest, bytes: &[u8]) -> Result<Asked, Problem> {
    if bytes.is_empty() {
        return Json::parse(b"{}")?.walk("$", asked);
    }
    body::is_json(request.headers())?;
    Json::parse(bytes)?.walk("$", asked)
}

fn asked(body: &mut Members<'_, '_>) -> Option<Asked> {
    let programs = body.list("programs", PROGRAMS, program);
    let division = body.given("division_id", kinds::uuid);
    Some((programs?, division.map(Into::into)))
}

fn program(body: &mut Members<'_, '_>) -> Option<MedicalProgramId> {
    body.required("id", kinds::uuid).map(Into::into)
}
