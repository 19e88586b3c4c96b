//! `GET /api/v1/patients/{id}/history`

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Model;
use dispensary::access::Looked;
use dispensary::patient_history::{Days, Happening, HistoryCursor};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dispense::{DispenseStatus, instant, status_word};
use super::history::{EventActor, EventType, kept};
use super::next_page::link;
use super::problems::PatientProblems;
use super::search::PageWanted;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::cursor::Question;
use crate::positions::told;
use crate::query;

/// What happened to the dispenses of a patient.
#[derive(Debug, Serialize, ToSchema)]
struct PatientHistory<'a> {
    /// What was recorded last first.
    items: Vec<PatientHappening>,
    /// The `cursor` of the next page; null if this is the last one.
    #[schema(required)]
    next: Option<&'a str>,
}

/// One event of a patient's dispense.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PatientHappening {
    /// Its place in the log: `<partition>:<position>`.
    #[schema(example = "2:4711")]
    position: String,
    /// Its id.
    event_id: Uuid,
    /// What kind of event it is.
    #[schema(value_type = EventType)]
    r#type: &'static str,
    /// When it was recorded.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    recorded_at: String,
    /// The dispense.
    dispense_id: Uuid,
    /// What it was prescribed on.
    prescription_id: Uuid,
    /// The outlet.
    pharmacy_id: Uuid,
    /// Where the dispense stood after it. A dispense that was recorded at once is never `HELD`: its two
    /// events are one commit.
    #[schema(value_type = DispenseStatus)]
    status: &'static str,
    /// Who caused it.
    by: EventActor,
    /// Names the request that caused it.
    #[schema(required)]
    request_id: Option<String>,
}

impl PatientHappening {
    fn of(happening: &Happening) -> Self {
        let Happening { recorded, hold } = happening;
        Self {
            position: recorded.place.to_string(),
            event_id: recorded.event_id,
            r#type: recorded.event.name(),
            recorded_at: instant(recorded.recorded_at),
            dispense_id: hold.dispense_id.into(),
            prescription_id: hold.medication_request.id.into(),
            pharmacy_id: hold.division.id.into(),
            status: status_word(happening.status()),
            by: EventActor::of(recorded),
            request_id: kept(recorded, "request_id"),
        }
    }
}

/// Look at what happened to a patient's dispenses
///
/// The audit trail of all of them: one entry for each event, and who caused it. A pharmacy or clinic is
/// shown the events of its own legal entity's dispenses alone. The first page fixes the moment that the
/// whole list is of; a page may have fewer entries than `limit`, even none, while the list goes on. It
/// ends where `next` is null.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The patient"),
        ("from" = Option<NaiveDate>, Query, description = "First day on which was recorded"),
        ("to" = Option<NaiveDate>, Query, description = "Last day on which was recorded"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many entries a page has at most; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before; the rest stays as it was"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log; a first page waits until it is there"),
    ),
    responses(
        (status = 200, description = "The events on that page", body = PatientHistory,
         headers(
            ("Link" = String, description = "The next page, `rel=\"next\"`; absent on the last one"),
            ("Dispense-Position" = String, description = "`<partition>:<position>`, with commas between them: up to where the list looks at the log"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        PatientProblems,
    )
)]
#[get("/api/v1/patients/{id}/history")]
pub(crate) async fn get_patient_history(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let person = id_in_path(&request, "patient")?.into();
        let (days, page) = query::read(&request, |query| {
            let (from, to) = query.days("from", "to");
            Some((Days { from, to }, PageWanted::read(query)))
        })?;
        let question = Question::of(&request, &asker);
        let after: Option<HistoryCursor> =
            page.cursor.map(|cursor| door.cursors.open(question, &cursor)).transpose()?;
        match after {
            Some(_) => door.judge_position(&request).await?,
            None => door.wait_for(&request, Model::History).await?,
        }
        let found = door
            .dispensary
            .patient_history(&asker, person, days, after.as_ref(), page.size)
            .await?;
        let next = found.next.map(|next| door.cursors.seal(question, &next)).transpose()?;
        let holds = found.happenings.iter().map(|it| &it.hold);
        let seen = holds
            .fold(Seen::nothing(Looked::PatientHistory).patient(person), |seen, hold| {
                seen.dispense(hold.dispense_id).request(hold.medication_request.id)
            });
        door.saw(&request, &asker, seen).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&found.positions));
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        let items = found.happenings.iter().map(PatientHappening::of).collect();
        Ok(response.json(PatientHistory { items, next: next.as_deref() }))
    })
    .await
}
