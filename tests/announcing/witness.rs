//! The witnesses: two consumers that share no line with the service, and read what it has announced.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::house::{House, pause};
use crate::harness::{Audit, Instance, temporary};

/// How long a witness waits while nothing comes: longer than it takes until a partition whose instance
/// died is announced by another.
const PATIENCE: &str = "90";

/// The topics, and the words by which they are told apart here.
pub(super) const RECORDED: &str = "ndp.events.dispense.recorded";
pub(super) const FULLY_DISPENSED: &str = "ndp.events.prescription.fully_dispensed";
pub(super) const HOLD_CREATED: &str = "ndp.events.dispense.hold_created";
pub(super) const EXPIRED: &str = "ndp.events.dispense.expired";
pub(super) const CANCELLED: &str = "ndp.events.dispense.cancelled";

/// A Python that has a client of Kafka.
fn python() -> &'static str {
    let has = |python: &&str| {
        let import = Command::new(python).args(["-c", "import confluent_kafka"]).output();
        import.is_ok_and(|it| it.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has);
    found.expect("a python3 with confluent_kafka; scripts/install test brings it")
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The consumer in Python, about to read the streams of a house.
fn consumer(house: &House, arguments: &[String]) -> Command {
    let mut command = Command::new(python());
    command
        .arg(workspace().join("docs/streams/consumer.py"))
        .args(["--brokers", &house.inside, "--prefix", &house.prefix, "--json"])
        .args(arguments);
    command
}

/// What the consumer in Python says of the streams of a house.
async fn testimony(house: &House, arguments: &[String], token: &str) -> Value {
    let mut command = consumer(house, arguments);
    command.env("DISPENSE_TOKEN", token);
    let output = ended(command).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("the consumer said: {said}"))
}

/// How many messages a log leads to in a topic, counted from its rows.
fn count(audit: &Audit, topic: &str) -> usize {
    let entries = audit.entries.iter();
    let is_told = |kind: &str, payload: &Value| match topic {
        RECORDED => kind == "Processed",
        FULLY_DISPENSED => kind == "Processed" && payload["remaining"] == "0",
        HOLD_CREATED => kind == "HoldCreated" && payload["processed_at_once"] == false,
        EXPIRED => kind == "Expired",
        CANCELLED => kind == "Cancelled",
        other => panic!("no topic {other}"),
    };
    entries.filter(|entry| is_told(&entry.kind, &entry.payload)).count()
}

impl House {
    /// Both witnesses say that every event of the log up to now is in the streams, once, in order and
    /// as it is; returns what they counted. Clients must have come to an end.
    ///
    /// # Panics
    ///
    /// They say something else.
    pub(super) async fn whole(&self, instance: &Instance) -> Value {
        self.settled().await;
        let audit = Audit::of(&self.database).await;
        let summary = self.compared(instance).await;
        assert_eq!(summary["ok"], true, "{summary:#}");
        assert_eq!(summary["withdrawn"], 0, "{summary:#}");
        for topic in [RECORDED, FULLY_DISPENSED, HOLD_CREATED, EXPIRED, CANCELLED] {
            let counted = summary["topics"][topic].as_u64().unwrap_or_default();
            assert_eq!(usize::try_from(counted).unwrap(), count(&audit, topic), "{topic}");
        }
        assert!(self.is_whole_to_the_other().await, "the consumer in Rust found something");
        println!(
            "{} events of the log in {} messages, each once and in order",
            audit.entries.len(),
            summary["messages"]
        );
        summary
    }

    /// What the consumer in Python finds when it compares the streams with the log.
    pub(super) async fn compared(&self, instance: &Instance) -> Value {
        self.compared_with(instance, PATIENCE).await
    }

    /// As [`Self::compared`], by one who waits so many seconds while nothing comes.
    pub(super) async fn compared_with(&self, instance: &Instance, patience: &str) -> Value {
        let url = format!("{}/api/v1/events", instance.url);
        let arguments = ["--events", &url, "--idle", patience].map(str::to_owned);
        testimony(self, &arguments, &self.audit_token()).await
    }

    /// What the consumer in Python has in the end if it keeps what it was told in a file, and is killed
    /// so many times on the way to where another one was in the end.
    pub(super) async fn kept_by_one_who_is_killed(&self, kills: usize, whole: &Value) -> Value {
        let folder = temporary();
        let state = folder.path().join("state").display().to_string();
        let reached = whole["reached"].as_object().unwrap().iter();
        let until: Vec<_> = reached.map(|(part, position)| format!("{part}:{position}")).collect();
        let arguments = ["--state", &state, "--idle", PATIENCE, "--until", &until.join(",")];
        let arguments = arguments.map(str::to_owned);
        for _ in 0..kills {
            let mut child = consumer(self, &arguments).stdout(Stdio::null()).spawn().unwrap();
            pause(200..1_000).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        testimony(self, &arguments, "").await
    }

    /// What the consumer in Python sees of what was never committed, if it is told to look there.
    /// Clients must have come to an end.
    pub(super) async fn uncommitted(&self) -> Value {
        let ends = "SELECT string_agg(partition || ':' || position, ',') FROM log_head";
        let ends: String = sqlx::query_scalar(ends).fetch_one(&self.database.pool).await.unwrap();
        let uncommitted = "isolation.level=read_uncommitted";
        let arguments = ["--idle", PATIENCE, "--until", &ends, "--config", uncommitted];
        testimony(self, &arguments.map(str::to_owned), "").await
    }

    /// Whether the consumer in Rust finds the streams whole.
    pub(super) async fn is_whole_to_the_other(&self) -> bool {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
        let example = target.join("debug/examples/consumer");
        assert!(
            example.is_file(),
            "no {}; run: cargo build -p dispense-kafka --example consumer",
            example.display()
        );
        let mut command = Command::new(example);
        command.args([&self.inside, &self.prefix]);
        let output = ended(command).await;
        println!("{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.stderr.is_empty(), "{output:?}");
        output.status.success()
    }
}
