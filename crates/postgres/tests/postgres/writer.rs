//! The writer: what one bad command costs the others, and what it makes of a log that somebody else
//! touched.

use dispensary::{AppendError, Appended};
use dispense_demo::Dispensable;
use dispense_domain::Text;

use crate::database::partitions;
use crate::world::World;

/// How many commands go into one batch, more or less: they are sent at once.
const COMMANDS: usize = 24;

/// Medication requests of the first one's partition, so that they share batches.
fn neighbours(world: &World) -> Vec<Dispensable> {
    let all: Vec<_> = world.demo.holdable(300).filter(|it| !it.program.skips_signature()).collect();
    let partition = |it: &Dispensable| partitions().of_request(it.medication_request_id.into());
    let home = partition(&all[0]);
    all.into_iter().filter(|it| partition(it) == home).take(COMMANDS).collect()
}

/// Holds them all at once; the one in place `bad` under a batch number that says so.
async fn hold(
    world: &World,
    wanted: &[Dispensable],
    bad: Option<usize>,
) -> Vec<Result<Appended, AppendError>> {
    let holds = wanted.iter().enumerate().map(|(index, it)| {
        let batch = if bad == Some(index) { "POISON" } else { "B7" };
        let mut command = world.command(&world.pharmacy(0), it, batch);
        command.items[0].batch_number = Some(Text::try_from(batch).unwrap());
        world.hold(command)
    });
    futures::future::join_all(holds).await
}

/// A row that the database refuses (SQLSTATE 22) costs its own command, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_stands_alone_in_the_end() {
    let world = World::new().await;
    for statement in [
        "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'data_exception'; END $$",
        "CREATE TRIGGER poisoned BEFORE INSERT ON events FOR EACH ROW
         WHEN (NEW.payload::text LIKE '%POISON%') EXECUTE FUNCTION poisoned()",
    ] {
        sqlx::query(statement).execute(&world.database.admin).await.unwrap();
    }
    let wanted = neighbours(&world);
    assert_eq!(wanted.len(), COMMANDS);

    let bad = COMMANDS / 2;
    for (index, outcome) in hold(&world, &wanted, Some(bad)).await.into_iter().enumerate() {
        match outcome {
            Ok(appended) => assert!(index != bad && appended.events.len() == 1, "{index}"),
            Err(error) => assert!(index == bad && matches!(error, AppendError::Bug), "{error:?}"),
        }
    }
    assert_eq!(world.events().await, i64::try_from(COMMANDS).unwrap() - 1);
}

/// An event that stands where the next one belongs (SQLSTATE 23505) stops everyone, because nobody
/// knows what it is, and nothing is written around it; when it is gone, so is the trouble.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_somebody_else_wrote_to_is_not_written_around() {
    let world = World::new().await;
    let wanted = neighbours(&world);
    let first = hold(&world, &wanted[..1], None).await;
    assert!(first[0].is_ok(), "{first:?}");
    sqlx::query(
        "INSERT INTO events SELECT aggregate_type, 'somebody else', 1, event_type, event_version,
             payload, metadata, partition, position + 1, event_id, gen_random_uuid(), recorded_at,
             hash FROM events",
    )
    .execute(&world.database.admin)
    .await
    .unwrap();

    let refused = hold(&world, &wanted[1..4], None).await;
    assert!(refused.iter().all(|it| matches!(it, Err(AppendError::Bug))), "{refused:?}");
    assert_eq!(world.events().await, 2);

    for statement in [
        "ALTER TABLE events DISABLE TRIGGER USER",
        "DELETE FROM events WHERE aggregate_id = 'somebody else'",
        "ALTER TABLE events ENABLE TRIGGER USER",
    ] {
        sqlx::query(statement).execute(&world.database.admin).await.unwrap();
    }
    let held = hold(&world, &wanted[1..4], None).await;
    assert!(held.iter().all(Result::is_ok), "{held:?}");
}
