//! `GET /api/v1/messages` and `GET /api/v1/messages/stream`

use std::pin::Pin;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::test::{TestRequest, call_service, init_service};
use dispensary::access::Looked;
use dispensary::announcement::Topic;
use dispensary::{AppendError, LogFacts, LogPosition};
use serde_json::{Value, json};

use super::world::sample::{self, AT_ONCE, IN_PARTS, REQUEST_IN_PARTS};
use super::world::{AUDIT, Answer, READ, World, facts};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A world with six events: a hold that is given back, and two hand-overs, the second of which leaves
/// nothing.
async fn world() -> World {
    let world = World::new().await;
    let held = world.create("held", &sample::part(IN_PARTS, 10)).await;
    world.cancel(held.json()["id"].as_str().unwrap(), "back").await;
    let paid = |tablets| {
        let mut body = sample::part(AT_ONCE, tablets);
        body["copayment"] = json!(10);
        body
    };
    world.create("some", &paid(10)).await;
    let rest = super::world::create(&paid(20).to_string());
    let rest =
        rest.insert_header(("idempotency-key", "rest")).insert_header(("traceparent", TRACE));
    let answer = world.send(rest).await;
    assert_eq!(answer.header("dispense-position"), Some("0:6"), "{}", answer.text());
    world
}

async fn asked(world: &World, query: &str) -> Answer {
    let path = format!("/api/v1/messages?partition=0{query}");
    world.send_as(&world.token(AUDIT), TestRequest::get().uri(&path)).await
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Position and last word of the topic of each message.
fn told(messages: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let word = |value: &Value| text(value).rsplit('.').next().unwrap().to_owned();
    messages.iter().map(|it| (text(&it["sequence"]), word(&it["type"]))).collect()
}

fn expected(messages: &[(&str, &str)]) -> Vec<(String, String)> {
    messages.iter().map(|(place, word)| ((*place).to_owned(), (*word).to_owned())).collect()
}

const ALL: [(&str, &str); 5] = [
    ("0:1", "hold_created"),
    ("0:2", "cancelled"),
    ("0:4", "recorded"),
    ("0:6", "recorded"),
    ("0:6", "fully_dispensed"),
];

#[actix_web::test]
async fn what_is_told_of_a_stretch_comes_in_the_order_of_the_log_and_leads_on() {
    let world = world().await;
    let answer = asked(&world, "").await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("dispense-position"), Some("0:6"));
    assert_eq!(answer.header("dispense-epoch"), Some("3"));
    let next = "</api/v1/messages?partition=0&after=6&limit=1000>; rel=\"next\"";
    assert_eq!(answer.header("link"), Some(next));
    assert!(answer.text().ends_with('\n'));
    assert_eq!(told(&lines(&answer)), expected(&ALL));

    let some = asked(&world, "&after=1&limit=4").await;
    assert_eq!(told(&lines(&some)), expected(&ALL[1..3]));
    assert_eq!(some.header("dispense-position"), Some("0:5"));
    let end = asked(&world, "&after=6").await;
    assert_eq!((end.status.as_u16(), end.text()), (200, ""));
    assert_eq!(end.header("link"), Some(next));
}

#[actix_web::test]
async fn a_message_is_an_event_of_the_cloud_with_the_very_data_of_the_topic() {
    let world = world().await;
    let answer = asked(&world, "").await;
    let log = facts(&world);
    let facts = log.facts(LogPosition { partition: 0, position: 0 }, 100).await.unwrap();
    let announced: Vec<_> =
        facts.iter().flat_map(|it| it.announcements(log.log_id()).unwrap()).collect();
    let sent: Vec<&str> = answer.text().lines().collect();
    assert_eq!(sent.len(), announced.len());
    for (line, message) in sent.iter().zip(&announced) {
        assert!(line.ends_with(&format!(",\"data\":{}}}", message.data)), "{line}");
        let mut value: Value = serde_json::from_str(line).unwrap();
        let members = value.as_object_mut().unwrap();
        members.remove("data");
        assert_eq!(members.remove("datacontenttype"), Some(json!("application/json")));
        let attributes = message.attributes();
        assert_eq!(members.len(), attributes.len());
        for (name, value) in attributes {
            assert_eq!(members[name], value, "{name}");
        }
    }
    let messages = lines(&answer);
    assert_eq!(messages[0]["specversion"], "1.0");
    assert_eq!(messages[0]["source"], format!("/dispense/{}", log.log_id()));
    assert_eq!(messages[3]["partitionkey"], REQUEST_IN_PARTS);
    let last = announced.last().unwrap().traceparent.as_deref().unwrap();
    assert_eq!(last.split('-').nth(1), TRACE.split('-').nth(1), "the trace of its request");
    assert_eq!(messages[4]["traceparent"], last);
}

#[actix_web::test]
async fn one_topic_can_be_asked_for_and_others_cannot() {
    let world = world().await;
    for topic in Topic::ALL {
        let answer = asked(&world, &format!("&type={}&limit=5", topic.name())).await;
        let word = topic.last_words();
        let of_topic = ALL[..3].iter().filter(|(_, it)| *it == word).copied();
        assert_eq!(told(&lines(&answer)), expected(&of_topic.collect::<Vec<_>>()));
        let next = format!(
            "</api/v1/messages?partition=0&after=5&limit=5&type={}>; rel=\"next\"",
            topic.name()
        );
        assert_eq!(answer.header("link"), Some(&*next));
    }
    let completed = asked(&world, "&type=ndp.events.prescription.fully_dispensed").await;
    assert_eq!(told(&lines(&completed)), expected(&ALL[4..]));

    let answer = asked(&world, "&type=ndp.events.dispense.blessed&limit=0&page=1").await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()));
    let found: Vec<String> = answer.violations().into_iter().map(|it| it.0).collect();
    assert_eq!(found, ["?limit", "?type", "?page"]);
    let known = answer.json().to_string();
    assert!(known.contains("ndp.events.prescription.fully_dispensed"), "{known}");
}

