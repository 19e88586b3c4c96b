//! What an auditor runs: the two checks of an export, as commands, and the check of what no export
//! has.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dispense_embedded::Binaries;
use serde_json::Value;
use tempfile::TempDir;

use crate::handing_over::opened;
use crate::harness::{Database, PAID, Terms, temporary, world};

/// How long a command may take; debug builds on busy machines are slow.
const COMMAND_WITHIN: Duration = Duration::from_mins(1);

/// A folder of the documentation with the programs for auditors.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/audit")
}

/// A Python that has the package for Ed25519.
pub(crate) fn python() -> &'static str {
    let has = |python: &&str| {
        let import = "from cryptography.hazmat.primitives.asymmetric import ed25519";
        Command::new(python).args(["-c", import]).output().is_ok_and(|it| it.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has);
    found.expect("a python3 with the package cryptography; scripts/install test brings it")
}

/// The exit code of a program, and all that it said.
fn ended(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// A database whose log was exported, with the keys and the export in a folder.
struct Exported {
    database: Database,
    folder: TempDir,
}

impl Exported {
    /// A log with a hold that was processed, and one that was given back.
    async fn new() -> Self {
        let (database, _instance, world, one, _other) = opened().await;
        let what = world.prescribed(Terms::InParts, 0);
        let held = one.dispense(&what, 20).await.expect(201).id();
        one.hand_over(held, PAID).await.expect(200);
        let held = one.dispense(&what, 10).await.expect(201).id();
        one.cancel(held).await.expect(200);
        let exported = Self { database, folder: temporary() };
        for name in ["ours", "theirs"] {
            exported.run(&["audit", "key", &exported.path(name), "--name", name], 0);
        }
        let key = exported.path("ours");
        let contents = format!("file://{}", exported.database.contents.display());
        let settings = [("CHECKPOINT_KEY", &*key), ("CONTENT_STORE_URL", &*contents)];
        exported.run_with(&["log", "export", &exported.path("export")], &settings, 0);
        exported
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    #[track_caller]
    fn run_with(&self, arguments: &[&str], settings: &[(&str, &str)], code: i32) -> String {
        let folder = temporary();
        let mut process = self.database.command(folder.path(), arguments, settings);
        let status = process.wait(COMMAND_WITHIN);
        let said = process.said();
        assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_with(arguments, &[], code)
    }

    /// Both checks of the export end with that code; returned is what each of them said.
    #[track_caller]
    fn both(&self, arguments: &[&str], code: i32) -> [String; 2] {
        let export = self.path("export");
        let ours = self.run(&[&["audit", "verify", &export], arguments].concat(), code);
        let mut second = Command::new(python());
        second.arg("-B").arg(programs().join("verify.py")).arg(&export).args(arguments);
        let (ended, theirs) = ended(&mut second);
        assert_eq!(ended, code, "{arguments:?}: {theirs}");
        [ours, theirs]
    }

    /// The documents that both checks print.
    #[track_caller]
    fn documents(&self, arguments: &[&str], code: i32) -> [Value; 2] {
        let said = self.both(&[arguments, &["--json"]].concat(), code);
        said.map(|said| {
            // Lines about progress, and warnings, stand around it.
            let document = said.lines().find(|line| line.starts_with('{'));
            serde_json::from_str(document.unwrap_or_else(|| panic!("{said}"))).unwrap()
        })
    }

    /// The file of a checkpoint in the export.
    fn checkpoint(&self) -> PathBuf {
        let folders = std::fs::read_dir(self.folder.path().join("export/checkpoints")).unwrap();
        let files = folders.flat_map(|it| std::fs::read_dir(it.unwrap().path()).unwrap());
        files.map(|it| it.unwrap().path()).next().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_checks_say_what_they_are_asked() {
    let exported = Exported::new().await;
    let (key, other) = (exported.path("ours.pub"), exported.path("theirs.pub"));
    let key = ["--key", &*key];
    for said in exported.both(&key, 0) {
        assert!(said.contains("whole: 4 events of 1 medication requests"), "{said}");
    }
    let [ours, theirs] = exported.documents(&key, 0);
    assert_eq!(ours, theirs);
    assert_eq!((&ours["covered"], &ours["signedBy"][0]), (&4.into(), &"ours".into()));
    let text = std::fs::read_to_string(exported.path("ours.pub")).unwrap();
    assert_eq!(exported.documents(&["--key", text.trim()], 0), [ours.clone(), theirs]);
    for said in exported.both(&["--trust-exported-key"], 0) {
        assert!(said.contains("warning: believing"), "{said}");
    }

    // What an auditor kept, beside the export.
    let kept = exported.path("kept.txt");
    std::fs::copy(exported.checkpoint(), &kept).unwrap();
    exported.both(&[&key[..], &["--checkpoint", &kept]].concat(), 0);

    for wrong in [
        &[][..],
        &["--key", "/nowhere"],
        &["--key", &exported.path("ours")],
        &["--key", &other, "--checkpoint", &kept],
        &["--key", &other, "--checkpoint", "/nowhere"],
        &["--checkpoint", &kept],
        &["--kei", &other],
    ] {
        exported.both(wrong, 2);
    }
    let foreign = exported.documents(&["--key", &other], 1);
    assert_eq!(foreign.each_ref().map(|it| &it["finding"]["kind"]), ["signature"; 2]);

    let segment = exported.checkpoint().display().to_string();
    let (partition, _) =
        segment.split_once("export/checkpoints/").unwrap().1.split_once('/').unwrap();
    let file = format!("events/{partition}/000000000001.ndjson");
    let path = exported.folder.path().join("export").join(&file);
    let rows = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, rows.replacen("\"quantity\":\"10\"", "\"quantity\":\"9\"", 1)).unwrap();
    for document in exported.documents(&key, 1) {
        let finding = &document["finding"];
        assert_eq!(document["whole"], false);
        assert_eq!((&finding["kind"], &finding["position"]), (&"hash".into(), &3.into()));
        assert_eq!((&finding["file"], &finding["line"]), (&file.as_str().into(), &3.into()));
    }
    for said in exported.both(&key, 1) {
        assert!(said.contains("BROKEN: ") && said.contains("position 3"), "{said}");
    }
    let nowhere = exported.path("nowhere");
    exported.run(&["audit", "verify", &nowhere, key[0], key[1]], 2);
}

/// Checks the database where it stands; the exit code, and what was said.
pub(crate) fn check(database: &Database) -> (i32, String) {
    let folder = temporary();
    let psql = Binaries::find().unwrap().tool("psql").unwrap();
    let written = ended(
        Command::new(psql)
            .current_dir(folder.path())
            .args([&database.serving_url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(programs().join("database.sql")),
    );
    assert_eq!(written.0, 0, "{}", written.1);
    ended(Command::new("python3").current_dir(folder.path()).arg(programs().join("database.py")))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_export_has_is_checked_in_the_database() {
    let (database, _instance, world, one, _other) = opened().await;
    let erased = world.prescribed(Terms::InParts, 0);
    for what in [&erased, &world.prescribed(Terms::InPartsAtOnce, 0)] {
        let held = one.dispense(what, 20).await.expect(201).id();
        if what.id == erased.id {
            one.cancel(held).await.expect(200);
        }
    }
    let (code, said) = check(&database);
    assert!(code == 0 && said.contains("whole: 4 events") && said.contains(" 0 erased"), "{said}");
    assert!(!said.contains(" 0 registry changes"), "{said}");

    let person = world::person(&erased)["id"].as_str().unwrap().to_owned();
    let folder = temporary();
    let arguments = ["privacy", "erase", "--reason", "letter 17", "--person", &person, "--yes"];
    let contents = format!("file://{}", database.contents.display());
    let settings = [("CONTENT_STORE_URL", &*contents)];
    let mut erase = database.command(folder.path(), &arguments, &settings);
    assert!(erase.wait(COMMAND_WITHIN).success(), "{}", erase.said());
    let (code, said) = check(&database);
    assert!(code == 0 && said.contains("erased by 1 erasures"), "{said}");

    // Whoever owns the database can do all of this, and none of it goes unseen.
    for (forged, seen) in [
        ("UPDATE registry_changes SET version = version + 1 WHERE number = 2", "registry changes"),
        ("UPDATE registry_changes SET source = 'topic/0/1' WHERE number = 2", "changes"),
        ("UPDATE personal_bodies SET body = '{}'", "is not the one that was written"),
        ("DELETE FROM personal_bodies", "is gone, and no erasure says so"),
        ("DELETE FROM erasures", "is gone, and no erasure says so"),
        ("UPDATE erasures SET reason = 'another'", "erasures, number 1"),
        ("UPDATE events SET payload = '{}' WHERE position = 1", "position 1: the hash is"),
        ("UPDATE log_head SET position = position + 1", "and its head says"),
        ("DELETE FROM registry_heads", "and its head says"),
    ] {
        database.execute("CREATE SCHEMA kept").await;
        let tables = ["registry_changes", "personal_bodies", "erasures", "events", "log_head"];
        for table in tables.into_iter().chain(["registry_heads"]) {
            database.execute(&format!("CREATE TABLE kept.{table} AS TABLE public.{table}")).await;
        }
        let as_owner = format!("SET session_replication_role = replica; {forged}; RESET ALL");
        database.execute(&as_owner).await;
        let (code, said) = check(&database);
        assert!(code == 1 && said.contains(seen), "{forged}: {said}");
        for table in tables.into_iter().chain(["registry_heads"]) {
            let back = format!(
                "SET session_replication_role = replica; DELETE FROM {table}; \
                 INSERT INTO {table} SELECT * FROM kept.{table}; RESET ALL"
            );
            database.execute(&back).await;
        }
        database.execute("DROP SCHEMA kept CASCADE").await;
    }
    let (code, said) = check(&database);
    assert_eq!(code, 0, "{said}");
}
