//! Dead letters: kept with what they are about, emptied when they are buried or somebody is erased.

use chrono::{DateTime, Duration, Utc};
use dispensary::registry_stream::{DeadLetter, LONGEST_MESSAGE, Message, Messages, RegistryStream};
use dispense_domain::PersonId;
use dispense_domain::registry::RegistryKind;
use dispense_postgres::erase::{Earnest, Erased, Eraser, Order, Signed};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Database, message, messages, next, parties, source, stream};
use crate::sample::{PERSON, REQUEST, append, held, party, request, with};

#[tokio::test]
async fn what_is_faulty_is_kept_with_its_reason_and_the_others_are_applied() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let long = format!("{}{}", party("Довга"), " ".repeat(LONGEST_MESSAGE));
    let mut bad: Vec<(&str, String)> = vec![
        ("not-json", "{".to_owned()),
        ("not-json", "no json".to_owned()),
        ("not-json", String::new()),
        ("not-json", " \n ".to_owned()),
        ("unknown-kind", json!({"kind": "unicorn", "data": {}}).to_string()),
        ("other-kind", request(REQUEST).to_string()),
        ("schema", with(&party("Зайва"), "shoe_size", 42).to_string()),
        ("schema", with(&party("Дивна"), "a\0b", 42).to_string()),
        ("schema", with(&party("Хибна"), "birth_date", "yesterday").to_string()),
        ("schema", json!([party("Список")]).to_string()),
        ("line-too-long", long.clone()),
    ];
    let mut all: Vec<Message> = Vec::new();
    for (n, (_, value)) in (0..).zip(&bad) {
        all.push(message(2 * n, &party(&format!("Добра {n}"))));
        all.push(message(2 * n + 1, value));
    }
    let deletion = Message { offset: 22, key: Some(b"id".into()), value: None, length: 0 };
    all.extend([deletion, message(23, &party("Остання"))]);
    bad.push(("deletion-not-supported", String::new()));
    let to = 24;
    let faulty = stream.apply(Messages { messages: all, to, ..parties([]) }).await.unwrap();
    let codes: Vec<&str> = faulty.iter().map(|faulty| faulty.code).collect();
    let expected: Vec<&str> = bad.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, expected, "{faulty:#?}");

    assert_eq!(next(&stream).await, 24);
    let name: String = sqlx::query_scalar("SELECT data ->> 'last_name' FROM registry_entries")
        .fetch_one(&database.admin)
        .await
        .unwrap();
    assert_eq!(name, "Остання");
    let letters = stream.dead_letters(100).await.unwrap();
    assert_eq!(letters.len(), bad.len());
    for ((letter, (code, value)), line) in letters.iter().zip(&bad).zip(&faulty) {
        assert_eq!((letter.code.as_str(), &letter.source), (*code, &source(RegistryKind::Party)));
        assert_eq!(letter.offset.cast_unsigned(), line.line);
        assert_eq!(letter.reason, line.message.replace('\0', "\u{FFFD}"));
        let kept = value.as_bytes().get(..LONGEST_MESSAGE).unwrap_or(value.as_bytes());
        let kept = (*code != "deletion-not-supported").then_some(kept);
        assert_eq!(letter.value.as_deref(), kept, "{code}");
        assert!(letter.key.is_some());
    }
    assert!(letters[10].reason.contains(&long.len().to_string()), "{}", letters[10].reason);
}

#[tokio::test]
async fn what_dispenses_forbid_is_a_dead_letter_too() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let kind = RegistryKind::MedicationRequest;
    assert_eq!(stream.apply(messages(kind, None, 0, [request(REQUEST)])).await.unwrap(), []);
    let now: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.admin).await.unwrap();
    let hold = held(REQUEST, Uuid::from_u128(0xD1), now + Duration::minutes(10));
    append(&database, REQUEST, &[hold]).await;
    let lines = [
        with(&request(REQUEST), "medication_qty", 31),
        with(&request(REQUEST), "category", "goes on"),
    ];
    let faulty = stream.apply(messages(kind, Some(1), 1, lines)).await.unwrap();
    assert_eq!((faulty.len(), faulty[0].line), (1, 1));
    let letters = stream.dead_letters(10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.offset, letter.code.as_str()), (1, "medication-request-in-use"));
    assert!(letter.reason.contains("medication_qty"), "{}", letter.reason);
    assert_eq!(next(&stream).await, 3);
}

