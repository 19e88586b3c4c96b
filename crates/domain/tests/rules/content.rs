//! Rules P9 and P10: the signed document, its schema, and whether it is the one of the dispense.

use dispense_domain::{AmountPaid, SignedContent};
use serde_json::{Value, json};

/// A document as a pharmacist signs it.
pub(crate) fn document() -> Value {
    json!({
        "id": "1", "status": "NEW", "dispensed_at": "2026-03-10", "dispensed_by": null,
        "inserted_at": "2026-03-10T10:00:00.000000Z", "inserted_by": "2",
        "updated_at": "2026-03-10T10:00:00.000000Z", "updated_by": "2",
        "medication_request": {
            "id": "3",
            "person": {"id": "4", "short_name": "Koval O. P.", "age": 65},
            "employee": {"id": "5", "party": {"id": "6", "last_name": "Melnyk"}},
        },
        "party": {"id": "7"}, "legal_entity": {"id": "8"}, "division": {"id": "9"},
        "medical_program": {"id": "10"},
        "details": [{
            "medication": {"id": "11"}, "medication_qty": 30, "sell_price": 18.65,
            "sell_amount": 559.5, "discount_amount": 50, "reimbursement_amount": 150,
        }],
        "payment_amount": 20, "payment_id": "receipt 4711",
    })
}

/// The service's own text of it.
fn own() -> String {
    let mut own = document();
    own["payment_amount"] = Value::Null;
    own["payment_id"] = Value::Null;
    own.to_string()
}

/// The document after a look at it.
pub(crate) fn sign(document: &Value) -> SignedContent {
    examine(&document.to_string(), AmountPaid::Required)
}

fn examine(text: &str, amount: AmountPaid) -> SignedContent {
    SignedContent::examine(text.as_bytes(), &[&own()], amount)
}

/// The document with something changed.
fn with(change: impl FnOnce(&mut Value)) -> SignedContent {
    let mut document = document();
    change(&mut document);
    sign(&document)
}

fn without(name: &str) -> SignedContent {
    with(|it| {
        it.as_object_mut().unwrap().remove(name);
    })
}

/// Path, rule and message of each fault.
fn told(content: &SignedContent) -> Vec<(&str, &str, &str)> {
    content.faults.iter().map(|it| (it.path.as_str(), it.rule, it.message.as_str())).collect()
}

#[test]
fn a_document_as_it_was_shown_is_accepted_with_its_payment() {
    let content = sign(&document());
    assert_eq!(told(&content), []);
    assert_eq!(content.difference, None);
    assert_eq!(content.payment_amount.unwrap().to_string(), "20");
    assert_eq!(content.payment_id.unwrap().as_str(), "receipt 4711");
}

#[test]
fn what_counts_is_the_value_and_not_how_it_is_written() {
    let text = document().to_string();
    let spaced = serde_json::to_string_pretty(&document()).unwrap();
    let longer =
        text.replace("559.5", "559.500").replace(":20", ":2.0E1").replace("Koval", "\\u004boval");
    for other in [spaced, longer] {
        let content = examine(&other, AmountPaid::Required);
        assert!(content.difference.is_none() && content.faults.is_empty());
        assert_eq!(content.digest, examine(&text, AmountPaid::Required).digest);
    }
    assert_ne!(with(|it| it["payment_amount"] = json!(21)).digest, sign(&document()).digest);
}

#[test]
fn anything_else_than_the_payment_must_be_as_it_was() {
    let changes: [fn(&mut Value); 9] = [
        |it| it["id"] = json!("12"),
        |it| it["dispensed_by"] = json!("somebody"),
        |it| it["division"]["name"] = json!("renamed"),
        |it| it["medication_request"]["person"]["age"] = json!(66),
        |it| it["details"][0]["discount_amount"] = json!(50.0001),
        |it| it["details"].as_array_mut().unwrap().push(json!({"medication_qty": 1})),
        |it| it["details"] = json!([]),
        |it| it["party"] = json!({}),
        |it| {
            it.as_object_mut().unwrap().remove("medical_program");
        },
    ];
    for change in changes {
        let content = with(change);
        assert_eq!(told(&content), []);
        assert!(content.difference.is_some());
    }
    let amounts = with(|it| it["payment_amount"] = json!(0));
    assert!(amounts.difference.is_none());
    assert!(without("payment_id").difference.is_none());
    assert_eq!(without("payment_id").digest, with(|it| it["payment_id"] = Value::Null).digest);
}

#[test]
fn a_number_that_differs_beyond_a_float_differs() {
    let text = document().to_string().replace("559.5", "559.50000000000000000001");
    let content = examine(&text, AmountPaid::Required);
    assert_eq!(content.difference.as_deref(), Some("$.details.[0].sell_amount"));
}

#[test]
fn either_of_the_services_documents_may_be_signed() {
    let own = [own(), own().replace("Koval", "Other")];
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let mut digests = std::collections::BTreeSet::new();
    for name in ["Koval", "Other"] {
        let text = document().to_string().replace("Koval", name);
        let content = SignedContent::examine(text.as_bytes(), &own, AmountPaid::Required);
        assert_eq!(content.difference, None);
        digests.insert(content.digest.to_string());
    }
    assert_eq!(digests.len(), 1, "which of them was signed makes no other question");
}

