//! Rebuilding beside what is live.

use std::sync::Arc;

use dispense_postgres::follow::{ReadModel, Tables};
use dispense_postgres::rebuild::{Progress, RebuildError, beginning, claim, fill, make, rebuild};
use dispense_postgres::{PgLog, read_models};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use super::{EVENTS, Running, Tally, told, until};
use crate::database::partitions;
use crate::dispenses::told::{Log, Told};

/// Who owns the tables of that log.
fn owner(log: &Log) -> PgConnectOptions {
    log.database.admin.connect_options().as_ref().clone()
}

async fn rebuilt(log: &Log, tally: &Tally) -> Result<(), RebuildError> {
    rebuild(&owner(log), vec![tally.model()], &|_: Progress| {}).await.map(|_| ())
}

/// What can be said of the tables of `one` beside their rows, with the version left out.
async fn shape(log: &Log, version: i32) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT replace(it, 'one_v' || $1, 'one_v') AS it FROM (
             SELECT indexdef AS it FROM pg_indexes
             WHERE tablename = 'one_v' || $1 AND indexname NOT LIKE 'odd_%'
                   AND indexdef NOT LIKE '%DESC%'
             UNION ALL SELECT regexp_replace(indexdef, 'INDEX \\S+', 'INDEX') FROM pg_indexes
             WHERE tablename = 'one_v' || $1 AND indexdef LIKE '%DESC%'
             UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = ('one_v' || $1)::regclass
             UNION ALL SELECT array_to_string(reloptions, ',') FROM pg_class
             WHERE oid = ('one_v' || $1)::regclass
             UNION ALL SELECT grantee || privilege_type FROM information_schema.table_privileges
             WHERE table_name = 'one_v' || $1
         ) all_of_it ORDER BY it COLLATE \"C\"",
    )
    .bind(version.to_string())
    .fetch_all(&log.database.admin)
    .await
    .unwrap();
    rows.iter().map(|row| row.get::<Option<String>, _>("it").unwrap_or_default()).collect()
}

