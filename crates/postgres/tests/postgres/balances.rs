//! The read model `balances`: the quantity invariant, looked at a second time.

use std::sync::Arc;
use std::time::Duration;

use dispense_postgres::Balances;
use dispense_postgres::faults::Faults;
use dispense_postgres::follow::ReadModel;
use serde_json::{Value, json};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

use crate::dispenses::told::{Log, Told};
use crate::sample::partition_of;

/// Follows the log until `until` says that it is enough, and so many faults are told. Returns what went
/// wrong.
async fn followed(
    log: &Log,
    models: &[Arc<dyn ReadModel>],
    until: &str,
    wrong: usize,
) -> Vec<String> {
    let (stop, faults) = (CancellationToken::new(), Faults::default());
    let running = log.following_all(models, &faults, &stop).await;
    while log.database.number(until).await == 0 || told(&faults).len() < wrong {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    for follower in running {
        follower.await.unwrap();
    }
    told(&faults)
}

/// What is wrong. These logs are old, so whoever begins to read one is far behind.
fn told(faults: &Faults) -> Vec<String> {
    let faults = faults.all();
    let told = faults.iter().map(|fault| format!("{}: {}", fault.about, fault.detail));
    told.filter(|fault| !fault.contains("far behind")).collect()
}

const READ: &str = "SELECT (count(*) = 0)::int::bigint FROM log_head h
    LEFT JOIN followers f ON f.partition = h.partition AND f.name = 'balances'
    WHERE f.position IS DISTINCT FROM h.position";

/// Everything that the model has, each row as JSON.
async fn kept(log: &Log) -> Vec<Value> {
    let rows = sqlx::query(
        "SELECT to_jsonb(b) - 'partition' AS row FROM balances b ORDER BY medication_request_id",
    );
    let rows = rows.fetch_all(&log.database.serving).await.unwrap();
    rows.iter().map(|row| row.get("row")).collect()
}

/// What one medication request has: held, processed, and the last position.
async fn balance(log: &Log, told: &Told) -> (Value, Value, Value) {
    let kept = kept(log).await;
    let row = kept.iter().find(|row| row["medication_request_id"] == json!(told.request)).unwrap();
    (row["held"].clone(), row["processed"].clone(), row["position"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_what_the_log_says() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let models: [Arc<dyn ReadModel>; 1] = [Arc::new(Balances)];
    let expected = async |log: &Log, held: i64, processed: i64, position: i64| {
        assert_eq!(followed(log, &models, READ, 0).await, [""; 0]);
        assert_eq!(
            balance(log, &told).await,
            (json!(held), json!(processed), json!(position)),
            "after position {position}"
        );
    };
    let one = log.held(&told).await;
    expected(&log, 10, 0, 1).await;
    // It ran out long ago, but nobody said so.
    let other = log.held(&told).await;
    expected(&log, 20, 0, 2).await;
    log.ended(&told, one, "Expired").await;
    log.ended(&told, other, "Processed").await;
    expected(&log, 0, 10, 4).await;
    log.dispensed(&told, "Cancelled").await;
    log.dispensed(&told, "Processed").await;
    expected(&log, 0, 20, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_was_prescribed_stops_the_model_there_whatever_follows() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let partition = partition_of(told.request);
    for _ in 0..3 {
        log.held(&told).await;
    }
    let beyond = log.held(&told).await;
    // Were the page judged as a whole, nothing would be wrong with it.
    log.ended(&told, beyond, "Cancelled").await;
    let models: [Arc<dyn ReadModel>; 2] =
        [Arc::new(Balances), Arc::new(dispense_postgres::Dispenses)];
    let others_are_there = format!(
        "SELECT count(*) FROM followers b JOIN followers d USING (partition)
         WHERE partition = {partition} AND b.name = 'balances' AND d.name = 'dispenses'
               AND b.position = 3 AND d.position = 5"
    );
    let faults = followed(&log, &models, &others_are_there, 1).await;
    assert_eq!(balance(&log, &told).await, (json!(30), json!(0), json!(3)));
    let said = faults.join("; ");
    for word in [
        "balances".to_owned(),
        format!("{partition}:4"),
        told.request.to_string(),
        "held 40 and processed 0 are more than prescribed 30".to_owned(),
    ] {
        assert!(said.contains(&word), "{word}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_itself_takes_no_more_than_was_prescribed() {
    let log = Log::new().await;
    let inserted = sqlx::query(
        "INSERT INTO balances_v1 (partition, medication_request_id, prescribed, held, processed,
                                  holds, position)
         VALUES (0, gen_random_uuid(), 30, 10, 20.0001, '[]', 1)",
    );
    let refused = inserted.execute(&log.database.serving).await.unwrap_err();
    let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("23514"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_that_are_read_again_equal_those_that_were_kept() {
    let mut log = Log::new().await;
    let models: [Arc<dyn ReadModel>; 1] = [Arc::new(Balances)];
    for n in 0..40 {
        let told = Told::on(n % 7);
        let how = ["Cancelled", "Expired", "Cancelled", "Expired"][usize::try_from(n % 4).unwrap()];
        log.dispensed(&told, how).await;
        if n % 9 == 0 {
            assert_eq!(followed(&log, &models, READ, 0).await, [""; 0]);
        }
    }
    for n in 0..7 {
        log.held(&Told::on(n)).await;
    }
    assert_eq!(followed(&log, &models, READ, 0).await, [""; 0]);
    let before = kept(&log).await;
    assert_eq!(before.len(), 7);
    for statement in ["DELETE FROM followers WHERE name = 'balances'", "TRUNCATE balances_v1"] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    assert_eq!(followed(&log, &models, READ, 0).await, [""; 0]);
    assert_eq!(kept(&log).await, before);
}
