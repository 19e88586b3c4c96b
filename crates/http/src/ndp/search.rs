//! `GET /api/v1/dispenses`

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::list::{Filter, ListCursor};
use dispensary::search::PageSize;
use dispensary::{Model, Shown};
use serde::Serialize;
use utoipa::ToSchema;

use super::READ;
use super::dispense::{Dispense, STATUSES};
use super::next_page::link;
use super::problems::ListProblems;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::cursor::{CURSOR, LIMIT, Question};
use crate::positions::told;
use crate::query::{self, Members, kinds};

/// Dispenses that match.
#[derive(Debug, Serialize, ToSchema)]
struct DispenseList<'a> {
    /// The last day of dispensing first, then what began last, then by id.
    items: Vec<Dispense<'a>>,
    /// The `cursor` of the next page; null if this is the last one.
    #[schema(required)]
    next: Option<&'a str>,
}

/// Which page of a list is asked for.
pub(super) struct PageWanted {
    pub(super) cursor: Option<String>,
    pub(super) size: PageSize,
}

impl PageWanted {
    /// The members of a query that say so.
    pub(super) fn read(query: &mut Members) -> Self {
        let sizes = u64::from(PageSize::LEAST)..=u64::from(PageSize::MOST);
        let size = query.optional(LIMIT, kinds::whole(sizes));
        let size = size.and_then(|size| u32::try_from(size).ok()).and_then(PageSize::new);
        let cursor = query.optional(CURSOR, |cursor| Ok(cursor.to_owned()));
        Self { cursor, size: size.unwrap_or(PageSize::USUAL) }
    }
}

fn filter(query: &mut Members) -> Filter {
    let medication_request_id = query.optional("prescriptionId", kinds::uuid).map(Into::into);
    let person_id = query.optional("patientId", kinds::uuid).map(Into::into);
    let division_id = query.optional("pharmacyId", kinds::uuid).map(Into::into);
    let party_id = query.optional("pharmacistId", kinds::uuid).map(Into::into);
    let medical_program_id = query.optional("programId", kinds::uuid).map(Into::into);
    let medication_id = query.optional("medicineCode", kinds::uuid).map(Into::into);
    let batch_number = query.optional("batchNumber", kinds::text);
    let statuses = query.optional("status", kinds::words(&STATUSES));
    let (dispensed_from, dispensed_to) = query.days("from", "to");
    Filter {
        medication_request_id,
        person_id,
        legal_entity_id: None,
        division_id,
        party_id,
        medical_program_id,
        medication_id,
        batch_number,
        statuses,
        dispensed_from,
        dispensed_to,
    }
}

/// List dispenses
///
/// All filters have to hold. A pharmacy or clinic is shown the dispenses of its own legal entity alone.
/// The first page fixes the moment that the whole list is of: the next ones show what was there then,
/// as it stood then, whatever is recorded meanwhile, so that nothing is skipped and nothing comes
/// twice. A page may have fewer dispenses than `limit`, even none, while the list goes on; it ends
/// where `next` is null.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(
        ("prescriptionId" = Option<Uuid>, Query, description = "What it was dispensed from"),
        ("patientId" = Option<Uuid>, Query, description = "The patient"),
        ("pharmacyId" = Option<Uuid>, Query, description = "The outlet"),
        ("pharmacistId" = Option<Uuid>, Query, description = "Who dispensed"),
        ("programId" = Option<Uuid>, Query, description = "Who pays"),
        ("medicineCode" = Option<Uuid>, Query, description = "A medication of the dispense"),
        ("batchNumber" = Option<String>, Query, description = "A batch of the dispense; of `medicineCode`, if that is stated"),
        ("status" = Option<String>, Query, description = "`HELD`, `COMPLETED`, `CANCELLED`, `EXPIRED`, or several with commas between them; all if absent"),
        ("from" = Option<NaiveDate>, Query, description = "First day of `dispensedAt`"),
        ("to" = Option<NaiveDate>, Query, description = "Last day of `dispensedAt`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many dispenses a page has at most; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before; filters stay as they were"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log; a first page waits until it is there"),
    ),
    responses(
        (status = 200, description = "The dispenses on that page", body = DispenseList,
         headers(
            ("Link" = String, description = "The next page, `rel=\"next\"`; absent on the last one"),
            ("Dispense-Position" = String, description = "`<partition>:<position>`, with commas between them: up to where the list looks at the log"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        ListProblems,
    )
)]
#[get("/api/v1/dispenses")]
pub(crate) async fn list_dispenses(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, READ).await?;
        let (filter, page) = query::read(&request, |query| {
            let filter = filter(query);
            Some((filter, PageWanted::read(query)))
        })?;
        let question = Question::of(&request, &asker);
        let after: Option<ListCursor> =
            page.cursor.map(|cursor| door.cursors.open(question, &cursor)).transpose()?;
        match after {
            // A list is of its own moment, whatever the caller has learnt since.
            Some(_) => door.judge_position(&request).await?,
            None => door.wait_for(&request, Model::Dispenses).await?,
        }
        let (asked_for, request_id) = (filter.person_id, filter.medication_request_id);
        let listed = door.dispensary.list(&asker, filter, after.as_ref(), page.size).await?;
        let next = listed.next.map(|next| door.cursors.seal(question, &next)).transpose()?;
        let seen = seen(&listed.dispenses);
        let seen = asked_for.into_iter().fold(seen, Seen::patient);
        door.saw(&request, &asker, request_id.into_iter().fold(seen, Seen::request)).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&listed.positions));
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        let items = listed.dispenses.iter().map(Dispense::of).collect();
        Ok(response.json(DispenseList { items, next: next.as_deref() }))
    })
    .await
}

fn seen(dispenses: &[Shown]) -> Seen {
    Seen::all(Looked::DispenseList, dispenses)
}
