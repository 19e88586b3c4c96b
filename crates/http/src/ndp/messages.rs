//! `GET /api/v1/messages`: what the streams tell of the log, for installations without a broker.

pub(crate) mod stream;

use actix_web::middleware::Compress;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::LogPosition;
use dispensary::access::Looked;
use dispensary::announcement::{Announcement, DATA_TYPE, Topic};
use dispensary::events::Stretch;
use serde_json::Value;

use super::AUDIT;
use super::events::{FEWEST, MOST, USUAL, after, body, head};
use super::problems::EventsProblems;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::query::{self, Members, kinds};

/// The topics by their names.
const TOPICS: [(&str, Topic); Topic::ALL.len()] = {
    let mut topics = [("", Topic::Recorded); Topic::ALL.len()];
    let mut n = 0;
    while n < topics.len() {
        topics[n] = (Topic::ALL[n].name(), Topic::ALL[n]);
        n += 1;
    }
    topics
};

/// Read what the streams tell
///
/// One message on each line, as a `CloudEvents` object (structured mode), in the order of the log:
/// `data` is letter by letter what the topic `type` has, the other members are what its headers say.
/// An event may have no message, or two. `id` stays the same for ever: whoever meets one again has
/// that message already. `docs/events.md` and `docs/asyncapi.yaml` tell the members of `data`.
///
/// `after` and `limit` count events of the log, not messages: an answer may have fewer lines, or none,
/// and `Link` leads on all the same. An answer that breaks off is no answer.
///
/// Sent with `Accept-Encoding: gzip` it is compressed.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("after" = Option<i64>, Query, minimum = 0,
         description = "The position of the log behind which to begin; 0, the beginning, unless told. \
                        One that the log does not reach is refused: whoever waited there would miss \
                        what comes until then"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 10_000,
         description = "Of how many events of the log the answer tells at most; 1,000 unless told"),
        ("type" = Option<String>, Query,
         description = "The name of a topic, such as `ndp.events.dispense.recorded`: only its messages"),
    ),
    responses(
        (status = 200, description = "Messages, one on each line", body = String,
         content_type = "application/x-ndjson",
         headers(
            ("Dispense-Position" = String,
             description = "`<partition>:<position>` of the last event that the answer tells of; what \
                            was sent, if there is none"),
            ("Dispense-Epoch" = i64,
             description = "Raised when the log lost its tail and goes on: whoever knows another \
                            epoch was told of events that this log does not have"),
            ("Link" = String, description = "`rel=\"next\"`: where the next answer begins"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        EventsProblems,
    )
)]
#[get("/api/v1/messages", wrap = "Compress::default()")]
pub(crate) async fn get_messages(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let wanted = query::read(&request, |query| Wanted::read(query, partitions))?;
        let place = door.readers.take()?;
        let stretch = door.dispensary.stretch(wanted.after, wanted.limit).await?;
        door.saw(&request, &asker, Seen::nothing(Looked::Events)).await?;
        let mut response = head(&stretch, wanted.next(&stretch));
        let messages = door.dispensary.messages(stretch, wanted.only);
        Ok(response.streaming(body(messages, place, |page| {
            let lines = page.messages.iter().map(|message| structured(message) + "\n");
            Bytes::from(lines.collect::<String>())
        })))
    })
    .await
}

/// What is asked for.
struct Wanted {
    after: LogPosition,
    limit: u32,
    only: Option<Topic>,
}

impl Wanted {
    fn read(query: &mut Members, partitions: u16) -> Option<Self> {
        let after = after(query, partitions);
        let limit = query.optional("limit", kinds::whole(FEWEST..=MOST));
        let only = only(query);
        let limit = u32::try_from(limit.unwrap_or(USUAL)).ok()?;
        Some(Self { after: after?, limit, only })
    }

    /// Where the next answer begins.
    fn next(&self, stretch: &Stretch) -> String {
        let LogPosition { partition, position } = stretch.end;
        let limit = self.limit;
        let only = self.only.map(|topic| format!("&type={}", topic.name())).unwrap_or_default();
        format!(
            "</api/v1/messages?partition={partition}&after={position}&limit={limit}{only}>; \
             rel=\"next\""
        )
    }
}

/// The topic that is asked for.
fn only(query: &mut Members) -> Option<Topic> {
    query.optional("type", kinds::word(&TOPICS))
}

/// A message as an object of its own. `data` is not read and written again: it is the topic's, letter by
/// letter.
fn structured(message: &Announcement) -> String {
    let mut text = String::with_capacity(message.data.len() + 640);
    let attributes = message.attributes();
    let data_type = ("datacontenttype", DATA_TYPE.to_owned());
    for (name, value) in attributes.into_iter().chain([data_type]) {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&Value::from(name).to_string());
        text.push(':');
        text.push_str(&Value::from(value).to_string());
    }
    text.push_str(",\"data\":");
    text.push_str(&message.data);
    text.push('}');
    text
}
