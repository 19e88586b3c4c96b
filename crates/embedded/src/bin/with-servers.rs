//! Runs a command next to a private PostgreSQL, and a private Apache Kafka if need be, and leaves nothing
//! behind.

#![allow(clippy::doc_markdown, reason = "PostgreSQL is a name, not code")]

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dispense_embedded::{Broker, Server};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const HELP: &str = "\
Run a command next to a private PostgreSQL, then remove that server with all its data.

Usage: with-servers [--kafka] [--set NAME=VALUE]... [--] COMMAND [ARGUMENT]...
       with-servers --remove FOLDER

The command finds in its environment:
  TEST_DATABASE_URL   address of the database `postgres` as its superuser
  PG_BIN              folder of the programs psql, pgbench, pg_dump and so on
  TEST_KAFKA_BROKERS  address of a private Apache Kafka, with --kafka
  KAFKA_LIBS          folder of Kafka's jars, with --kafka

Options:
  --kafka            start Apache Kafka too; scripts/kafka brings its jars
  --set NAME=VALUE   a setting of PostgreSQL, such as --set max_connections=500 (300 by default)
  --remove FOLDER    remove the data of a private server that does not run, wherever it is
  --help             print this

The servers listen on free ports of 127.0.0.1. The exit code is that of the command, or 128 and the
number of the signal that ended it; 1 if a server did not start, 2 for wrong usage.

Example: with-servers --kafka cargo test --workspace
";

/// How folders of this program begin.
const PREFIX: &str = "with-servers-";

/// How the folder of the broker ends.
const KAFKA: &str = "kafka";

/// How long, in milliseconds, the broker may be silent towards itself. It is never killed, but the tests
/// around it may leave it no processor for a while.
const SESSION: u32 = 30_000;

/// A folder that is younger may be one that another copy is just about to lock.
const GROWN_UP: Duration = Duration::from_mins(2);

/// How long a command that was told to stop may take.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How often the command and the signals are looked at.
const LOOK: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let outcome = match read(env::args_os().skip(1)) {
        Ok(Task::Help) => {
            print!("{HELP}");
            Ok(0)
        }
        Ok(Task::Remove(folder)) => remove(&folder).map(|()| 0).map_err(Into::into),
        Ok(Task::Run { settings, streams, command }) => run(&settings, streams, &command),
        Err(mistake) => {
            eprintln!("with-servers: {mistake}; see with-servers --help");
            Ok(2)
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-servers: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::from(1)
        }
    }
}

enum Task {
    Help,
    Remove(PathBuf),
    Run { settings: Vec<(String, String)>, streams: Streams, command: Vec<OsString> },
}

/// Whether there is a broker.
#[derive(Clone, Copy)]
enum Streams {
    Kafka,
    None,
}

fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Task, String> {
    let mut settings = vec![("max_connections".to_owned(), "300".to_owned())];
    let mut streams = Streams::None;
    let mut command = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(Task::Help),
            Some("--remove") => {
                let folder = arguments.next().ok_or("--remove needs a folder")?;
                return Ok(Task::Remove(folder.into()));
            }
            Some("--kafka") => streams = Streams::Kafka,
            Some("--set") => settings.push(setting(arguments.next())?),
            Some("--") => break,
            Some(option) if option.starts_with('-') => {
                return Err(format!("there is no option {option}"));
            }
            Some(_) | None => {
                command.push(argument);
                break;
            }
        }
    }
    command.extend(arguments);
    if command.is_empty() {
        return Err("a command is needed".to_owned());
    }
    Ok(Task::Run { settings, streams, command })
}

