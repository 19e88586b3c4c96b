//! `dispense streams` as an operator meets it: what it says, how it ends, and what it makes of mistakes.
//! What it does to topics that were lost is told in `announcing`, and in the tests of the crate.

use std::time::Duration;

use serde_json::Value;

use crate::announcing::brokers;
use crate::harness::{Database, temporary};

/// How long a command may take.
const DONE_WITHIN: Duration = Duration::from_mins(3);

/// Settings with a prefix that nobody had before.
struct Operator {
    database: Database,
    brokers: String,
    prefix: String,
}

impl Operator {
    async fn new() -> Self {
        let prefix = format!("t{:08x}.", rand::random::<u32>());
        Self { database: Database::new().await, brokers: brokers::shared(), prefix }
    }

    /// How a command ends, and what it says.
    async fn run(&self, arguments: &[&str], more: &[(&str, &str)]) -> (Option<i32>, String) {
        let own = [
            ("KAFKA_BROKERS", &*self.brokers),
            ("KAFKA_TOPIC_PREFIX", &*self.prefix),
            ("KAFKA_TOPIC_PARTITIONS", "2"),
        ];
        let arguments = [&["streams"], arguments].concat();
        let folder = temporary();
        let settings = [&own, more].concat();
        let mut process = self.database.command(folder.path(), &arguments, &settings);
        let ended = move || (process.wait(DONE_WITHIN).code(), process.said());
        tokio::task::spawn_blocking(ended).await.unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let (code, said) = self.run(arguments, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        // Progress stands beside it.
        let begin = said.find('{').unwrap();
        let end = said.rfind('}').unwrap();
        serde_json::from_str(&said[begin..=end]).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_told_made_and_then_as_wanted() {
    let operator = Operator::new().await;
    let (code, said) = operator.run(&["topics", "--dry-run"], &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("would be made").count(), 22, "{said}");
    let made = operator.json(&["topics", "--json"]).await;
    let again = operator.json(&["topics", "--json"]).await;
    for (document, state) in [(&made, "made"), (&again, "asWanted")] {
        let items = document["items"].as_array().unwrap();
        assert_eq!(items.len(), 22);
        assert!(items.iter().all(|it| it["state"] == state), "{document:#}");
    }
    let positions = &made["items"][5];
    assert_eq!(positions["topic"], format!("{}ndp.dispense.positions", operator.prefix));
    assert_eq!(positions["wanted"]["partitions"], 4, "as many as the log has");
    let (code, said) = operator.run(&["topics"], &[("KAFKA_TOPIC_PARTITIONS", "5")]).await;
    assert_eq!(code, Some(0), "a difference is told and left: {said}");
    assert!(said.contains("partitions: 2, wanted 5; with more of them, messages of one"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_which_nothing_was_announced_is_well() {
    let operator = Operator::new().await;
    operator.json(&["topics", "--json"]).await;
    let report = operator.json(&["verify", "--json"]).await;
    assert_eq!(report["valid"], true, "{report:#}");
    let (code, said) = operator.run(&["resume"], &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("nothing is to be done"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_with_the_way_out() {
    let operator = Operator::new().await;
    let nowhere = [("KAFKA_BROKERS", "")];
    for command in [&["topics"][..], &["verify"], &["resume"]] {
        let (code, said) = operator.run(command, &nowhere).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("KAFKA_BROKERS: expected addresses with ports"), "{said}");
    }
    let wrong = [("KAFKA_BROKERS", "127.0.0.1:1")];
    let (code, said) = operator.run(&["topics"], &wrong).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no broker answers at KAFKA_BROKERS=127.0.0.1:1"), "{said}");

    for command in [["refill", "ndp.events.nothing"], ["verify", "--topic=recorded.ndp"]] {
        let (code, said) = operator.run(&command, &[]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("ndp.events.prescription.fully_dispensed"), "{said}");
    }
    let other = ["refill", "other.ndp.events.dispense.recorded"];
    let (code, said) = operator.run(&other, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("KAFKA_TOPIC_PREFIX is"), "{said}");

    // Nothing was made here.
    for command in [&["refill", "ndp.events.dispense.recorded"][..], &["resume"]] {
        let (code, said) = operator.run(command, &[]).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("make it with `dispense streams topics`"), "{said}");
    }
    let (code, said) = operator.run(&["resume", "--partition", "4"], &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("partitions 0 to 3"), "{said}");
    let both = ["resume", "--from-beginning", "--from-topics"];
    assert_eq!(operator.run(&both, &[]).await.0, Some(2));

    let (code, said) = operator.run(&["topics"], &[("KAFKA_REPLICATION", "9")]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("KAFKA_REPLICATION: 9 brokers are to keep it"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_says_how_it_ends() {
    let operator = Operator::new().await;
    for command in ["topics", "verify", "refill", "resume"] {
        let (code, said) = operator.run(&[command, "--help"], &[]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Exit codes: 0 "), "{said}");
    }
}
