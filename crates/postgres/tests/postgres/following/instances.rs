//! What instances tell each other.

use dispense_postgres::PgLog;
use dispense_postgres::notify::between_instances;
use tokio_util::sync::CancellationToken;

use crate::database::partitions;
use crate::world::{World, hold_at};

/// How many holds; several partitions get some.
const HOLDS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_writes_the_others_hear_and_not_itself() {
    let world = World::new().await;
    let (one, other) = (&world.log, world.other_instance().await);
    let stop = CancellationToken::new();
    let instance = |log: &PgLog| {
        let options = &world.database.serving_options;
        let (heard, work) = between_instances(options, log, stop.clone()).unwrap();
        (heard, tokio::spawn(work))
    };
    let ((of_one, first), (of_other, second)) = (instance(one), instance(&other));
    listened(&world, 2).await;

    let wanted: Vec<_> =
        world.demo.holdable(100).filter(|it| !it.program.skips_signature()).take(HOLDS).collect();
    let mut written = vec![0; partitions().count().into()];
    for wanted in wanted {
        let command = world.command(&world.pharmacy(0), &wanted, "key");
        let appended = hold_at(one, command).await.unwrap();
        let place = appended.events.last().unwrap().place;
        written[usize::from(place.partition)] = place.position;
    }
    for (partition, position) in partitions().all().zip(written) {
        let mut heard = of_other.of(partition).unwrap();
        heard.wait_for(|heard| *heard == position).await.unwrap();
        assert_eq!(*of_one.of(partition).unwrap().borrow(), 0, "nobody hears itself");
    }
    stop.cancel();
    first.await.unwrap();
    second.await.unwrap();
}

/// Both connections break; they are made anew, and nothing is said about it to anybody who waits.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_cut_off_is_heard_again() {
    let world = World::new().await;
    let other = world.other_instance().await;
    let stop = CancellationToken::new();
    let options = &world.database.serving_options;
    let (_, telling) = between_instances(options, &world.log, stop.clone()).unwrap();
    let (heard, hearing) = between_instances(options, &other, stop.clone()).unwrap();
    let both = [tokio::spawn(telling), tokio::spawn(hearing)];
    listened(&world, 2).await;
    // Those that are made anew may be there before anybody has looked: they are told by when they began.
    let last: i64 = world.database.number(LAST_START).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database()
                     AND application_name IN ('dispense listen', 'dispense notify')";
    assert!(world.database.number(cut).await >= 2);
    let anew = format!("{LISTENING} AND backend_start > to_timestamp({last} / 1000000.0)");
    super::until(async || world.database.number(&anew).await == 2).await;

    let wanted = world.demo.holdable(1).next().unwrap();
    let command = world.command(&world.pharmacy(0), &wanted, "key");
    let place = hold_at(&world.log, command).await.unwrap().events.last().unwrap().place;
    let mut heard = heard.of(place.partition).unwrap();
    heard.wait_for(|heard| *heard == place.position).await.unwrap();
    stop.cancel();
    for work in both {
        work.await.unwrap();
    }
}

/// How many listen.
const LISTENING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'dispense listen'
          AND query LIKE '%LISTEN%'";

/// When the last of them began, in microseconds.
const LAST_START: &str = "SELECT (extract(epoch FROM max(backend_start)) * 1000000)::bigint + 1
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'dispense listen'";

/// Waits until so many listen.
async fn listened(world: &World, many: i64) {
    super::until(async || world.database.number(LISTENING).await == many).await;
}
