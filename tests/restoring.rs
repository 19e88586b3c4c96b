//! A database that is restored to an earlier moment, from the backup to the end of the procedure in
//! docs/operations.md: what was acknowledged since is lost, and everybody who knew of it says so.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;
use sqlx::Row;

use crate::harness::{
    Answer, Audit, Database, Instance, OwnServer, PAID, Pharmacy, Terms, World, eventually,
    temporary,
};

/// How long a command of the binary may take here.
const DONE_WITHIN: Duration = Duration::from_mins(3);

/// How long it may take until what is wrong is told, and until all is well again.
const TOLD_WITHIN: Duration = Duration::from_mins(2);

/// The installation: a server of its own, and a key that signs checkpoints each second.
struct House {
    server: OwnServer,
    database: Database,
    world: World,
    folder: tempfile::TempDir,
}

impl House {
    async fn build() -> Self {
        let server = OwnServer::start().await;
        let database = Database::on(server.url()).await;
        let world = World::new(1, 12);
        database.import(&world.lines());
        let house = Self { server, database, world, folder: temporary() };
        let (status, said) = house.run(&["audit", "key", "--name", "tests", &house.key()]);
        assert!(status.success(), "{said}");
        house
    }

    fn key(&self) -> String {
        self.folder.path().join("checkpoint-key").display().to_string()
    }

    fn settings(&self) -> [(&'static str, String); 3] {
        // All instances, and whoever takes one out, have the same store.
        let store = format!("file://{}", self.database.contents.display());
        [
            ("CHECKPOINT_KEY", self.key()),
            ("CHECKPOINT_EVERY", "1s".to_owned()),
            ("CONTENT_STORE_URL", store),
        ]
    }

    async fn start(&self) -> Instance {
        let settings = self.settings();
        let settings: Vec<_> = settings.iter().map(|(name, it)| (*name, it.as_str())).collect();
        Instance::start_with(&self.database, &settings).await
    }

    /// Runs a command of the binary to its end.
    fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let folder = temporary();
        let mut settings = self.settings().to_vec();
        if arguments.first() == Some(&"audit") && arguments.get(1) == Some(&"key") {
            // It makes what the setting names.
            settings.clear();
        }
        let settings: Vec<_> = settings.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let mut process = self.database.command(folder.path(), arguments, &settings);
        (process.wait(DONE_WITHIN), process.said())
    }

    fn export(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let (status, said) = self.run(&["log", "export", &folder.display().to_string()]);
        assert!(status.success(), "{said}");
        self.verify(&folder);
        folder
    }

    /// Checks an export as somebody would who has the public key and nothing else.
    fn verify(&self, folder: &Path) {
        let key = std::fs::read_to_string(format!("{}.pub", self.key())).unwrap();
        let folder = folder.display().to_string();
        let (status, said) = self.run(&["audit", "verify", &folder, "--key", key.trim()]);
        assert!(status.success(), "{said}");
    }

    async fn data(&self) -> PathBuf {
        let row = sqlx::query("SHOW data_directory").fetch_one(&self.database.pool).await.unwrap();
        PathBuf::from(row.get::<String, _>(0))
    }

    /// Waits until all followers and the checkpoints are at the end of the log.
    async fn settled(&self, epoch: i64) {
        self.database.followed().await;
        let behind = "SELECT count(*) FROM log_head h WHERE position > 0 AND NOT EXISTS (
                          SELECT 1 FROM checkpoints c WHERE c.partition = h.partition
                          AND c.size = h.position AND c.epoch = $1)";
        eventually("checkpoints of the whole log", TOLD_WITHIN, async || {
            let behind: i64 =
                sqlx::query_scalar(behind).bind(epoch).fetch_one(&self.database.pool).await.ok()?;
            (behind == 0).then_some(())
        })
        .await;
    }
}

/// Copies a whole folder, with owners and rights.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

/// Stands for every member that could say `log-diverged`.
async fn detail(instance: &Instance, check: &str) -> Option<String> {
    let health = instance.health().await;
    let found = health["checks"].as_array().unwrap().iter().find(|it| it["name"] == check)?;
    assert!(found["status"] != "degraded" || health["status"] == "degraded", "{health}");
    (found["status"] == "degraded").then(|| found["detail"].as_str().unwrap().to_owned())
}

async fn told_by(instance: &Instance, check: &str) -> String {
    eventually(check, TOLD_WITHIN, async || {
        detail(instance, check).await.filter(|it| it.contains("log-diverged"))
    })
    .await
}

/// The rows of a table as JSON, and the table as they were.
async fn rows(database: &Database, table: &str) -> Vec<String> {
    let all = format!("SELECT row_to_json(t)::text FROM {table} t");
    sqlx::query_scalar(&all).fetch_all(&database.pool).await.unwrap()
}

async fn put_back(database: &Database, table: &str, rows: &[String]) {
    let mut tx = database.pool.begin().await.unwrap();
    sqlx::query(&format!("DELETE FROM {table}")).execute(&mut *tx).await.unwrap();
    let insert = format!(
        "INSERT INTO {table} SELECT r.* FROM UNNEST($1::text[]) AS t (row)
         CROSS JOIN LATERAL json_populate_record(NULL::{table}, t.row::json) r"
    );
    sqlx::query(&insert).bind(rows).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// An order that was acknowledged, and lost with the tail.
async fn hand_over(pharmacy: &Pharmacy, world: &World, n: usize) -> Answer {
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, n), 20).await.expect(201);
    pharmacy.hand_over(held.id(), PAID).await.expect(200)
}