async fn tables(log: &Log) -> Vec<String> {
    let listing = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^one_v'
                   ORDER BY relname";
    sqlx::query_scalar(listing).fetch_all(&log.database.admin).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_puts_new_tables_in_place_of_the_old_and_followers_go_on_in_them() {
    let (mut log, partition) = told(EVENTS).await;
    let tally = Tally::new(&log, "one").await;
    let running = Running::of(&log, &[&tally]).await;
    until(async || tally.position(&log, partition).await == EVENTS).await;
    let before = shape(&log, 1).await;
    assert!(before.len() > 12, "{before:?}");
    // What a rebuild has to bring back, and to leave out.
    for statement in [
        "DELETE FROM one_v1 WHERE position % 7 = 0",
        "UPDATE one_v1 SET dispense_id = gen_random_uuid() WHERE position % 7 = 1",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }

    rebuilt(&log, &tally).await.unwrap();
    assert_eq!(tables(&log).await, ["one_v2"]);
    assert_eq!(shape(&log, 2).await, before);
    let wrong = "SELECT count(*) FROM one FULL JOIN events USING (partition, position)
                 WHERE one.dispense_id IS DISTINCT FROM events.dispense_id";
    assert_eq!(log.database.number(wrong).await, 0);

    log.held(&Told::on(1)).await;
    until(async || tally.position(&log, partition).await == EVENTS + 1).await;
    assert_eq!(tally.rows(&log).await, EVENTS + 1);
    running.stopped().await;
}

/// A row of `followers` that was lost is made again for the tables that the view shows.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_begins_again_writes_the_tables_that_are_read() {
    let (log, partition) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    rebuilt(&log, &tally).await.unwrap();
    assert_eq!(tally.rows(&log).await, 3, "nobody had followed it before");
    for statement in ["DELETE FROM followers", "TRUNCATE one_v2"] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    let running = Running::of(&log, &[&tally]).await;
    until(async || tally.position(&log, partition).await == 3).await;
    assert_eq!(tally.rows(&log).await, 3);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_rebuild_is_refused_while_one_runs() {
    let (log, _) = told(1).await;
    let tally = Tally::new(&log, "one").await;
    let mut elsewhere = PgConnection::connect_with(&owner(&log)).await.unwrap();
    assert!(claim(&mut elsewhere).await.unwrap());
    let refused = rebuilt(&log, &tally).await.unwrap_err();
    assert!(matches!(refused, RebuildError::Runs), "{refused}");
    assert_eq!(tables(&log).await, ["one_v1"]);
    elsewhere.close().await.unwrap();
    rebuilt(&log, &tally).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rebuild_left_that_was_killed_is_not_in_the_way_of_the_next() {
    let (log, _) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    for statement in [
        "CREATE TABLE one_v2 (half int)",
        "CREATE TABLE one_v17 (older int)",
        "CREATE TABLE one_vault (of_somebody_else int)",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
    rebuilt(&log, &tally).await.unwrap();
    assert_eq!(tables(&log).await, ["one_v2", "one_vault"]);
    assert_eq!(tally.rows(&log).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_cannot_go_on_leaves_the_live_tables_as_they_are() {
    let (log, partition) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    let running = Running::of(&log, &[&tally]).await;
    until(async || tally.position(&log, partition).await == 3).await;
    tally.cannot_apply(2);
    let stopped = rebuilt(&log, &tally).await.unwrap_err();
    assert!(stopped.to_string().contains("one: no such thing"), "{stopped}");
    assert_eq!(tables(&log).await, ["one_v1"]);
    assert_eq!(tally.rows(&log).await, 3);
    running.stopped().await;
}

/// What was read of a person before would come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_during_which_somebody_is_erased_is_given_up() {
    let (log, _) = told(3).await;
    let tally = Tally::new(&log, "one").await;
    let erase = "INSERT INTO erasures (number, kind, id, reason, by_user, at, places, hash)
                 VALUES (1, 'person', gen_random_uuid(), '', '', now(), '[]', sha256(''))";
    let admin = PgConnection::connect_with(&owner(&log)).await.unwrap();
    let admin = std::sync::Mutex::new(Some(admin));
    let erasing = |step: Progress| {
        if step == Progress::CatchesUp {
            let mut admin = admin.lock().unwrap().take().unwrap();
            let erasing = async { sqlx::query(erase).execute(&mut admin).await.unwrap() };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(erasing));
        }
    };
    let given_up = rebuild(&owner(&log), vec![tally.model()], &erasing).await.unwrap_err();
    assert!(matches!(given_up, RebuildError::Erased), "{given_up}");
    assert_eq!(tables(&log).await, ["one_v1"]);
}

/// Else it would be left behind with the old tables.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_looks_at_a_version_of_a_table_but_its_own_view() {
    let log = Log::new().await;
    let models = read_models();
    let views: Vec<&str> = models.iter().flat_map(|model| model.tables()).copied().collect();
    let lookers: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT u.view_name || ' looks at ' || u.table_name
         FROM information_schema.view_table_usage u
         WHERE u.table_name ~ '_v[0-9]+$' AND NOT u.view_name = ANY($1)",
    )
    .bind(&views)
    .fetch_all(&log.database.admin)
    .await
    .unwrap();
    assert_eq!(lookers, [""; 0]);
}

/// The same code fills a schema of its own with the past.
#[tokio::test(flavor = "multi_thread")]
async fn tables_can_be_filled_elsewhere_and_no_further_than_asked() {
    let (log, partition) = told(EVENTS).await;
    let tally = Tally::new(&log, "one").await;
    let admin = &log.database.admin;
    sqlx::query("CREATE SCHEMA past").execute(admin).await.unwrap();
    let past = Tables::in_schema("past".to_owned(), 1);
    let models: Vec<Arc<dyn ReadModel>> = vec![tally.model()];
    let mut db = admin.acquire().await.unwrap();
    make(&mut db, models[0].as_ref(), &Tables::of_version(1), &past).await.unwrap();
    let settings = PgLog::settings(&log.database.serving, Some(partitions())).await.unwrap();
    let to = |_: &dyn ReadModel| past.clone();
    let start = beginning(settings, partition);
    let end = fill(admin, &models, &to, partition, start, 601, &|_| {}).await.unwrap();
    assert_eq!(end.position, 601);
    assert_eq!(log.database.number("SELECT count(*) FROM past.one_v1").await, 601);
    assert_eq!(tally.rows(&log).await, 0);
}
