//! What became of the activities of care plans.

use serde_json::{Value, json};
use uuid::Uuid;

use super::told::{Log, Told};
use crate::sample::{importer, lines};

const PLAN: Uuid = Uuid::from_u128(0xB0);
const ACTIVITY: Uuid = Uuid::from_u128(0xB1);

fn based() -> Value {
    json!([{"type": "care_plan", "id": PLAN}, {"type": "activity", "id": ACTIVITY}])
}

async fn planned(log: &Log, status: &str) {
    let activity = json!({"kind": "care_plan_activity", "data": {
        "id": ACTIVITY, "care_plan_id": PLAN, "status": status, "quantity": 30.5}});
    let importer_of = log.database.importer();
    let faulty = importer_of.import(lines([activity]), &importer()).await.unwrap();
    assert!(faulty.is_empty(), "{faulty:?}");
}

/// Status, what is left, and the dispenses.
async fn outcome(log: &Log) -> (String, String, Vec<Uuid>) {
    sqlx::query_as(
        "SELECT status, remaining_quantity::text, outcome_reference
         FROM care_plan_activity_outcomes WHERE activity_id = $1",
    )
    .bind(ACTIVITY)
    .fetch_one(&log.database.serving)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_is_in_progress_once_something_was_handed_over_on_it() {
    let mut log = Log::new().await;
    planned(&log, "scheduled").await;
    let told = Told { based_on: Some(based()), ..Told::on(1) };
    let held = log.held(&told).await;
    log.followed().await;
    assert_eq!(outcome(&log).await, ("scheduled".to_owned(), "30.5".to_owned(), vec![]));

    log.tick();
    log.ended(&told, held, "Processed").await;
    log.followed().await;
    let expected = ("in_progress".to_owned(), "20.5".to_owned(), vec![held]);
    assert_eq!(outcome(&log).await, expected);
}

/// On all its medication requests, in the order in which it was handed over; nothing else counts.
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_has_all_that_was_handed_over_on_it_once() {
    let mut log = Log::new().await;
    planned(&log, "in_progress").await;
    let first = Told { based_on: Some(based()), ..Told::on(1) };
    let second = Told { based_on: Some(based()), ..Told::on(2) };
    let one = log.dispensed(&first, "Processed").await;
    log.tick();
    let _given_back = log.dispensed(&second, "Cancelled").await;
    let _elsewhere = log.dispensed(&Told::on(3), "Processed").await;
    log.tick();
    let other = log.dispensed(&second, "Processed").await;
    log.followed().await;
    log.followed().await;
    let expected = ("in_progress".to_owned(), "10.5".to_owned(), vec![one, other]);
    assert_eq!(outcome(&log).await, expected);
}
