//! The walls between the crates, and the sizes and names of what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crates of the house a crate may name; `docs/architecture.md` has the picture.
const ROOMS: &[(&str, &[&str])] = &[
    ("dispense-domain", &[]),
    ("dispense-audit", &[]),
    ("dispense-demo", &[]),
    ("dispense-embedded", &[]),
    ("dispensary", &["dispense-domain"]),
    ("dispense-postgres", &["dispense-domain", "dispensary", "dispense-audit"]),
    ("dispense-kafka", &["dispense-domain", "dispensary"]),
    ("dispense-signing", &["dispensary"]),
    ("dispense-content", &["dispensary"]),
    ("dispense-http", &["dispense-domain", "dispensary"]),
    ("dispense-bench", &["dispense-demo", "dispense-embedded", "dispense-signing"]),
    ("dispense-service", ALL),
    ("dispense-tests", ALL),
];

/// What knows all and decides nothing.
const ALL: &[&str] = &["*"];

/// What a crate must never name, directly: what waits, or the outside thing of another crate.
const STRANGERS: &[(&str, &[&str])] = &[
    ("dispense-domain", &["tokio", "async-trait", "futures", "sqlx", "actix-web", "reqwest"]),
    ("dispensary", &["tokio", "sqlx", "actix-web", "rdkafka", "cqrs-es", "reqwest"]),
    ("dispense-postgres", &["actix-web", "utoipa", "rdkafka", "reqwest"]),
    ("dispense-http", &["sqlx", "postgres-es", "cqrs-es", "rdkafka"]),
    ("dispense-kafka", &["sqlx", "postgres-es", "cqrs-es", "actix-web", "reqwest"]),
    ("dispense-audit", &["tokio", "async-trait", "futures", "sqlx", "actix-web", "reqwest"]),
    ("dispense-demo", &["tokio", "sqlx", "actix-web"]),
];

/// Beside its own words, a test may use these crates of the house.
const FOR_TESTS: &[&str] = &["dispense-demo", "dispense-embedded"];

/// A file that grows past this wants to be two.
const LINES: usize = 400;

/// Names that hide the word that is missing.
const NO_NAMES: &[&str] = &[
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base",
    "core",
    "manager",
    "handler",
    "handlers",
    "processor",
    "service",
    "data",
    "info",
    "dto",
    "model",
    "models",
    "impl_",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages of the house: name, and what each names, with the kind of the dependency.
fn packages() -> BTreeMap<String, Vec<(String, bool)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |dependency: &Value| {
        let name = dependency["name"].as_str().unwrap().to_owned();
        (name, dependency["kind"] == "dev")
    };
    let package = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter().map(named);
        (package["name"].as_str().unwrap().to_owned(), dependencies.collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn arrows_point_one_way() {
    let packages = packages();
    let house: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let mut strangers = Vec::new();
    for (name, dependencies) in &packages {
        let room = ROOMS.iter().find(|(room, _)| room == name);
        let Some((_, allowed)) = room else {
            strangers.push(format!("{name} has no room yet"));
            continue;
        };
        let banned = STRANGERS.iter().find(|(room, _)| room == name).map_or(&[][..], |it| it.1);
        for (dependency, for_tests) in dependencies {
            let known = *allowed == ALL
                || allowed.contains(&dependency.as_str())
                || (*for_tests && FOR_TESTS.contains(&dependency.as_str()));
            let stranger = house.contains(dependency.as_str()) && !known;
            if stranger || (!for_tests && banned.contains(&dependency.as_str())) {
                strangers.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    assert!(
        strangers.is_empty(),
        "{strangers:#?}; see docs/architecture.md for the room that it belongs to"
    );
}

/// Every source file of the house.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![workspace().join("crates"), workspace().join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn no_file_is_too_long() {
    let length = |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> = sources().into_iter().filter(|path| length(path) > LINES).collect();
    assert!(long.is_empty(), "more than {LINES} lines: {long:#?}; see docs/contributing.md");
}

#[test]
fn every_name_says_something() {
    let house = workspace();
    let bad: Vec<_> = sources()
        .into_iter()
        .filter(|path| {
            // The crate `service` is the one exception, in its own folder's name.
            let inside = path.strip_prefix(&house).unwrap();
            inside.components().skip(2).any(|part| {
                let stem = Path::new(part.as_os_str()).file_stem().unwrap().to_string_lossy();
                NO_NAMES.contains(&&*stem)
            })
        })
        .collect();
    assert!(bad.is_empty(), "names that hide the missing word: {bad:#?}; see docs/contributing.md");
}
