//! Every rule that can be broken, broken through both doors: status, path, rule, text and values.

mod case;
mod door;
mod examples;
mod table;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use dispense_domain::decide::{create_hold, process};
use dispense_domain::{Code, qualify};
use serde_json::{Value, json};

use super::world::Answer;
use super::world::sample::TAX_ID;
use case::{Api, Asked, Case, Register};
use table::cases;

/// The code that the patient got.
const KEPT_CODE: &str = "kept-4821";
/// The one that a pharmacy guesses.
const GIVEN_CODE: &str = "given-9073";
/// Tax id and surname of somebody else.
const OTHER_SIGNER: (&str, &str) = ("3141592653", "Hrushevskyi");

/// What is nobody's business, whatever is refused: codes, tax ids, and names of the sample.
const SECRETS: [&str; 11] = [
    KEPT_CODE,
    GIVEN_CODE,
    TAX_ID,
    OTHER_SIGNER.0,
    OTHER_SIGNER.1,
    "Shevchenko",
    "Koval",
    "Bondar",
    "Olena",
    "Petrivna",
    "Ivan",
];

fn tells_no_secret(answer: &Answer) {
    for secret in SECRETS {
        assert!(!answer.text().contains(secret), "{secret} in {}", answer.text());
    }
}

/// How long to wait is told where waiting helps, and there alone.
fn tells_when_to_ask_again(answer: &Answer) {
    let expected = (answer.status == 429).then_some("900");
    assert_eq!(answer.header("retry-after"), expected, "{}", answer.text());
}

#[test]
fn every_rule_is_broken_by_some_case() {
    let named = |code: Code| (code.definition().code, format!("{code:?}"));
    let broken: BTreeSet<_> = cases().map(|case| named(case.code)).collect();
    let all: BTreeSet<_> = Code::ALL.into_iter().map(named).collect();
    assert_eq!(broken, all);
}

#[actix_web::test]
async fn the_platforms_api_says_which_rule_was_broken_where() {
    for case in cases() {
        let Some((status, path, rule)) = case.ndp else { continue };
        let answer = case.answer(Api::Ndp).await;
        let code = case.code.definition().code.to_owned();
        assert_eq!(answer.problem(), (status, code.clone()), "{}", answer.text());
        let first = answer.violations().swap_remove(0);
        assert_eq!(first, (path.to_owned(), rule.to_owned(), case.text.to_owned()));
        let problem = answer.json();
        assert_eq!(problem["type"], format!("/api/v1/errors#{code}"));
        assert!(problem["errors"][0]["params"].is_object());
        tells_no_secret(&answer);
        tells_when_to_ask_again(&answer);
    }
}

/// Whatever else is broken follows in the order of the rules.
#[actix_web::test]
async fn the_platforms_api_tells_everything_in_the_order_of_the_rules() {
    let mut told_more = 0;
    for case in cases().filter(|case| case.ndp.is_some()) {
        let order: Vec<&str> = match case.asked {
            Asked::Hold(..) => create_hold::order().collect(),
            Asked::HandOver(_) => process::order().collect(),
            Asked::Qualify(..) => qualify::order().collect(),
            Asked::GiveBack => continue,
        };
        let answer = case.answer(Api::Ndp).await;
        let rules: Vec<String> = answer.violations().into_iter().map(|it| it.1).collect();
        // What a schema says bears the name of a kind in place of a number.
        let place = |rule: &String| order.iter().position(|it| it == rule);
        assert!(rules.iter().filter_map(place).is_sorted(), "{rules:?}");
        told_more += usize::from(rules.iter().filter_map(place).count() > 1);
    }
    assert_ne!(told_more, 0, "some commands break several rules");
}

#[actix_web::test]
async fn the_registers_api_says_the_first_alone_in_the_words_of_the_register() {
    for case in cases() {
        let Some(expected) = case.ehealth else { continue };
        let answer = case.answer(Api::Ehealth).await;
        let (status, kind, message) = answer.error();
        let told = (status, kind.as_str());
        match expected {
            Register::Member(path, rule) => {
                let blamed = (path.to_owned(), rule.to_owned(), case.text.to_owned());
                assert_eq!(answer.invalid(), [blamed], "{}", answer.text());
            }
            Register::Malformed(status) => {
                assert_eq!(told, (status, "request_malformed"), "{}", answer.text());
                let whole = json!([{"entry_type": "request", "rules": [{"rule": "json"}]}]);
                assert_eq!(answer.json()["error"]["invalid"], whole);
                assert_eq!(message, case.text);
            }
            Register::Message(status, kind) => {
                assert_eq!(told, (status, kind), "{}", answer.text());
                assert_eq!(answer.json()["error"].get("invalid"), None);
                assert_eq!(message, case.text);
            }
        }
        assert_eq!(answer.code(), case.code.definition().code);
        tells_no_secret(&answer);
        tells_when_to_ask_again(&answer);
    }
}

/// The description of an operation names each code under the status that comes with it.
#[test]
fn every_rule_is_described_where_it_can_be_broken() {
    let platforms = serde_json::to_value(dispense_http::openapi()).unwrap();
    let registers = serde_json::to_value(dispense_http::ehealth_openapi()).unwrap();
    for case in cases() {
        let code = format!("`{}`", case.code.definition().code);
        let ndp = case.ndp.map(|(status, ..)| (Api::Ndp, &platforms, status));
        let ehealth = case.ehealth.map(|register| {
            let status = match register {
                Register::Member(..) => 422,
                Register::Malformed(status) | Register::Message(status, _) => status,
            };
            (Api::Ehealth, &registers, status)
        });
        for (api, description, status) in ndp.into_iter().chain(ehealth) {
            let (path, method) = case.operation(api);
            let response = &description["paths"][path][method]["responses"][status.to_string()];
            let says = text(&response["description"]);
            assert!(says.contains(&code), "{method} {path}: {status} says {code}, not only {says}");
            let when = response["headers"].get("Retry-After").is_some();
            assert_eq!(when, status == 429, "{method} {path}");
            let is_command = !matches!(case.asked, Asked::Qualify(..));
            let key = match api {
                Api::Ndp => "Idempotency-Key",
                Api::Ehealth => "X-Idempotency-Key",
            };
            for header in [key, "Dispense-Position"] {
                let described = response["headers"].get(header).is_some();
                assert_eq!(described, is_command, "{method} {path}: {status} has {header}");
            }
        }
    }
}

/// The catalogue declares the values that come with a code: those, and no others.
#[actix_web::test]
async fn the_values_that_come_with_a_code_are_those_that_the_catalogue_declares() {
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut answers = door::answers().await;
    for case in cases().filter(|case| case.ndp.is_some()) {
        answers.push(case.answer(Api::Ndp).await);
    }
    for answer in &answers {
        for violation in answer.json()["errors"].as_array().unwrap() {
            let names = violation["params"].as_object().unwrap().keys().cloned();
            given.entry(text(&violation["code"])).or_default().extend(names);
        }
    }
    let catalogue = examples::catalogue().await;
    let declared = catalogue.iter().map(|item| {
        let params = item["params"].as_array().unwrap().iter().map(text).collect();
        (text(&item["code"]), params)
    });
    let declared: BTreeMap<String, BTreeSet<String>> = declared.collect();
    for (code, names) in &declared {
        assert_eq!(given.get(code), Some(names), "{code}: given, and declared");
    }
    assert!(given.keys().eq(declared.keys()), "{:?}", given.keys());
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The case that the catalogue shows for a code.
fn shown(code: &str) -> Option<Case> {
    cases().find(|case| case.ndp.is_some() && case.code.definition().code == code)
}
