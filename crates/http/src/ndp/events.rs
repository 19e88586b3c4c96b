//! `GET /api/v1/events`: the log itself, as it is stored, for auditors and analysts.

pub(crate) mod readers;
pub(crate) mod stream;

use actix_web::http::header::{HeaderName, LINK};
use actix_web::middleware::Compress;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use dispensary::access::Looked;
use dispensary::events::Stretch;
use dispensary::{LogLine, LogPosition, LogPositions, Unavailable};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use self::readers::Place;
use super::AUDIT;
use super::problems::EventsProblems;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::positions::told;
use crate::problem::Problem;
use crate::query::{self, Members, kinds};

/// The fewest and the most lines of an answer, and how many there are unless told.
pub(super) const FEWEST: u64 = 1;
pub(super) const MOST: u64 = 10_000;
pub(super) const USUAL: u64 = 1_000;

/// JSON values, one on each line.
const NDJSON: &str = "application/x-ndjson";

/// Raised when a log that lost its tail was accepted.
const DISPENSE_EPOCH: HeaderName = HeaderName::from_static("dispense-epoch");

/// Read the log
///
/// One event on each line, as it is stored: `payload` and `metadata` letter by letter, so that every
/// `hash` can be worked out again (`docs/audit.md`). Lines come in the order of their positions, which
/// have no gaps. `Link` leads on, also from the end of the log, where the answer is empty until there
/// is more. An answer that breaks off is no answer: its last line may be half of one.
///
/// Sent with `Accept-Encoding: gzip` it is compressed.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("after" = Option<i64>, Query, minimum = 0,
         description = "The position behind which to begin; 0, the beginning, unless told. One that \
                        the log does not reach is refused: whoever waited there would miss what \
                        comes until then"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 10_000,
         description = "The most lines of the answer; 1,000 unless told"),
    ),
    responses(
        (status = 200, description = "Events, one on each line", body = String,
         content_type = "application/x-ndjson",
         headers(
            ("Dispense-Position" = String,
             description = "`<partition>:<position>` of the last line; what was sent, if there is none"),
            ("Dispense-Epoch" = i64,
             description = "Raised when the log lost its tail and goes on: whoever knows another \
                            epoch has read events that this log does not have"),
            ("Link" = String, description = "`rel=\"next\"`: where the next answer begins"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        EventsProblems,
    )
)]
#[get("/api/v1/events", wrap = "Compress::default()")]
pub(crate) async fn get_events(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let wanted = query::read(&request, |query| Wanted::read(query, partitions))?;
        let place = door.readers.take()?;
        let stretch = door.dispensary.stretch(wanted.after, wanted.limit).await?;
        door.saw(&request, &asker, Seen::nothing(Looked::Events)).await?;
        let mut response = head(&stretch, wanted.next(&stretch));
        Ok(response.streaming(body(door.dispensary.lines(stretch), place, written)))
    })
    .await
}

/// What is asked for.
struct Wanted {
    after: LogPosition,
    limit: u32,
}

impl Wanted {
    fn read(query: &mut Members, partitions: u16) -> Option<Self> {
        let after = after(query, partitions);
        let limit = query.optional("limit", kinds::whole(FEWEST..=MOST));
        Some(Self { after: after?, limit: u32::try_from(limit.unwrap_or(USUAL)).ok()? })
    }

    /// Where the next answer begins.
    fn next(&self, stretch: &Stretch) -> String {
        let LogPosition { partition, position } = stretch.end;
        let limit = self.limit;
        format!(
            "</api/v1/events?partition={partition}&after={position}&limit={limit}>; rel=\"next\""
        )
    }
}

/// The place behind which to begin, from the members `partition` and `after`.
pub(super) fn after(query: &mut Members, partitions: u16) -> Option<LogPosition> {
    let last = u64::from(partitions.saturating_sub(1));
    let partition = query.required("partition", kinds::whole(0..=last));
    let after = query.optional("after", kinds::whole(0..=i64::MAX.cast_unsigned()));
    let position = i64::try_from(after.unwrap_or(0)).ok()?;
    Some(LogPosition { partition: u16::try_from(partition?).ok()?, position })
}

/// How an answer begins that has a value of a stretch on each line; `next` leads on.
pub(super) fn head(stretch: &Stretch, next: String) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(NDJSON)
        .insert_header(told(&LogPositions::from(stretch.end)))
        .insert_header((DISPENSE_EPOCH, stretch.epoch.to_string()))
        .insert_header((LINK, next));
    response
}

/// Pages as they are sent, each when the one before is gone. If the log cannot be read on, the answer
/// breaks off, so that nobody takes it for whole.
pub(super) fn body<P: 'static>(
    pages: BoxStream<'static, Result<P, Unavailable>>,
    place: Place,
    written: impl Fn(P) -> Bytes + 'static,
) -> impl Stream<Item = Result<Bytes, Unavailable>> + 'static {
    pages.map(move |page| {
        let _taken = &place;
        let page = page.inspect_err(|silent| {
            // The answer has begun; what is left is to say why it ends.
            Problem::from(silent).log();
        })?;
        Ok(written(page))
    })
}

fn written(page: Vec<LogLine>) -> Bytes {
    let mut bytes = Vec::with_capacity(page.iter().map(|line| line.text.len() + 1).sum());
    for line in page {
        bytes.extend_from_slice(line.text.as_bytes());
        bytes.push(b'\n');
    }
    Bytes::from(bytes)
}
