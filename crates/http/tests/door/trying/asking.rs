//! How a dry run is asked for, and what stops it before any rule is asked.

use actix_web::test::TestRequest;
use dispensary::{AppendError, Unavailable};
use serde_json::json;

use super::super::world::sample::{REQUEST, hold};
use super::super::world::{READ, World, create};
use super::dry_run;

#[actix_web::test]
async fn what_stops_alone_stops_a_dry_run_alone() {
    let world = World::new().await;
    let bare = world.send_bare(dry_run(&hold())).await;
    assert_eq!(bare.problem(), (401, "invalid-token".to_owned()));
    let reader = world.send_as(&world.token(READ), dry_run(&hold())).await;
    assert_eq!(reader.problem(), (403, "missing-scope".to_owned()));
    let schema = world.send(dry_run(&json!({}))).await;
    assert_eq!(schema.problem(), (422, "schema".to_owned()));
    assert!(schema.violations().len() > 3, "every violation");
    world.state.get().failure = Some(|| AppendError::Unavailable(Unavailable::database("secret")));
    let silent = world.send(dry_run(&hold())).await;
    assert_eq!(silent.problem(), (503, "unavailable".to_owned()));
    for answer in [bare, reader, schema, silent] {
        assert!(answer.json().get("rules").is_none());
        assert!(answer.json().get("dryRun").is_none());
    }
}

#[actix_web::test]
async fn only_true_and_false_are_understood_and_nothing_is_overlooked() {
    let world = World::new().await;
    let inclusion = "value is not allowed in enum";
    let unknown = "schema does not allow additional properties";
    let cases: [(&str, &[(&str, &str)]); 9] = [
        ("dryRun", &[("?dryRun", inclusion)]),
        ("dryRun=", &[("?dryRun", inclusion)]),
        ("dryRun=True", &[("?dryRun", inclusion)]),
        ("dryRun=1", &[("?dryRun", inclusion)]),
        ("dryRun=tru%65", &[("?dryRun", inclusion)]),
        ("dry%52un=true", &[("?dry%52un", unknown)]),
        ("dryrun=true", &[("?dryrun", unknown)]),
        ("dryRun=true&dryRun=true", &[("?dryRun", "property dryRun is present more than once")]),
        ("a=1&dryRun=yes&b", &[("?dryRun", inclusion), ("?a", unknown), ("?b", unknown)]),
    ];
    for (query, expected) in cases {
        let uri = format!("/api/v1/dispenses?{query}");
        let answer = world.send(create(&hold().to_string()).uri(&uri)).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{query}");
        let violations = answer.violations();
        let told: Vec<(&str, &str)> =
            violations.iter().map(|(path, _, message)| (path.as_str(), message.as_str())).collect();
        assert_eq!(told, expected, "{query}");
        if expected[0] == ("?dryRun", inclusion) {
            let params = &answer.json()["errors"][0]["params"];
            assert_eq!(params, &json!({"values": ["true", "false"]}), "{query}");
        }
    }
    assert!(world.state.get().origins.is_empty(), "nothing was asked of the log");
    let held = create(&hold().to_string()).uri("/api/v1/dispenses?dryRun=false&");
    assert_eq!(world.send(held).await.status, 201);
}

#[actix_web::test]
async fn other_commands_know_no_dry_run() {
    let world = World::new().await;
    for command in ["cancel", "process"] {
        let uri = format!("/api/v1/dispenses/{REQUEST}/{command}?dryRun=true");
        let answer = world.send(TestRequest::post().uri(&uri)).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{command}");
        assert_eq!(answer.violations()[0].0, "?dryRun");
    }
}
