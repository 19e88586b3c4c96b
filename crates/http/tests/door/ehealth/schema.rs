//! What the schema of a create does not allow: path with the wrapper, rule and words.

use serde_json::{Value, json};

use super::super::world::World;
use super::{blamed, create_with, hold};

const UUID: &str = "string does not match pattern \
                    \"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"";
const DAY: &str = "expected a day of the calendar as YYYY-MM-DD";
const UNKNOWN: &str = "schema does not allow additional properties";

/// Where, what as JSON, and what is wrong with it.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("/medication_request_id", "17", "cast", "type mismatch. Expected string but got integer"),
    ("/medication_request_id", "\"17\"", "format", UUID),
    ("/dispensed_at", "\"2026-02-29\"", "format", DAY),
    ("/dispensed_at", "\"2026-061\"", "format", DAY),
    ("/dispensed_at", "\"2026-03-02T10:00:00Z\"", "format", DAY),
    ("/dispensed_by", "null", "cast", "type mismatch. Expected string but got null"),
    ("/division_id", "\"x\"", "format", UUID),
    ("/medical_program_id", "null", "cast", "type mismatch. Expected string but got null"),
    ("/note", "1.5", "cast", "type mismatch. Expected string but got number"),
    ("/payment_id", "1", "cast", "type mismatch. Expected string, null but got integer"),
    ("/payment_amount", "\"1\"", "cast", "type mismatch. Expected number but got string"),
    ("/payment_amount", "null", "cast", "type mismatch. Expected number but got null"),
    ("/payment_amount", "-1", "number", "expected the value to be >= 0"),
    ("/dispense_details", "[]", "length", "expected a minimum of 1 items but got 0"),
    ("/dispense_details", "{}", "cast", "type mismatch. Expected array but got object"),
    ("/colour", "\"red\"", "schema", UNKNOWN),
    ("/dispense_details/0/medication_id", "\"\"", "format", UUID),
    ("/dispense_details/0/program_medication_id", "\"x\"", "format", UUID),
    ("/dispense_details/0/medication_qty", "0", "number", "expected the value to be > 0"),
    ("/dispense_details/0/medication_qty", "-1", "number", "expected the value to be > 0"),
    (
        "/dispense_details/0/medication_qty",
        "\"1\"",
        "cast",
        "type mismatch. Expected number but got string",
    ),
    ("/dispense_details/0/sell_price", "-0.01", "number", "expected the value to be >= 0"),
    (
        "/dispense_details/0/sell_price",
        "null",
        "cast",
        "type mismatch. Expected number but got null",
    ),
    ("/dispense_details/0/sell_amount", "0", "number", "expected the value to be > 0"),
    ("/dispense_details/0/discount_amount", "-1", "number", "expected the value to be >= 0"),
    ("/dispense_details/0/expiry_date", "\"31.01.2027\"", "format", DAY),
    ("/dispense_details/0/batch_number", "\"\"", "length", "expected at least 1 character"),
    (
        "/dispense_details/0/medication_2d_codes",
        "\"0104\"",
        "cast",
        "type mismatch. Expected array but got string",
    ),
    (
        "/dispense_details/0/medication_2d_codes/0",
        "[1]",
        "cast",
        "type mismatch. Expected string, object but got integer",
    ),
    (
        "/dispense_details/0/medication_2d_codes/0/medication_2d_code",
        "[{\"medication_2d_code\":1}]",
        "cast",
        "type mismatch. Expected string but got integer",
    ),
    (
        "/dispense_details/0/medication_2d_codes/0/colour",
        "[{\"medication_2d_code\":\"1\",\"colour\":1}]",
        "schema",
        UNKNOWN,
    ),
    ("/dispense_details/0/size", "1", "schema", UNKNOWN),
];

/// A body whose dispense has that member set; `text` is JSON.
fn with(pointer: &str, text: &str) -> String {
    let pointer = match pointer.find("/medication_2d_codes") {
        Some(at) => &pointer[..at + "/medication_2d_codes".len()],
        None => pointer,
    };
    let mut dispense = hold();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    dispense.pointer_mut(parent).unwrap()[name] = json!("@@");
    let body = json!({"medication_dispense": dispense}).to_string();
    body.replace("\"@@\"", text)
}

