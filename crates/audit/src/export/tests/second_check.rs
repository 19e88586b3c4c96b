//! The second check, `docs/audit/verify.py`: it must find what the first one finds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::super::{Broken, Summary};
use super::sample::key;

/// Where it stands.
pub(super) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit/verify.py");

/// A Python that has the package for Ed25519.
pub(super) fn python() -> &'static str {
    static PYTHON: OnceLock<&'static str> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let has = |python: &&str| {
            let import = "from cryptography.hazmat.primitives.asymmetric import ed25519";
            Command::new(python).args(["-c", import]).output().is_ok_and(|it| it.status.success())
        };
        let found = ["python3", "/usr/bin/python3"].into_iter().find(has);
        found.expect("a python3 with the package cryptography; scripts/install test brings it")
    })
}

/// What the second check says.
pub(super) fn second(folder: &Path, kept: &[PathBuf]) -> Value {
    let mut command = Command::new(python());
    command.arg("-B").arg(SCRIPT).arg(folder).arg("--json");
    command.args(["--key", &key().verifier().to_string()]);
    for path in kept {
        command.arg("--checkpoint").arg(path);
    }
    let output = command.output().unwrap();
    let (said, errors) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(said).unwrap_or_else(|_| panic!("{errors}"));
    assert_eq!(output.status.code(), Some(i32::from(said["whole"] == false)), "{errors}");
    said
}

/// Both checks say that it is whole, and the same of it.
pub(super) fn assert_same(summary: &Summary, second: &Value) {
    assert_eq!(second["whole"], true, "{second}");
    for (name, number) in [
        ("rows", summary.rows()),
        ("covered", summary.covered()),
        ("medicationRequests", summary.medication_requests()),
        ("checkpoints", summary.checkpoints()),
        ("erasures", summary.erasures),
        ("erasuresCovered", summary.erasures_covered()),
    ] {
        assert_eq!(second[name], number, "{name}");
    }
    for (partition, said) in summary.partitions.iter().zip(second["partitions"].as_array().unwrap())
    {
        assert_eq!(said["hash"], hex::encode(partition.hash));
        assert_eq!(said["root"], hex::encode(partition.root));
    }
}

/// Both checks found the same, at the same place.
pub(super) fn assert_same_finding(broken: &Broken, second: &Value) {
    let found = &second["finding"];
    let place = &broken.place;
    assert_eq!(found["kind"], broken.kind.to_string(), "{broken}\n{second}");
    assert_eq!(found["partition"], Value::from(place.partition), "{broken}\n{second}");
    assert_eq!(found["position"], Value::from(place.position), "{broken}\n{second}");
    assert_eq!(found["file"], Value::from(place.file.clone()), "{broken}\n{second}");
    assert_eq!(found["line"], Value::from(place.line), "{broken}\n{second}");
}
