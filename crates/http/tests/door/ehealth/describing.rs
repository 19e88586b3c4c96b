//! What is served is what is written down: `docs/api/ehealth.json`.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Map, Value, json};

use super::super::describing::is_committed;
use super::super::world::World;
use super::super::world::sample::AT_ONCE;
use super::{PREFIXES, create, part};

fn description() -> Value {
    serde_json::to_value(dispense_http::ehealth_openapi()).unwrap()
}

#[test]
fn the_api_description_is_committed() {
    is_committed("api/ehealth.json", &format!("{:#}\n", description()));
}

#[actix_web::test]
async fn the_description_is_served_and_stands_on_the_page_beside_the_other() {
    let world = World::new().await;
    let get = async |path: &str| world.send_bare(TestRequest::get().uri(path)).await;
    assert_eq!(get("/api/openapi.json").await.json(), description());
    let set = get("/api/v1/docs/swagger-initializer.js").await;
    assert!(set.text().contains("/api/openapi.json"), "{}", set.text());
}

#[test]
fn both_prefixes_are_described_alike() {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/api/pharmacy/")) {
        let mut older = paths[&path.replacen(PREFIXES[1], PREFIXES[0], 1)].clone();
        for operation in older.as_object_mut().unwrap().values_mut() {
            let name = operation["operationId"].as_str().unwrap();
            operation["operationId"] = json!(format!("pharmacy_{name}"));
        }
        assert_eq!(&older, item, "{path}");
    }
    assert!(paths.contains_key("/api/pharmacy/medication_dispenses"));
}

#[actix_web::test]
async fn every_route_refuses_without_a_token_unless_it_is_documented_as_open() {
    let world = World::new().await;
    for (path, methods) in description()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let uri = path.replace("{id}", "17");
            let answer = world.send_bare(TestRequest::default().method(method).uri(&uri)).await;
            if operation.get("security").is_none() {
                assert_ne!(answer.status, 401, "{path}");
                continue;
            }
            assert_eq!(answer.error().1, "access_denied", "{path}");
            for status in ["401", "403", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{path} documents {status}");
            }
        }
    }
}

/// The schema of that name, or where `schema` refers to.
fn resolved<'a>(schemas: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let options = schema["oneOf"].as_array().into_iter().flatten();
    let referred = options.chain([schema]).find_map(|option| option["$ref"].as_str())?;
    schemas.get(referred.rsplit('/').next()?)
}

/// Every member that is shown is described, and every one that is always there is shown.
pub(super) fn is_described(schemas: &Value, schema: &Value, shown: &Value, path: &str) {
    let schema = resolved(schemas, schema).unwrap_or(schema);
    if let (Some(items), Some(shown)) = (schema.get("items"), shown.as_array()) {
        for shown in shown {
            is_described(schemas, items, shown, path);
        }
    }
    let (Some(members), Some(shown)) = (schema["properties"].as_object(), shown.as_object()) else {
        return;
    };
    let none = Vec::new();
    for required in schema["required"].as_array().unwrap_or(&none) {
        assert!(shown.contains_key(required.as_str().unwrap()), "{path}.{required} is shown");
    }
    for (name, shown) in shown {
        let member = members.get(name).unwrap_or_else(|| panic!("{path}.{name} is described"));
        is_described(schemas, member, shown, &format!("{path}.{name}"));
    }
}

#[actix_web::test]
async fn what_the_description_says_of_an_answer_is_what_is_answered() {
    let world = World::new().await;
    let schemas = description()["components"]["schemas"].clone();
    let mut dispense = part(AT_ONCE, 10);
    dispense["payment_amount"] = json!(1);
    dispense["note"] = json!("a note");
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    is_described(&schemas, &schemas["DispenseAnswer"], &answer.json(), "$");
    let refused = world.held("k1", &json!({})).await;
    assert_eq!(refused.status, 422);
    is_described(&schemas, &schemas["ErrorAnswer"], &refused.json(), "$");
}

/// A value of another type than that schema has.
fn wrong_type(schema: &Value) -> Value {
    if schema["type"] == "string"
        || schema["type"].as_array().is_some_and(|it| it.contains(&json!("string")))
    {
        json!(1)
    } else {
        json!("text")
    }
}

#[actix_web::test]
async fn what_the_description_says_of_a_body_is_what_is_believed() {
    let world = World::new().await;
    let schemas = description()["components"]["schemas"].clone();
    let mut whole = part(AT_ONCE, 10);
    for (name, value) in [
        ("dispensed_by", json!("Olena")),
        ("note", json!("a note")),
        ("payment_id", json!("R-1")),
        ("payment_amount", json!(1)),
    ] {
        whole[name] = value;
    }
    for (name, value) in [
        ("program_medication_id", json!("00000000-0000-4000-8000-0000000000aa")),
        ("medication_2d_codes", json!(["0104"])),
        ("batch_number", json!("A-17")),
        ("expiry_date", json!("2027-01-31")),
    ] {
        whole["dispense_details"][0][name] = value;
    }
    for (schema, pointer, prefix) in [
        ("NewMedicationDispense", "", "$.medication_dispense"),
        ("NewDispenseDetail", "/dispense_details/0", "$.medication_dispense.dispense_details.[0]"),
    ] {
        let properties = schemas[schema]["properties"].as_object().unwrap();
        let given = whole.pointer(pointer).unwrap().as_object().unwrap();
        let names = |object: &Map<String, Value>| {
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
            let answer = world.send(create(&without)).await;
            let missed = answer.status == 422
                && answer.invalid().iter().any(|it| it.0 == path && it.1 == "required");
            assert_eq!(missed, required.contains(&json!(name)), "{schema}.{name} is required");

            let mut wrong = whole.clone();
            wrong.pointer_mut(pointer).unwrap()[name] = wrong_type(property);
            let answer = world.send(create(&wrong)).await;
            let refused = answer.invalid().iter().any(|it| it.0 == path && it.1 == "cast");
            assert!(refused, "{schema}.{name} has the type that is described: {}", answer.text());
        }
    }
}
