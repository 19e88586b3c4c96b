//! The log proves itself: an export, made while processes are killed, is whole to whoever has nothing
//! but it and a key; proofs lead to what was signed; and what is lost or forged is told.

mod copies;
mod forging;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dispense_audit::checkpoint::Checkpoint;
use dispense_audit::note::{self, VerifierKey};
use dispense_audit::tree::{self, Head};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Crowd, Database, Instance, Pharmacy, Terms, World, eventually, shuffled, temporary,
};

/// How long a command of the binary may take.
const COMMAND_WITHIN: Duration = Duration::from_mins(2);

/// How long the crowd goes on.
const LASTING: Duration = Duration::from_secs(12);

/// How many commands are enough.
const ENOUGH: usize = 100;

/// A database with a key for its checkpoints.
struct House {
    database: Database,
    world: World,
    folder: TempDir,
}

impl House {
    async fn new(pharmacies: usize, requests: usize) -> Self {
        let database = Database::new().await;
        let world = World::new(pharmacies, requests);
        database.import(&world.lines());
        let house = Self { database, world, folder: temporary() };
        let made = house.run(&["audit", "key", &house.key(), "--name", "tests.example.org"], &[]);
        assert_eq!(made.0, 0, "{}", made.1);
        house
    }

    /// The file of the key that signs.
    fn key(&self) -> String {
        self.folder.path().join("key").display().to_string()
    }

    fn verifier(&self) -> VerifierKey {
        let text = std::fs::read_to_string(format!("{}.pub", self.key())).unwrap();
        VerifierKey::read(&text).unwrap()
    }

    fn store(&self) -> String {
        format!("file://{}", self.database.contents.display())
    }

    /// An instance that signs every second.
    async fn instance(&self) -> Instance {
        let key = self.key();
        let settings = [("CHECKPOINT_KEY", &*key), ("CHECKPOINT_EVERY", "1s")];
        Instance::start_with(&self.database, &settings).await
    }

    /// Runs a command; its exit code, and all that it said.
    fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String) {
        let folder = temporary();
        let mut process = self.database.command(folder.path(), arguments, settings);
        let status = process.wait(COMMAND_WITHIN);
        (status.code().unwrap(), process.said())
    }

    /// As [`Self::run`], with the settings of an instance that signs.
    fn run_signing(&self, arguments: &[&str]) -> (i32, String) {
        let (key, store) = (self.key(), self.store());
        self.run(arguments, &[("CHECKPOINT_KEY", &*key), ("CONTENT_STORE_URL", &*store)])
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `dispense audit verify` says of an export.
    fn verify(&self, export: &Path) -> (i32, String) {
        let (export, key) = (export.display().to_string(), format!("{}.pub", self.key()));
        self.run(&["audit", "verify", &export, "--key", &key], &[])
    }

    /// What the second check says of it, which knows the same page and shares no code.
    fn verify_otherwise(&self, export: &Path) -> (i32, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/audit/verify.py");
        let output = Command::new("python3")
            .arg(script)
            .arg(export)
            .args(["--key", &format!("{}.pub", self.key())])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    /// An auditor at the door of an instance.
    fn auditor(&self, instance: &Instance) -> Pharmacy {
        let somebody = self.world.pharmacies[0].at(instance);
        let token = somebody.token().with("scope", "audit:read").with("client_type", "NHS");
        somebody.with_token(&token)
    }
}

fn hash(of: &Value) -> [u8; 32] {
    hex::decode(of.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn path(of: &Value) -> Vec<[u8; 32]> {
    of.as_array().unwrap().iter().map(hash).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_under_fire_is_exported_whole_and_proves_every_event() {
    let house = House::new(6, 30).await;
    let mut instances = [house.instance().await, house.instance().await];
    let crowd = Crowd {
        pharmacies: house.world.pharmacies.clone(),
        doors: instances.iter().map(|instance| instance.url.clone()).collect(),
        requests: [house.world.all(Terms::InParts), house.world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    let crowd = tokio::spawn(crowd.go_on_until_done(12, LASTING, ENOUGH));
    let export = house.out("export");
    let to = export.display().to_string();
    for victim in shuffled(vec![0, 1, 0, 1]) {
        tokio::time::sleep(Duration::from_millis(900)).await;
        instances[victim].start_again().await;
        // Each time it goes on where the time before it stopped.
        let (code, said) = house.run_signing(&["log", "export", &to]);
        assert_eq!(code, 0, "{said}");
        let (code, said) = house.verify(&export);
        assert_eq!(code, 0, "{said}");
    }
    crowd.await.unwrap();
    house.database.followed().await;
    // One that was stopped leaves nothing that has its name already.
    let left = export.join("events/0000/.000000000001.ndjson.part");
    std::fs::write(left, "{\"partition\":0,\"posi").unwrap();
    let (code, said) = house.run_signing(&["log", "export", &to, "--json"]);
    assert_eq!(code, 0, "{said}");
    for (code, said) in [house.verify(&export), house.verify_otherwise(&export)] {
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("whole"), "{said}");
    }

    let auditor = house.auditor(&instances[0]);
    let latest = auditor.get("/api/v1/audit/checkpoints").await.expect(200).body;
    let latest = latest["items"].as_array().unwrap().clone();
    assert!(!latest.is_empty());
    for checkpoint in &latest {
        proved(&house, &auditor, checkpoint).await;
    }
}

/// Every event that a checkpoint covers is proved to be in it, and it is proved to begin with the ones
/// before.
async fn proved(house: &House, auditor: &Pharmacy, latest: &Value) {
    let note = latest["note"].as_str().unwrap();
    let trusted = [house.verifier()];
    let signed = Checkpoint::read(note::open(note.as_bytes(), &trusted).unwrap().text).unwrap();
    let (partition, size) = (signed.partition, signed.size);
    let every = usize::try_from(size / 20).unwrap() + 1;
    for position in (1..=size).step_by(every).chain([size]) {
        let asked =
            format!("/api/v1/audit/proof?partition={partition}&position={position}&size={size}");
        let proof = auditor.get(&asked).await.expect(200).body;
        let rows =
            format!("SELECT hash FROM events WHERE partition = {partition} AND position = $1");
        let row: Vec<u8> = sqlx::query_scalar(&rows)
            .bind(position.cast_signed())
            .fetch_one(&house.database.pool)
            .await
            .unwrap();
        let leaf = tree::leaf(&row.try_into().unwrap());
        let path = path(&proof["path"]);
        assert!(tree::verify_inclusion(&leaf, position - 1, size, &path, &signed.root), "{proof}");
    }
    let asked = format!("/api/v1/audit/checkpoints?partition={partition}&limit=300");
    for older in auditor.get(&asked).await.expect(200).body["items"].as_array().unwrap() {
        let from = older["size"].as_u64().unwrap();
        let asked =
            format!("/api/v1/audit/consistency?partition={partition}&from={from}&to={size}");
        let proof = auditor.get(&asked).await.expect(200).body;
        let older = Head { size: from, root: hash(&older["root"]) };
        let newer = Head { size, root: signed.root };
        assert!(tree::verify_consistency(&older, &newer, &path(&proof["path"])), "{proof}");
    }
}
