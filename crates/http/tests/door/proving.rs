//! `GET /api/v1/audit/…`: what was signed, and proofs.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::world::proofs::{KEY, Proved};
use super::world::{AUDIT, Answer, READ, World};

async fn ask(world: &World, what: &str) -> Answer {
    let request = TestRequest::get().uri(&format!("/api/v1/audit/{what}"));
    world.send_as(&world.token(AUDIT), request).await
}

/// A log with that many checkpoints.
async fn signed(checkpoints: i64) -> World {
    let world = World::new().await;
    let proved = Proved {
        checkpoints: (1..=checkpoints).map(Proved::checkpoint).collect(),
        size: 10 * checkpoints.cast_unsigned() + 5,
        ..Proved::default()
    };
    world.state.get().proved = proved;
    world
}

fn shown(size: u64) -> Value {
    json!({
        "partition": 0, "size": size, "root": "ab".repeat(32), "epoch": 3, "erasures": 2,
        "recordedAt": "2026-03-02T10:00:00.000000Z", "note": format!("dispense/log/0\n{size}\n"),
    })
}

#[actix_web::test]
async fn the_latest_checkpoint_of_each_partition_comes_with_the_key_that_verifies_it() {
    let answer = ask(&signed(3).await, "checkpoints").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), json!({"items": [shown(30)], "next": null, "verifierKey": KEY}));
    let none = ask(&World::new().await, "checkpoints").await.json();
    assert_eq!(none, json!({"items": [], "next": null, "verifierKey": KEY}));
}

#[actix_web::test]
async fn checkpoints_are_walked_back_to_the_first() {
    let world = signed(5).await;
    let (mut sizes, mut query) = (Vec::new(), "?partition=0&limit=2".to_owned());
    loop {
        let answer = ask(&world, &format!("checkpoints{query}")).await;
        let page = answer.json();
        sizes.extend(page["items"].as_array().unwrap().iter().map(|it| it["size"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?partition=0&limit=2&cursor={next}");
        let link = format!("</api/v1/audit/checkpoints{query}>; rel=\"next\"");
        assert_eq!(answer.header("link"), Some(&*link));
    }
    assert_eq!(sizes, [50, 40, 30, 20, 10]);
}

#[actix_web::test]
async fn a_proof_leads_from_the_leaf_to_the_checkpoint() {
    let world = signed(3).await;
    let answer = ask(&world, "proof?partition=0&position=12").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let expected = json!({
        "partition": 0, "position": 12, "leafIndex": 11, "leafHash": "01".repeat(32), "size": 30,
        "root": "ab".repeat(32), "path": ["02".repeat(32), "03".repeat(32)],
        "checkpoint": shown(30),
    });
    assert_eq!(answer.json(), expected);
    let other = ask(&world, "proof?partition=0&position=12&size=20").await.json();
    assert_eq!((&other["size"], &other["checkpoint"]), (&json!(20), &Value::Null));
}

#[actix_web::test]
async fn a_log_that_only_grew_proves_it() {
    let answer = ask(&signed(3).await, "consistency?partition=0&from=10&to=30").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let expected = json!({
        "partition": 0, "from": 10, "fromRoot": "04".repeat(32), "to": 30,
        "toRoot": "ab".repeat(32), "path": ["05".repeat(32)],
    });
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn what_is_asked_wrongly_is_told_by_member() {
    let world = signed(3).await;
    for (asked, members) in [
        ("checkpoints?partition=1", &["?partition"][..]),
        ("checkpoints?partition=0&limit=301&cursor=0", &["?limit", "?cursor"]),
        ("checkpoints?limit=5", &["?limit"]),
        ("checkpoints?partition=x", &["?partition"]),
        ("proof", &["?partition", "?position"]),
        ("proof?partition=0&position=0", &["?position"]),
        ("proof?partition=0&position=31", &["?position"]),
        ("proof?partition=0&position=1&size=36", &["?size"]),
        ("proof?partition=0&position=1&colour=red", &["?colour"]),
        ("consistency?partition=0", &["?from"]),
        ("consistency?partition=0&from=20&to=10", &["?to"]),
        ("consistency?partition=0&from=1&to=36", &["?to"]),
        ("consistency?partition=0&from=36", &["?from"]),
    ] {
        let answer = ask(&world, asked).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{asked}");
        let blamed: Vec<String> = answer.violations().into_iter().map(|it| it.0).collect();
        assert_eq!(blamed, members, "{asked}");
    }
    let beyond = ask(&world, "proof?partition=0&position=31").await.json();
    let message = beyond["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("<= 30") && message.contains("leave out size"), "{message}");
}

#[actix_web::test]
async fn a_log_that_is_not_what_was_signed_proves_nothing() {
    let world = signed(3).await;
    world.state.get().proved.diverged = Some("the first 30 events are others");
    for what in ["proof?partition=0&position=1", "consistency?partition=0&from=1"] {
        let answer = ask(&world, what).await;
        assert_eq!(answer.problem(), (503, "log-diverged".to_owned()));
        assert!(answer.text().contains("the first 30 events are others"), "{}", answer.text());
    }
}

#[actix_web::test]
async fn only_auditors_ask() {
    let world = signed(3).await;
    let everything =
        ["checkpoints", "proof?partition=0&position=1", "consistency?partition=0&from=1"];
    for what in everything {
        let request = TestRequest::get().uri(&format!("/api/v1/audit/{what}"));
        let answer = world.send_as(&world.token(READ), request).await;
        assert_eq!(answer.problem(), (403, "missing-scope".to_owned()), "{what}");
    }
}
