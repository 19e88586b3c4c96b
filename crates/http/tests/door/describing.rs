//! What is served is what is written down: `docs/api/ndp.json` and `docs/problems.md`.

use std::path::PathBuf;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::world::sample::{self, AT_ONCE};
use super::world::{World, create};

/// Holds the committed page against what the code says; `UPDATE_DOCS=1` writes it.
pub(super) fn is_committed(page: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "docs/{page} is not what is served; write it with `UPDATE_DOCS=1 cargo test -p dispense-http`"
    );
}

fn description() -> Value {
    serde_json::to_value(dispense_http::openapi()).unwrap()
}

#[test]
fn the_api_description_is_committed() {
    is_committed("api/ndp.json", &format!("{:#}\n", description()));
}

#[test]
fn the_page_of_problems_is_committed() {
    is_committed("problems.md", &dispense_http::problems_markdown());
}

#[actix_web::test]
async fn the_description_is_served_with_a_page_to_try_it() {
    let world = World::new().await;
    let get = async |path: &str| world.send_bare(TestRequest::get().uri(path)).await;
    assert_eq!(get("/api/v1/openapi.json").await.json(), description());
    assert_eq!(description()["openapi"], "3.1.0");
    let page = get("/api/v1/docs/").await;
    assert_eq!(page.header("content-type"), Some("text/html"));
    let moved = get("/api/v1/docs").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, Some("/api/v1/docs/")));
    let set = get("/api/v1/docs/swagger-initializer.js").await;
    assert!(set.text().contains("/api/v1/openapi.json"), "{}", set.text());
    assert!(set.text().contains("\"validatorUrl\": \"none\""), "{}", set.text());
    assert_eq!(get("/api/v1/docs/swagger-ui-bundle.js").await.status, 200);
}

#[actix_web::test]
async fn every_route_refuses_without_a_token_unless_it_is_documented_as_open() {
    let world = World::new().await;
    let description = description();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let uri = path.replace("{id}", "17");
            let answer = world.send_bare(TestRequest::default().method(method).uri(&uri)).await;
            if operation.get("security").is_none() {
                assert_ne!(answer.status, 401, "{path}");
                continue;
            }
            assert_eq!(answer.problem(), (401, "invalid-token".to_owned()), "{path}");
            for status in ["401", "403", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{path} documents {status}");
            }
        }
    }
}

/// A value of that schema which is right wherever it may stand, and one of another type.
fn wrong_type(schema: &Value) -> Value {
    match &schema["type"] {
        Value::String(kind) if kind == "string" => json!(1),
        Value::Array(kinds) if kinds.contains(&json!("string")) => json!(1),
        _ => json!("text"),
    }
}

#[actix_web::test]
async fn what_the_description_says_of_a_body_is_what_is_believed() {
    let world = World::new().await;
    let schemas = description()["components"]["schemas"].clone();
    let mut whole = sample::part(AT_ONCE, 10);
    for (name, value) in [
        ("verificationCode", json!("1234")),
        ("note", json!("a note")),
        ("paymentId", json!("R-1")),
        ("copayment", json!(1)),
    ] {
        whole[name] = value;
    }
    whole["items"][0]["programMedicationId"] = json!("00000000-0000-4000-8000-0000000000aa");
    for (schema, pointer, prefix) in
        [("NewDispense", "", "$"), ("NewDispenseItem", "/items/0", "$.items.[0]")]
    {
        let properties = schemas[schema]["properties"].as_object().unwrap();
        let given = whole.pointer(pointer).unwrap().as_object().unwrap();
        let names = |object: &serde_json::Map<String, Value>| {
            let mut names: Vec<String> = object.keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(properties), names(given), "{schema} describes every member");
        let required = schemas[schema]["required"].as_array().unwrap();
        for (name, property) in properties {
            let path = format!("{prefix}.{name}");
            let mut without = whole.clone();
            without.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name);
            let answer = world.send(create(&without.to_string())).await;
            let missed = answer.status == 422
                && answer.violations().iter().any(|it| it.0 == path && it.1 == "required");
            assert_eq!(missed, required.contains(&json!(name)), "{schema}.{name} is required");

            let mut wrong = whole.clone();
            wrong.pointer_mut(pointer).unwrap()[name] = wrong_type(property);
            let answer = world.send(create(&wrong.to_string())).await;
            let refused = answer.violations().iter().any(|it| it.0 == path && it.1 == "cast");
            assert!(refused, "{schema}.{name} has the type that is described: {}", answer.text());
        }
    }
}
