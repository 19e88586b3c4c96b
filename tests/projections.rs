//! Read models: whatever happens to those who keep them, they say what the log says; and they are made
//! anew while everything goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::Rng;
use serde_json::Value;

use crate::harness::{
    Audit, Crowd, Database, Instance, Pharmacy, Terms, World, eventually, shuffled, temporary,
};

/// How long a rebuild may take here; debug builds on busy machines are slow.
const REBUILT_WITHIN: Duration = Duration::from_mins(2);

/// How many commands are enough, of which every second one holds or hands over at least.
const ENOUGH: usize = 400;

const SHORT: [(&str, &str); 1] = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];

/// The names of everything that read models are read by: there is a table of some version of each.
async fn views(database: &Database) -> Vec<String> {
    let views: Vec<String> = sqlx::query_scalar(
        "SELECT v.relname::text FROM pg_class v
         WHERE v.relkind = 'v' AND EXISTS (
             SELECT FROM pg_class t
             WHERE t.relkind = 'r' AND t.relname ~ ('^' || v.relname || '_v[0-9]+$')
         ) ORDER BY 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert!(views.len() >= 3, "{views:?}");
    views
}

/// What `dispense projections …` says; it has to succeed.
fn projections(database: &Database, words: &[&str]) -> String {
    let folder = temporary();
    let words = [&["projections"], words].concat();
    let mut command = database.command(folder.path(), &words, &[]);
    let status = command.wait(REBUILT_WITHIN);
    assert!(status.success(), "{}", command.said());
    command.said()
}

async fn number(database: &Database, asking: &str) -> i64 {
    sqlx::query_scalar(asking).fetch_one(&database.pool).await.unwrap()
}

/// How many rows are in one of the two and not in the other.
async fn differences(database: &Database, one: &str, other: &str) -> i64 {
    let missing = |of: &str, from: &str| {
        format!("(SELECT t::text FROM {of} t EXCEPT ALL SELECT t::text FROM {from} t)")
    };
    let (there, here) = (missing(one, other), missing(other, one));
    number(database, &format!("SELECT count(*) FROM ({there} UNION ALL {here}) d")).await
}

/// Ends connections of followers, now this one and now that.
async fn cut_followers(database: &Database, times: usize) {
    for _ in 0..times {
        database
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'dispense follower'
                       AND random() < 0.5",
            )
            .await;
        let pause = rand::rng().random_range(0..150);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// What happens to the followers.
#[derive(Clone, Copy)]
enum Blow {
    Kill(usize),
    Cut,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_followers_the_tables_are_those_of_a_fresh_rebuild() {
    let database = Database::new().await;
    let world = World::new(6, 40);
    database.import(&world.lines());
    let mut instances = [
        Instance::start_with(&database, &SHORT).await,
        Instance::start_with(&database, &SHORT).await,
    ];
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: instances.iter().map(|instance| instance.url.clone()).collect(),
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    let crowd = tokio::spawn(crowd.go_on_until_done(12, Duration::from_secs(15), ENOUGH));
    for blow in shuffled([Blow::Kill(0), Blow::Cut, Blow::Kill(1), Blow::Cut].repeat(3)) {
        match blow {
            Blow::Kill(n) => instances[n].start_again().await,
            Blow::Cut => cut_followers(&database, 6).await,
        }
    }
    crowd.await.unwrap();
    let [mut one, mut other] = instances;
    one.kill();
    other.kill();

    // Some holds that still live.
    let mut last = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&last);
    for what in world.all(Terms::InParts).into_iter().take(20) {
        pharmacy.dispense(&what, 10).await;
    }
    database.followed().await;
    last.kill();
    database.followed().await;

    let views = views(&database).await;
    database.execute("CREATE SCHEMA before").await;
    for view in &views {
        database.execute(&format!("CREATE TABLE before.{view} AS TABLE {view}")).await;
    }
    projections(&database, &["rebuild", "all"]);
    for view in &views {
        let different = differences(&database, view, &format!("before.{view}")).await;
        assert_eq!(different, 0, "{view} is not what the log says");
    }
    for full in ["dispenses", "open_holds"] {
        assert!(number(&database, &format!("SELECT count(*) FROM {full}")).await > 0, "{full}");
    }
    let held = "SELECT count(*) FROM events WHERE event_type = 'HoldCreated'";
    let kept = number(&database, "SELECT count(*) FROM dispenses").await;
    assert_eq!(kept, number(&database, held).await);
    assert!(kept >= 200, "too little happened: {kept}");
}

/// How many dispenses were handed over, as the search counts them.
async fn found(pharmacy: &Pharmacy) -> i64 {
    let answer = pharmacy.get("/api/medication_dispenses?status=PROCESSED&page_size=1").await;
    answer.expect(200).body["paging"]["total_entries"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_read_models_are_made_anew_nothing_older_or_emptier_is_shown() {
    let database = Database::new().await;
    let world = World::new(6, 60);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: vec![instance.url.clone()],
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    let crowd = tokio::spawn(crowd.go_on(6, Duration::from_secs(20)));
    let rebuilt = Arc::new(AtomicBool::new(false));

    // What was handed over stays so: whoever sees less than before was shown something older.
    let (pharmacy, is_rebuilt) = (world.pharmacies[0].at(&instance), rebuilt.clone());
    let searching = tokio::spawn(async move {
        let (mut last, mut looks) = (0, 0);
        while !is_rebuilt.load(Ordering::Relaxed) {
            let now = found(&pharmacy).await;
            assert!(now >= last, "{now} were found after {last}");
            (last, looks) = (now, looks + 1);
        }
        looks
    });
    let (pool, is_rebuilt) = (database.pool.clone(), rebuilt.clone());
    let reading = tokio::spawn(async move {
        let mut last = 0_i64;
        while !is_rebuilt.load(Ordering::Relaxed) {
            let asking = "SELECT coalesce(sum(position), 0)::bigint FROM (
                              SELECT max(greatest(opened_position, closed_position)) AS position
                              FROM dispenses GROUP BY partition) p";
            let now: i64 = sqlx::query_scalar(asking).fetch_one(&pool).await.unwrap();
            assert!(now >= last, "{now} was read after {last}");
            last = now;
        }
    });
    let database = Arc::new(database);
    for version in 2..=4 {
        let database = database.clone();
        let said = tokio::task::spawn_blocking(move || {
            projections(&database, &["rebuild", if version == 3 { "dispenses" } else { "all" }])
        });
        let said = said.await.unwrap();
        let expected = format!("dispenses is read from version {version} of its tables");
        assert!(said.contains(&expected), "{said}");
    }
    rebuilt.store(true, Ordering::Relaxed);
    assert!(searching.await.unwrap() > 10, "the search was hardly asked");
    reading.await.unwrap();
    let told = crowd.await.unwrap();
    Audit::of(&database).await.confirms(&told);
    database.followed().await;

    let list: Value = serde_json::from_str(&projections(&database, &["list", "--json"])).unwrap();
    let items = list["items"].as_array().unwrap();
    let of = |name: &str| items.iter().filter(|it| it["name"] == name).cloned().collect::<Vec<_>>();
    assert_eq!(of("dispenses").len(), 4);
    assert!(of("dispenses").iter().all(|it| it["version"] == 4 && it["behind"] == 0), "{list}");
    assert!(of("open_holds").iter().all(|it| it["version"] == 3), "{list}");
    let table = projections(&database, &["list"]);
    assert!(table.lines().any(|line| line.starts_with("open_holds ")), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rebuilt_is_said_in_a_sentence() {
    let database = Database::new().await;
    let folder = temporary();
    let mut command = database.command(folder.path(), &["projections", "rebuild", "dispense"], &[]);
    assert_eq!(command.wait(REBUILT_WITHIN).code(), Some(2));
    let said = command.said();
    assert!(said.contains("no read model `dispense`; there are `open_holds`"), "{said}");

    let mut elsewhere = database.pool.acquire().await.unwrap();
    let claiming = "SELECT pg_advisory_lock(x'72656275696c64'::bigint)";
    sqlx::query(claiming).execute(&mut *elsewhere).await.unwrap();
    let mut command = database.command(folder.path(), &["projections", "rebuild", "all"], &[]);
    assert_eq!(command.wait(REBUILT_WITHIN).code(), Some(1));
    assert!(command.said().contains("another rebuild of this database is running"));
}

/// Nobody's commands wait for a read model, so a poisoned one takes no instance out of service.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_is_stuck_degrades_an_instance_and_stops_no_command() {
    let database = Database::new().await;
    let world = World::new(1, 2);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    database
        .execute("ALTER TABLE open_holds_v1 ADD CONSTRAINT poison CHECK (partition < 0) NOT VALID")
        .await;
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 10).await.expect(201);
    eventually("an instance that is degraded", Duration::from_mins(1), async || {
        let report = instance.health().await;
        let checks = report["checks"].as_array().unwrap();
        let followers = checks.iter().find(|it| it["name"] == "followers").unwrap();
        let is_stuck = followers["detail"].as_str().unwrap().contains("stuck at position 1");
        (report["status"] == "degraded" && is_stuck).then_some(())
    })
    .await;
    assert!(pharmacy.figure("dispense_follower_stuck").await > 0.0);
    pharmacy.cancel(held.id()).await.expect(200);
    // The other models went on.
    let search = format!("/api/medication_dispenses?id={}", held.id());
    eventually("the search", Duration::from_mins(1), async || {
        let found = pharmacy.get(&search).await.expect(200);
        (found.body["data"][0]["status"] == "REJECTED").then_some(())
    })
    .await;

    database.execute("ALTER TABLE open_holds_v1 DROP CONSTRAINT poison").await;
    eventually("an instance that is well again", Duration::from_mins(1), async || {
        (instance.readiness().await.1["status"] == "ok").then_some(())
    })
    .await;
}
