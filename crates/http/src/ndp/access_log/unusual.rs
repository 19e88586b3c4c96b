//! `GET /api/v1/access-log/unusual`: who looked at many patients in a short time.

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::{Looked, MOST_LOOKS, Unusual, UnusualAsked};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::ndp::AUDIT;
use crate::ndp::dispense::instant;
use crate::ndp::next_page::number_on_page;
use crate::ndp::problems::AuditListProblems;
use crate::problem::Problem;
use crate::query::{self, Members, kinds};

/// The longest stretch that is looked at, and how long it is unless told: one day.
const HOURS: u64 = 24;

/// The longest short time, and how long it is unless told.
const MOST_MINUTES: u64 = 12 * 60;
const USUAL_MINUTES: u64 = 60;

/// Fewer patients than this are never many; more than this nobody has looked at.
const FEWEST_PATIENTS: u64 = 2;
const MOST_PATIENTS: u64 = 100_000;

/// How many are many unless told. A pharmacist at a counter serves fewer in an hour.
const USUAL_PATIENTS: u64 = 60;

/// Who looked at many patients in a short time.
#[derive(Debug, Serialize, ToSchema)]
struct UnusualAccess {
    /// The users, those with the most patients first.
    #[schema(max_items = 300)]
    items: Vec<UnusualUser>,
}

/// A user who did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UnusualUser {
    /// Who.
    user_id: Uuid,
    /// For which legal entity.
    client_id: Uuid,
    /// The beginning of the time in which there were the most patients.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    from: String,
    /// Its end.
    #[schema(format = DateTime, example = "2026-03-02T11:00:00.000000Z")]
    to: String,
    /// How many patients.
    patients: u64,
    /// In how many looks.
    looks: u64,
}

impl UnusualUser {
    fn of(unusual: &Unusual) -> Self {
        Self {
            user_id: unusual.user.uuid(),
            client_id: unusual.client.uuid(),
            from: instant(unusual.from),
            to: instant(unusual.to),
            patients: unusual.patients,
            looks: unusual.looks,
        }
    }
}

/// See who looked at many patients in a short time
///
/// Users of any kind, each with the time in which there were the most patients. Times begin every half
/// `minutes`, so whoever looked at so many within half of it is found; of those who took longer, some
/// are.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("to" = Option<DateTime<Utc>>, Query, description = "The end of the stretch that is looked at, as of RFC 3339; now if absent"),
        ("hours" = Option<u32>, Query, minimum = 1, maximum = 24, description = "How long it is; 24 if absent"),
        ("minutes" = Option<u32>, Query, minimum = 2, maximum = 720, description = "How short a time; 60 if absent"),
        ("patients" = Option<u32>, Query, minimum = 2, maximum = 100_000, description = "How many patients are many; 60 if absent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many users; 50 if absent"),
    ),
    responses(
        (status = 200, description = "The users", body = UnusualAccess,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        AuditListProblems,
    )
)]
#[get("/api/v1/access-log/unusual")]
pub(crate) async fn get_unusual_access(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let sought = query::read(&request, |query| Some(wanted(query)))?;
        let found = door.access.unusual(&sought).await.map_err(|silent| Problem::from(&silent))?;
        door.saw(&request, &asker, Seen::nothing(Looked::AccessLog)).await?;
        let items = found.iter().map(UnusualUser::of).collect();
        Ok(HttpResponse::Ok().json(UnusualAccess { items }))
    })
    .await
}

fn wanted(query: &mut Members) -> UnusualAsked {
    let to = query.optional("to", kinds::instant);
    let mut number = |name, range, usual| {
        let number = query.optional(name, kinds::whole(range)).unwrap_or(usual);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let hours = number("hours", 1..=HOURS, HOURS);
    let minutes = number("minutes", 2..=MOST_MINUTES, USUAL_MINUTES);
    let patients = number("patients", FEWEST_PATIENTS..=MOST_PATIENTS, USUAL_PATIENTS);
    UnusualAsked { to, hours, minutes, patients, limit: number_on_page(query, MOST_LOOKS) }
}
