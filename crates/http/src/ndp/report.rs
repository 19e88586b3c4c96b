//! `GET /api/v1/reports/dispensing`

use std::borrow::Cow;
use std::convert::Infallible;

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::NaiveDate;
use dispensary::Model;
use dispensary::access::Looked;
use dispensary::report::{Group, GroupBy, ReportAsked, ReportLine};
use dispense_domain::{Status, Text};
use futures::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::REPORT;
use super::dispense::{Number, STATUSES, status_word};
use super::problems::ReportProblems;
use crate::access::Seen;
use crate::answer::answer;
use crate::body::Fault;
use crate::csv::{self, Cell};
use crate::positions::told;
use crate::problem::Problem;
use crate::query::{self, Members, kinds};
use crate::{Door, catalogue};

/// The longest range: ten years, three of them leap years.
const MOST_DAYS: i64 = 3_653;

/// How many lines are written at once.
const LINES: usize = 1_000;

/// What the lines can be.
const GROUPS: [(&str, GroupBy); 5] = [
    ("day", GroupBy::Day),
    ("pharmacy", GroupBy::Division),
    ("program", GroupBy::Program),
    ("medicine", GroupBy::Medication),
    ("status", GroupBy::Status),
];

/// Dispenses, added up.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is written line by line")]
struct DispensingReport<'a> {
    /// In the order of their keys; what has no dispense has no line.
    items: Vec<DispensingLine<'a>>,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DispensingLine<'a> {
    /// The day, the id of the pharmacy, program or medicine, or the status. Null: outside any program.
    #[schema(required, example = "2026-03-02")]
    key: Option<Cow<'a, str>>,
    /// What the registries call it now, where it is an id.
    #[schema(required, value_type = Option<String>)]
    name: Option<&'a Text>,
    /// How many dispenses there are.
    dispenses: u64,
    /// How much of the medicines.
    quantity: Number,
    /// What pharmacies asked for.
    total_amount: Number,
    /// What programs pay of it.
    insurance_coverage: Number,
    /// What patients paid; where that is not said, `totalAmount` − `insuranceCoverage`. A payment is
    /// not divided among medicines: there it is always the difference.
    copayment: Number,
}

/// The columns of the table.
const COLUMNS: [&str; 7] =
    ["key", "name", "dispenses", "quantity", "totalAmount", "insuranceCoverage", "copayment"];

impl<'a> From<&'a ReportLine> for DispensingLine<'a> {
    fn from(line: &'a ReportLine) -> Self {
        let key: Option<Cow<'a, str>> = match line.group {
            Group::Day(day) => Some(day.to_string().into()),
            Group::Id(id) => Some(id.to_string().into()),
            Group::Status(status) => Some(status_word(status).into()),
            Group::OutsidePrograms => None,
        };
        let sums = line.sums;
        Self {
            key,
            name: line.name.as_ref(),
            dispenses: sums.dispenses,
            quantity: sums.quantity.into(),
            total_amount: sums.total_amount.into(),
            insurance_coverage: sums.insurance_coverage.into(),
            copayment: sums.copayment.into(),
        }
    }
}

/// Add up what was dispensed
///
/// Dispenses by their day of dispensing, both ends included, in exact decimals. What is counted is what
/// was handed over, `COMPLETED`, unless `status` names others; lines by status have all of them. A hold
/// that ran out counts as `EXPIRED` at once. A dispense of two medicines is counted once, and under
/// each of them only where the lines are medicines.
///
/// A pharmacy or clinic gets the figures of its own legal entity, the payer those of all. The figures
/// follow the log within moments; `Dispense-Position` says how far they reach. With
/// `Accept: text/csv` they come as a table of the same names.
#[utoipa::path(
    tag = "reports",
    security(("bearer" = ["reimbursement_report:read"])),
    params(
        ("from" = NaiveDate, Query, description = "First day of dispensing"),
        ("to" = NaiveDate, Query, description = "Last day of dispensing, at most ten years after the first"),
        ("groupBy" = Option<String>, Query, description = "What the lines are: `day`, `pharmacy`, `program`, `medicine` or `status`; `day` if absent"),
        ("status" = Option<String>, Query, description = "Which dispenses count: `HELD`, `COMPLETED`, `CANCELLED`, `EXPIRED`, or several with commas between them. If absent `COMPLETED`, but all where the lines are statuses"),
        ("Dispense-Position" = Option<String>, Header, description = "What the caller knows of the log: the figures are not older"),
    ),
    responses(
        (status = 200, description = "The figures",
         content((DispensingReport = "application/json"), (String = "text/csv")),
         headers(
            ("Dispense-Position" = String, description = "How far the log was read, by partition"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        ReportProblems,
    )
)]
#[get("/api/v1/reports/dispensing")]
pub(crate) async fn get_dispensing_report(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, REPORT).await?;
        let wanted = query::read(&request, report_wanted)?;
        door.wait_for(&request, Model::Reports).await?;
        let report = door.dispensary.report(&asker, wanted).await?;
        let positions = door.read_by(Model::Reports).await?;
        door.saw(&request, &asker, Seen::nothing(Looked::Report)).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&positions)).insert_header((VARY, ACCEPT.as_str()));
        let (media_type, pieces) = if csv::is_wanted(&request) {
            let table = table(&report);
            let bug = |error| Problem::of(&catalogue::BUG).caused_by(&error);
            (csv::CONTENT_TYPE, table.map_err(bug)?)
        } else {
            ("application/json", json(&report))
        };
        let pieces = stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
        Ok(response.content_type(media_type).streaming(pieces))
    })
    .await
}

