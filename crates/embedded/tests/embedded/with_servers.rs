//! The program `with-servers`, and what it leaves behind: nothing, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use dispense_embedded::{Broker, Server};

use crate::sample::{asked, folder};

/// Runs a script next to a server whose folder is made below `place`.
fn with_servers(place: &Path, script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.args(["--set", "max_connections=31", "--", "sh", "-c", script]);
    command.current_dir(place).env("TMPDIR", place).stdin(Stdio::null());
    command
}

/// Starts a script that tells the address, then stays until its input is dropped.
fn staying(place: &Path) -> (Child, ChildStdin, String) {
    let mut command = with_servers(place, r#"echo "$TEST_DATABASE_URL"; cat"#);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let input = child.stdin.take().unwrap();
    (child, input, url.trim().to_owned())
}

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

fn is_empty(place: &Path) -> bool {
    fs::read_dir(place).unwrap().next().is_none()
}

#[test]
fn the_command_finds_its_server_and_its_exit_code_is_handed_on() {
    let place = folder();
    let script = r#""$PG_BIN/psql" -XAtc 'show max_connections' "$TEST_DATABASE_URL"; exit 7"#;
    let answer = with_servers(place.path(), script).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "31\n");
    assert_eq!(answer.status.code(), Some(7));
    assert!(is_empty(place.path()));
}

#[test]
fn a_signal_ends_command_and_server_and_leaves_nothing() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let place = folder();
        let (mut child, _input, url) = staying(place.path());
        assert_eq!(asked(&url, "select 1").as_deref(), Ok("1"));
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(asked(&url, "select 1").is_err());
        assert!(is_empty(place.path()));
    }
}

#[test]
fn the_server_ends_even_when_its_owner_is_killed() {
    let place = folder();
    let (mut child, _input, url) = staying(place.path());
    send("-KILL", &child);
    child.wait().unwrap();
    // Ends by itself, unless the watcher sleeps: then this never ends.
    while asked(&url, "select 1").is_ok() {}
    // What the dead one left is taken over at once, even if its server is still busy stopping.
    let left = fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
    let server = Server::builder(&left).throwaway().start().unwrap();
    assert_eq!(asked(&server.admin_url("postgres"), "select 1").as_deref(), Ok("1"));
    drop(server);
    assert!(!left.exists());
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let place = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.arg("no-such-command").current_dir(place.path()).env("TMPDIR", place.path());
    let answer = command.output().unwrap();
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("no-such-command"));
    assert!(is_empty(place.path()));
}

#[test]
fn wrong_usage_points_to_help() {
    let answer = Command::new(env!("CARGO_BIN_EXE_with-servers")).arg("--nope").output().unwrap();
    assert_eq!(answer.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("--help"));
}

#[test]
fn a_broker_is_started_when_it_is_asked_for() {
    let place = folder();
    let script = r#"echo "${TEST_KAFKA_BROKERS-none}"; ls "$KAFKA_LIBS""#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.args(["--kafka", "--", "sh", "-c", script]).current_dir(place.path());
    let answer = command.env("TMPDIR", place.path()).output().unwrap();
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(said.starts_with("127.0.0.1:") && said.contains("kafka-clients-"), "{said}");
    assert!(is_empty(place.path()));
}

#[test]
fn the_broker_ends_even_when_its_owner_is_killed() {
    let place = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.args(["--kafka", "--", "sh", "-c", r#"echo "$TEST_KAFKA_BROKERS"; cat"#]);
    command.current_dir(place.path()).env("TMPDIR", place.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    assert!(TcpStream::connect(address.trim()).is_ok());
    send("-KILL", &child);
    child.wait().unwrap();
    // Ends by itself, unless the watcher sleeps: then this never ends.
    while TcpStream::connect(address.trim()).is_ok() {}
    for left in fs::read_dir(place.path()).unwrap().flatten() {
        let path = left.path();
        let of_broker = path.extension().is_some();
        if of_broker { Broker::remove(&path) } else { Server::remove(&path) }.unwrap();
    }
    assert!(is_empty(place.path()));
}

#[test]
fn what_is_missing_for_a_broker_is_named_with_the_way_to_get_it() {
    let place = folder();
    let started = |name: &str, value: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
        command.args(["--kafka", "true"]).current_dir(place.path()).env("TMPDIR", place.path());
        let answer = command.env(name, value).output().unwrap();
        assert_eq!(answer.status.code(), Some(1));
        assert!(is_empty(place.path()));
        String::from_utf8_lossy(&answer.stderr).into_owned()
    };
    let said = started("JAVA_HOME", Path::new("/nowhere"));
    assert!(said.contains("JAVA_HOME names /nowhere") && said.contains("default-jre"), "{said}");
    let said = started("KAFKA_LIBS", Path::new("/nowhere"));
    assert!(said.contains("KAFKA_LIBS names /nowhere"), "{said}");
    assert!(said.contains("scripts/kafka"), "{said}");
}
