//! `GET /api/v1/access-log`: who looked.

pub(crate) mod unusual;

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::{Look, Looked, LooksAsked, MOST_LOOKS, Whose};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AUDIT;
use super::dispense::instant;
use super::next_page::{link, number_on_page};
use super::problems::AuditPageProblems;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::body::Fault;
use crate::cursor::{CURSOR, Question};
use crate::problem::Problem;
use crate::query::{self, Members, kinds};

/// A page of looks.
#[derive(Debug, Serialize, ToSchema)]
struct AccessPage<'a> {
    /// The looks, the last one first.
    #[schema(max_items = 300)]
    items: Vec<AccessRecord<'a>>,
    /// Send it as `cursor` for the next page; null if there is none.
    #[schema(required)]
    next: Option<String>,
}

/// Somebody was shown something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccessRecord<'a> {
    /// When.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    at: String,
    /// Who looked.
    user_id: Uuid,
    /// For which legal entity.
    client_id: Uuid,
    /// What kind of client that is.
    #[schema(example = "PHARMACY")]
    client_type: &'a str,
    /// `X-Request-ID` of the request.
    request_id: &'a str,
    /// `X-Purpose-Of-Use` of the request; null if there was none.
    #[schema(required)]
    purpose: Option<&'a str>,
    /// At what.
    #[schema(example = "dispense")]
    looked: &'a str,
    /// The patients whom it concerns.
    #[schema(max_items = 500)]
    patient_ids: Vec<Uuid>,
    /// The prescriptions that were shown, or asked for.
    #[schema(max_items = 500)]
    prescription_ids: Vec<Uuid>,
    /// The dispenses that were shown.
    #[schema(max_items = 500)]
    dispense_ids: Vec<Uuid>,
    /// How many ids there were beyond those that are named.
    beyond: u32,
}

impl<'a> AccessRecord<'a> {
    fn of(look: &'a Look) -> Self {
        Self {
            at: instant(look.place.at),
            user_id: look.user.uuid(),
            client_id: look.client.uuid(),
            client_type: &look.client_type,
            request_id: &look.request_id,
            purpose: look.purpose.as_deref(),
            looked: &look.looked,
            patient_ids: look.patients.iter().map(|id| id.uuid()).collect(),
            prescription_ids: look.medication_requests.iter().map(|id| id.uuid()).collect(),
            dispense_ids: look.dispenses.iter().map(|id| id.uuid()).collect(),
            beyond: look.beyond,
        }
    }
}

/// See who looked
///
/// Every answer that shows a dispense, a list, a history or a prescription was recorded before it was
/// given. Looks at a patient, those of a user, or both; the last one first. Asking is recorded too.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("patientId" = Option<Uuid>, Query, description = "Looks at this patient; without it, `userId` is required"),
        ("userId" = Option<Uuid>, Query, description = "Looks of this user"),
        ("from" = Option<DateTime<Utc>>, Query, description = "None before this time, as of RFC 3339"),
        ("to" = Option<DateTime<Utc>>, Query, description = "None after this time"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of looks", body = AccessPage,
         headers(
            ("Link" = String, description = "`rel=\"next\"`, if there is a next page"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        AuditPageProblems,
    )
)]
#[get("/api/v1/access-log")]
pub(crate) async fn get_access_log(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let question = Question::of(&request, &asker);
        let (mut sought, cursor) = query::read(&request, wanted)?;
        sought.after = cursor.map(|cursor| door.cursors.open(question, &cursor)).transpose()?;
        let looks = door.access.looks(&sought).await.map_err(|silent| Problem::from(&silent))?;
        let seen = Seen::nothing(Looked::AccessLog);
        let seen = sought.whose.patient().into_iter().fold(seen, Seen::patient);
        door.saw(&request, &asker, seen).await?;
        let is_full = u32::try_from(looks.len()).is_ok_and(|found| found >= sought.limit);
        let last = looks.last().filter(|_| is_full).map(|look| look.place);
        let next = last.map(|place| door.cursors.seal(question, &place)).transpose()?;
        let mut response = HttpResponse::Ok();
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        Ok(response.json(AccessPage { items: looks.iter().map(AccessRecord::of).collect(), next }))
    })
    .await
}

/// Whose looks, from when to when, and which page of them.
fn wanted(query: &mut Members) -> Option<(LooksAsked, Option<String>)> {
    let mut is_told = false;
    let mut id = |name| {
        query.optional(name, |text| {
            is_told = true;
            kinds::uuid(text)
        })
    };
    let (patient, user) = (id("patientId").map(Into::into), id("userId").map(Into::into));
    let from = query.optional("from", kinds::instant);
    let to = query.optional("to", kinds::instant);
    query.in_order(from, "to", to);
    let limit = number_on_page(query, MOST_LOOKS);
    let cursor = query.optional(CURSOR, |cursor| Ok(cursor.to_owned()));
    let whose = match (patient, user) {
        (Some(patient), None) => Some(Whose::At(patient)),
        (None, Some(user)) => Some(Whose::By(user)),
        (Some(patient), Some(user)) => Some(Whose::ByAt(user, patient)),
        // One that cannot be read was blamed already.
        (None, None) if is_told => None,
        (None, None) => query.blame(
            "patientId",
            Fault {
                message: "expected patientId, userId or both".into(),
                ..Fault::required("patientId")
            },
        ),
    };
    Some((LooksAsked { whose: whose?, from, to, after: None, limit }, cursor))
}
