//! `GET /api/v1/messages/stream`: what the streams tell, as soon as it is recorded.

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::MessagePage;
use dispensary::access::Looked;
use futures::StreamExt;

use super::{only, structured};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::ndp::AUDIT;
use crate::ndp::events::after;
use crate::ndp::events::stream::begin;
use crate::ndp::problems::EventsProblems;
use crate::query;

/// Follow what the streams tell
///
/// Server-sent events of one partition: `data` is the line that `GET /api/v1/messages` has for the
/// message, `event` its topic. First comes what is there behind `after`, then what is recorded, as soon
/// as it is. `id` is `<partition>:<position>`, the place in the log up to which all was told: of two
/// messages about one event only the second has it, and it comes by itself where the last events have
/// no message. Every 15 s without anything a comment comes.
///
/// The stream ends after an hour, when the service stops, or when the log cannot be read. A consumer
/// that comes back with the last `id` in `Last-Event-ID`, as browsers do by themselves, misses nothing.
/// If the connection broke between two messages about one event, the first comes again, with the same
/// `id` in its `data`.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("after" = Option<i64>, Query, minimum = 0,
         description = "The position of the log behind which to begin; 0, the beginning, unless told"),
        ("type" = Option<String>, Query,
         description = "The name of a topic, such as `ndp.events.dispense.recorded`: only its messages"),
        ("Last-Event-ID" = Option<String>, Header,
         description = "The `id` behind which to begin: it goes before `after`"),
    ),
    responses(
        (status = 200, description = "Messages as their events are recorded", body = String,
         content_type = "text/event-stream",
         headers(
            ("Dispense-Position" = String,
             description = "`<partition>:<position>` behind which the stream begins"),
            ("Dispense-Epoch" = i64,
             description = "Raised when the log lost its tail and goes on: whoever knows another \
                            epoch was told of events that this log does not have"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        EventsProblems,
    )
)]
#[get("/api/v1/messages/stream")]
pub(crate) async fn stream_messages(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let (sent, only) = query::read(&request, |query| {
            let (after, only) = (after(query, partitions), only(query));
            Some((after?, only))
        })?;
        let begins = begin(&request, &door, sent).await?;
        door.saw(&request, &asker, Seen::nothing(Looked::Events)).await?;
        let messages = door.dispensary.follow_messages(begins.stretch.after, only);
        Ok(begins.sending(&door, messages.map(|page| Ok(written(&page?))).boxed()))
    })
    .await
}

/// A page of messages. The id says up to where all is told, so it comes with the last message of an
/// event.
fn written(page: &MessagePage) -> Bytes {
    let MessagePage { messages, end } = page;
    let mut text = String::new();
    let mut followed = messages.iter().skip(1);
    for message in messages {
        let place = message.place.to_string();
        if followed.next().is_none_or(|next| next.place != message.place) {
            text.extend(["id: ", &place, "\n"]);
        }
        let line = structured(message);
        text.extend(["event: ", message.topic.name(), "\ndata: ", &line, "\n\n"]);
    }
    if messages.last().is_none_or(|last| last.place != *end) {
        text.extend(["id: ", &end.to_string(), "\n\n"]);
    }
    Bytes::from(text)
}
