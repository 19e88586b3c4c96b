//! How far the log goes and how far read models have read it, as every instance sees it.

use std::sync::Arc;
use std::time::Duration;

use dispensary::{LogPosition, LogPositions, Model, Positions};
use dispense_postgres::{PgLog, PgPositions, read_models};

use crate::database::{Database, PARTITIONS, partitions};
use crate::world::{World, hold_at};

async fn positions(database: &Database) -> Arc<PgPositions> {
    let settings = PgLog::settings(&database.serving, Some(partitions())).await.unwrap();
    Arc::new(PgPositions::new(database.serving.clone(), settings))
}

/// Moves a follower, as if it had read.
async fn moved(database: &Database, model: Model, place: LogPosition) {
    sqlx::query(
        "INSERT INTO followers (name, partition, position, hash)
         VALUES ($1, $2, $3, sha256('here'))
         ON CONFLICT (name, partition) DO UPDATE SET position = EXCLUDED.position",
    )
    .bind(model.name())
    .bind(place.partition.cast_signed())
    .bind(place.position)
    .execute(&database.admin)
    .await
    .unwrap();
}

fn place(partition: u16, position: i64) -> LogPosition {
    LogPosition { partition, position }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_was_told_the_other_believes() {
    let world = World::new().await;
    let (one, other) = (positions(&world.database).await, positions(&world.database).await);
    let instances = [world.log.clone(), world.other_instance().await];
    assert_eq!(one.partitions(), partitions());
    let holdable = world.demo.holdable(40).filter(|it| !it.program.skips_signature());
    for (n, wanted) in holdable.take(12).enumerate() {
        let command = world.command(&world.pharmacy(0), &wanted, "key");
        let told: LogPositions = hold_at(&instances[n % 2], command).await.unwrap().position.into();
        for instance in [&one, &other] {
            let heads = instance.heads(&told).await.unwrap();
            assert_eq!(heads.missing(&told), None, "at once, whatever was seen before");
            assert_eq!(heads.places().count(), usize::from(PARTITIONS));
        }
    }
    let beyond = place(0, 1_000).into();
    assert_eq!(one.heads(&beyond).await.unwrap().missing(&beyond), Some(place(0, 1_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_is_waited_for_in_every_partition() {
    let database = Database::new().await;
    let positions = positions(&database).await;
    let model = Model::Reports;
    moved(&database, Model::Balances, place(0, 9)).await;
    moved(&database, model, place(0, 4)).await;
    let wanted: LogPositions = "0:4,2:7".parse().unwrap();
    let waiting = {
        let (positions, wanted) = (positions.clone(), wanted.clone());
        tokio::spawn(async move { positions.wait_for(model, &wanted).await.unwrap() })
    };
    moved(&database, model, place(2, 7)).await;
    let read = waiting.await.unwrap();
    assert_eq!(read.missing(&wanted), None);
    assert_eq!(positions.read_by(model).await.unwrap().to_string(), "0:4,2:7");
    moved(&database, model, place(0, 5)).await;
    assert_eq!(
        positions.read_by(model).await.unwrap().to_string(),
        "0:5,2:7",
        "what is told is looked for anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_does_not_come_is_not_waited_for_for_ever() {
    let database = Database::new().await;
    let positions = positions(&database).await;
    moved(&database, Model::Dispenses, place(1, 3)).await;
    let wanted = place(1, 4).into();
    let crowd = (0..200).map(|_| positions.wait_for(Model::Dispenses, &wanted));
    let crowd = tokio::time::timeout(Duration::from_mins(1), futures::future::join_all(crowd));
    for read in crowd.await.expect("no longer than that") {
        assert_eq!(read.unwrap().to_string(), "1:3", "how far it has read by then");
    }
}

/// One without a follower would be behind for ever.
#[test]
fn every_read_model_that_is_waited_for_is_followed() {
    let followed: Vec<&str> = read_models().iter().map(|model| model.name()).collect();
    for model in Model::ALL {
        assert!(followed.contains(&model.name()), "{} is not among {followed:?}", model.name());
    }
}
