//! `GET /api/reimbursement_report`

pub(super) mod columns;
pub(super) mod download;
mod periods;
pub(super) mod row;
mod streamed;

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Model;
use dispensary::access::Looked;
use dispensary::reimbursement::{NoReport, ReimbursementAsked, ReimbursementPage, Standing};
use dispense_domain::{Code, Place, Refusal, Refusals};

use super::answered::answer;
use super::described::{ReimbursementErrors, ReimbursementsFound};
use super::envelope::{self, Paging};
use super::refused::Refused;
use super::search::page_asked;
use crate::access::Seen;
use crate::positions::telling;
use crate::problem::Problem;
use crate::{Door, csv};
use row::Row;

/// Allows to look at the own report.
const REPORT: &str = "reimbursement_report:read";
/// Allows the payer to take the report of all.
const DOWNLOAD: &str = "reimbursement_report:download";

/// Look at the reimbursement report
///
/// What was dispensed, with names, days and prices as they were when the hold began. A clinic sees the
/// dispenses of the medication requests that it issued, a pharmacy those that it dispensed; where each
/// stands is said. Days of dispensing, days on which medication requests were created, or both are
/// named, each with a first and a last day. By days of prescribing alone it finds what was dispensed on
/// the first of them or later.
///
/// Pages reach 100,000 dispenses far, from the first day on. With `Accept: text/csv` all comes at once,
/// as a table with the columns of the download, of what was handed over.
#[utoipa::path(
    tag = "reimbursement_reports",
    security(("bearer" = ["reimbursement_report:read"])),
    params(
        ("date_from_request" = Option<NaiveDate>, Query, description = "First day on which medication requests were created"),
        ("date_to_request" = Option<NaiveDate>, Query, description = "Last day on which medication requests were created"),
        ("date_from_dispense" = Option<NaiveDate>, Query, description = "First day of dispensing"),
        ("date_to_dispense" = Option<NaiveDate>, Query, description = "Last day of dispensing"),
        ("page" = Option<u64>, Query, minimum = 1, description = "Which page; the first one if absent"),
        ("page_size" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many dispenses a page has; 50 if absent"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log: the report is not older"),
    ),
    responses(
        (status = 200, description = "The dispenses on that page, or all of them as a table",
         content((ReimbursementsFound = "application/json"), (String = "text/csv")),
         headers(
            ("Dispense-Position" = String, description = "How far the log was read, by partition"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        ReimbursementErrors,
    )
)]
#[get("/reimbursement_report")]
pub(crate) async fn get_reimbursement_report(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, REPORT).await?;
        let whose = door.dispensary.report_of(&asker)?;
        let (requested, dispensed) = periods::of_report(&request)?;
        let page = page_asked(&request)?;
        door.wait_for(&request, Model::Dispenses).await?;
        if csv::is_wanted(&request) {
            let standing = Standing::HandedOver;
            let wanted = ReimbursementAsked { whose, standing, requested, dispensed };
            return streamed::table(&request, &door, &asker, wanted, None).await;
        }
        let wanted =
            ReimbursementAsked { whose, standing: Standing::Anywhere, requested, dispensed };
        let found = door.dispensary.reimbursement_page(&wanted, page).await;
        let found = found.map_err(|silent| Problem::from(&silent))?;
        let positions = door.read_by(Model::Dispenses).await?;
        let shown = found.rows.iter().map(|row| &row.shown);
        door.saw(&request, &asker, Seen::all(Looked::Report, shown)).await?;
        let rows: Vec<Row<'_>> = found.rows.iter().map(Row::from).collect();
        let mut response = envelope::list(&request, &rows, Some(paging(&found)));
        response.headers_mut().insert(VARY, ACCEPT.into());
        Ok(telling(&positions, response))
    })
    .await
}

fn paging(found: &ReimbursementPage) -> Paging {
    Paging {
        page_number: found.page.number.get(),
        page_size: found.page.size.get().into(),
        total_entries: found.total_entries,
        total_pages: found.total_pages,
    }
}

impl From<NoReport> for Refused {
    fn from(no: NoReport) -> Self {
        let says = no.to_string();
        match no {
            NoReport::LegalEntityNotFound => {
                let refusal = Refusal::saying(Code::LegalEntityNotFound, says).at(Place::Asker);
                Refusals::from(refusal).into()
            }
            NoReport::PartyNotFound => periods::refused("$.party_id", says).into(),
            NoReport::NoSuchClient => Self::forbidden(Code::LegalEntityType, says),
            NoReport::LegalEntityNotActive => Self::forbidden(Code::LegalEntityNotActive, says),
            NoReport::NotEmployed => Self::forbidden(Code::EmployeeNotAuthorised, says),
        }
    }
}
