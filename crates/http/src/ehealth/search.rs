//! `GET /api/medication_dispenses`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Model;
use dispensary::access::Looked;
use dispensary::document::{self, DocumentError};
use dispensary::search::{Criteria, Found, PageAsked, PageNumber, PageSize};
use serde_json::{Map, Value};

use super::answered::answer;
use super::described::{DispensesFound, SearchErrors};
use super::envelope::Paging;
use super::list_by_request::statuses;
use super::{READ, envelope, side};
use crate::Door;
use crate::access::Seen;
use crate::body::{Fault, Json, Members, kinds};
use crate::positions::telling;
use crate::problem::Problem;
use crate::query::kinds::{parse_whole, whole as whole_within};
use crate::query::members;

/// Search for dispenses
///
/// A pharmacy or clinic finds the dispenses of its own legal entity alone; whoever names another one
/// finds nothing. All criteria have to hold; unknown ones are ignored. What began last comes first. A
/// search finds the newest 100,000 dispenses that match, and counts no further. What this instance
/// has answered before is found; what others have, within moments, or at once where
/// `Dispense-Position` names it.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("id" = Option<Uuid>, Query, description = "The dispense"),
        ("medication_request_id" = Option<Uuid>, Query, description = "What it was dispensed from"),
        ("legal_entity_id" = Option<Uuid>, Query, description = "The pharmacy company"),
        ("division_id" = Option<Uuid>, Query, description = "The outlet"),
        ("status" = Option<String>, Query, description = "`NEW`, `PROCESSED`, `REJECTED`, `EXPIRED`, or several with commas between them; all if absent"),
        ("dispensed_from" = Option<NaiveDate>, Query, description = "First day of dispensing"),
        ("dispensed_to" = Option<NaiveDate>, Query, description = "Last day of dispensing"),
        ("care_plan_id" = Option<Uuid>, Query, description = "The care plan that the medication request is based on"),
        ("page" = Option<u64>, Query, minimum = 1, description = "Which page; the first one if absent"),
        ("page_size" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many dispenses a page has; 50 if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log: it is waited for"),
    ),
    responses(
        (status = 200, description = "The dispenses on that page", body = DispensesFound,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read, for each partition"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        SearchErrors,
    )
)]
#[get("/medication_dispenses")]
pub(crate) async fn search_medication_dispenses(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let (criteria, page) = wanted(&request)?;
        let asked_for = criteria.medication_request_id;
        door.wait_for(&request, Model::Dispenses).await?;
        let found = door.dispensary.search(&asker, criteria, page).await?;
        let positions = door.read_by(Model::Dispenses).await?;
        let seen = Seen::all(Looked::DispenseList, &found.dispenses);
        door.saw(&request, &asker, asked_for.into_iter().fold(seen, Seen::request)).await?;
        let side = side(&request);
        let data = found.dispenses.iter().map(|shown| document::dispense(shown, side));
        let data = data.collect::<Result<Vec<_>, DocumentError>>()?;
        Ok(telling(&positions, envelope::list(&request, &data, Some(paging(&found)))))
    })
    .await
}

fn paging(found: &Found) -> Paging {
    Paging {
        page_number: found.page.number.get(),
        page_size: found.page.size.get().into(),
        total_entries: found.total_entries,
        total_pages: found.total_pages,
    }
}

/// What the query asks for. It is read as an object of strings, so that all that is to blame is told
/// together and in the words for bodies. A member without a value is as good as absent, and the last
/// one of several counts, as with the register.
fn wanted(request: &HttpRequest) -> Result<(Criteria, PageAsked), Problem> {
    read(request, criteria_and_page)
}

/// The page that a query asks for, whatever else it has.
pub(super) fn page_asked(request: &HttpRequest) -> Result<PageAsked, Problem> {
    read(request, page)
}

fn read<T>(
    request: &HttpRequest,
    read: impl FnOnce(&mut Members<'_, '_>) -> T,
) -> Result<T, Problem> {
    let stated = members(request).into_iter().filter(|(_, value)| !value.is_empty());
    let stated: Map<String, Value> =
        stated.map(|(name, value)| (name, Value::String(value))).collect();
    let text = Value::Object(stated).to_string();
    Json::parse(text.as_bytes())?.walk("$", |query| Some(read(query)))
}

fn criteria_and_page(query: &mut Members<'_, '_>) -> (Criteria, PageAsked) {
    let criteria = Criteria {
        id: query.given("id", kinds::uuid).map(Into::into),
        medication_request_id: query.given("medication_request_id", kinds::uuid).map(Into::into),
        legal_entity_id: query.given("legal_entity_id", kinds::uuid).map(Into::into),
        division_id: query.given("division_id", kinds::uuid).map(Into::into),
        statuses: query.given("status", |value| statuses(&string(value))),
        dispensed_from: query.given("dispensed_from", kinds::day),
        dispensed_to: query.given("dispensed_to", kinds::day),
        care_plan_id: query.given("care_plan_id", kinds::uuid),
    };
    (criteria, page(query))
}

fn page(query: &mut Members<'_, '_>) -> PageAsked {
    let number = query.given("page", page_number).unwrap_or(PageNumber::FIRST);
    let size = query.given("page_size", page_size).unwrap_or(PageSize::USUAL);
    query.ignore_others();
    PageAsked { number, size }
}

/// The text of a member; all of them are strings.
fn string(value: Json<'_>) -> String {
    serde_json::from_str(value.text()).unwrap_or_default()
}

fn page_number(value: Json<'_>) -> Result<PageNumber, Fault> {
    PageNumber::new(whole(value)?).ok_or_else(|| Fault::at_least(1))
}

fn page_size(value: Json<'_>) -> Result<PageSize, Fault> {
    let size = whole_within(PageSize::LEAST.into()..=PageSize::MOST.into())(&string(value))?;
    u32::try_from(size).ok().and_then(PageSize::new).ok_or_else(|| Fault::at_most(size))
}

/// A whole number; one below zero counts as zero, and one that is too great for us as the greatest.
fn whole(value: Json<'_>) -> Result<u64, Fault> {
    parse_whole(&string(value)).ok_or_else(|| Fault::cast("integer", "string"))
}
