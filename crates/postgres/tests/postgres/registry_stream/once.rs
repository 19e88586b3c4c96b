//! The place moves with what was read, or neither does.

use dispensary::registry_stream::{Messages, RegistryStream};
use dispense_domain::registry::RegistryKind;
use uuid::Uuid;

use super::{is_elsewhere, messages, next, parties, read, source, stream};
use crate::database::Database;
use crate::import::chain::verify;
use crate::sample::{PARTY, PERSON, REQUEST, all_kinds, party, request, with};

#[tokio::test]
async fn what_a_message_brought_is_kept_and_told_with_its_source() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    for line in all_kinds() {
        let kind = RegistryKind::named(line["kind"].as_str().unwrap()).unwrap();
        read(&stream, messages(kind, None, 41, [line])).await;
    }
    assert_eq!(stream.places().await.unwrap().len(), 15);
    assert_eq!(database.number("SELECT count(*) FROM registry_entries").await, 11);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 1);
    let told: Vec<(Uuid, Option<Uuid>, String)> = sqlx::query_as(
        "SELECT by_user, by_client, source FROM registry_changes WHERE id IN ($1, $2, $3)
         ORDER BY source",
    )
    .bind(PARTY)
    .bind(PERSON)
    .bind(REQUEST)
    .fetch_all(&database.admin)
    .await
    .unwrap();
    let topics = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0002);
    let by = |kind: &str| (topics, None, format!("ndp.registry.{kind}/3/41"));
    assert_eq!(told, [by("medication_request"), by("party"), by("person")]);
    assert_eq!(verify(&database).await, 15);
}

#[tokio::test]
async fn of_several_messages_the_one_is_named_that_had_the_last_word() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let late = with(&party("Стара"), "updated_at", "2020-01-01T00:00:00Z");
    let new = with(&party("Нова"), "updated_at", "2026-01-01T00:00:00Z");
    read(&stream, parties([party("Перша"), new, late])).await;
    let told: (String, String) = sqlx::query_as(
        "SELECT source, data ->> 'last_name' FROM registry_changes JOIN registry_entries
             USING (kind, id)",
    )
    .fetch_one(&database.admin)
    .await
    .unwrap();
    assert_eq!(told, ("ndp.registry.party/3/1".to_owned(), "Нова".to_owned()));
}

#[tokio::test]
async fn what_was_read_before_is_not_applied_again() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    read(&stream, parties([party("Перша")])).await;
    let again = stream.apply(parties([party("Перша")])).await;
    assert!(is_elsewhere(&again), "{again:?}");

    read(&stream, messages(RegistryKind::Party, Some(1), 1, [party("Друга")])).await;
    for (from, begin) in [(Some(1), 1), (Some(0), 0), (None, 0), (Some(3), 3)] {
        let other = messages(RegistryKind::Party, from, begin, [party("Чужа")]);
        let read = stream.apply(other).await;
        assert!(is_elsewhere(&read), "{from:?}: {read:?}");
    }
    assert_eq!(next(&stream).await, 2);
    assert_eq!(database.changes().await, 2);
}

/// A zombie and its successor read the same messages, hundreds of them, at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_read_the_same_one_applies_it() {
    let database = Database::new().await;
    let streams = [stream(&database).await, stream(&database).await];
    let [first, second] = &streams;
    for round in 0..20_i64 {
        let from = (round > 0).then_some(round * 10);
        let marks = |who: &str| {
            let mark = |n| with(&party(&format!("{who}{round}")), "first_name", format!("{n}"));
            messages(RegistryKind::Party, from, round * 10, (0..10).map(mark))
        };
        let requests = |who: &str| {
            let line = |n| with(&request(Uuid::from_u128(n)), "category", format!("{who}{round}"));
            messages(RegistryKind::MedicationRequest, from, round * 10, (0..10).map(line))
        };
        for of in [&marks as &(dyn Fn(&str) -> Messages + Sync), &requests] {
            let (one, other) = tokio::join!(first.apply(of("a")), second.apply(of("b")));
            assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
            assert!(is_elsewhere(if one.is_ok() { &other } else { &one }));
        }
    }
    assert_eq!(database.number("SELECT sum(next)::bigint FROM registry_offsets").await, 2 * 200);
    assert_eq!(verify(&database).await, 20 + 20 * 10);
}