#[actix_web::test]
async fn each_member_has_its_type_and_its_bounds() {
    let world = World::new().await;
    for (pointer, value, rule, text) in CASES {
        let path = pointer.replace("/0", "/[0]").replace('/', ".");
        let answer = world.send(create_with(&with(pointer, value))).await;
        let expected = blamed(&format!("$.medication_dispense{path}"), rule, text);
        assert_eq!(answer.invalid(), [expected], "{pointer}: {value}");
    }
    assert!(world.state.get().origins.is_empty(), "something came through");
}

#[actix_web::test]
async fn what_is_missing_is_named() {
    let world = World::new().await;
    for name in ["medication_request_id", "dispensed_at", "division_id", "dispense_details"] {
        let mut dispense = hold();
        dispense.as_object_mut().unwrap().remove(name);
        let body = json!({"medication_dispense": dispense}).to_string();
        let text = format!("required property {name} was not present");
        let path = format!("$.medication_dispense.{name}");
        let answer = world.send(create_with(&body)).await;
        assert_eq!(answer.invalid(), [blamed(&path, "required", &text)]);
    }
    let answer = world.send(create_with("{}")).await;
    let text = "required property medication_dispense was not present";
    assert_eq!(answer.invalid(), [blamed("$.medication_dispense", "required", text)]);
}

#[actix_web::test]
async fn all_violations_are_told_together() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["division_id"] = json!(7);
    dispense["dispense_details"][0]["medication_qty"] = json!(0);
    dispense["dispense_details"].as_array_mut().unwrap().push(json!([]));
    dispense["colour"] = json!("red");
    let body = json!({"code": 1, "medication_dispense": dispense}).to_string();
    let answer = world.send(create_with(&body)).await;
    let wrapped = |path: &str| format!("$.medication_dispense.{path}");
    assert_eq!(
        answer.invalid(),
        [
            blamed("$.code", "cast", "type mismatch. Expected string, null but got integer"),
            blamed(
                &wrapped("division_id"),
                "cast",
                "type mismatch. Expected string but got integer"
            ),
            blamed(
                &wrapped("dispense_details.[0].medication_qty"),
                "number",
                "expected the value to be > 0"
            ),
            blamed(
                &wrapped("dispense_details.[1]"),
                "cast",
                "type mismatch. Expected object but got array"
            ),
            blamed(&wrapped("colour"), "schema", UNKNOWN),
        ]
    );
    assert_eq!(answer.code(), "schema");
}

/// Pharmacy systems read the values out of `params`, and translate `raw_description`.
#[actix_web::test]
async fn values_and_texts_are_told_apart() {
    let world = World::new().await;
    let rule = async |pointer: &str, text: &str| -> Value {
        let answer = world.send(create_with(&with(pointer, text))).await;
        answer.json()["error"]["invalid"][0]["rules"][0].clone()
    };
    assert_eq!(
        rule("/payment_amount", "-1").await,
        json!({
            "rule": "number",
            "description": "expected the value to be >= 0",
            "raw_description": "expected the value to be >= %{greater_than_or_equal_to}",
            "params": {"greater_than_or_equal_to": 0},
        })
    );
    assert_eq!(
        rule("/division_id", "1").await,
        json!({
            "rule": "cast",
            "description": "type mismatch. Expected string but got integer",
            "raw_description": "type mismatch. Expected %{expected} but got %{actual}",
            "params": {"expected": "string", "actual": "integer"},
        })
    );
    assert_eq!(
        rule("/dispense_details", "[]").await["raw_description"],
        "expected a minimum of %{min} items but got %{actual}"
    );
    assert_eq!(rule("/colour", "1").await["params"], json!([]));
    let answer = world.send(create_with("{}")).await;
    let rule = &answer.json()["error"]["invalid"][0]["rules"][0];
    assert_eq!(rule["params"], json!({"property": "medication_dispense"}));
    assert_eq!(rule["raw_description"], "required property %{property} was not present");
}

#[actix_web::test]
async fn a_body_that_is_no_object_is_to_blame_as_a_whole() {
    let world = World::new().await;
    for (body, path) in [("[]", "$"), ("{\"medication_dispense\":[]}", "$.medication_dispense")] {
        let answer = world.send(create_with(body)).await;
        let text = "type mismatch. Expected object but got array";
        assert_eq!(answer.invalid(), [blamed(path, "cast", text)]);
    }
}
