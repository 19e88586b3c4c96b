//! Every message that can be wrong is really sent, among good ones.

use serde_json::{Value, json};

use super::letters;
use super::registry::{LETTERS, READ_WITHIN, Registry, topic_of, well};
use crate::announcing::house::told;
use crate::asyncapi::Document;
use crate::harness::{Terms, eventually, line, world};

/// A line of what is prescribed, with a mark.
fn marked(record: &Value, mark: &str) -> String {
    let mut record = record.clone();
    record["note"] = json!(mark);
    line("medication_request", &record)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_put_aside_with_its_reason_and_nothing_waits_for_it() {
    let registry = Registry::new(&["medication_request"]).await;
    registry.database.import(&registry.world.lines());
    let instance = registry.start().await;
    let pharmacy = registry.world.pharmacies[0].at(&instance);
    let (held, other) = (
        registry.world.prescribed(Terms::InParts, 0),
        registry.world.prescribed(Terms::InParts, 1),
    );
    pharmacy.dispense(&held, 20).await.expect(201);

    let good = world::request(&other);
    let with = |member: &str, value: Value| {
        let mut record = world::request(&held);
        record[member] = value;
        line("medication_request", &record).into_bytes()
    };
    let bad: Vec<(&str, &str, Vec<u8>)> = vec![
        ("not-json", "expected JSON", b"{\"kind\": \"medication_request\", ".to_vec()),
        ("not-json", "UTF-8", b"\xff\xfe".to_vec()),
        ("not-json", "found nothing", Vec::new()),
        ("unknown-kind", "unicorn", line("unicorn", &json!({"id": held.id})).into_bytes()),
        ("other-kind", "topic", line("person", &world::person(&held)).into_bytes()),
        ("schema", "shoe_size", with("shoe_size", json!(42))),
        ("schema", "medication_qty", with("medication_qty", json!("many"))),
        ("line-too-long", "65536", with("note", json!("x".repeat(70_000)))),
        ("medication-request-in-use", "medication_qty", with("medication_qty", json!(61))),
        ("medication-request-in-use", "REJECTED", with("status", json!("REJECTED"))),
    ];
    let (topic, mut expected) = (topic_of("medication_request"), Vec::new());
    for (n, (code, word, value)) in bad.iter().enumerate() {
        let before = marked(&good, &format!("before {n}"));
        registry.send(&topic, 2, "good", Some(before.as_bytes())).await;
        let key = format!("bad {n}");
        let offset = registry.send(&topic, 2, &key, Some(value)).await;
        expected.push((offset, *code, *word, key, Some(value.clone())));
    }
    let offset = registry.send(&topic, 2, "to be deleted", None).await;
    let deletion = ("deletion-not-supported", "no value", "to be deleted".to_owned(), None);
    expected.push((offset, deletion.0, deletion.1, deletion.2, deletion.3));
    let after = marked(&good, "the last one");
    let last = registry.send(&topic, 2, "good", Some(after.as_bytes())).await;
    registry.read(&topic, 2, last).await;

    let document = Document::read();
    let letters = letters::first(&registry, expected.len()).await;
    for (letter, (offset, code, word, key, value)) in letters.iter().zip(&expected) {
        assert_eq!(letter.source(), (&*registry.name(&topic), 2, *offset), "{letter:?}");
        assert_eq!(letter.headers["code"], *code, "{letter:?}");
        assert!(letter.headers["reason"].contains(word), "{word}: {:?}", letter.headers);
        assert_eq!(letter.key.as_ref(), Some(key));
        let objections = document.against("DeadLetter", "headers", &json!(letter.headers));
        assert!(objections.is_empty(), "{objections:#?}");
        let kept = value.as_ref().map(|value| &value[..value.len().min(65_536)]);
        assert_eq!(letter.value.as_deref(), kept, "{code}");
    }
    let note: String =
        sqlx::query_scalar("SELECT data ->> 'note' FROM medication_requests WHERE id = $1")
            .bind(other.id)
            .fetch_one(&registry.database.pool)
            .await
            .unwrap();
    assert_eq!(note, "the last one");
    let brought = "SELECT count(*) FROM registry_changes WHERE source IS NOT NULL";
    let brought: i64 =
        sqlx::query_scalar(brought).fetch_one(&registry.database.pool).await.unwrap();
    assert!(brought >= 1, "at least the last of the good ones changed something");
    eventually("letters that say nothing any more", READ_WITHIN, async || {
        let says = "SELECT count(*) FROM registry_dead_letters
                    WHERE key IS NOT NULL OR value IS NOT NULL OR reason <> ''";
        let says: i64 = sqlx::query_scalar(says).fetch_one(&registry.database.pool).await.ok()?;
        (says == 0).then_some(())
    })
    .await;

    let metrics = reqwest::get(format!("{}/metrics", instance.url)).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let count = |outcome: &str| {
        let name = "dispense_registry_stream_messages_total{";
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        let mut lines = lines.filter(|line| {
            line.contains("\"medication_request\"") && line.contains(&format!("\"{outcome}\""))
        });
        lines.next().and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
    };
    assert_eq!(count("faulty"), Some(11), "{metrics}");
    assert_eq!(count("applied"), Some(11));
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_in_the_database_for_a_topic_and_nothing_waits_for_them() {
    let database = crate::harness::Database::new().await;
    let registry = Registry::on(database, crate::announcing::brokers::shared());
    registry.make(&topic_of("person"), 1).await;
    let instance = registry.start().await;
    let topic = topic_of("person");
    for round in 0..3 {
        registry.send(&topic, 0, "bad", Some(b"{")).await;
        let what = registry.world.prescribed(Terms::InParts, round);
        let good = line("person", &world::person(&what));
        let offset = registry.send(&topic, 0, "good", Some(good.as_bytes())).await;
        registry.read(&topic, 0, offset).await;
    }
    let persons: i64 = sqlx::query_scalar("SELECT count(*) FROM persons")
        .fetch_one(&registry.database.pool)
        .await
        .unwrap();
    assert_eq!(persons, 3);
    told(&instance, &["registry", &registry.name(LETTERS), "dispense streams topics"]).await;
    registry.make(LETTERS, 1).await;
    assert_eq!(letters::first(&registry, 3).await.len(), 3);
    well(&instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_at_all_is_a_figure_that_alarms_see() {
    let registry = Registry::new(&["person"]).await;
    let topic = topic_of("person");
    let instance = registry.start().await;
    let wrong = async |figure: &str| {
        let line = format!("dispense_registry_stream_wrong{{what=\"reading\"}} {figure}");
        eventually(&line, READ_WITHIN, async || {
            let metrics = reqwest::get(format!("{}/metrics", instance.url)).await.ok()?;
            metrics.text().await.ok()?.lines().any(|it| it == line).then_some(())
        })
        .await;
    };
    wrong("0").await;
    let taken = "ALTER TABLE persons RENAME TO persons_taken_away";
    sqlx::query(taken).execute(&registry.database.pool).await.unwrap();
    let what = registry.world.prescribed(Terms::InParts, 0);
    let line = line("person", &world::person(&what));
    let offset = registry.send(&topic, 0, "", Some(line.as_bytes())).await;
    wrong("1").await;
    let back = "ALTER TABLE persons_taken_away RENAME TO persons";
    sqlx::query(back).execute(&registry.database.pool).await.unwrap();
    registry.read(&topic, 0, offset).await;
    wrong("0").await;
}