/// Cases P-07 and P-09, and the texts of rule 9.1.
#[test]
fn the_payment_is_told_in_the_registers_words() {
    let amount = |value: Value| with(|it| it["payment_amount"] = value);
    let required = "required property payment_amount was not present";
    assert_eq!(told(&without("payment_amount")), [("$.payment_amount", "required", required)]);
    let cast = "type mismatch. Expected number but got string";
    assert_eq!(told(&amount(json!("20"))), [("$.payment_amount", "cast", cast)]);
    let cast = "type mismatch. Expected number but got null";
    assert_eq!(told(&amount(Value::Null)), [("$.payment_amount", "cast", cast)]);
    let negative = amount(json!(-1));
    let least = "expected the value to be >= 0";
    assert_eq!(told(&negative), [("$.payment_amount", "number", least)]);
    assert_eq!(negative.faults[0].params["greater_than_or_equal_to"], 0);
    for (much, text) in [(json!(1e9), "1e9"), (json!(0.00001), "fine")] {
        let content = amount(much);
        let [(path, rule, _)] = told(&content)[..] else { panic!("{text}") };
        assert_eq!((path, rule), ("$.payment_amount", "number"));
    }
    let receipt = with(|it| it["payment_id"] = json!(12345));
    let cast = "type mismatch. Expected string, null but got integer";
    assert_eq!(told(&receipt), [("$.payment_id", "cast", cast)]);
    for bad in ["", "a\u{0}b", &"x".repeat(256)] {
        let receipt = with(|it| it["payment_id"] = json!(bad));
        let [(path, rule, _)] = told(&receipt)[..] else { panic!("{bad}") };
        assert_eq!((path, rule), ("$.payment_id", "format"));
    }
    assert!(with(|it| it["payment_id"] = Value::Null).faults.is_empty());
}

/// K-13.
#[test]
fn the_amount_may_be_left_out_where_the_payer_pays_nothing() {
    let mut document = document();
    document.as_object_mut().unwrap().remove("payment_amount");
    let content = examine(&document.to_string(), AmountPaid::Optional);
    assert!(content.faults.is_empty() && content.difference.is_none());
    assert_eq!(content.payment_amount, None);
}

#[test]
fn missing_members_come_first_and_in_the_order_of_the_schema() {
    let missing = examine("{}", AmountPaid::Required);
    let names: Vec<&str> = told(&missing).iter().map(|(path, ..)| *path).collect();
    let wanted = "$.id $.medication_request $.dispensed_at $.party $.legal_entity $.division \
                  $.payment_amount $.status $.inserted_at $.inserted_by $.updated_at $.updated_by";
    assert_eq!(names, wanted.split_whitespace().collect::<Vec<_>>());
    let wrong = with(|it| {
        it["updated_by"] = json!(1);
        it["details"] = json!({});
        it["party"] = json!(1.5);
        it["zzz"] = json!(1);
        it.as_object_mut().unwrap().remove("status");
    });
    let paths: Vec<_> = told(&wrong).iter().map(|(path, rule, _)| (*path, *rule)).collect();
    assert_eq!(
        paths,
        [
            ("$.status", "required"),
            ("$.details", "cast"),
            ("$.party", "cast"),
            ("$.updated_by", "cast"),
            ("$.zzz", "schema"),
        ]
    );
}

#[test]
fn only_a_new_dispense_is_signed() {
    let content = with(|it| it["status"] = json!("PROCESSED"));
    let [(path, rule, message)] = told(&content)[..] else { panic!() };
    assert_eq!((path, rule, message), ("$.status", "inclusion", "value is not allowed in enum"));
}

#[test]
fn nothing_more_is_said_of_people_and_lines() {
    let content = with(|it| {
        it["details"][0]["note"] = json!("free");
        it["medication_request"]["person"]["tax_id"] = json!("1");
        it["medication_request"]["employee"]["party"]["documents"] = json!([]);
        it["medication_request"]["employee"]["party"]["tax_id"] = json!("1");
    });
    let unknown = "schema does not allow additional properties";
    assert_eq!(
        told(&content),
        [
            ("$.medication_request.employee.party.documents", "schema", unknown),
            ("$.medication_request.employee.party.tax_id", "schema", unknown),
            ("$.medication_request.person.tax_id", "schema", unknown),
            ("$.details.[0].note", "schema", unknown),
        ]
    );
}

#[test]
fn what_is_no_document_is_told_once() {
    for (text, path) in [
        ("", "$.content"),
        ("{", "$.content"),
        (r#"{"id":1,"id":2}"#, "$.content"),
        ("[]", "$"),
        ("\"{}\"", "$"),
        ("null", "$"),
    ] {
        let content = examine(text, AmountPaid::Required);
        let [(told, ..)] = told(&content)[..] else { panic!("{text}") };
        assert_eq!(told, path, "{text}");
        assert!(content.difference.is_some());
    }
    let many =
        format!("{{{}}}", (0..500).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(","));
    assert_eq!(examine(&many, AmountPaid::Required).faults.len(), 100);
}
