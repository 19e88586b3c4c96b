//! The contract as the service itself publishes it.

use serde_json::Value;

use crate::harness::{Answer, Database, Instance, World};

/// An instance, and what it answers to everybody at a path.
async fn public(path: &str) -> (Database, Instance, Value) {
    let database = Database::new().await;
    let instance = Instance::start(&database).await;
    let answer = Answer::to(reqwest::Client::new().get(format!("{}{path}", instance.url)));
    let body = answer.await.unwrap().expect(200).body;
    (database, instance, body)
}

/// Where a token is wanted, nothing else is looked at first: not the id, not the body.
#[tokio::test(flavor = "multi_thread")]
async fn every_guarded_way_refuses_without_a_token() {
    let (_database, instance, api) = public("/api/v1/openapi.json").await;
    let mut guarded = 0;
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let url = format!("{}{}", instance.url, path.replace("{id}", "no-id"));
            let request =
                reqwest::Client::new().request(method.to_uppercase().parse().unwrap(), url);
            let answer = Answer::to(request.body("no json")).await.unwrap();
            let wants_token = operation["security"].as_array().is_some_and(|all| !all.is_empty());
            if wants_token {
                guarded += 1;
                assert!(operation["responses"]["401"].is_object(), "{method} {path} documents 401");
                answer.refused(401, "invalid-token");
            } else {
                answer.expect(200);
            }
        }
    }
    assert!(guarded >= 5, "{guarded} guarded ways");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_explains_every_problem_once() {
    let (_database, _instance, catalogue) = public("/api/v1/errors").await;
    let mut seen = std::collections::BTreeSet::new();
    for item in catalogue["items"].as_array().unwrap() {
        let code = item["code"].as_str().unwrap();
        assert!(seen.insert(code), "{code} comes twice");
        for member in ["title", "remedy", "rule"] {
            assert!(item[member].as_str().is_some_and(|text| !text.is_empty()), "{code}: {member}");
        }
        assert_eq!(item["example"]["code"], code);
        assert_eq!(item["example"]["status"], item["status"]);
    }
    for code in ["busy", "outcome-unknown", "clock-unsound", "unavailable", "already-held"] {
        assert!(seen.contains(code), "{code} is missing");
    }
}

/// What is wrong before any rule is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn transport_errors_are_problems_too() {
    let (_database, instance, _) = public("/api/v1/errors").await;
    let pharmacy = World::new(1, 1).pharmacies[0].at(&instance);
    let post = || pharmacy.request("POST", "/api/v1/dispenses");
    let json = || post().header("Content-Type", "application/json");
    let cases = [
        (json().body("{"), 400, "malformed-json"),
        (json().body("[".repeat(40) + &"]".repeat(40)), 400, "malformed-json"),
        (json().body(" ".repeat(300 * 1024)), 413, "too-large"),
        (post().body("{}").header("Content-Type", "text/plain"), 415, "unsupported-media-type"),
        (json().body("{}").header("Idempotency-Key", "a b"), 400, "idempotency-key-invalid"),
        (json().body("{}"), 422, "schema"),
        (pharmacy.request("PUT", "/api/v1/dispenses"), 405, "method-not-allowed"),
        (pharmacy.request("GET", "/api/v1/nowhere"), 404, "not-found"),
        (pharmacy.request("GET", "/api/v1/dispenses/no-id"), 404, "not-found"),
        (pharmacy.request("GET", "/api/v1/errors?verbose=1"), 422, "schema"),
    ];
    for (request, status, code) in cases {
        let answer = Answer::to(request).await.unwrap().refused(status, code);
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{answer:?}");
    }
}
