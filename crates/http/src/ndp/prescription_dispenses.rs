//! `GET /api/v1/prescriptions/{id}/dispenses`

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::{Beginning, DispensesOf, PageOf, PastError, QueryError, Reading};
use serde::Serialize;
use utoipa::ToSchema;

use super::dispense::{Dispense, STATUSES};
use super::next_page::link;
use super::problems::PastListProblems;
use super::search::PageWanted;
use super::{READ, no_prescription, prescription_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::cursor::Question;
use crate::positions::told;
use crate::problem::Problem;
use crate::query::kinds;
use crate::{past, query};

/// The dispenses of a prescription.
#[derive(Debug, Serialize, ToSchema)]
struct PrescriptionDispenses<'a> {
    /// Those of every pharmacy, the last one first.
    items: Vec<Dispense<'a>>,
    /// The `cursor` of the next page; null if this is the last one.
    #[schema(required)]
    next: Option<&'a str>,
}

/// Look at the dispenses of a prescription
///
/// Those of every pharmacy, the last one first: so a pharmacy sees that another one holds the
/// medication already. Read from the log itself, and so always current; or as they stood at an instant
/// that is over. There are at most 500. The next pages show what was there when the first one was read,
/// as it stood then.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = String, Path, description = "The prescription: its id, or its number"),
        ("status" = Option<String>, Query, description = "`HELD`, `COMPLETED`, `CANCELLED`, `EXPIRED`, or several with commas between them; all if absent"),
        ("asOf" = Option<DateTime<Utc>>, Query, description = "An instant as of RFC 3339 that is over; now if absent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many dispenses a page has; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before; filters and `asOf` stay as they were"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
    ),
    responses(
        (status = 200, description = "The dispenses", body = PrescriptionDispenses,
         headers(
            ("Link" = String, description = "The next page, `rel=\"next\"`; absent on the last one"),
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        PastListProblems,
    )
)]
#[get("/api/v1/prescriptions/{id}/dispenses")]
pub(crate) async fn list_dispenses_of_prescription(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let key = prescription_in_path(&request)?;
        let (statuses, moment, page) = query::read(&request, |query| {
            let statuses = query.optional("status", kinds::words(&STATUSES));
            Some((statuses.unwrap_or_default(), past::moment(query), PageWanted::read(query)))
        })?;
        let question = Question::of(&request, &asker);
        let beginning = match page.cursor {
            Some(cursor) => Beginning::After(door.cursors.open(question, &cursor)?),
            None => Beginning::Last(moment),
        };
        door.judge_position(&request).await?;
        let dispensary = &door.dispensary;
        let reading =
            dispensary.page_of_dispenses(&asker, &key, &statuses, beginning, page.size).await;
        let Reading { read: PageOf { of, next }, position } = reading.map_err(in_our_words)?;
        let DispensesOf { requested, dispenses } = of;
        let next = next.map(|next| door.cursors.seal(question, &next)).transpose()?;
        let seen = Seen::requested(Looked::DispenseList, &requested);
        door.saw(&request, &asker, dispenses.iter().fold(seen, Seen::with)).await?;
        let items = dispenses.iter().map(Dispense::of).collect();
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&position.into()));
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        Ok(response.json(PrescriptionDispenses { items, next: next.as_deref() }))
    })
    .await
}

/// A prescription that cannot be read, in the words of this API.
fn in_our_words(error: PastError) -> Problem {
    match error {
        PastError::Query(QueryError::NotFound(_)) => no_prescription(),
        PastError::Query(QueryError::Erased(_) | QueryError::Unavailable(_))
        | PastError::OutOfRange { .. }
        | PastError::Gone => error.into(),
    }
}
