//! `POST /api/v1/registry/import`

use actix_web::test::TestRequest;
use serde_json::json;

use super::world::{WRITE, World};

fn import(lines: impl Into<actix_web::web::Bytes>) -> TestRequest {
    TestRequest::post()
        .uri("/api/v1/registry/import")
        .insert_header(("content-type", "application/x-ndjson"))
        .set_payload(lines)
}

#[actix_web::test]
async fn good_lines_are_applied_and_faulty_ones_listed() {
    let world = World::new().await;
    let long = "x".repeat(64 * 1024 + 1);
    let lines = format!("{{\"a\":1}}\r\nnonsense\n\n{long}\n{{\"b\":2}}");
    let answer = world.send(import(lines)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json(),
        json!({
            "read": 4,
            "applied": 2,
            "faultyCount": 2,
            "faulty": [
                {"line": 2, "code": "not-json", "message": "expected a JSON object"},
                {"line": 4, "code": "line-too-long", "message": "expected at most 65536 bytes"},
            ],
        })
    );
    let state = world.state.get();
    let lines: Vec<(u64, &[u8])> =
        state.batches[0].iter().map(|line| (line.number, line.bytes.as_slice())).collect();
    assert_eq!(lines, [(1, &b"{\"a\":1}"[..]), (2, b"nonsense"), (5, b"{\"b\":2}")]);
}

#[actix_web::test]
async fn nothing_to_import_is_nothing_wrong() {
    let world = World::new().await;
    let answer = world.send(import("")).await;
    assert_eq!(answer.json(), json!({"read": 0, "applied": 0, "faultyCount": 0, "faulty": []}));
    assert!(world.state.get().batches.is_empty());
}

#[actix_web::test]
async fn lines_are_applied_in_batches_of_bounded_length_and_size() {
    let world = World::new().await;
    assert_eq!(world.send(import("{}\n".repeat(4_500))).await.json()["applied"], 4_500);
    let big = format!("{{{}}}\n", " ".repeat(60_000));
    assert_eq!(world.send(import(big.repeat(20))).await.json()["applied"], 20);
    let state = world.state.get();
    let lengths: Vec<usize> = state.batches.iter().map(Vec::len).collect();
    assert_eq!(lengths, [2_000, 2_000, 500, 18, 2]);
}

#[actix_web::test]
async fn more_faulty_lines_are_counted_than_listed() {
    let world = World::new().await;
    let answer = world.send(import("x\n".repeat(2_500))).await.json();
    assert_eq!(answer["faultyCount"], 2_500);
    assert_eq!(answer["faulty"].as_array().unwrap().len(), 1_000);
    assert_eq!(answer["faulty"][999]["line"], 1_000);
}

#[actix_web::test]
async fn a_registry_that_falls_silent_ends_the_import() {
    let world = World::new().await;
    world.state.get().takes_batches = 1;
    let answer = world.send(import("{}\n".repeat(4_500))).await;
    assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
    assert_eq!(answer.json()["errors"][0]["params"], json!({"applied": 2_000}));
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[actix_web::test]
async fn the_lines_may_be_declared_in_several_ways_or_not_at_all() {
    let world = World::new().await;
    let import = || TestRequest::post().uri("/api/v1/registry/import").set_payload("{}");
    assert_eq!(world.send(import()).await.status, 200);
    for (media_type, status) in [
        ("application/json", 200),
        ("application/x-ndjson; charset=utf-8", 200),
        ("text/plain", 200),
        ("text/csv", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let answer = world.send(import().insert_header(("content-type", media_type))).await;
        assert_eq!(answer.status, status, "{media_type}");
    }
    let packed = world.send(import().insert_header(("content-encoding", "gzip"))).await;
    assert_eq!(packed.problem(), (415, "unsupported-media-type".to_owned()));
}

#[actix_web::test]
async fn only_the_registry_scope_imports() {
    let world = World::new().await;
    let answer = world.send_as(&world.token(WRITE), import("{}")).await;
    assert_eq!(answer.problem(), (403, "missing-scope".to_owned()));
    assert!(world.state.get().batches.is_empty());
}
