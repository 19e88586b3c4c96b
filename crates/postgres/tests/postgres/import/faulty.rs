//! Lines that are skipped, each with a code and a sentence that says what is expected.

use dispensary::Line;
use serde_json::{Value, json};

use super::{Database, import, last_name, try_import};
use crate::sample::{REQUEST, all_kinds, importer, lines, party, request, with};

/// The line of that kind.
fn of(kind: &str) -> Value {
    all_kinds().into_iter().find(|line| line["kind"] == kind).unwrap()
}

/// Imports one line, which must be faulty, and returns its code and message.
async fn refused(database: &Database, text: impl ToString) -> (&'static str, String) {
    let text = text.to_string();
    let faulty = try_import(database, [&text]).await;
    let [faulty] = <[_; 1]>::try_from(faulty).unwrap_or_else(|all| panic!("{text}: {all:?}"));
    assert_eq!(faulty.line, 1);
    (faulty.code, faulty.message)
}

#[tokio::test]
async fn what_is_not_json_is_named_so() {
    let database = Database::new().await;
    for (text, expected) in [
        ("{", "EOF while parsing an object"),
        ("hello", "expected value"),
        (r#"{"kind":"party","data":{}} {}"#, "trailing characters"),
        (
            r#"{"kind":"party","data":{"id":"\ud800"}}"#,
            "data: expected JSON: unexpected end of hex escape at byte 14",
        ),
        (r#"{"kind":"party","data":{"id":NaN}}"#, "expected value"),
    ] {
        let (code, message) = refused(&database, text).await;
        assert_eq!(code, "not-json", "{text}");
        assert!(message.contains(expected), "{text}: {message}");
    }
    let deep = format!(r#"{{"kind":"party","data":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    assert_eq!(
        refused(&database, deep).await,
        ("not-json", "expected at most 32 levels of nesting".to_owned())
    );
    let latin = Line { number: 1, bytes: b"{\"kind\":\"\xe9\"}".to_vec() };
    let faulty = database.importer().import(vec![latin], &importer()).await.unwrap();
    assert_eq!(faulty[0].code, "not-json");
    assert!(faulty[0].message.contains("UTF-8"), "{}", faulty[0].message);
}

#[tokio::test]
async fn a_line_has_at_most_64_kib() {
    let database = Database::new().await;
    let line = party("Коваль").to_string();
    let longest = format!("{line}{}", " ".repeat(64 * 1024 - line.len()));
    assert_eq!(try_import(&database, [&longest]).await, []);
    let (code, message) = refused(&database, longest + " ").await;
    assert_eq!(code, "line-too-long");
    assert!(message.contains("65536"), "{message}");
}

#[tokio::test]
async fn an_unknown_kind_is_answered_with_the_known_ones() {
    let database = Database::new().await;
    let (code, message) = refused(&database, json!({"kind": "pharmacy", "data": {}})).await;
    assert_eq!(code, "unknown-kind");
    assert!(message.starts_with("kind: expected one of legal_entity, division"), "{message}");
    assert!(message.ends_with("found `pharmacy`"), "{message}");
}

#[tokio::test]
async fn a_bad_member_is_named_with_what_is_expected() {
    let database = Database::new().await;
    let participant = of("program_medication");
    let mut fine = participant.clone();
    fine["data"]["reimbursement"]["reimbursement_amount"] = json!(1.23456);
    let mut ingredient = of("medication");
    ingredient["data"]["ingredients"] = json!([{"is_primary": true}, {"dosage": {"numerator_value": "500", "numerator_unit": "MG"}}]);
    let mut missing = participant.clone();
    missing["data"]["reimbursement"] = json!({"reimbursement_amount": 1});
    let mut nameless = of("division");
    nameless["data"].as_object_mut().unwrap().remove("name");

    for (line, expected) in [
        (json!({"kind": "party"}), "missing field `data`"),
        (json!({"data": {}}), "missing field `kind`"),
        (json!({"kind": 1, "data": {}}), "kind: invalid type: integer `1`, expected a string"),
        (json!({"kind": "party", "data": {}, "x": 1}), "x: unknown field `x`, expected `kind`"),
        (json!(["party", {}]), "expected an object"),
        (json!({"kind": "party", "data": []}), "data: expected an object but found []"),
        (with(&party("К"), "surname", "x"), "data.surname: unknown field `surname`, expected one"),
        (with(&party("К"), "last_name", ""), "data.last_name: expected at least 1 character"),
        (
            with(&party("К"), "last_name", "x".repeat(256)),
            "data.last_name: expected at most 255 characters but got 256",
        ),
        (
            with(&party("К"), "last_name", "a\u{0}b"),
            "data.last_name: control character U+0000 is not allowed",
        ),
        (with(&party("К"), "id", "7"), "data.id: expected an id such as"),
        (with(&party("К"), "birth_date", "31.01.2026"), "data.birth_date: expected a date such as"),
        (
            with(&party("К"), "updated_at", "yesterday"),
            "data.updated_at: expected a time such as 2026-01-31T10:00:00Z or null but found",
        ),
        (
            with(&of("division"), "status", "OPEN"),
            "data.status: unknown variant `OPEN`, expected `ACTIVE` or `INACTIVE`",
        ),
        (nameless, "data: missing field `name`"),
        (missing, "data.reimbursement: missing field `type`"),
        (fine, "data.reimbursement.reimbursement_amount: expected at most 4 decimal places"),
        (
            ingredient,
            "data.ingredients[1].dosage.numerator_value: expected a number but got \"500\"",
        ),
        (
            with(&request(REQUEST), "medication_qty", 0),
            "data.medication_qty: expected the value to be > 0",
        ),
        (
            with(&request(REQUEST), "medication_qty", 10_000_000),
            "data.medication_qty: expected the value to be < 10000000",
        ),
        (
            with(&request(REQUEST), "medication_qty", Value::Null),
            "data.medication_qty: expected a number but got null",
        ),
        (
            with(&participant, "reimbursement", 5),
            "data.reimbursement: invalid type: integer `5`, expected an object",
        ),
        (
            with(&of("legal_entity"), "accreditation", "\u{7}"),
            "data.accreditation: control character U+0007",
        ),
    ] {
        let (code, message) = refused(&database, &line).await;
        assert_eq!(code, "schema", "{line}: {message}");
        assert!(message.starts_with(expected), "{line}: {message}");
    }
    assert_eq!(database.changes().await, 0);
}

#[tokio::test]
async fn a_time_is_named_once_and_a_member_too() {
    let database = Database::new().await;
    let id = "00000000-0000-0000-0000-0000000000a3";
    let twice = format!(
        r#"{{"kind":"party_user","data":{{"user_id":"{id}","party_id":"{id}","updated_at":null,"updated_at":null}}}}"#
    );
    let (code, message) = refused(&database, twice).await;
    assert_eq!((code, message.as_str()), ("schema", "data.updated_at: expected only once"));
    let twice = format!(
        r#"{{"kind":"party_user","data":{{"user_id":"{id}","party_id":"{id}","party_id":"{id}"}}}}"#
    );
    let (code, message) = refused(&database, twice).await;
    assert_eq!((code, message.as_str()), ("schema", "data.party_id: duplicate field `party_id`"));
}

#[tokio::test]
async fn good_lines_among_faulty_and_blank_ones_are_applied() {
    let database = Database::new().await;
    import(&database, [party("Стара")]).await;
    let texts = [
        String::new(),
        "{}".to_owned(),
        party("Нова").to_string() + "\r",
        "  \t ".to_owned(),
        with(&request(REQUEST), "medication_qty", -1).to_string(),
        "nonsense".to_owned(),
    ];
    let faulty = database.importer().import(lines(texts), &importer()).await.unwrap();
    let faulty: Vec<_> = faulty.iter().map(|faulty| (faulty.line, faulty.code)).collect();
    assert_eq!(faulty, [(2, "schema"), (5, "schema"), (6, "not-json")]);
    assert_eq!(last_name(&database).await, "Нова");
}
