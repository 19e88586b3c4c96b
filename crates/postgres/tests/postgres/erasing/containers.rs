//! Signed containers, and what read models took from bodies.

use dispense_domain::DispenseEvent;
use dispense_postgres::erase::{Eraser, Order, Report, Signed};
use serde_json::json;
use uuid::Uuid;

use super::{emptied, kept, person};
use crate::database::Database;
use crate::sample::{PERSON, REQUEST, append, held, partition_of};

const KEY: &str = "00000000-0000-0000-0000-0000000000d1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A log with one dispense that was signed for.
async fn signed() -> Database {
    let database = Database::new().await;
    let dispense = Uuid::from_u128(0xD1);
    let signed: DispenseEvent = serde_json::from_value(json!({
        "type": "Processed", "dispense_id": dispense, "signed": true, "remaining": "20",
        "content": {"key": KEY, "digest": "aa".repeat(32)},
    }))
    .unwrap();
    let events = [held(REQUEST, dispense, "2026-01-31T08:10:00Z".parse().unwrap()), signed];
    append(&database, REQUEST, &events).await;
    sqlx::query("UPDATE log_head SET position = 2 WHERE partition = $1")
        .bind(partition_of(REQUEST).cast_signed())
        .execute(&database.admin)
        .await
        .unwrap();
    sqlx::query("INSERT INTO personal_bodies (partition, position, body) VALUES ($1, 1, '{}')")
        .bind(partition_of(REQUEST).cast_signed())
        .execute(&database.admin)
        .await
        .unwrap();
    database
}

async fn erase(database: &Database, order: &Order) -> Report {
    let mut eraser = Eraser::connect(&database.admin.connect_options()).await.unwrap();
    let found = eraser.find(order.whom, |_| {}).await.unwrap();
    eraser.erase(order, found).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_named_until_nobody_asks_any_more_and_recorded_once() {
    let database = signed().await;
    let first = erase(&database, &person(PERSON)).await;
    assert_eq!(first.containers, [KEY]);
    assert_eq!(emptied(&first, "contents")[0].key.as_deref(), Some(KEY));
    // The first run may have been cut short before the store heard of it.
    let second = erase(&database, &person(PERSON)).await;
    assert_eq!(second.containers, [KEY]);
    assert_eq!(second.records, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_can_be_kept_for_a_reason_and_given_up_later() {
    let database = signed().await;
    let why = "kept five years by law";
    let keeping = Order { signed: Signed::Kept(why.to_owned()), ..person(PERSON) };
    let first = erase(&database, &keeping).await;
    assert_eq!((first.records, first.containers.len()), (vec![1], 0));
    let again = erase(&database, &keeping).await;
    assert_eq!((again.records.len(), again.containers.len()), (0, 0));
    let given_up = erase(&database, &person(PERSON)).await;
    assert_eq!((given_up.records.as_slice(), given_up.containers.len()), (&[2][..], 1));
    assert_eq!(kept(&given_up, "contents"), Vec::<&str>::new());
    let recorded: String = sqlx::query_scalar("SELECT places::text FROM erasures WHERE number = 1")
        .fetch_one(&database.admin)
        .await
        .unwrap();
    assert!(recorded.contains(why), "{recorded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_read_model_took_from_a_body_goes_with_it_whatever_its_version() {
    let database = signed().await;
    let plan = Uuid::from_u128(0xB0);
    // Whatever else the model keeps is nothing to this test.
    let relaxed = "DO $$
        DECLARE name text;
        BEGIN
            FOR name IN SELECT attname FROM pg_attribute
                        WHERE attrelid = 'dispenses_v1'::regclass AND attnum > 0 AND attnotnull
                              AND attname NOT IN ('partition', 'dispense_id')
            LOOP
                EXECUTE format('ALTER TABLE dispenses_v1 ALTER %I DROP NOT NULL', name);
            END LOOP;
        END $$";
    for statement in [relaxed, "CREATE TABLE dispenses_v98 (LIKE dispenses_v1 INCLUDING ALL)"] {
        sqlx::query(statement).execute(&database.admin).await.unwrap();
    }
    for table in ["dispenses_v1", "dispenses_v98"] {
        let row = format!(
            "INSERT INTO {table} (partition, dispense_id, care_plan_id) VALUES ($1, $2, $3)"
        );
        sqlx::query(&row)
            .bind(partition_of(REQUEST).cast_signed())
            .bind(Uuid::from_u128(0xD1))
            .bind(plan)
            .execute(&database.admin)
            .await
            .unwrap();
    }
    let report = erase(&database, &person(PERSON)).await;
    for table in ["dispenses_v1", "dispenses_v98"] {
        assert_eq!(emptied(&report, table).len(), 1, "{table}");
        let left = format!("SELECT count(*) FROM {table} WHERE care_plan_id IS NOT NULL");
        assert_eq!(database.number(&left).await, 0, "{table}");
    }
}