#[tokio::test]
async fn a_connection_that_is_lost_on_the_way_leaves_nothing() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let faulty = with(&request(REQUEST), "medication_qty", "many");
    let both = || {
        let lines = [request(REQUEST), faulty.clone()];
        messages(RegistryKind::MedicationRequest, None, 7, lines)
    };
    let mut writer = database.admin.begin().await.unwrap();
    sqlx::query("SELECT position FROM log_head FOR UPDATE").execute(&mut *writer).await.unwrap();
    let lost = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity, pg_terminate_backend(pid)
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while database.number(waiting).await == 0 {}
    };
    let (read, ()) = tokio::join!(stream.apply(both()), lost);
    assert!(read.is_err() && !is_elsewhere(&read), "{read:?}");
    writer.commit().await.unwrap();
    assert_eq!(stream.places().await.unwrap(), []);
    assert_eq!(stream.dead_letters(10).await.unwrap(), []);

    assert_eq!(stream.apply(both()).await.unwrap().len(), 1);
    assert_eq!(next(&stream).await, 9);
    assert_eq!(stream.dead_letters(10).await.unwrap().len(), 1);
    assert_eq!(verify(&database).await, 1);
}

#[tokio::test]
async fn messages_beyond_one_transaction_keep_their_order() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    let ids: Vec<Uuid> = (0..8).map(Uuid::from_u128).collect();
    let many = (0..1_000).map(|n| with(&request(ids[n % 8]), "category", n.to_string()));
    read(&stream, messages(RegistryKind::MedicationRequest, None, 0, many)).await;
    assert_eq!(next(&stream).await, 1_000);
    let last: Vec<String> = sqlx::query_scalar(
        "SELECT data ->> 'category' FROM medication_requests ORDER BY data ->> 'category'",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap();
    assert_eq!(last, (992..1_000).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(verify(&database).await, 4 * 8, "one for each transaction and record");
}

#[tokio::test]
async fn what_was_gone_is_counted_until_somebody_says_that_it_is_mended() {
    let database = Database::new().await;
    let stream = stream(&database).await;
    read(&stream, parties([party("Перша")])).await;
    let gap = Messages { lost: 5, to: 6, ..messages(RegistryKind::Party, Some(1), 6, [""; 0]) };
    read(&stream, gap).await;
    let gap =
        Messages { lost: 2, ..messages(RegistryKind::Party, Some(6), 8, [party("Друга")]) };
    read(&stream, gap).await;
    let places = stream.places().await.unwrap();
    assert_eq!((places[0].next, places[0].lost), (9, 7));
    assert_eq!(places[0].source, source(RegistryKind::Party));
    // As docs/operations.md says.
    let mended = "UPDATE registry_offsets SET lost = 0 WHERE lost > 0";
    sqlx::query(mended).execute(&database.serving).await.unwrap();
    assert_eq!(next(&stream).await, 9);
}

#[tokio::test]
async fn the_lease_is_one_instances_until_it_lets_go_or_is_silent() {
    let database = Database::new().await;
    let (one, other) = (stream(&database).await, stream(&database).await);
    assert!(one.lease().await.unwrap());
    assert!(!other.lease().await.unwrap());
    assert!(one.lease().await.unwrap(), "it keeps it");
    other.release().await.unwrap();
    assert!(!other.lease().await.unwrap(), "it was not its own");
    one.release().await.unwrap();
    assert!(other.lease().await.unwrap());
    assert!(!one.lease().await.unwrap());
    let silent = "UPDATE registry_lease SET leased_until = leased_until - interval '5 s'";
    sqlx::query(silent).execute(&database.admin).await.unwrap();
    assert!(one.lease().await.unwrap());
    assert!(!other.lease().await.unwrap());
}
