//! What goes wrong before a command is understood, and what every answer carries.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use dispensary::{AppendError, Unavailable};
use serde_json::{Value, json};

use super::world::sample;
use super::world::{READ, WRITE, World, create};

fn expected(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn an_unknown_path_leads_nowhere() {
    let world = World::new().await;
    for path in
        ["/", "/api/v1", "/api/v1/dispenses/", "/api/v2/dispenses", "/api/v1/docs/nothing.js"]
    {
        let answer = world.send_bare(TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), expected(404, "not-found"), "{path}");
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_named_with_those_it_takes() {
    let world = World::new().await;
    let id = "00000000-0000-4000-8000-0000000000e1";
    for (method, path, allow) in [
        (Method::PUT, "/api/v1/dispenses".to_owned(), "GET, POST"),
        (Method::DELETE, format!("/api/v1/dispenses/{id}"), "GET"),
        (Method::GET, format!("/api/v1/dispenses/{id}/cancel"), "POST"),
        (Method::POST, "/metrics".to_owned(), "GET"),
        (Method::PUT, "/api/v1/docs/".to_owned(), "GET"),
    ] {
        let request = TestRequest::default().method(method).uri(&path);
        let answer = world.send_bare(request).await;
        assert_eq!(answer.problem(), expected(405, "method-not-allowed"), "{path}");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[actix_web::test]
async fn a_body_that_is_not_json_is_not_understood() {
    let world = World::new().await;
    for body in ["", " ", "{", "{\"a\":1,}", "{} {}", "{'a':1}", "NaN", "\u{feff}{}", "{\"a\":01}"]
    {
        let answer = world.send(create(body)).await;
        assert_eq!(answer.problem(), expected(400, "malformed-json"), "{body}");
    }
    for bytes in [&b"{\"a\": \"\xff\"}"[..], b"\xff\xfe{\0}\0", b"{\"a\": \"\x01\"}"] {
        let answer = world.send(create("").set_payload(bytes)).await;
        assert_eq!(answer.problem(), expected(400, "malformed-json"), "{bytes:?}");
    }
    // A made-up text in the body is never shown back.
    let answer = world.send(create("{\"secret\"")).await;
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[actix_web::test]
async fn a_body_is_nested_no_deeper_than_32() {
    let world = World::new().await;
    let nested = |depth: usize| {
        let inside = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"x\": {inside}, {}", &sample::hold().to_string()[1..])
    };
    let answer = world.send(create(&nested(32))).await;
    assert_eq!(answer.problem(), expected(422, "schema"));
    assert_eq!(answer.violations()[0].0, "$.x");
    let answer = world.send(create(&nested(33))).await;
    assert_eq!(answer.problem(), expected(400, "malformed-json"));
    let answer = world.send(create(&"[".repeat(200_000))).await;
    assert_eq!(answer.problem(), expected(400, "malformed-json"));
}

#[actix_web::test]
async fn a_body_has_at_most_256_kib() {
    let world = World::new().await;
    let padded = |length: usize| {
        let body = sample::hold().to_string();
        let room = length - body.len();
        format!("{}{body}", " ".repeat(room))
    };
    let answer = world.send(create(&padded(256 * 1024))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = world.send(create(&padded(256 * 1024 + 1))).await;
    assert_eq!(answer.problem(), expected(413, "too-large"));
    assert_eq!(answer.json()["errors"][0]["params"], json!({"limit": 262_144}));
    let announced = create("{}").insert_header(("content-length", "300000"));
    assert_eq!(world.send(announced).await.problem(), expected(413, "too-large"));
}

#[actix_web::test]
async fn a_body_says_that_it_is_json() {
    let world = World::new().await;
    let body = sample::hold().to_string();
    let create = || TestRequest::post().uri("/api/v1/dispenses").set_payload(body.clone());
    for media_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/vnd.ndp+json",
        "application/json ;charset=utf-8",
    ] {
        let answer = world.send(create().insert_header(("content-type", media_type))).await;
        assert_ne!(answer.status, 415, "{media_type}");
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "json", "text/x+json"] {
        let answer = world.send(create().insert_header(("content-type", media_type))).await;
        assert_eq!(answer.problem(), expected(415, "unsupported-media-type"), "{media_type}");
    }
    assert_eq!(world.send(create()).await.problem(), expected(415, "unsupported-media-type"));
    let packed = create()
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-encoding", "gzip"));
    assert_eq!(world.send(packed).await.problem(), expected(415, "unsupported-media-type"));
}

#[actix_web::test]
async fn a_question_that_nobody_knows_is_not_overlooked() {
    let world = World::new().await;
    for (path, name) in [
        ("/api/v1/dispenses/00000000-0000-4000-8000-0000000000e1?expand=all", "?expand"),
        ("/api/v1/prescriptions/00000000-0000-4000-8000-0000000000e1?a=1", "?a"),
        ("/api/v1/errors?code", "?code"),
    ] {
        let answer = world.send(TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), expected(422, "schema"), "{path}");
        assert_eq!(answer.violations()[0].0, name);
    }
    let asked = create(&sample::hold().to_string()).uri("/api/v1/dispenses?x=1&dryrun=true");
    let answer = world.send(asked).await;
    assert_eq!(answer.problem(), expected(422, "schema"));
    let paths: Vec<String> = answer.violations().into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths, ["?x", "?dryrun"]);
    assert!(world.state.get().origins.is_empty());
}

#[actix_web::test]
async fn token_and_scope_come_before_anything_else() {
    let world = World::new().await;
    let wrong = || {
        create("not json").uri("/api/v1/dispenses?x=1").insert_header(("idempotency-key", "a b"))
    };
    let answer = world.send_bare(wrong()).await;
    assert_eq!(answer.problem(), expected(401, "invalid-token"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));

    let answer = world.send_as(&world.token(READ), wrong()).await;
    assert_eq!(answer.problem(), expected(403, "missing-scope"));
    assert_eq!(answer.json()["errors"][0]["params"], json!({"scope": WRITE}));

    let answer = world.send_as(&world.token(WRITE), wrong()).await;
    assert_eq!(answer.problem(), expected(400, "idempotency-key-invalid"));
}

#[actix_web::test]
async fn an_idempotency_key_is_visible_and_there_is_one() {
    let world = World::new().await;
    for key in ["", "a b", "\t", "ключ", &"k".repeat(256)] {
        let request =
            create(&sample::hold().to_string()).insert_header(("idempotency-key", key.as_bytes()));
        let answer = world.send(request).await;
        assert_eq!(answer.problem(), expected(400, "idempotency-key-invalid"), "{key}");
        assert_eq!(answer.header("idempotency-key"), None);
    }
    let two = create("{}")
        .append_header(("idempotency-key", "a"))
        .append_header(("idempotency-key", "a"));
    assert_eq!(world.send(two).await.problem(), expected(400, "idempotency-key-invalid"));
    let longest = "k".repeat(255);
    assert_eq!(world.create(&longest, &sample::hold()).await.status, 201);
}

#[actix_web::test]
async fn every_answer_to_a_command_echoes_the_key() {
    let world = World::new().await;
    let drawn = world.send(create("{}")).await;
    let key = drawn.header("idempotency-key").unwrap();
    assert_eq!(uuid::Uuid::parse_str(key).unwrap().get_version_num(), 4);

    let keyed = |request: TestRequest| request.insert_header(("idempotency-key", "k1"));
    let answers = [
        world.send_bare(keyed(create("{}"))).await,
        world.send_as(&world.token(READ), keyed(create("{}"))).await,
        world.send(keyed(create("{"))).await,
        world.send(keyed(create("{}"))).await,
        world.send(keyed(create("{}").insert_header(("content-type", "text/plain")))).await,
        world.send(keyed(create(&" ".repeat(300_000)))).await,
        world.cancel("17", "k1").await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [401, 403, 400, 422, 415, 413, 404]);
    for answer in answers {
        assert_eq!(answer.header("idempotency-key"), Some("k1"), "{}", answer.text());
    }
}

#[actix_web::test]
async fn a_log_that_cannot_be_written_is_told_apart_by_code() {
    let world = World::new().await;
    let failures: [(fn() -> AppendError, _, _); 5] = [
        (|| AppendError::Busy, 503, "busy"),
        (|| AppendError::OutcomeUnknown, 503, "outcome-unknown"),
        (|| AppendError::ClockUnsound, 503, "clock-unsound"),
        (|| AppendError::Unavailable(Unavailable::database("secret cause")), 503, "unavailable"),
        (|| AppendError::Bug, 500, "bug"),
    ];
    for (failure, status, code) in failures {
        world.state.get().failure = Some(failure);
        let answer = world.create("k1", &sample::hold()).await;
        assert_eq!(answer.problem(), expected(status, code));
        assert_eq!(answer.header("idempotency-key"), Some("k1"));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
    let answer = world.look("00000000-0000-4000-8000-0000000000e1").await;
    assert_eq!(answer.problem(), expected(503, "unavailable"));
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[actix_web::test]
async fn a_panic_is_a_problem_of_its_request_alone() {
    let world = World::new().await;
    world.state.get().failure = Some(|| panic!("a bug"));
    let answer = world.create("k1", &sample::hold()).await;
    assert_eq!(answer.problem(), expected(500, "bug"));
    assert_eq!(answer.header("idempotency-key"), Some("k1"));
}

#[actix_web::test]
async fn every_answer_carries_the_name_of_its_request() {
    let world = World::new().await;
    for path in ["/health/live", "/metrics", "/api/v1/errors", "/api/v1/docs/", "/nowhere"] {
        let named = TestRequest::get().uri(path).insert_header(("x-request-id", "till-4/77"));
        assert_eq!(
            world.send_bare(named).await.header("x-request-id"),
            Some("till-4/77"),
            "{path}"
        );
    }
    for bad in ["", "a b", &"x".repeat(256)] {
        let named = TestRequest::get().uri("/nowhere").insert_header(("x-request-id", bad));
        let answer = world.send_bare(named).await;
        let drawn = answer.header("x-request-id").unwrap();
        assert!(uuid::Uuid::parse_str(drawn).is_ok(), "{drawn}");
        assert_eq!(answer.json()["requestId"], Value::from(drawn));
    }
}
