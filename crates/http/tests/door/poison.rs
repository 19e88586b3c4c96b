//! Bad strings and numbers through every member: documented refusals, never a bug, never in the log.

use serde_json::json;

use super::world::sample::{self, AT_ONCE};
use super::world::{World, create};

const MEMBERS: [&str; 17] = [
    "/prescriptionId",
    "/pharmacyId",
    "/programId",
    "/dispensedAt",
    "/verificationCode",
    "/items",
    "/items/0/medicineCode",
    "/items/0/quantityDispensed",
    "/items/0/batchNumber",
    "/items/0/expiryDate",
    "/items/0/unitPrice",
    "/items/0/totalPrice",
    "/items/0/discountAmount",
    "/items/0/programMedicationId",
    "/note",
    "/paymentId",
    "/copayment",
];

/// As JSON.
const STRINGS: [&str; 18] = [
    "\"\"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\udfff x\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\u001f\"",
    "\"\\u007f\"",
    "\"\\u0085\"",
    "\"\\r\\n\"",
    "\"' OR 1=1; DROP TABLE events; --\"",
    "\"../../etc/passwd\"",
    "\"<script>\"",
    "\"\\uFEFF\"",
    "\"\\u202e\"",
    "\"9999-99-99\"",
    "\"NaN\"",
    "\"00000000-0000-0000-0000-000000000000\"",
];

/// As JSON.
const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-0.0",
    "-1",
    "1e3",
    "1E+3",
    "1e-3",
    "1e400",
    "-1e400",
    "1e-400",
    "1e99999999999999999999",
    "0e99999999999999999999",
    "0.00001",
    "9999999.9999",
    "10000000",
    "999999999.99999",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "0.1000000000000000000000000000000000000000000000001",
    "18446744073709551616",
];

/// As JSON.
const OTHERS: [&str; 7] = ["null", "true", "{}", "[]", "[[]]", "[null]", "{\"a\":{}}"];

fn with(pointer: &str, value: &str) -> String {
    let mut body = sample::part(AT_ONCE, 1);
    body["copayment"] = json!(0);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = json!("@@");
    body.to_string().replace("\"@@\"", value)
}

#[actix_web::test]
async fn no_bad_value_gets_further_than_a_documented_refusal() {
    let world = World::new().await;
    for value in &bad_values() {
        for member in MEMBERS {
            world.state.get().wrong_codes.clear();
            let answer = world.send(create(&with(member, value))).await;
            if answer.status == 201 {
                let text = answer.text();
                assert!(!text.contains("\\u0000") && !text.contains('\u{7f}'), "{member}: {value}");
                continue;
            }
            let (status, code) = answer.problem();
            let wrong_code = status == 401 && member == "/verificationCode";
            assert!(
                wrong_code || matches!(status, 403 | 409 | 422),
                "{member}: {value} was answered with {status} {code}"
            );
        }
    }
    nothing_bad_was_logged(&world);
}

/// Every value, as JSON.
pub(super) fn bad_values() -> Vec<String> {
    let long = format!("\"{}\"", "é".repeat(1001));
    let deep = format!("{}{}", "[".repeat(20), "]".repeat(20));
    let values = STRINGS.iter().chain(&NUMBERS).chain(&OTHERS).map(|it| (*it).to_owned());
    values.chain([long, deep]).collect()
}

pub(super) fn nothing_bad_was_logged(world: &World) {
    let logged: String = {
        let state = world.state.get();
        state.events.iter().map(|(_, it)| serde_json::to_string(&it.event).unwrap()).collect()
    };
    for bad in ["\\u0000", "\\u001f", "\u{7f}", "\u{85}", "\\r"] {
        assert!(!logged.contains(bad), "{bad:?} is in the log");
    }
}

#[actix_web::test]
async fn strings_are_brought_into_one_form() {
    let world = World::new().await;
    let answer = world.send(create(&with("/items/0/batchNumber", "\"e\\u0301\""))).await;
    assert_eq!(answer.json()["items"][0]["batchNumber"], "\u{e9}", "{}", answer.text());
}

#[actix_web::test]
async fn a_number_may_be_written_in_every_form() {
    let world = World::new().await;
    let written = ["10", "10.0", "1e1", "1E+1", "100e-1", "10.0000000000000000000000"];
    for (number, key) in written.into_iter().zip('a'..) {
        let body = with("/items/0/totalPrice", number);
        let request = create(&body).insert_header(("idempotency-key", "k"));
        let answer = world.send(request).await;
        assert_eq!(answer.status, 201, "{key}: {number}: {}", answer.text());
        assert!(answer.text().contains("\"totalPrice\":10,"), "{number}");
    }
    assert_eq!(world.state.get().events.len(), 2, "all were the same question");
}
