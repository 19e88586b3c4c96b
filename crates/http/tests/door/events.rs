//! `GET /api/v1/events` and `GET /api/v1/events/stream`

use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::test::{TestRequest, call_service, init_service};
use dispensary::AppendError;
use dispensary::access::Looked;

use super::world::{AUDIT, Answer, READ, World, sample};

/// A world whose log has `count` events.
async fn world(count: usize) -> World {
    let world = World::new().await;
    world.create("first", &sample::hold()).await;
    let mut inner = world.state.get();
    let first = inner.events[0].clone();
    inner.events.clear();
    for position in (1..).take(count) {
        let mut event = first.clone();
        event.1.place.position = position;
        inner.events.push(event);
    }
    drop(inner);
    world
}

async fn asked(world: &World, path: &str) -> Answer {
    world.send_as(&world.token(AUDIT), TestRequest::get().uri(path)).await
}

fn lines(answer: &Answer) -> Vec<String> {
    answer.text().lines().map(str::to_owned).collect()
}

fn at(positions: std::ops::RangeInclusive<u32>) -> Vec<String> {
    positions.map(|position| format!("{{\"position\":{position}}}")).collect()
}

#[actix_web::test]
async fn the_log_is_sent_from_a_place_on_and_says_where_it_goes_on() {
    // More than are read at once.
    let world = world(450).await;
    let answer = asked(&world, "/api/v1/events?partition=0&after=10&limit=430").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("dispense-position"), Some("0:440"));
    assert_eq!(answer.header("dispense-epoch"), Some("3"));
    let next = "</api/v1/events?partition=0&after=440&limit=430>; rel=\"next\"";
    assert_eq!(answer.header("link"), Some(next));
    assert!(answer.text().ends_with('\n'));
    assert_eq!(lines(&answer), at(11..=440));

    let rest = asked(&world, "/api/v1/events?partition=0&after=440&limit=430").await;
    assert_eq!(lines(&rest), at(441..=450));
    assert_eq!(rest.header("dispense-position"), Some("0:450"));
}

#[actix_web::test]
async fn the_end_of_the_log_is_an_empty_answer_that_leads_on() {
    let world = world(2).await;
    let answer = asked(&world, "/api/v1/events?partition=0&after=2").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, ""));
    let next = "</api/v1/events?partition=0&after=2&limit=1000>; rel=\"next\"";
    assert_eq!(answer.header("link"), Some(next));
    assert_eq!(lines(&asked(&world, "/api/v1/events?partition=0").await), at(1..=2));
}

#[actix_web::test]
async fn a_place_that_the_log_does_not_reach_is_refused() {
    let world = world(2).await;
    for path in ["/api/v1/events", "/api/v1/events/stream"] {
        let answer = asked(&world, &format!("{path}?partition=0&after=3")).await;
        assert_eq!(answer.problem(), (400, "position-invalid".to_owned()));
        assert_eq!(answer.json()["errors"][0]["params"]["head"], "0:2");
    }
}

#[actix_web::test]
async fn what_is_asked_wrongly_is_told_at_once() {
    let world = world(2).await;
    for (query, paths) in [
        ("", &["?partition"][..]),
        ("?partition=1024", &["?partition"]),
        ("?partition=-1", &["?partition"]),
        ("?partition=x&after=-1&limit=0&page=2", &["?partition", "?after", "?limit", "?page"]),
        ("?partition=0&limit=10001", &["?limit"]),
        ("?partition=0&after=99999999999999999999", &["?after"]),
    ] {
        let answer = asked(&world, &format!("/api/v1/events{query}")).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{query}");
        let found: Vec<String> = answer.violations().into_iter().map(|it| it.0).collect();
        assert_eq!(found, paths, "{query}");
    }
    let answer = asked(&world, "/api/v1/events/stream?partition=0&limit=5").await;
    assert_eq!(answer.problem().0, 422, "a stream has no limit");
}

#[actix_web::test]
async fn only_auditors_read_the_log_and_leave_a_record() {
    let world = world(1).await;
    for path in ["/api/v1/events?partition=0", "/api/v1/events/stream?partition=0"] {
        let answer = world.send_as(&world.token(READ), TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), (403, "missing-scope".to_owned()));
    }
    let before = world.state.get().accesses.len();
    asked(&world, "/api/v1/events?partition=0").await;
    assert_eq!(world.state.get().accesses[before..].len(), 1);
    assert_eq!(world.state.get().accesses[before].looked, Looked::Events);
    world.state.get().access_log_is_full = true;
    let answer = asked(&world, "/api/v1/events?partition=0").await;
    assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
}

