//! What goes wrong before a command is understood: in the envelope too.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use dispensary::{AppendError, Unavailable};
use serde_json::json;

use super::super::world::sample::IN_PARTS;
use super::super::world::{READ, WRITE, World};
use super::{action, blamed, create, create_with, hold, part, said};

#[actix_web::test]
async fn an_unknown_path_leads_nowhere() {
    let world = World::new().await;
    for path in ["/api", "/api/", "/api/nothing", "/api/pharmacy", "/api/pharmacy/nothing"] {
        let answer = world.send_bare(TestRequest::get().uri(path)).await;
        assert_eq!(answer.error(), said(404, "not_found", "There is no such thing"), "{path}");
        assert_eq!(answer.json()["meta"]["url"], format!("http://localhost:8080{path}"));
        assert_eq!(answer.code(), "not-found");
    }
    for path in ["/apis", "/api/v1/nothing", "/api/v1", "/api/v2/x"] {
        let answer = world.send_bare(TestRequest::get().uri(path)).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{path}");
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_named_with_those_it_takes() {
    let world = World::new().await;
    for prefix in super::PREFIXES {
        let path = format!("{prefix}/medication_dispenses/17/actions/reject");
        let answer = world.send_bare(TestRequest::post().uri(&path)).await;
        let pattern = format!("{prefix}/medication_dispenses/{{id}}/actions/reject takes PATCH");
        assert_eq!(answer.error(), said(405, "method_not_allowed", &pattern));
        assert_eq!(answer.header("allow"), Some("PATCH"));
    }
    let delete = TestRequest::default().method(Method::DELETE).uri("/api/medication_dispenses");
    let answer = world.send_bare(delete).await;
    assert_eq!(answer.error().0, 405);
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[actix_web::test]
async fn token_and_scope_come_before_anything_else() {
    let world = World::new().await;
    let wrong = || create_with("not json").insert_header(("x-idempotency-key", "a b"));
    let answer = world.send_bare(wrong()).await;
    assert_eq!(answer.error(), said(401, "access_denied", "Invalid access token"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(world.send_as(&world.token(READ), wrong()).await.error().0, 403);
    let answer = world.send_as(&world.token(WRITE), wrong()).await;
    let text = "expected an X-Idempotency-Key of 1 to 255 visible ASCII characters";
    assert_eq!(answer.error(), said(400, "request_malformed", text));
    assert_eq!(answer.code(), "idempotency-key-invalid");
}

#[actix_web::test]
async fn a_body_that_is_not_understood_is_refused_in_the_envelope() {
    let world = World::new().await;
    let request = json!([{"entry_type": "request", "rules": [{"rule": "json"}]}]);
    let malformed = world.send(create_with("{")).await;
    assert_eq!(malformed.error().0, 400);
    assert_eq!(malformed.error().1, "request_malformed");
    assert_eq!(malformed.json()["error"]["invalid"], request);
    let large = world.send(create_with(&" ".repeat(256 * 1024 + 1))).await;
    assert_eq!(large.error(), said(413, "request_too_large", "The body is too large"));
    let plain = world.send(create(&hold()).insert_header(("content-type", "text/plain"))).await;
    let text = "The body is of another media type";
    assert_eq!(plain.error(), said(415, "content_type_invalid", text));
}

#[actix_web::test]
async fn a_dry_run_is_refused_and_nothing_is_done() {
    let world = World::new().await;
    let id = world.hold_id(&part(IN_PARTS, 5)).await;
    let unknown = [blamed("$.dryRun", "schema", "schema does not allow additional properties")];
    for query in ["dryRun=true", "dryRun=false", "dryRun", "code=1&dry%52un=true&code=2"] {
        for prefix in super::PREFIXES {
            let path = format!("{prefix}/medication_dispenses");
            let of_hold = |name| format!("{path}/{id}/actions/{name}?{query}");
            for command in [
                create(&hold()).uri(&format!("{path}?{query}")),
                action(&id, "process", &json!({})).uri(&of_hold("process")),
                action(&id, "reject", &json!({})).uri(&of_hold("reject")),
            ] {
                let answer = world.send(command).await;
                assert_eq!(answer.invalid(), unknown, "{prefix} {query}");
                assert_eq!(answer.code(), "schema");
            }
        }
    }
    assert_eq!(world.state.get().events.len(), 1, "the hold alone");

    let tried = |query| create(&hold()).uri(&format!("/api/medication_dispenses?{query}"));
    let reader = world.send_as(&world.token(READ), tried("dryRun=true")).await;
    assert_eq!(reader.error().0, 403, "who may not dispense learns nothing else");
    let ignored = world.send(tried("dry=true&colour=red")).await;
    assert_eq!(ignored.status, 201, "{}", ignored.text());
}

#[actix_web::test]
async fn every_answer_to_a_command_echoes_the_key() {
    let world = World::new().await;
    let keyed = |request: TestRequest| request.insert_header(("x-idempotency-key", "k1"));
    let answers = [
        world.send_bare(keyed(create(&hold()))).await,
        world.send_as(&world.token(READ), keyed(create(&hold()))).await,
        world.send(keyed(create_with("{"))).await,
        world.send(keyed(create_with("{}"))).await,
        world.send(keyed(create_with(&" ".repeat(300_000)))).await,
        world.send(keyed(action("17", "reject", &json!({})))).await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.error().0).collect();
    assert_eq!(statuses, [401, 403, 400, 422, 413, 404]);
    for answer in answers {
        assert_eq!(answer.header("x-idempotency-key"), Some("k1"), "{}", answer.text());
        assert_eq!(answer.json()["meta"]["idempotency_key"], "k1");
    }
}

#[actix_web::test]
async fn a_log_that_cannot_be_written_is_told_apart_by_code() {
    let failures: [(fn() -> AppendError, _, _, _); 6] = [
        (|| AppendError::Busy, 503, "service_unavailable", "busy"),
        (|| AppendError::OutcomeUnknown, 503, "service_unavailable", "outcome-unknown"),
        (|| AppendError::ClockUnsound, 503, "service_unavailable", "clock-unsound"),
        (
            || AppendError::Unavailable(Unavailable::database("secret cause")),
            503,
            "service_unavailable",
            "unavailable",
        ),
        (|| AppendError::Bug, 500, "internal_error", "bug"),
        (|| panic!("a bug"), 500, "internal_error", "bug"),
    ];
    for (failure, status, kind, code) in failures {
        // A panic poisons what it holds: each has a world of its own.
        let world = World::new().await;
        world.state.get().failure = Some(failure);
        let answer = world.held("k1", &hold()).await;
        let (said_status, said_kind, _) = answer.error();
        assert_eq!((said_status, said_kind.as_str(), answer.code().as_str()), (status, kind, code));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
        assert_eq!(answer.header("x-idempotency-key"), Some("k1"));
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}
