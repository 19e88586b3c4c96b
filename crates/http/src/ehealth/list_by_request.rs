//! `GET /api/medication_requests/{id}/dispenses`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::document::{self, DocumentError};
use dispensary::{DispensesOf, Reading};
use dispense_domain::Status;
use dispense_domain::decide::register_word;

use super::answered::answer;
use super::described::{DispensesOfRequest, ListErrors};
use super::medication_request::key_in_path;
use super::{READ, envelope, side};
use crate::Door;
use crate::access::Seen;
use crate::body::Fault;
use crate::positions::telling;
use crate::problem::{Problem, Violation};
use crate::query::asked;

/// Every status.
const STATUSES: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];

/// Look at the dispenses of a medication request
///
/// Those of every pharmacy, the last one first: so a pharmacy sees that another one holds the
/// medication already. Read from the log itself, and so always current; there are at most 500.
#[utoipa::path(
    tag = "medication_requests",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = String, Path, description = "The medication request: its id, or its number"),
        ("status" = Option<String>, Query, description = "`NEW`, `PROCESSED`, `REJECTED`, `EXPIRED`, or several with commas between them; all if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log"),
    ),
    responses(
        (status = 200, description = "The dispenses", body = DispensesOfRequest,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        ListErrors,
    )
)]
#[get("/medication_requests/{id}/dispenses")]
pub(crate) async fn list_dispenses_by_medication_request(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let key = key_in_path(&request)?;
        let statuses = statuses_in_query(&request)?;
        door.judge_position(&request).await?;
        let Reading { read: DispensesOf { requested, dispenses }, position } =
            door.dispensary.dispenses_of(&asker, &key, &statuses).await?;
        let seen = Seen::requested(Looked::DispenseList, &requested);
        door.saw(&request, &asker, dispenses.iter().fold(seen, Seen::with)).await?;
        let side = side(&request);
        let data = dispenses.iter().map(|shown| document::dispense(shown, side));
        let data = data.collect::<Result<Vec<_>, DocumentError>>()?;
        Ok(telling(&position.into(), envelope::list(&request, &data, None)))
    })
    .await
}

/// The statuses that the query names; none means all.
fn statuses_in_query(request: &HttpRequest) -> Result<Vec<Status>, Problem> {
    let named = asked(request, "status").filter(|named| !named.is_empty());
    let statuses = named.map(|named| statuses(&named)).transpose();
    let refused = |fault| Problem::schema(vec![Violation::schema("$.status".to_owned(), fault)]);
    statuses.map(Option::unwrap_or_default).map_err(refused)
}

/// The statuses with those words, which have commas between them; each once.
pub(super) fn statuses(words: &str) -> Result<Vec<Status>, Fault> {
    let known = |word: &str| STATUSES.iter().any(|status| register_word(*status) == word);
    if !words.split(',').all(known) {
        return Err(Fault::not_in_enum(STATUSES.into_iter().map(register_word)));
    }
    let named = |status: &Status| words.split(',').any(|word| word == register_word(*status));
    Ok(STATUSES.into_iter().filter(named).collect())
}