#[actix_web::test]
async fn a_place_that_the_log_does_not_reach_is_refused() {
    let world = world().await;
    for path in ["messages", "messages/stream"] {
        let path = format!("/api/v1/{path}?partition=0&after=7");
        let answer = world.send_as(&world.token(AUDIT), TestRequest::get().uri(&path)).await;
        assert_eq!(answer.problem(), (400, "position-invalid".to_owned()));
        assert_eq!(answer.json()["errors"][0]["params"]["head"], "0:6");
    }
}

#[actix_web::test]
async fn only_auditors_are_told_and_leave_a_record() {
    let world = world().await;
    for path in ["/api/v1/messages?partition=0", "/api/v1/messages/stream?partition=0"] {
        let answer = world.send_as(&world.token(READ), TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), (403, "missing-scope".to_owned()));
    }
    let before = world.state.get().accesses.len();
    asked(&world, "").await;
    drop(Reading::begin(&world, "").await);
    let looked: Vec<Looked> =
        world.state.get().accesses[before..].iter().map(|it| it.looked).collect();
    assert_eq!(looked, [Looked::Events, Looked::Events]);
    world.state.get().access_log_is_full = true;
    assert_eq!(asked(&world, "").await.problem(), (503, "unavailable".to_owned()));
}

#[actix_web::test]
async fn those_who_are_told_share_the_places_of_those_who_read_the_log() {
    let world = world().await;
    let mut readings = Vec::new();
    for _ in 0..32 {
        readings.push(Reading::begin(&world, "").await);
    }
    assert_eq!(asked(&world, "").await.problem(), (503, "busy".to_owned()));
    let path = "/api/v1/events?partition=0";
    let events = world.send_as(&world.token(AUDIT), TestRequest::get().uri(path)).await;
    assert_eq!(events.problem(), (503, "busy".to_owned()));
    readings.pop();
    assert_eq!(asked(&world, "").await.status, 200);
}

/// A stream that is read piece by piece.
struct Reading(BoxBody);

impl Reading {
    async fn begin(world: &World, query: &str) -> Self {
        Self::of(world, TestRequest::get(), query).await
    }

    async fn of(world: &World, request: TestRequest, query: &str) -> Self {
        let token = format!("Bearer {}", world.token(AUDIT));
        let path = format!("/api/v1/messages/stream?partition=0{query}");
        let request = request.uri(&path).insert_header(("authorization", token)).to_request();
        let app = init_service(dispense_http::app(world.door.clone())).await;
        let response = call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
        assert_eq!(response.headers().get("dispense-epoch").unwrap(), "3");
        let mut reading = Self(response.into_body().boxed());
        assert_eq!(reading.next().await.as_deref(), Some("retry: 1000\n\n"));
        reading
    }

    async fn next(&mut self) -> Option<String> {
        let piece =
            std::future::poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await?;
        Some(String::from_utf8(piece.unwrap().to_vec()).unwrap())
    }
}

/// Id and topic's last word of each block.
fn blocks(piece: &str) -> Vec<(Option<&str>, Option<&str>)> {
    piece
        .split_terminator("\n\n")
        .map(|block| {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            let topic = field("event: ").and_then(|topic| topic.rsplit('.').next());
            (field("id: "), topic)
        })
        .collect()
}

#[actix_web::test]
async fn a_stream_has_the_lines_of_the_list_and_an_id_where_all_was_told() {
    let world = world().await;
    let listed = asked(&world, "").await;
    let mut reading = Reading::begin(&world, "").await;
    let piece = reading.next().await.unwrap();
    let sent: Vec<&str> = piece.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(sent, listed.text().lines().collect::<Vec<_>>());
    let expected = [
        (Some("0:1"), Some("hold_created")),
        (Some("0:2"), Some("cancelled")),
        (Some("0:4"), Some("recorded")),
        (None, Some("recorded")),
        (Some("0:6"), Some("fully_dispensed")),
    ];
    assert_eq!(blocks(&piece), expected);

    // What comes is told; where the last events have no message, the id comes by itself.
    let (next, ()) = futures::join!(reading.next(), async {
        let mut inner = world.state.get();
        let mut event = inner.events[2].clone();
        event.1.place.position = 7;
        inner.events.push(event);
    });
    assert_eq!(next.unwrap(), "id: 0:7\n\n");
}

#[actix_web::test]
async fn who_comes_back_goes_on_behind_the_last_id() {
    let world = world().await;
    let back = TestRequest::get().insert_header(("last-event-id", "0:4"));
    let piece = Reading::of(&world, back, "&after=1").await.next().await.unwrap();
    assert_eq!(blocks(&piece), [(None, Some("recorded")), (Some("0:6"), Some("fully_dispensed"))]);
    let topic = "&type=ndp.events.dispense.cancelled";
    let piece = Reading::begin(&world, topic).await.next().await.unwrap();
    assert_eq!(blocks(&piece), [(Some("0:2"), Some("cancelled")), (Some("0:6"), None)]);
}

#[actix_web::test]
async fn a_stream_ends_with_the_service_and_when_the_log_cannot_be_read() {
    let world = world().await;
    let mut waiting = Reading::begin(&world, "&after=6").await;
    let mut reading = Reading::begin(&world, "").await;
    world.state.get().failure = Some(|| AppendError::Busy);
    assert_eq!(reading.next().await, None);
    world.state.get().failure = None;
    world.closing.cancel();
    assert_eq!(waiting.next().await, None);
}