#[actix_web::test]
async fn an_answer_is_compressed_if_asked() {
    let world = world(300).await;
    let request = TestRequest::get().uri("/api/v1/events?partition=0");
    let request = request.insert_header(("accept-encoding", "gzip"));
    let answer = world.send_as(&world.token(AUDIT), request).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.body[..2], [0x1f, 0x8b]);
    assert!(answer.body.len() < 3_000, "{} bytes", answer.body.len());
    let plain = asked(&world, "/api/v1/events?partition=0").await;
    assert_eq!(plain.header("content-encoding"), None);
}

/// A stream that is read piece by piece.
struct Reading(BoxBody);

impl Reading {
    /// Begins to read.
    async fn begin(world: &World, request: TestRequest) -> Self {
        let token = format!("Bearer {}", world.token(AUDIT));
        let request = request.insert_header(("authorization", token)).to_request();
        let app = init_service(dispense_http::app(world.door.clone())).await;
        let response = call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers.get("content-type").unwrap(), "text/event-stream");
        assert_eq!(headers.get("dispense-epoch").unwrap(), "3");
        let body = response.into_body();
        assert_eq!(body.size(), BodySize::Stream);
        let mut reading = Self(body.boxed());
        assert_eq!(reading.next().await.as_deref(), Some("retry: 1000\n\n"));
        reading
    }

    /// The next piece; none at the end.
    async fn next(&mut self) -> Option<String> {
        let piece =
            std::future::poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await?;
        Some(String::from_utf8(piece.unwrap().to_vec()).unwrap())
    }
}

fn sent(positions: std::ops::RangeInclusive<u32>) -> String {
    let event = |position| {
        format!("id: 0:{position}\nevent: HoldCreated\ndata: {{\"position\":{position}}}\n\n")
    };
    positions.map(event).collect()
}

fn stream(query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/events/stream?partition=0{query}"))
}

#[actix_web::test]
async fn a_stream_has_what_is_there_and_then_what_comes() {
    let world = world(3).await;
    let mut reading = Reading::begin(&world, stream("&after=1")).await;
    assert_eq!(reading.next().await.unwrap(), sent(2..=3));
    let (next, ()) = futures::join!(reading.next(), async {
        let mut inner = world.state.get();
        let mut event = inner.events[0].clone();
        event.1.place.position = 4;
        inner.events.push(event);
    });
    assert_eq!(next.unwrap(), sent(4..=4));
}

#[actix_web::test]
async fn who_comes_back_goes_on_behind_the_last_id() {
    let world = world(5).await;
    let back = stream("&after=1").insert_header(("last-event-id", "0:4"));
    assert_eq!(Reading::begin(&world, back).await.next().await.unwrap(), sent(5..=5));
    let first = stream("&after=3").insert_header(("last-event-id", ""));
    assert_eq!(Reading::begin(&world, first).await.next().await.unwrap(), sent(4..=5));
    for strange in ["1:4", "4", "0:", "0:-1", "x", "0:6"] {
        let token = world.token(AUDIT);
        let back = stream("").insert_header(("last-event-id", strange));
        let answer = world.send_as(&token, back).await;
        assert_eq!(answer.problem(), (400, "position-invalid".to_owned()), "{strange}");
    }
}

#[actix_web::test]
async fn a_stream_ends_when_the_service_stops_and_none_begins_then() {
    let world = world(1).await;
    let mut reading = Reading::begin(&world, stream("&after=1")).await;
    world.closing.cancel();
    assert_eq!(reading.next().await, None);
    let answer = world.send_as(&world.token(AUDIT), stream("")).await;
    assert_eq!(answer.problem(), (503, "busy".to_owned()));
}

#[actix_web::test]
async fn a_stream_ends_when_the_log_cannot_be_read() {
    let world = world(1).await;
    let mut reading = Reading::begin(&world, stream("")).await;
    world.state.get().failure = Some(|| AppendError::Busy);
    assert_eq!(reading.next().await, None);
}

#[actix_web::test]
async fn so_many_may_read_and_their_places_are_given_back() {
    let world = world(1).await;
    let mut readings = Vec::new();
    for _ in 0..32 {
        readings.push(Reading::begin(&world, stream("")).await);
    }
    for path in ["/api/v1/events?partition=0", "/api/v1/events/stream?partition=0"] {
        let answer = asked(&world, path).await;
        assert_eq!(answer.problem(), (503, "busy".to_owned()));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    readings.pop();
    assert_eq!(asked(&world, "/api/v1/events?partition=0").await.status, 200);
}

#[actix_web::test]
async fn a_quiet_stream_shows_that_it_is_still_there_and_ends_after_an_hour() {
    let world = world(1).await;
    let mut reading = Reading::begin(&world, stream("&after=1")).await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let mut beats = 0;
    while let Some(piece) = reading.next().await {
        assert_eq!(piece, ":\n\n");
        beats += 1;
    }
    let took = begun.elapsed();
    assert!((238..=241).contains(&beats), "{beats} heartbeats");
    assert!(took.abs_diff(Duration::from_hours(1)) < Duration::from_mins(1), "{took:?}");
}