/// One that nobody can write would hold up everything behind it.
#[tokio::test]
async fn what_the_database_does_not_take_is_found_among_the_others() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    for statement in [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'too large' USING ERRCODE = '54000'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON medication_requests
         FOR EACH ROW WHEN (NEW.id = '00000000-0000-0000-0000-000000000025')
         EXECUTE FUNCTION refuse()",
    ] {
        sqlx::query(statement).execute(&database.admin).await.unwrap();
    }
    let lines = (0..0x40).map(|n| request(Uuid::from_u128(n)));
    let faulty =
        stream.apply(messages(RegistryKind::MedicationRequest, None, 0, lines)).await.unwrap();
    let found: Vec<_> = faulty.iter().map(|faulty| (faulty.line, faulty.code)).collect();
    assert_eq!(found, [(0x25, "unwritable")]);
    assert_eq!(stream.dead_letters(10).await.unwrap().len(), 1);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 0x3F);
    assert_eq!(next(&stream).await, 0x40);
}

#[tokio::test]
async fn what_was_buried_is_emptied_at_once_and_forgotten_after_a_month() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let lines = (0..5).map(|n| format!("{{ \"number\": {n} "));
    stream.apply(messages(RegistryKind::Person, None, 0, lines)).await.unwrap();
    let letters = stream.dead_letters(3).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.offset).collect::<Vec<_>>(), [0, 1, 2]);
    let ids: Vec<i64> = letters.iter().map(|letter| letter.id).collect();
    stream.buried(&ids).await.unwrap();
    let empty = "SELECT count(*) FROM registry_dead_letters
                 WHERE buried_at IS NOT NULL AND key IS NULL AND value IS NULL AND reason = ''";
    assert_eq!(database.number(empty).await, 3);
    let waiting = stream.dead_letters(10).await.unwrap();
    assert_eq!(waiting.iter().map(|letter| letter.offset).collect::<Vec<_>>(), [3, 4]);

    let old = "UPDATE registry_dead_letters SET buried_at = buried_at - interval '31 days'
               WHERE \"offset\" < 2";
    sqlx::query(old).execute(&database.admin).await.unwrap();
    stream.buried(&[waiting[0].id]).await.unwrap();
    let all = "SELECT count(*) FROM registry_dead_letters";
    assert_eq!(database.number(all).await, 3, "that of yesterday, the one of now, one that waits");
}

/// Whoever is erased is gone from messages that nobody could apply, too.
#[tokio::test]
async fn an_erasure_empties_what_waits_and_names_whom_it_erases() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let person = |id: &str| {
        json!({"kind": "person", "data": {"id": id, "last_name": "Шевченко"}}).to_string()
    };
    let (hyphens, plain) = (PERSON.to_string(), PERSON.simple().to_string().to_uppercase());
    let other = Uuid::from_u128(0xAA).to_string();
    let lines = [
        person(&hyphens),
        person(&plain),
        format!("{} and broken", person(&hyphens)),
        person(&other),
    ];
    stream.apply(messages(RegistryKind::Person, None, 0, lines)).await.unwrap();
    let by_key = Message { key: Some(hyphens.clone().into()), ..message(4, &"{") };
    let messages = Messages {
        messages: vec![by_key],
        ..messages(RegistryKind::Person, Some(4), 5, Vec::<Value>::new())
    };
    stream.apply(messages).await.unwrap();

    let options = database.admin.connect_options();
    let mut eraser = Eraser::connect(&options).await.unwrap();
    let whom = Erased::Person(PersonId::from(PERSON));
    let found = eraser.find(whom, |_| {}).await.unwrap();
    let order = Order {
        whom,
        reason: "letter 17".to_owned(),
        signed: Signed::Removed,
        earnest: Earnest::Done,
    };
    let report = eraser.erase(&order, found).await.unwrap();
    let emptied = report.places.iter().filter(|place| place.place == "registry_dead_letters");
    assert_eq!(emptied.count(), 4);
    let letters = stream.dead_letters(10).await.unwrap();
    let says = |letter: &DeadLetter| letter.value.is_some() || letter.key.is_some();
    let saying: Vec<i64> = letters.iter().filter(|it| says(it)).map(|it| it.offset).collect();
    assert_eq!((letters.len(), saying), (5, vec![3]), "they are buried still, and say nothing");
    assert!(letters.iter().all(|letter| says(letter) || letter.reason.is_empty()));
}