fn lines(folder: &Path) -> String {
    let mut text = String::new();
    let mut folders = vec![folder.join("events")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_tail_is_told_by_all_and_goes_on_once_that_is_accepted() {
    let house = House::build().await;
    let (database, world) = (&house.database, &house.world);

    // Some days of work, and a backup.
    let mut instance = house.start().await;
    let pharmacy = world.pharmacies[0].at(&instance);
    for n in 0..6 {
        hand_over(&pharmacy, world, n).await;
    }
    house.settled(1).await;
    instance.terminate();
    instance.wait(DONE_WITHIN);
    let (data, backup) = (house.data().await, house.folder.path().join("backup"));
    house.server.stop().await;
    copy(&data, &backup);
    house.server.start_again().await;

    // What comes after the backup is acknowledged, and an auditor takes the log home.
    let mut instance = house.start().await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let lost_order = pharmacy.order(&world.prescribed(Terms::InPartsAtOnce, 0), 20);
    let lost = pharmacy.send(&lost_order).await.expect(201);
    for n in 6..12 {
        hand_over(&pharmacy, world, n).await;
    }
    house.settled(1).await;
    let before = house.export("before");
    let newer = [rows(database, "followers").await, rows(database, "dispenses_v1").await];
    let events = Audit::of(database).await.entries.len();
    instance.terminate();
    instance.wait(DONE_WITHIN);

    // The disaster, and the restore; the tables of one read model come from a later backup.
    house.server.stop().await;
    let moved = house.folder.path().join("lost");
    std::fs::rename(&data, &moved).unwrap();
    copy(&backup, &data);
    house.server.start_again().await;
    put_back(database, "dispenses_v1", &newer[1]).await;
    let of_dispenses: Vec<String> =
        newer[0].iter().filter(|row| row.contains("\"dispenses\"")).cloned().collect();
    let others: Vec<String> = rows(database, "followers").await;
    let others = others.into_iter().filter(|row| !row.contains("\"dispenses\""));
    put_back(database, "followers", &of_dispenses.into_iter().chain(others).collect::<Vec<_>>())
        .await;

    // The service starts, and says what does not fit; commands go on.
    let instance = house.start().await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let followers = told_by(&instance, "followers").await;
    assert!(followers.contains("dispenses"), "{followers}");
    let checkpoints = told_by(&instance, "checkpoints").await;
    assert!(checkpoints.contains("lost its tail"), "{checkpoints}");
    pharmacy.look_at(lost.id()).await.refused(404, "not-found");
    let next = pharmacy.dispense(&world.prescribed(Terms::Whole, 0), 60).await.expect(201);

    // Auditors see it too: who had read further is refused, and the export of before does not go on.
    let auditor = pharmacy.with_token(&pharmacy.token().with("scope", "audit:read"));
    let position = lost.header("dispense-position").unwrap().to_owned();
    let (partition, place) = position.split_once(':').unwrap();
    let ahead = place.parse::<u32>().unwrap() + 1_000;
    let path = format!("/api/v1/events?partition={partition}&after={ahead}");
    auditor.get(&path).await.refused(400, "position-invalid");
    let (status, said) = house.run(&["log", "export", &before.display().to_string()]);
    assert!(!status.success(), "{said}");
    assert!(lines(&before).contains(&lost.id().to_string()), "the evidence of what was lost");
    house.verify(&before);

    // The operator looks, mistypes, and accepts.
    let (status, said) = house.run(&["log", "accept-restore"]);
    assert!(status.success(), "{said}");
    for part in ["The log is in epoch 1.", "dispenses has read", "lost its tail", "--epoch 2"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (status, said) = house.run(&["log", "accept-restore", "--epoch", "3"]);
    assert!(!status.success() && said.contains("so the next one is 2"), "{said}");
    let (status, said) = house.run(&["log", "accept-restore", "--epoch", "2"]);
    assert!(status.success() && said.contains("dispenses reads the log"), "{said}");

    // All is well again, without a restart.
    house.settled(2).await;
    eventually("readiness", TOLD_WITHIN, async || {
        let (_, health) = instance.readiness().await;
        (health["status"] == "ok").then_some(())
    })
    .await;
    let answer = auditor.request("GET", "/api/v1/events?partition=0").send().await.unwrap();
    assert_eq!(answer.headers()["dispense-epoch"], "2");
    let audit = Audit::of(database).await;
    assert!(audit.entries.len() < events);
    let epochs = rows(database, "log_epochs").await;
    assert_eq!(epochs.len(), 4, "{epochs:?}");

    // The searches know the log as it is, and whoever repeats a lost command gets it done.
    let found = pharmacy.get("/api/v1/dispenses?limit=100").await.expect(200);
    let ids: Vec<&Value> =
        found.body["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert!(ids.contains(&&Value::from(next.id().to_string())));
    assert!(!ids.contains(&&Value::from(lost.id().to_string())));
    let again = pharmacy.send(&lost_order).await.expect(201);
    assert_eq!(again.id(), lost.id());
    assert_eq!(again.header("idempotency-replayed"), None);
    house.settled(2).await;
    house.export("after");
}
