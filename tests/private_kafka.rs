//! `dispense dev --kafka`: a broker beside the database, with nothing set up before.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{Database, Process, eventually, free_port, temporary};

/// How long a start from nothing may take: databases, topics, and a registry of 25,000 lines.
const STARTED_WITHIN: Duration = Duration::from_mins(6);

/// How long it may take until everything that was started has ended.
const STOPPED_WITHIN: Duration = Duration::from_mins(2);

/// How long the consumer that is printed may wait for a message, in milliseconds.
const PATIENCE: &str = "180000";

/// What `dispense dev --kafka` has said when it serves.
const READY: &str = "Watch what is announced, in another terminal:\n\n";

fn begin(home: &TempDir) -> Process {
    let mut settings = vec![
        ("DISPENSE_HOME", home.path().join("home").display().to_string()),
        ("DISPENSE_LISTEN", format!("127.0.0.1:{}", free_port())),
    ];
    settings.extend(std::env::var("KAFKA_LIBS").map(|libs| ("KAFKA_LIBS", libs)));
    let settings: Vec<_> = settings.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
    Process::start(home.path(), &["dev", "--kafka"], &settings)
}

async fn said_when_ready(process: &mut Process) -> String {
    eventually("a service with a broker", STARTED_WITHIN, async || {
        if let Some(status) = process.ended() {
            panic!("it ended ({status}):\n{}", process.said());
        }
        // The line behind the command shows that all of it was said.
        let said = process.said();
        said.split_once(READY).is_some_and(|it| it.1.contains("\n\n")).then_some(said)
    })
    .await
}

/// The command that begins with this word, up to the empty line behind it.
fn command<'a>(said: &'a str, word: &str) -> &'a str {
    let from = said.find(&format!("\n\n{word}")).unwrap() + 2;
    said[from..].split("\n\n").next().unwrap()
}

/// The word behind this one.
fn word_behind<'a>(said: &'a str, word: &str) -> &'a str {
    said.split_once(word).unwrap().1.split_whitespace().next().unwrap().trim_matches('\'')
}

fn pasted(command: &str) -> String {
    let answer = Command::new("/bin/sh").args(["-c", command]).output().unwrap();
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

async fn nobody_listens(addresses: &[String]) {
    eventually("an end of all servers", STOPPED_WITHIN, async || {
        addresses.iter().all(|address| TcpStream::connect(address).is_err()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_announced_on_a_private_broker_that_ends_with_the_service() {
    let home = temporary();
    let mut process = begin(&home);
    let said = said_when_ready(&mut process).await;
    let broker = word_behind(&said, "KAFKA_BROKERS=").to_owned();
    let database = word_behind(&said, "@").split('/').next().unwrap().to_owned();
    let answer = pasted(command(&said, "curl"));
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let held: serde_json::Value = serde_json::from_str(body).unwrap();

    let consumer = said.split_once(READY).unwrap().1.split("\n\n").next().unwrap();
    let consumer = format!("{consumer} --max-messages 1 --timeout-ms {PATIENCE}");
    let message = tokio::task::spawn_blocking(move || pasted(&consumer)).await.unwrap();
    assert!(message.contains(held["id"].as_str().unwrap()), "{message}");

    process.signal("INT");
    assert!(process.wait(STOPPED_WITHIN).success(), "{}", process.said());
    let servers = [broker.clone(), database];
    nobody_listens(&servers).await;

    let mut process = begin(&home);
    let said = said_when_ready(&mut process).await;
    assert_eq!(word_behind(&said, "KAFKA_BROKERS="), broker);
    assert!(!said.contains("topics"), "its topics were there: {said}");
    process.kill();
    nobody_listens(&servers).await;
    for server in ["postgres", "kafka"] {
        let folder = home.path().join("home").join(server);
        let removed = match server {
            "kafka" => dispense_embedded::Broker::remove(&folder),
            _ => dispense_embedded::Server::remove(&folder),
        };
        removed.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_named_and_one_that_is_wanted_exclude_each_other() {
    let database = Database::new().await;
    let home = temporary();
    let settings = [("KAFKA_BROKERS", "127.0.0.1:9092")];
    let mut start = database.command(home.path(), &["dev", "--kafka"], &settings);
    assert_eq!(start.wait(STOPPED_WITHIN).code(), Some(2));
    let said = start.said();
    assert!(said.contains("KAFKA_BROKERS") && said.contains("leave out one of them"), "{said}");
    assert!(!home.path().join("kafka").exists());
}
