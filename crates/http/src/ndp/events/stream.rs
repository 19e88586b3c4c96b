//! `GET /api/v1/events/stream`: what is recorded, as soon as it is.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::events::{LogLine, Stretch};
use dispensary::{LogPosition, LogPositions, Unavailable};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::readers::Place;
use super::{DISPENSE_EPOCH, after};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::body::clipped;
use crate::catalogue;
use crate::ndp::AUDIT;
use crate::ndp::problems::EventsProblems;
use crate::positions;
use crate::problem::Problem;
use crate::query;

/// Where a consumer stopped that comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long nothing may come: whoever keeps the connection open learns that it still is.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A token is looked at when a stream begins. So none goes on for longer than this; the consumer
/// comes back with the token that it has then.
const LONGEST: Duration = Duration::from_hours(1);

/// A comment, which consumers pass over.
const STILL_THERE: &[u8] = b":\n\n";

/// How soon a consumer should come back, in milliseconds.
const COME_BACK: &[u8] = b"retry: 1000\n\n";

/// Follow the log
///
/// Server-sent events of one partition: `id` is `<partition>:<position>`, `event` the type of the
/// event, `data` the line that `GET /api/v1/events` has for it. First comes what is there behind
/// `after`, then what is recorded, as soon as it is. Every 15 s without an event a comment comes.
///
/// The stream ends after an hour, when the service stops, or when the log cannot be read. A consumer
/// that comes back with the last `id` in `Last-Event-ID`, as browsers do by themselves, misses
/// nothing and gets nothing twice, whichever instance it meets.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("after" = Option<i64>, Query, minimum = 0,
         description = "The position behind which to begin; 0, the beginning, unless told"),
        ("Last-Event-ID" = Option<String>, Header,
         description = "The `id` behind which to begin: it goes before `after`"),
    ),
    responses(
        (status = 200, description = "Events as they are recorded", body = String,
         content_type = "text/event-stream",
         headers(
            ("Dispense-Position" = String,
             description = "`<partition>:<position>` behind which the stream begins"),
            ("Dispense-Epoch" = i64,
             description = "Raised when the log lost its tail and goes on: whoever knows another \
                            epoch has read events that this log does not have"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        EventsProblems,
    )
)]
#[get("/api/v1/events/stream")]
pub(crate) async fn stream_events(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let sent = query::read(&request, |query| after(query, partitions))?;
        let begins = begin(&request, &door, sent).await?;
        door.saw(&request, &asker, Seen::nothing(Looked::Events)).await?;
        let lines = door.dispensary.follow(begins.stretch.after);
        Ok(begins.sending(&door, lines.map(|page| Ok(written(&page?))).boxed()))
    })
    .await
}

/// Where a stream begins, and its place among those who read.
pub(crate) struct Begins {
    pub(crate) stretch: Stretch,
    place: Place,
}

/// Finds where a stream begins for which that was sent, and takes a place for it.
pub(crate) async fn begin(
    request: &HttpRequest,
    door: &Door,
    sent: LogPosition,
) -> Result<Begins, Problem> {
    let after = last_event_id(request, sent.partition)?.unwrap_or(sent);
    let place = door.readers.take()?;
    // Nothing is taken from it but whether the log reaches there.
    let stretch = door.dispensary.stretch(after, 0).await?;
    Ok(Begins { stretch, place })
}

impl Begins {
    /// The answer that sends those pieces, for as long as a stream may last.
    pub(crate) fn sending(
        self,
        door: &Door,
        pieces: BoxStream<'static, Result<Bytes, Unavailable>>,
    ) -> HttpResponse {
        let Self { stretch, place } = self;
        let sending = Sending {
            pieces,
            closing: door.readers.closing(),
            until: Instant::now() + LONGEST,
            _place: place,
        };
        let begun = stream::iter([Ok(Bytes::from_static(COME_BACK))]);
        let mut response = HttpResponse::Ok();
        response
            .content_type("text/event-stream")
            // Some proxies keep an answer back until there is enough of it.
            .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
            .insert_header(positions::told(&LogPositions::from(stretch.after)))
            .insert_header((DISPENSE_EPOCH, stretch.epoch.to_string()));
        response.streaming(begun.chain(sending.stream()))
    }
}

/// The place that the header names; a consumer that has no last id sends none, or an empty one.
fn last_event_id(request: &HttpRequest, partition: u16) -> Result<Option<LogPosition>, Problem> {
    let Some(sent) = request.headers().get(LAST_EVENT_ID).map(HeaderValue::as_bytes) else {
        return Ok(None);
    };
    if sent.is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(sent);
    match text.parse::<LogPosition>() {
        Ok(place) if place.partition == partition => Ok(Some(place)),
        Ok(_) | Err(()) => {
            let found = clipped(&text);
            let says = format!(
                "Last-Event-ID: expected {partition}:<position>, the id of an event of this \
                 partition; found `{found}`"
            );
            Err(Problem::saying(&catalogue::POSITION_INVALID, says).with("position", found))
        }
    }
}

/// A stream under way.
struct Sending {
    pieces: BoxStream<'static, Result<Bytes, Unavailable>>,
    closing: CancellationToken,
    until: Instant,
    _place: Place,
}

impl Sending {
    /// The pieces in which it is sent; nothing is read before the one before is gone.
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + 'static {
        stream::unfold(self, |mut sending| async {
            let piece = sending.next().await?;
            Some((Ok(piece), sending))
        })
    }

    /// The next piece, or the end.
    async fn next(&mut self) -> Option<Bytes> {
        let piece = tokio::select! {
            biased;
            () = self.closing.cancelled() => return None,
            () = tokio::time::sleep_until(self.until) => return None,
            piece = self.pieces.next() => piece?,
            () = tokio::time::sleep(HEARTBEAT) => return Some(Bytes::from_static(STILL_THERE)),
        };
        match piece {
            Ok(piece) => Some(piece),
            Err(silent) => {
                // The consumer comes back by itself, and is told then if that lasts.
                Problem::from(&silent).log();
                None
            }
        }
    }
}

fn written(page: &[LogLine]) -> Bytes {
    let mut text = String::with_capacity(page.iter().map(|line| line.text.len() + 64).sum());
    for LogLine { place, kind, text: line } in page {
        for part in ["id: ", &place.to_string(), "\nevent: ", kind, "\ndata: ", line, "\n\n"] {
            text.push_str(part);
        }
    }
    Bytes::from(text)
}
