//! `GET /api/reimbursement_report_download`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::reimbursement::{ReimbursementAsked, Standing, Whose};
use dispensary::{ClientType, Model};
use dispense_domain::Code;

use super::{DOWNLOAD, periods, streamed};
use crate::Door;
use crate::ehealth::answered::answer;
use crate::ehealth::described::{DownloadErrors, ReimbursementsFound};
use crate::ehealth::refused::Refused;

/// Take the reimbursement report of all
///
/// For the payer: what was handed over on those days, of every pharmacy, in the order of the days. A
/// line for each medication of a dispense; names are those of the moment of the hold. After an erasure
/// the doctor's is empty, and companies have the name and code that the registry says now. `REJECTED`
/// and `EXPIRED` dispenses and those that are still `NEW` have no line: nobody pays for them.
///
/// It is sent as it is read, at the pace of whoever takes it. A download that breaks off is none: the
/// connection is then closed before its end. With `Accept: application/json` the same comes as a list,
/// without pages.
#[utoipa::path(
    tag = "reimbursement_reports",
    security(("bearer" = ["reimbursement_report:download"])),
    params(
        ("date_from_dispense" = NaiveDate, Query, description = "First day of dispensing"),
        ("date_to_dispense" = NaiveDate, Query, description = "Last day of dispensing"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log: the report is not older"),
    ),
    responses(
        (status = 200, description = "The report",
         content((String = "text/csv"), (ReimbursementsFound = "application/json")),
         headers(
            ("Content-Disposition" = String, description = "The name of the file"),
            ("Dispense-Position" = String, description = "How far the log was read when it began, by partition"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        DownloadErrors,
    )
)]
#[get("/reimbursement_report_download")]
pub(crate) async fn download_reimbursement_report(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, DOWNLOAD).await?;
        if asker.client_type != ClientType::Nhs {
            let says = "Only the payer takes the report of all".to_owned();
            return Err(Refused::forbidden(Code::LegalEntityType, says));
        }
        let days = periods::of_download(&request)?;
        door.wait_for(&request, Model::Dispenses).await?;
        let wanted = ReimbursementAsked {
            whose: Whose::Everybody,
            standing: Standing::HandedOver,
            requested: None,
            dispensed: Some(days),
        };
        if crate::csv::is_json_wanted(&request) {
            return streamed::list(&request, &door, &asker, wanted).await;
        }
        let name = format!("reimbursement_report_{}_{}", days.first(), days.last());
        streamed::table(&request, &door, &asker, wanted, Some(name)).await
    })
    .await
}
