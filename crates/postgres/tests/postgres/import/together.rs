//! Importers beside each other, and beside the writers.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::chain::verify;
use super::{Database, import, try_import};
use crate::sample::{REQUEST, importer, lines, partition_of, party, request, with};

/// Two hundred records that everybody imports, each marked with whose they are.
fn records(mark: &str) -> Vec<Value> {
    let requests = (0..100).map(|n| with(&request(Uuid::from_u128(n)), "category", mark));
    let parties = (0..100).map(|n| with(&party(mark), "id", Uuid::from_u128(n).to_string()));
    requests.chain(parties).collect()
}

/// What is kept of each record: its mark.
async fn marks(database: &Database) -> HashMap<String, Vec<String>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT 'chain ' || partition, data ->> 'category' FROM medication_requests
         UNION ALL SELECT 'parties', data ->> 'last_name' FROM registry_entries",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap();
    let mut marks: HashMap<String, Vec<String>> = HashMap::new();
    for (chain, mark) in rows {
        marks.entry(chain).or_default().push(mark);
    }
    marks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn importers_of_the_same_records_take_turns() {
    let database = Database::new().await;
    for round in 0..10 {
        let importing = ["a", "b", "c"].map(|mark| {
            let (instance, mark) = (database.importer(), format!("{mark}{round}"));
            tokio::spawn(async move {
                let mut records = records(&mark);
                if mark.starts_with('b') {
                    // The other way round, as locks of rows would have it to meet in a circle.
                    records.reverse();
                }
                instance.import(lines(records), &importer()).await
            })
        });
        for one in importing {
            assert_eq!(one.await.unwrap().unwrap(), []);
        }
        // Within each chain, all records are those of the importer that came last.
        for (chain, marks) in marks(&database).await {
            assert!(marks.iter().all(|mark| mark == &marks[0]), "{chain}: {marks:?}");
            assert!(marks[0].ends_with(&round.to_string()), "{chain}: {marks:?}");
        }
    }
    assert_eq!(database.version().await, 30);
    assert_eq!(verify(&database).await, 30 * 200);
}

#[tokio::test]
async fn a_partition_that_is_busy_is_waited_for_and_keeps_nobody_else_waiting() {
    let database = Database::new().await;
    let mut writer = database.admin.begin().await.unwrap();
    sqlx::query("SELECT position FROM log_head WHERE partition = $1 FOR UPDATE")
        .bind(partition_of(REQUEST).cast_signed())
        .fetch_one(&mut *writer)
        .await
        .unwrap();

    let elsewhere = (1..100)
        .map(|n| Uuid::from_u128(0xE0_0000 + n))
        .find(|id| partition_of(*id) != partition_of(REQUEST))
        .unwrap();
    import(&database, [request(elsewhere), party("Коваль")]).await;

    // Longer than the serving role may wait for a lock, so that it has to try again.
    let waiting = database.importer();
    let waiting =
        tokio::spawn(async move { waiting.import(lines([request(REQUEST)]), &importer()).await });
    sqlx::query("SELECT pg_sleep(1.3)").execute(&mut *writer).await.unwrap();
    assert!(!waiting.is_finished());
    writer.commit().await.unwrap();
    let finished = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    assert_eq!(finished.unwrap().unwrap().unwrap(), []);
}

#[tokio::test]
async fn lines_beyond_one_transaction_keep_their_order() {
    let database = Database::new().await;
    let many = (0..2_500).map(|n| with(&request(REQUEST), "category", n.to_string()));
    let many = many.chain((0..2_500).map(|n| party(&n.to_string())));
    assert_eq!(try_import(&database, many).await, []);
    for (chain, marks) in marks(&database).await {
        assert_eq!(marks, ["2499"], "{chain}");
    }
    assert_eq!(database.version().await, 3, "one for each thousand");
}

#[tokio::test]
async fn what_takes_too_long_at_once_is_done_in_halves() {
    let database = Database::new().await;
    // The serving role may spend a second on a statement, and these would take two.
    for statement in [
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$",
        "CREATE TRIGGER dawdle BEFORE INSERT ON medication_requests
         FOR EACH ROW EXECUTE FUNCTION dawdle()",
    ] {
        sqlx::query(statement).execute(&database.admin).await.unwrap();
    }
    let ids = (1..).map(Uuid::from_u128).filter(|id| partition_of(*id) == 0).take(100);
    assert_eq!(try_import(&database, ids.map(request)).await, []);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 100);
    assert_eq!(verify(&database).await, 100);
}
