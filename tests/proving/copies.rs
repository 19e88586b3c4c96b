//! Copies of checkpoints in the object store: what is lost is told, by every instance, until somebody
//! does something about it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{House, eventually};
use crate::harness::{Instance, Terms};

const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// All copies, the smallest first.
fn copies(house: &House) -> Vec<PathBuf> {
    let mut folders = vec![house.database.contents.join("checkpoints")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut found }.push(path);
        }
    }
    found.sort();
    found
}

/// What readiness says of the checkpoints, once it says what is expected.
async fn told(instance: &Instance, expected: &str) -> Value {
    eventually(expected, TOLD_WITHIN, async || {
        // A copy that is lost stops no command.
        let health = instance.health().await;
        let checks = health["checks"].as_array().unwrap().iter();
        let check = checks.into_iter().find(|it| it["name"] == "checkpoints").cloned();
        let detail = check.as_ref().map_or("", |it| it["detail"].as_str().unwrap());
        detail.contains(expected).then(|| check.clone().unwrap())
    })
    .await
}

async fn well(instance: &Instance) {
    eventually("checkpoints that are well", TOLD_WITHIN, async || {
        let (_, health) = instance.readiness().await;
        (health["status"] == "ok").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_missing_or_another_is_told_until_an_operator_acts() {
    let house = House::new(1, 4).await;
    let [one, other] = [house.instance().await, house.instance().await];
    let pharmacy = house.world.pharmacies[0].at(&one);
    for what in house.world.all(Terms::InPartsAtOnce) {
        pharmacy.dispense(&what, 10).await.expect(201);
    }
    eventually("copies", TOLD_WITHIN, async || (copies(&house).len() > 1).then_some(())).await;
    well(&one).await;

    let all = copies(&house);
    let kept = std::fs::read(&all[0]).unwrap();
    std::fs::remove_file(&all[0]).unwrap();
    std::fs::write(&all[1], "forged\n").unwrap();
    for instance in [&one, &other] {
        let check = told(instance, "missing").await;
        assert_eq!(check["status"], "degraded", "{check}");
    }
    assert!(!all[0].exists(), "nothing is put right by itself");
    let (code, said) = house.run_signing(&["audit", "checkpoint"]);
    assert_eq!(code, 1, "{said}");

    let (code, said) = house.run_signing(&["audit", "checkpoint", "--restore-copies"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("another text stands there"), "{said}");
    assert_eq!(std::fs::read(&all[0]).unwrap(), kept, "the missing one is back");
    assert_eq!(std::fs::read(&all[1]).unwrap(), b"forged\n", "what was forged is evidence");
    std::fs::rename(&all[1], house.out("evidence")).unwrap();
    let (code, said) = house.run_signing(&["audit", "checkpoint", "--restore-copies"]);
    assert_eq!(code, 0, "{said}");
    well(&one).await;
    well(&other).await;
}
