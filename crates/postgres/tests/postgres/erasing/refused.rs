//! When nothing is erased, and what may go on beside it.

use std::time::Duration;

use dispense_postgres::erase::{Eraser, NotErased};

use super::sight::Sight;
use super::{emptied, party, person};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_while_a_hold_lives() {
    let sight = Sight::new().await;
    let held = sight.held("key").await;
    let doctor = sight.doctor().await;
    let everybody =
        [person(sight.patient()), party(sight.world.pharmacy(0).party_id), party(doctor)];
    for order in &everybody {
        match sight.erase(order).await {
            Err(NotErased::Held { dispense, until }) => {
                assert_eq!(dispense, held.dispense_id);
                let expires_at: chrono::DateTime<chrono::Utc> = sqlx::query_scalar(
                    "SELECT (payload ->> 'expires_at')::timestamptz FROM events",
                )
                .fetch_one(&sight.world.database.admin)
                .await
                .unwrap();
                assert_eq!(until, expires_at);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sight.count("erasures", "").await, 0);
    assert_eq!(sight.count("personal_bodies", "").await, 1);
    sight.give_back(&held).await;
    assert_eq!(sight.erase(&everybody[0]).await.unwrap().records, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_the_look_is_erased_too() {
    let sight = Sight::new().await;
    let mut eraser = sight.eraser().await;
    let order = person(sight.patient());
    let found = eraser.find(order.whom, |_| {}).await.unwrap();
    assert_eq!(found.dispenses(), 0);
    sight.give_back(&sight.held("key").await).await;
    let report = eraser.erase(&order, found).await.unwrap();
    assert_eq!(emptied(&report, "personal_bodies").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_waits_until_it_is_erased_and_is_made_without_the_person() {
    let sight = Sight::new().await;
    let mut blocked = sight.world.database.admin.begin().await.unwrap();
    // The erasure has its locks and waits for this one.
    sqlx::query("LOCK TABLE erasures IN ROW EXCLUSIVE MODE").execute(&mut *blocked).await.unwrap();
    let order = person(sight.patient());
    let holding = async {
        let waits = "SELECT count(*) FROM pg_stat_activity
                     WHERE application_name = 'dispense privacy' AND wait_event_type = 'Lock'
                           AND datname = current_database()";
        while sight.world.database.number(waits).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let hold = sight.refused("key");
        let release = async {
            let writer = "SELECT count(*) FROM pg_stat_activity
                          WHERE application_name = 'dispense writer' AND wait_event_type = 'Lock'
                                AND datname = current_database()";
            while sight.world.database.number(writer).await == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            blocked.commit().await.unwrap();
        };
        tokio::join!(hold, release).0
    };
    let (erased, refused) = tokio::join!(sight.erase(&order), holding);
    assert_eq!(erased.unwrap().records, [1]);
    assert_eq!(refused, ["medication-request-invalid"]);
    assert_eq!(sight.count("personal_bodies", "").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_while_a_read_model_is_made_anew() {
    let sight = Sight::new().await;
    let mut rebuilding = sight.world.database.admin.acquire().await.unwrap();
    assert!(dispense_postgres::rebuild::claim(&mut rebuilding).await.unwrap());
    let refused = Eraser::connect(&sight.world.database.admin.connect_options()).await;
    assert!(matches!(refused, Err(NotErased::Claimed)), "{refused:?}");
    drop(rebuilding.detach());
    assert_eq!(sight.erase(&person(sight.patient())).await.unwrap().records, [1]);
}
