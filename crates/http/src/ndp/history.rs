//! `GET /api/v1/dispenses/{id}/history`

mod changes;

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::history::{History, Remarks, Step};
use dispensary::{Reading, Recorded};
use dispense_domain::{LongText, Text};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dispense::{DispenseStatus, instant, status_word};
use super::entity_tag::{entity_tag, has_already};
use super::problems::PastProblems;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::positions::told;
use crate::query::kinds;
use crate::{past, query};
use changes::Change;

/// Whether the answer tells what each event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// The events alone.
    Events,
    /// What each of them changed too.
    Changes,
}

/// What `diff` says.
const DEPTHS: [(&str, Depth); 2] = [("true", Depth::Changes), ("false", Depth::Events)];

/// What happened to a dispense.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DispenseHistory {
    /// Where it stands. A hold that ran out is `EXPIRED` at once; `items` end with what was recorded.
    #[schema(value_type = DispenseStatus)]
    status: &'static str,
    /// Every event, in order.
    #[schema(min_items = 1)]
    items: Vec<DispenseHappening>,
}

/// One event of a dispense.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DispenseHappening {
    /// Its number among the events of the prescription.
    #[schema(minimum = 1)]
    sequence: i64,
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
    /// Where the dispense stood after it. A dispense that was recorded at once is never `HELD`: its
    /// two events are one commit.
    #[schema(value_type = DispenseStatus)]
    status: &'static str,
    /// Who caused it.
    by: EventActor,
    /// Names the request that caused it.
    #[schema(required)]
    request_id: Option<String>,
    /// W3C trace context of that request, where it had one.
    #[schema(required)]
    traceparent: Option<String>,
    /// The version of the rules that it passed.
    #[schema(required)]
    rules_version: Option<String>,
    /// The version of the small registries on which it was decided.
    #[schema(required)]
    registry_version: Option<i64>,
    /// The version of the service that recorded it.
    #[schema(required)]
    service_version: Option<String>,
    /// Why the hold was given back.
    #[schema(required, value_type = Option<String>)]
    reason: Option<LongText>,
    /// Receipt number.
    #[schema(required, value_type = Option<String>)]
    payment_id: Option<Text>,
    /// Free text of the pharmacy.
    #[schema(required, value_type = Option<String>)]
    note: Option<LongText>,
    /// Whether its personal details were erased: names and texts are gone, the event itself stays.
    erased: bool,
    /// With `diff=true`, what it changed; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Change>>,
}

/// What kinds of events there are.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the names of events")]
pub(super) enum EventType {
    HoldCreated,
    Processed,
    Cancelled,
    Expired,
}

/// Who caused an event; the service itself where a hold ran out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventActor {
    /// The person who was logged in.
    #[schema(required)]
    user: Option<Uuid>,
    /// The legal entity for which the person acted; null for the service itself.
    #[schema(required)]
    client: Option<String>,
    /// What kind of client that was.
    #[schema(required, example = "PHARMACY")]
    client_type: Option<String>,
}

impl DispenseHistory {
    fn of(history: &History, depth: Depth) -> serde_json::Result<Self> {
        let items = history.steps.iter().map(|step| DispenseHappening::of(step, depth));
        Ok(Self {
            status: status_word(history.shown.status),
            items: items.collect::<Result<_, _>>()?,
        })
    }
}

impl DispenseHappening {
    fn of(step: &Step, depth: Depth) -> serde_json::Result<Self> {
        let recorded = &step.recorded;
        let Remarks { reason, payment_id, note } = step.remarks();
        let changes = match depth {
            Depth::Events => None,
            Depth::Changes => Some(changes::of(step)?),
        };
        Ok(Self {
            sequence: recorded.sequence,
            position: recorded.place.to_string(),
            event_id: recorded.event_id,
            r#type: recorded.event.name(),
            recorded_at: instant(recorded.recorded_at),
            status: status_word(step.after.status),
            by: EventActor::of(recorded),
            request_id: kept(recorded, "request_id"),
            traceparent: kept(recorded, "traceparent"),
            rules_version: kept(recorded, "rules_version"),
            registry_version: kept(recorded, "registry_version").and_then(|it| it.parse().ok()),
            service_version: kept(recorded, "service_version"),
            reason,
            payment_id,
            note,
            erased: recorded.is_erased(),
            changes,
        })
    }
}

impl EventActor {
    /// Who caused that event.
    pub(super) fn of(recorded: &Recorded) -> Self {
        Self {
            user: recorded.user().map(Uuid::from),
            client: kept(recorded, "client"),
            client_type: kept(recorded, "client_type"),
        }
    }
}

/// What the metadata of an event says.
pub(super) fn kept(recorded: &Recorded, name: &str) -> Option<String> {
    recorded.metadata.get(name).cloned()
}

/// Look at what happened to a dispense
///
/// Every event of it, who caused it, and on what it was decided; with `diff=true` also what it changed
/// in the dispense. Read from the log itself, up to now or up to an instant that is over.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Uuid, Path, description = "The dispense"),
        ("diff" = Option<bool>, Query, description = "Whether to tell what each event changed"),
        ("asOf" = Option<DateTime<Utc>>, Query, description = "An instant as of RFC 3339 that is over; now if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags that are known already"),
    ),
    responses(
        (status = 200, description = "The history", body = DispenseHistory,
         headers(
            ("ETag" = String, description = "`\"<version>-<status>\"`"),
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        (status = 304, description = "It is as `If-None-Match` says"),
        PastProblems,
    )
)]
#[get("/api/v1/dispenses/{id}/history")]
pub(crate) async fn get_history(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        let (depth, moment) = query::read(&request, |query| {
            let depth = query.optional("diff", kinds::word(&DEPTHS)).unwrap_or(Depth::Events);
            Some((depth, past::moment(query)))
        })?;
        door.judge_position(&request).await?;
        let Reading { read: history, position } =
            door.dispensary.history(&asker, id.into(), moment).await?;
        door.saw(&request, &asker, Seen::of(Looked::DispenseHistory, &history.shown)).await?;
        let tag = entity_tag(&history.shown);
        let is_known = has_already(request.headers(), &tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, tag)).insert_header(told(&position.into()));
        if is_known {
            return Ok(response.finish());
        }
        Ok(response.json(
            DispenseHistory::of(&history, depth).map_err(|error| changes::unwritable(&error))?,
        ))
    })
    .await
}
