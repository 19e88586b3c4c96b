//! The script that brings a version into a cluster, with a `kubectl` that writes down what it is told.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::written::repository;
use crate::harness::temporary;

/// How a cluster names the job that makes topics.
const TOPICS: &str = "job.batch/dispense-topics";

/// Runs the script on a cluster where what has these words in it fails; answers whether it went well,
/// and what the cluster was told. It says that it has that job for topics.
fn roll_out(failing: &str, topics: &str) -> (bool, Vec<String>) {
    let folder = temporary();
    let (kubectl, told) = (folder.path().join("kubectl"), folder.path().join("told"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\ncase \"$*\" in {failing}) exit 1 ;; get*) echo {topics} ;; esac\n",
        told.display()
    );
    std::fs::write(&kubectl, script).unwrap();
    std::fs::set_permissions(&kubectl, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new(repository().join("deploy/kubernetes/roll-out"))
        .arg("ours")
        .env("PATH", path)
        .env("PATIENCE", "5m")
        .output()
        .unwrap();
    let told = std::fs::read_to_string(told).unwrap();
    (output.status.success(), told.lines().map(str::to_owned).collect())
}

#[test]
fn the_database_is_prepared_before_any_instance_is_replaced() {
    let (went_well, told) = roll_out("nothing", TOPICS);
    assert!(went_well);
    let expected = [
        "delete job dispense-migrate dispense-topics --ignore-not-found",
        "apply -k ours/prepare",
        "get job dispense-topics --ignore-not-found --output=name",
        "wait --for=condition=complete --timeout=5m job/dispense-migrate",
        "wait --for=condition=complete --timeout=5m job.batch/dispense-topics",
        "apply -k ours/serve",
        "rollout status deployment/dispense --timeout=5m",
    ];
    assert_eq!(told, expected);
}

#[test]
fn no_instance_is_touched_where_a_job_fails() {
    for failing in ["wait*migrate", "wait*topics", "apply*prepare", "get*"] {
        let (went_well, told) = roll_out(failing, TOPICS);
        assert!(!went_well, "{failing}");
        assert!(!told.iter().any(|said| said.contains("serve")), "{failing}: {told:?}");
    }
}

#[test]
fn topics_are_not_waited_for_where_there_is_no_kafka() {
    let (went_well, told) = roll_out("nothing", "");
    assert!(went_well);
    let waited: Vec<_> = told.iter().filter(|said| said.starts_with("wait")).collect();
    assert_eq!(waited, ["wait --for=condition=complete --timeout=5m job/dispense-migrate"]);
    assert!(told.contains(&"apply -k ours/serve".to_owned()), "{told:?}");
}
