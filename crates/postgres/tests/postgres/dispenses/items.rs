//! The second table of the model: what a dispense has, each medication and batch once.

use serde_json::{Value, json};
use uuid::Uuid;

use super::told::{Log, Told};
use crate::sample::{DIVISION, PARTY, PERSON, PHARMACY, PROGRAM, partition_of};

const METFORMIN: Uuid = Uuid::from_u128(0xC1);
const INSULIN: Uuid = Uuid::from_u128(0xC2);

const KEPT: &str =
    "SELECT to_jsonb(i) AS row FROM dispense_items i ORDER BY inserted_at, dispense_id, item";

const HISTORY: &str = "SELECT to_jsonb(h) AS row FROM history h ORDER BY partition, position";

#[tokio::test(flavor = "multi_thread")]
async fn each_medication_and_batch_is_kept_once_and_knows_whether_it_is_the_first() {
    let mut log = Log::new().await;
    let told = Told {
        items: vec![
            (METFORMIN, Some("A")),
            (METFORMIN, None),
            (METFORMIN, Some("A")),
            (INSULIN, Some("A")),
            (METFORMIN, Some("B")),
        ],
        ..Told::on(1)
    };
    let id = log.dispensed(&told, "Processed").await;
    log.followed().await;
    let row = |item: u32, medication: Uuid, batch: Value, first: (bool, bool)| {
        json!({
            "partition": partition_of(told.request), "dispense_id": id, "item": item,
            "legal_entity_id": PHARMACY, "division_id": DIVISION, "person_id": PERSON,
            "party_id": PARTY, "medical_program_id": PROGRAM, "medication_id": medication,
            "batch_number": batch, "dispensed_on": "2026-01-31",
            "inserted_at": "2026-01-31T08:00:00+00:00", "first_of_medication": first.0,
            "first_of_batch": first.1,
        })
    };
    assert_eq!(
        log.rows(KEPT).await,
        [
            row(1, METFORMIN, json!("A"), (true, true)),
            row(2, METFORMIN, Value::Null, (false, false)),
            row(3, INSULIN, json!("A"), (true, false)),
            row(4, METFORMIN, json!("B"), (false, true)),
        ]
    );
}

/// The statements of the migration, on dispenses that were followed before there were lists.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_migration_fills_is_what_the_follower_keeps() {
    let mut log = Log::new().await;
    for n in 0..40_u32 {
        let batch = ["A", "B", "C"][n as usize % 3];
        let told = Told {
            items: vec![
                (METFORMIN, Some(batch)),
                (INSULIN, (n % 2 == 0).then_some("A")),
                (METFORMIN, Some("B")),
                (INSULIN, None),
            ],
            ..Told::on(u128::from(n))
        };
        match n % 4 {
            0 => {
                let told = Told { at_once: true, ..told };
                let id = log.held(&told).await;
                log.ended(&told, id, "Processed").await;
            }
            1 => _ = log.dispensed(&told, "Expired").await,
            _ => _ = log.held(&told).await,
        }
        log.tick();
    }
    // Of the last one the follower has read the first event alone.
    log.held(&Told { at_once: true, ..Told::on(41) }).await;
    log.followed().await;
    let (items, history) = (log.rows(KEPT).await, log.rows(HISTORY).await);
    assert!(items.len() > 100 && history.len() > 50);
    let migration = include_str!("../../../../../migrations/0018_lists_of_what_was_there.sql");
    let fills = migration.split(';').map(str::trim).filter(|it| it.contains("INSERT INTO"));
    for statement in
        ["TRUNCATE dispense_items_v1, history_v1", "DELETE FROM followers WHERE name = 'history'"]
    {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    for fill in fills {
        sqlx::raw_sql(fill).execute(&log.database.admin).await.unwrap();
    }
    assert_eq!(log.rows(KEPT).await, items);
    assert_eq!(log.rows(HISTORY).await, history);
    log.followed().await;
    assert_eq!(log.rows(HISTORY).await, history, "nothing is read twice");
}
