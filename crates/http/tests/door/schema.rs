//! Every kind of violation of the schema: path, rule and words.

use serde_json::{Value, json};

use super::world::sample::{self, REQUEST};
use super::world::{Answer, World, create};

const NULLABLE_STRING: &str = "type mismatch. Expected string, null but got integer";
const UUID: &str = "string does not match pattern \
                    \"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"";
const DAY: &str = "expected a day of the calendar as YYYY-MM-DD";
const DAY_OR_TIME: &str = "expected a day of the calendar as YYYY-MM-DD, or a time as of RFC 3339";
const UNKNOWN: &str = "schema does not allow additional properties";

async fn violations(world: &World, body: &str) -> Vec<(String, String, String)> {
    let answer = world.send(create(body)).await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()), "{body}: {}", answer.text());
    assert!(world.state.get().origins.is_empty(), "{body} came through");
    answer.violations()
}

fn violation(path: &str, rule: &str, message: &str) -> (String, String, String) {
    (path.to_owned(), rule.to_owned(), message.to_owned())
}

/// The body with that member of it set, `None` for removed. `text` is JSON.
fn with(pointer: &str, text: Option<&str>) -> String {
    let mut body = sample::hold();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match text {
        None => drop(parent.remove(name)),
        Some(_) => drop(parent.insert(name.to_owned(), json!("@@"))),
    }
    body.to_string().replace("\"@@\"", text.unwrap_or_default())
}

/// Where, what as JSON, and what is wrong with it.
type Case = (&'static str, &'static str, &'static str, &'static str);

const OF_THE_BODY: &[Case] = &[
    ("/prescriptionId", "null", "cast", "type mismatch. Expected string but got null"),
    ("/prescriptionId", "17", "cast", "type mismatch. Expected string but got integer"),
    ("/prescriptionId", "\"17\"", "format", UUID),
    ("/prescriptionId", "\"{00000000-0000-4000-8000-0000000000e1}\"", "format", UUID),
    ("/prescriptionId", "\"urn:uuid:00000000-0000-4000-8000-0000000000e1\"", "format", UUID),
    ("/prescriptionId", "\"00000000-00004000-8000-0000000000e1\"", "format", UUID),
    ("/prescriptionId", "\"\"", "format", UUID),
    ("/pharmacyId", "{}", "cast", "type mismatch. Expected string but got object"),
    ("/programId", "1", "cast", NULLABLE_STRING),
    ("/dispensedAt", "20260302", "cast", "type mismatch. Expected string but got integer"),
    ("/dispensedAt", "\"2026-02-29\"", "format", DAY_OR_TIME),
    ("/dispensedAt", "\"2026-061\"", "format", DAY_OR_TIME),
    ("/dispensedAt", "\"02.03.2026\"", "format", DAY_OR_TIME),
    ("/dispensedAt", "\"2026-03-02T10:00:00\"", "format", DAY_OR_TIME),
    ("/dispensedAt", "\"9999-12-31T23:59:59-12:00\"", "format", DAY_OR_TIME),
    ("/verificationCode", "1234", "cast", NULLABLE_STRING),
    ("/items", "null", "cast", "type mismatch. Expected array but got null"),
    ("/items", "{}", "cast", "type mismatch. Expected array but got object"),
    ("/items", "[]", "length", "expected a minimum of 1 items but got 0"),
    ("/note", "[1]", "cast", "type mismatch. Expected string, null but got array"),
    ("/paymentId", "1", "cast", NULLABLE_STRING),
    ("/copayment", "null", "cast", "type mismatch. Expected number but got null"),
    ("/copayment", "\"1\"", "cast", "type mismatch. Expected number but got string"),
    ("/copayment", "-1", "number", "expected the value to be >= 0"),
];

