//! `POST /api/v1/registry/import`

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::{Dispensary, FaultyLine, Line, Origin, Unavailable};
use futures::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::IMPORT;
use super::ndjson::{Cut, Lines, MAX_LINE_BYTES};
use super::problems::ImportProblems;
use crate::answer::answer_body;
use crate::problem::Problem;
use crate::query::nothing_asked;
use crate::visit::origin;
use crate::{Door, body, catalogue};

/// The most lines that are applied together.
const BATCH_LINES: usize = 2_000;

/// The most bytes that are applied together; the last line may exceed it.
const BATCH_BYTES: usize = 1024 * 1024;

/// The most faulty lines that are listed; all are counted.
const MOST_LISTED: usize = 1_000;

/// How long the next piece of the body may take to arrive.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// What the lines may say that they are; nothing is assumed where nothing is said.
const MEDIA_TYPES: [&str; 3] = ["application/x-ndjson", "application/json", "text/plain"];

/// What became of the lines.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportReport {
    /// Lines that were read; blank ones do not count.
    read: u64,
    /// Lines that were applied.
    applied: u64,
    /// Lines that were skipped.
    faulty_count: u64,
    /// The first 1,000 of them.
    #[schema(max_items = 1000)]
    faulty: Vec<SkippedLine>,
}

/// A line that was skipped.
#[derive(Debug, Serialize, ToSchema)]
struct SkippedLine {
    /// Its number, from 1.
    line: u64,
    /// What is wrong, for programs.
    #[schema(example = "line-too-long")]
    code: &'static str,
    /// What is wrong, for people.
    message: String,
}

impl From<FaultyLine> for SkippedLine {
    fn from(faulty: FaultyLine) -> Self {
        Self { line: faulty.line, code: faulty.code, message: faulty.message }
    }
}

/// Import registry data
///
/// One JSON object on each line: `{"kind": "…", "data": {…}}`. Good lines are applied in batches,
/// faulty ones are skipped and listed; the last line for an id wins. The body may be of any length, a
/// line has at most 64 KiB. `Content-Type` is `application/x-ndjson`, `application/json`,
/// `text/plain`, or left out.
#[utoipa::path(
    tag = "registry",
    security(("bearer" = ["registry:write"])),
    request_body(
        content = String,
        content_type = "application/x-ndjson",
        description = "One JSON object on each line",
        example = "{\"kind\": \"party_user\", \"data\": {\"user_id\": \"…\", \"party_id\": \"…\"}}"
    ),
    responses(
        (status = 200, description = "All lines were read", body = ImportReport,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        ImportProblems,
    )
)]
#[post("/api/v1/registry/import")]
pub(crate) async fn import_registry(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_body(&request, payload, async |payload| {
        let asker = door.admit(&request, IMPORT).await?;
        nothing_asked(&request)?;
        may_be_lines(&request)?;
        let import = Import {
            dispensary: &door.dispensary,
            origin: origin(&request, &asker),
            batch: Batch::default(),
            report: ImportReport::default(),
        };
        Ok(HttpResponse::Ok().json(import.run(payload).await?))
    })
    .await
}

fn may_be_lines(request: &HttpRequest) -> Result<(), Problem> {
    let media_type = body::media_type(request.headers());
    let known = media_type.is_none_or(|given| MEDIA_TYPES.contains(&given.as_str()));
    if known && body::is_plain(request.headers()) {
        return Ok(());
    }
    let message = "expected lines of JSON as application/x-ndjson, application/json or text/plain, \
                   not compressed";
    Err(Problem::saying(&catalogue::UNSUPPORTED_MEDIA_TYPE, message))
}

/// An import under way.
struct Import<'d> {
    dispensary: &'d Dispensary,
    origin: Origin,
    batch: Batch,
    report: ImportReport,
}

/// Lines that wait to be applied together.
#[derive(Default)]
struct Batch {
    lines: Vec<Line>,
    bytes: usize,
    too_long: Vec<FaultyLine>,
}

impl Import<'_> {
    async fn run(mut self, payload: &mut web::Payload) -> Result<ImportReport, Problem> {
        let mut lines = Lines::default();
        while let Some(piece) = self.next_piece(payload).await? {
            let mut rest = &piece[..];
            while let Some(cut) = lines.next(&mut rest) {
                self.take(cut).await?;
            }
        }
        if let Some(cut) = lines.end() {
            self.take(cut).await?;
        }
        self.apply().await?;
        Ok(self.report)
    }

    async fn next_piece(&self, payload: &mut web::Payload) -> Result<Option<web::Bytes>, Problem> {
        match tokio::time::timeout(PIECE_WITHIN, payload.next()).await {
            Ok(piece) => piece.transpose().map_err(body::broken),
            Err(_elapsed) => Err(Problem::of(&catalogue::TIMEOUT)),
        }
    }

    async fn take(&mut self, cut: Cut) -> Result<(), Problem> {
        self.report.read += 1;
        self.batch.push(cut);
        if self.batch.is_full() { self.apply().await } else { Ok(()) }
    }

    /// Applies the batch, and takes down what was skipped of it, in the order of the lines.
    async fn apply(&mut self) -> Result<(), Problem> {
        let batch = std::mem::take(&mut self.batch);
        let count = (batch.lines.len() + batch.too_long.len()) as u64;
        let mut faulty = batch.too_long;
        if !batch.lines.is_empty() {
            let skipped = self.dispensary.import(batch.lines, &self.origin).await;
            faulty.extend(skipped.map_err(|silent| self.stopped(&silent))?);
        }
        faulty.sort_by_key(|line| line.line);
        self.report.faulty_count += faulty.len() as u64;
        self.report.applied += count.saturating_sub(faulty.len() as u64);
        let room = MOST_LISTED.saturating_sub(self.report.faulty.len());
        self.report.faulty.extend(faulty.into_iter().take(room).map(SkippedLine::from));
        Ok(())
    }

    /// The import ends here; what was applied stays applied, and lines may come twice.
    fn stopped(&self, silent: &Unavailable) -> Problem {
        Problem::from(silent).with("applied", &self.report.applied.to_string())
    }
}

impl Batch {
    fn push(&mut self, cut: Cut) {
        match cut {
            Cut::Line(number, bytes) => {
                self.bytes += bytes.len();
                self.lines.push(Line { number, bytes });
            }
            Cut::TooLong(line) => self.too_long.push(FaultyLine {
                line,
                code: "line-too-long",
                message: format!("expected at most {MAX_LINE_BYTES} bytes"),
            }),
        }
    }

    fn is_full(&self) -> bool {
        self.lines.len() + self.too_long.len() >= BATCH_LINES || self.bytes >= BATCH_BYTES
    }
}