fn setting(argument: Option<OsString>) -> Result<(String, String), String> {
    let text = argument.and_then(|argument| argument.into_string().ok());
    let pair = text.as_deref().and_then(|text| text.split_once('='));
    let (name, value) = pair.ok_or("--set needs a pair such as max_connections=500")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command next to new servers; answers the exit code.
fn run(
    settings: &[(String, String)],
    streams: Streams,
    command: &[OsString],
) -> Result<u8, Box<dyn Error>> {
    // From here on a signal no longer ends us before the servers are gone.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let above = place_for_folders();
    sweep(&above);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let folder = above.join(format!("{PREFIX}{}-{:x}", std::process::id(), now.as_nanos()));
    let streams_folder = folder.with_extension(KAFKA);
    let (server, broker) = std::thread::scope(|scope| {
        let broker = match streams {
            Streams::Kafka => Some(scope.spawn(|| shared_broker(&streams_folder))),
            Streams::None => None,
        };
        let server = settings
            .iter()
            .fold(Server::builder(folder).throwaway(), |builder, (name, value)| {
                builder.setting(name, value)
            })
            .start();
        (server, broker.map(std::thread::ScopedJoinHandle::join))
    });
    if let Some(signal) = signals.pending().next() {
        return Ok(code_of_signal(signal));
    }
    let server = server?;
    let broker =
        broker.transpose().map_err(|_| "the start of Apache Kafka panicked")?.transpose()?;
    let [program, arguments @ ..] = command else {
        return Ok(2);
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("TEST_DATABASE_URL", server.admin_url("postgres"))
        .env("PG_BIN", server.binaries().folder());
    if let Some(broker) = &broker {
        command.env("TEST_KAFKA_BROKERS", broker.addresses()).env("KAFKA_LIBS", broker.libs());
    }
    // In a terminal the command stays with us, so that it may use the keyboard, and Ctrl-C reaches it
    // too. Elsewhere it gets a group of its own, so that a signal to us reaches all that it started.
    let own_group = !std::io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    let child = command.spawn().map_err(|error| {
        format!("could not start {}: {error}; check its name", program.display())
    })?;
    let status = Supervised { child, own_group }.wait(&mut signals)?;
    Ok(code_of(status))
}

/// The broker that all tests share, each with topics of its own.
fn shared_broker(folder: &Path) -> dispense_embedded::Result<Broker> {
    Broker::builder(folder).setting("broker.session.timeout.ms", SESSION).throwaway().start()
}

/// The command while it runs.
struct Supervised {
    child: Child,
    own_group: bool,
}

impl Supervised {
    /// Waits for the end of the command, and passes signals on to it; the second one is final.
    fn wait(mut self, signals: &mut Signals) -> std::io::Result<ExitStatus> {
        let mut told: Option<Instant> = None;
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.end_the_rest(told.is_some());
                return Ok(status);
            }
            for signal in signals.pending() {
                let final_one = told.is_some();
                told.get_or_insert_with(Instant::now);
                self.pass_on(signal, final_one);
            }
            if told.is_some_and(|since| since.elapsed() > STOP_WITHIN) {
                self.send(Signal::KILL);
            }
            sleep(LOOK);
        }
    }

    fn pass_on(&self, signal: i32, final_one: bool) {
        match signal {
            _ if final_one => self.send(Signal::KILL),
            // The terminal has sent it to the command already.
            SIGINT if !self.own_group => {}
            SIGINT => self.send(Signal::INT),
            SIGHUP => self.send(Signal::HUP),
            _ => self.send(Signal::TERM),
        }
    }

    /// Ends what the interrupted command left running, such as jobs of a shell, which ignore Ctrl-C.
    fn end_the_rest(&self, was_told: bool) {
        if was_told && self.own_group {
            self.send(Signal::TERM);
        }
    }

    fn send(&self, signal: Signal) {
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return;
        };
        let _ = if self.own_group {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.unwrap_or_else(|| status.signal().map_or(1, code_of_signal))
}

fn code_of_signal(signal: i32) -> u8 {
    u8::try_from(signal).map_or(1, |signal| signal.saturating_add(128))
}

/// Cargo's folder for what is built, where there is one: `/tmp` may be memory, and too small.
fn place_for_folders() -> PathBuf {
    let target = Path::new("target");
    if target.is_dir() { target.join("tmp") } else { env::temp_dir() }
}

/// Removes folders whose owner was killed; a folder in use stays, and so does one that cannot be removed.
fn sweep(above: &Path) {
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let age = entry.metadata().and_then(|found| found.modified()).map(|time| time.elapsed());
        if is_ours && matches!(age, Ok(Ok(age)) if age > GROWN_UP) {
            let _ = remove(&entry.path());
        }
    }
}

/// Removes the folder of a server; the name says of which kind.
fn remove(folder: &Path) -> dispense_embedded::Result<()> {
    let of_broker = folder.extension().is_some_and(|ends| ends == KAFKA)
        || folder.file_name().is_some_and(|name| name == KAFKA);
    if of_broker { Broker::remove(folder) } else { Server::remove(folder) }
}