const OF_AN_ITEM: &[Case] = &[
    ("/items/0", "7", "cast", "type mismatch. Expected object but got integer"),
    ("/items/0/medicineCode", "true", "cast", "type mismatch. Expected string but got boolean"),
    (
        "/items/0/quantityDispensed",
        "\"10\"",
        "cast",
        "type mismatch. Expected number but got string",
    ),
    ("/items/0/quantityDispensed", "0", "number", "expected the value to be > 0"),
    ("/items/0/quantityDispensed", "-0.0", "number", "expected the value to be > 0"),
    ("/items/0/quantityDispensed", "-1", "number", "expected the value to be > 0"),
    ("/items/0/quantityDispensed", "10000000", "number", "expected the value to be < 10000000"),
    ("/items/0/quantityDispensed", "1.00001", "number", "expected at most 4 decimal places"),
    (
        "/items/0/quantityDispensed",
        "1e400",
        "number",
        "expected the value to be < 10000000, with at most 4 decimal places",
    ),
    ("/items/0/batchNumber", "\"\"", "length", "expected at least 1 character"),
    ("/items/0/batchNumber", "\"a\\u0000b\"", "format", "control character U+0000 is not allowed"),
    (
        "/items/0/batchNumber",
        "\"\\ud800\"",
        "format",
        "expected Unicode text, but a surrogate stands alone",
    ),
    ("/items/0/expiryDate", "\"2026-13-01\"", "format", DAY),
    ("/items/0/expiryDate", "\"2026-03-02T00:00:00Z\"", "format", DAY),
    ("/items/0/expiryDate", "\"0000-01-01\"", "format", DAY),
    ("/items/0/unitPrice", "-0.01", "number", "expected the value to be >= 0"),
    ("/items/0/unitPrice", "1000000000", "number", "expected the value to be < 1000000000"),
    ("/items/0/unitPrice", "null", "cast", "type mismatch. Expected number but got null"),
    ("/items/0/totalPrice", "0", "number", "expected the value to be > 0"),
    ("/items/0/totalPrice", "0.00001", "number", "expected at most 4 decimal places"),
    (
        "/items/0/discountAmount",
        "\"0\"",
        "cast",
        "type mismatch. Expected number, null but got string",
    ),
    ("/items/0/programMedicationId", "\"x\"", "format", UUID),
];

async fn is_the_only_violation(
    world: &World,
    pointer: &str,
    value: &str,
    rule: &str,
    message: &str,
) {
    let path = pointer.replace("/items/0", "/items/[0]").replace('/', ".");
    let body = match pointer {
        "/items/0" => with("/items", Some(&format!("[{value}]"))),
        _ => with(pointer, Some(value)),
    };
    let found = violations(world, &body).await;
    assert_eq!(found, [violation(&format!("${path}"), rule, message)], "{pointer}: {value}");
}

#[actix_web::test]
async fn each_member_has_its_type_and_its_bounds() {
    let world = World::new().await;
    for (pointer, value, rule, message) in OF_THE_BODY.iter().chain(OF_AN_ITEM) {
        is_the_only_violation(&world, pointer, value, rule, message).await;
    }
}

#[actix_web::test]
async fn nothing_is_longer_than_its_bound() {
    let world = World::new().await;
    let many = format!("[{}]", vec!["{}"; 101].join(","));
    let long = format!("\"{}\"", "x".repeat(256));
    let very_long = format!("\"{}\"", "x".repeat(1001));
    let huge = "9".repeat(70);
    for (pointer, value, rule, message) in [
        ("/items", &many, "length", "expected a maximum of 100 items but got 101"),
        (
            "/items/0/quantityDispensed",
            &huge,
            "number",
            "expected the value to be < 10000000, with at most 4 decimal places",
        ),
        ("/items/0/batchNumber", &long, "length", "expected at most 255 characters but got 256"),
        ("/note", &very_long, "length", "expected at most 1000 characters but got 1001"),
    ] {
        is_the_only_violation(&world, pointer, value, rule, message).await;
    }
}

#[actix_web::test]
async fn a_required_member_is_missed() {
    let world = World::new().await;
    for (pointer, path, name) in [
        ("/prescriptionId", "$.prescriptionId", "prescriptionId"),
        ("/pharmacyId", "$.pharmacyId", "pharmacyId"),
        ("/dispensedAt", "$.dispensedAt", "dispensedAt"),
        ("/items", "$.items", "items"),
        ("/items/0/medicineCode", "$.items.[0].medicineCode", "medicineCode"),
        ("/items/0/quantityDispensed", "$.items.[0].quantityDispensed", "quantityDispensed"),
        ("/items/0/batchNumber", "$.items.[0].batchNumber", "batchNumber"),
        ("/items/0/expiryDate", "$.items.[0].expiryDate", "expiryDate"),
        ("/items/0/unitPrice", "$.items.[0].unitPrice", "unitPrice"),
        ("/items/0/totalPrice", "$.items.[0].totalPrice", "totalPrice"),
    ] {
        let message = format!("required property {name} was not present");
        let found = violations(&world, &with(pointer, None)).await;
        assert_eq!(found, [violation(path, "required", &message)]);
    }
}