/// What the query asks for.
fn report_wanted(query: &mut Members) -> Option<ReportAsked> {
    let from = query.required("from", kinds::day);
    let to = query.required("to", kinds::day);
    query.in_order(from, "to", to);
    if let (Some(first), Some(last)) = (from, to)
        && (last - first).num_days() >= MOST_DAYS
    {
        query.blame::<NaiveDate>("to", too_long(first));
    }
    let group_by = query.optional("groupBy", kinds::word(&GROUPS)).unwrap_or(GroupBy::Day);
    let statuses = query.optional("status", kinds::words(&STATUSES));
    let statuses = statuses.unwrap_or_else(|| usual(group_by));
    Some(ReportAsked { from: from?, to: to?, group_by, statuses })
}

/// The last day that a range can have.
fn too_long(first: NaiveDate) -> Fault {
    let most = chrono::Days::new(MOST_DAYS.cast_unsigned() - 1);
    let last = first.checked_add_days(most).unwrap_or(NaiveDate::MAX);
    Fault {
        rule: "inclusion",
        message: format!("expected at most {MOST_DAYS} days, the last one {last}").into(),
        params: Vec::new(),
    }
}

/// Money is about what was handed over; lines by status are there to see the others too.
fn usual(group_by: GroupBy) -> Vec<Status> {
    match group_by {
        GroupBy::Status => STATUSES.map(|(_, status)| status).to_vec(),
        GroupBy::Day | GroupBy::Division | GroupBy::Program | GroupBy::Medication => {
            vec![Status::Processed]
        }
    }
}

/// The lines as JSON, piece by piece.
fn json(report: &[ReportLine]) -> Vec<Bytes> {
    let mut separator: &[u8] = b"";
    let lines = report.chunks(LINES).map(|lines| {
        let mut piece = Vec::new();
        for line in lines {
            piece.extend_from_slice(std::mem::replace(&mut separator, b","));
            // Plain data can always be written.
            let written = serde_json::to_writer(&mut piece, &DispensingLine::from(line));
            debug_assert!(written.is_ok());
        }
        Bytes::from(piece)
    });
    let lines: Vec<Bytes> = lines.collect();
    let (begin, end) = (Bytes::from_static(b"{\"items\":["), Bytes::from_static(b"]}"));
    [begin].into_iter().chain(lines).chain([end]).collect()
}

/// The lines as a table, piece by piece.
fn table(report: &[ReportLine]) -> Result<Vec<Bytes>, ::csv::Error> {
    let rows = report.chunks(LINES).map(|lines| csv::lines(lines.iter().map(cells)));
    std::iter::once(csv::headers(COLUMNS)).chain(rows).collect()
}

fn cells(line: &ReportLine) -> [Cell<'_>; COLUMNS.len()] {
    let sums = &line.sums;
    [
        DispensingLine::from(line).key.unwrap_or(csv::EMPTY),
        csv::words_if_any(line.name.as_ref().map(Text::as_str)),
        sums.dispenses.to_string().into(),
        csv::number(sums.quantity),
        csv::number(sums.total_amount),
        csv::number(sums.insurance_coverage),
        csv::number(sums.copayment),
    ]
}

#[cfg(test)]
mod tests {
    use dispensary::report::Sums;

    use super::*;

    fn lines(count: usize) -> Vec<ReportLine> {
        let day = |n: usize| NaiveDate::MIN + chrono::Days::new(n.try_into().unwrap());
        let line = |n| ReportLine { group: Group::Day(day(n)), name: None, sums: Sums::default() };
        (0..count).map(line).collect()
    }

    #[test]
    fn pieces_of_json_make_one_document_whatever_their_number() {
        for count in [0, 1, 2, LINES - 1, LINES, LINES + 1, 2 * LINES] {
            let whole = json(&lines(count)).concat();
            let whole: serde_json::Value = serde_json::from_slice(&whole).unwrap();
            assert_eq!(whole["items"].as_array().unwrap().len(), count);
        }
    }

    #[test]
    fn pieces_of_a_table_make_one_table_whatever_their_number() {
        for count in [0, 1, LINES, LINES + 1] {
            let table = table(&lines(count)).unwrap().concat();
            let rows = ::csv::Reader::from_reader(table.as_slice()).records().count();
            assert_eq!(rows, count);
        }
    }
}
