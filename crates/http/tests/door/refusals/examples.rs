//! The examples of the catalogue: what was really answered.

use std::collections::BTreeSet;
use std::path::PathBuf;

use actix_web::test::TestRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::world::{Answer, World};
use super::case::Api;
use super::{door, shown, text};

/// The request that all examples answer.
const REQUEST_ID: &str = "0b5a2c1e-6f6e-4f0e-9f0e-3d1f6a7b8c9d";

/// A problem, with its members in their order and its values as they were written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Example {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    code: String,
    errors: Vec<ExampleViolation>,
    request_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleViolation {
    code: String,
    path: Option<String>,
    message: String,
    rule: String,
    params: Box<RawValue>,
}

impl Example {
    fn of(answer: &Answer) -> Self {
        let example: Self = serde_json::from_slice(&answer.body).unwrap();
        Self { request_id: REQUEST_ID.to_owned(), ..example }
    }
}

/// The entries of the catalogue.
pub(super) async fn catalogue() -> Vec<Value> {
    let world = World::new().await;
    let answer = world.send_bare(TestRequest::get().uri("/api/v1/errors")).await;
    answer.json()["items"].as_array().unwrap().clone()
}

/// Holds the examples against what is answered; `UPDATE_DOCS=1` writes them. The pages that show
/// them are written when they are compiled in: by the next run.
#[actix_web::test]
async fn every_example_of_the_catalogue_was_really_answered() {
    let mut of_door: Vec<Example> = door::answers().await.iter().map(Example::of).collect();
    let mut examples = Vec::new();
    for item in catalogue().await {
        let code = text(&item["code"]);
        let of_door = of_door.iter().position(|it| it.code == code).map(|at| of_door.remove(at));
        let example = if let Some(example) = of_door {
            example
        } else {
            let case = shown(&code).unwrap_or_else(|| panic!("nothing is answered with {code}"));
            Example::of(&case.answer(Api::Ndp).await)
        };
        examples.push(example);
    }
    assert!(of_door.is_empty(), "{}", of_door[0].code);

    let expected = format!("{}\n", serde_json::to_string_pretty(&examples).unwrap());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/catalogue/examples.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == expected,
        "crates/http/src/catalogue/examples.json is not what is answered; write it with \
         `UPDATE_DOCS=1 cargo test -p dispense-http`, twice: the pages show what is compiled in"
    );
}

#[actix_web::test]
async fn the_catalogue_shows_each_code_once_and_an_example_of_it() {
    let mut codes = BTreeSet::new();
    for item in catalogue().await {
        assert!(codes.insert(text(&item["code"])), "{} stands once", item["code"]);
        let example = &item["example"];
        for name in ["code", "status", "title"] {
            assert_eq!(example[name], item[name], "{}", item["code"]);
        }
        assert_eq!(example["requestId"], REQUEST_ID);
        assert!(!text(&item["remedy"]).is_empty());
    }
}