#[actix_web::test]
async fn what_may_be_left_out_may_be_null() {
    let world = World::new().await;
    let mut body = sample::hold();
    for name in ["programId", "verificationCode", "note"] {
        body[name] = Value::Null;
    }
    body["items"][0]["discountAmount"] = Value::Null;
    body["items"][0]["programMedicationId"] = Value::Null;
    let answer = world.create("k1", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["items"][0]["discountAmount"], Value::Null);
    assert_eq!(answer.json()["copayment"], 135.25);
}

#[actix_web::test]
async fn the_presence_of_a_payment_counts_even_if_it_is_null() {
    let world = World::new().await;
    let mut body = sample::hold();
    body["paymentId"] = Value::Null;
    let answer = world.create("k1", &body).await;
    assert_eq!(answer.problem(), (422, "payment-not-allowed".to_owned()));
    assert_eq!(answer.json()["errors"][0]["path"], "$.paymentId");
}

#[actix_web::test]
async fn all_violations_are_named_in_the_order_of_the_schema_unknown_ones_last() {
    let world = World::new().await;
    let mut body = sample::hold();
    body["colour"] = json!("red");
    body["copayment"] = json!("1");
    body["pharmacyId"] = json!(7);
    body["items"][0]["totalPrice"] = json!(0);
    body["items"][0]["size"] = json!("big");
    body["items"].as_array_mut().unwrap().push(json!([]));
    body.as_object_mut().unwrap().remove("prescriptionId");
    assert_eq!(
        violations(&world, &body.to_string()).await,
        [
            violation(
                "$.prescriptionId",
                "required",
                "required property prescriptionId was not present"
            ),
            violation("$.pharmacyId", "cast", "type mismatch. Expected string but got integer"),
            violation("$.items.[0].totalPrice", "number", "expected the value to be > 0"),
            violation("$.items.[0].size", "schema", UNKNOWN),
            violation("$.items.[1]", "cast", "type mismatch. Expected object but got array"),
            violation("$.copayment", "cast", "type mismatch. Expected number but got string"),
            violation("$.colour", "schema", UNKNOWN),
        ]
    );
}

#[actix_web::test]
async fn params_are_for_programs() {
    let world = World::new().await;
    let params = async |pointer, value| {
        let answer: Answer = world.send(create(&with(pointer, Some(value)))).await;
        answer.json()["errors"][0]["params"].clone()
    };
    assert_eq!(params("/copayment", "-1").await, json!({"greater_than_or_equal_to": 0}));
    assert_eq!(
        params("/note", "1").await,
        json!({"expected": "string, null", "actual": "integer"})
    );
    assert_eq!(params("/items", "[]").await, json!({"min": 1, "actual": 0}));
}

#[actix_web::test]
async fn a_body_that_is_no_object_is_to_blame_as_a_whole() {
    let world = World::new().await;
    for (body, actual) in [
        ("[]", "array"),
        ("1.5", "number"),
        ("null", "null"),
        ("\"x\"", "string"),
        ("true", "boolean"),
    ] {
        let message = format!("type mismatch. Expected object but got {actual}");
        assert_eq!(violations(&world, body).await, [violation("$", "cast", &message)]);
    }
}

#[actix_web::test]
async fn a_member_that_is_there_twice_is_refused() {
    let world = World::new().await;
    let twice = "property prescriptionId is present more than once";
    let expected = [violation("$.prescriptionId", "schema", twice)];
    for again in ["prescriptionId", "\\u0070rescriptionId"] {
        let body = sample::hold().to_string();
        let body = format!("{{\"{again}\":\"{REQUEST}\",{}", &body[1..]);
        assert_eq!(violations(&world, &body).await, expected);
    }
}

#[actix_web::test]
async fn no_more_violations_are_listed_than_anybody_reads() {
    let world = World::new().await;
    let members: Vec<String> = (0..5000).map(|n| format!("\"member{n}\":1")).collect();
    let found = violations(&world, &format!("{{{}}}", members.join(","))).await;
    assert_eq!(found.len(), 100);
    let long = "n".repeat(100_000);
    let found = violations(&world, &format!("{{\"{long}\": 1}}")).await;
    assert_eq!(found[4].0, format!("$.{}", "n".repeat(64)));
}
