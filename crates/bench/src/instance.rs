//! The service under load: the binary `dispense`, as production runs it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, bail, ensure};
use dispense_demo::Pharmacy;
use dispense_signing::development::Authority;

use crate::database::{DISPENSE, Database, said};
use crate::load;
use crate::metrics::Scrape;
use crate::options::Plan;

/// How long the service may take until it is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// What a pharmacist may do.
const SCOPES: &str =
    "medication_dispense:write medication_dispense:read medication_dispense:process";

/// The setting that says where to announce.
const BROKERS: &str = "KAFKA_BROKERS";

/// The end of a log that is worth showing.
const TAIL: usize = 2_000;

/// What comes from our own environment; the service's settings must not, or a run would measure
/// whatever the caller has set.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

/// The binary with the settings of a run.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    home: PathBuf,
    address: SocketAddr,
    authority: Authority,
    anchors: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Program {
    pub(crate) fn new(plan: &Plan, database: &Database) -> anyhow::Result<Self> {
        let home = database.folder().join("home");
        fs::create_dir_all(&home).with_context(|| format!("{} not made", home.display()))?;
        let address = free_address().context("there is no free port on 127.0.0.1")?;
        let jwks = home.join("token-key.jwks.json");
        let authority = Authority::root("Dispense Service, of one measurement")?;
        let anchors = home.join("authority.pem");
        fs::write(&anchors, authority.certificate_pem()?)
            .with_context(|| format!("{} not written", anchors.display()))?;
        let mut settings = vec![
            ("DATABASE_URL", database.serving_url()),
            ("DATABASE_ADMIN_URL", database.admin_url(DISPENSE)),
            ("DISPENSE_LISTEN", address.to_string()),
            // Signed containers are kept below it, too.
            ("DISPENSE_HOME", home.display().to_string()),
            ("SIGNATURE_TRUST_ANCHORS", anchors.display().to_string()),
            ("AUTH_JWKS", jwks.display().to_string()),
            ("AUTH_ISSUER", "dispense-development".to_owned()),
            ("AUTH_AUDIENCE", "dispense-development".to_owned()),
            ("AUTH_ALLOW_DEVELOPMENT_KEY", "true".to_owned()),
            // No hold of this run ends in this run: each stretch does the same work.
            ("MEDICATION_DISPENSE_EXPIRATION", "120".to_owned()),
            ("TIME_ZONE", "Europe/Kyiv".to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        if let Some(partitions) = plan.partitions {
            settings.push(("LOG_PARTITIONS", partitions.to_string()));
        }
        Ok(Self { path: plan.program.clone(), home, address, authority, anchors, settings })
    }

    /// Where the service will listen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whose certificates the service believes.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The file from which the service knows that authority.
    pub(crate) fn anchors(&self) -> &Path {
        &self.anchors
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.envs(INHERITED.iter().filter_map(|&name| Some((name, env::var_os(name)?))));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Prepares the database.
    pub(crate) fn migrate(&self) -> anyhow::Result<()> {
        said(&mut self.command(&["migrate"])).map(drop)
    }

    /// Reads registry lines in, and says how many.
    pub(crate) fn import(&self, lines: impl Iterator<Item = String>) -> anyhow::Result<usize> {
        let log = self.home.join("import.log");
        let mut command = self.command(&["registry", "import", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let mut import = command.spawn().context("the import did not start")?;
        let written = import.stdin.take().map_or(Ok(0), |input| write_lines(input, lines));
        let status = import.wait()?;
        ensure!(status.success(), "the import failed ({status}): {}", tail(&log));
        Ok(written?)
    }

    /// A token for a pharmacist.
    pub(crate) fn token(&self, pharmacy: &Pharmacy) -> anyhow::Result<String> {
        let [user, client] = [pharmacy.user_id, pharmacy.legal_entity_id].map(|id| id.to_string());
        let mut command = self.command(&["token", "--user", &user, "--client", &client]);
        command.args(["--client-type", pharmacy.client_type, "--ttl", "2h"]);
        command.args(["--scope", SCOPES]);
        let token = said(&mut command)?.trim().to_owned();
        ensure!(token.split('.').count() == 3, "`dispense token` did not print a token: {token}");
        Ok(token)
    }

    /// Makes all read models anew; it has not started yet.
    pub(crate) fn rebuild(&self) -> Command {
        self.command(&["projections", "rebuild", "all"])
    }

    /// Makes the topics of the streams.
    pub(crate) fn make_topics(&self, brokers: &str) -> anyhow::Result<()> {
        said(self.command(&["streams", "topics"]).env(BROKERS, brokers)).map(drop)
    }

    /// Starts the service and waits until it is ready.
    pub(crate) fn serve(&self) -> anyhow::Result<Service> {
        self.served(self.command(&["serve"]))
    }

    /// As [`Self::serve`], and what happens is announced there.
    pub(crate) fn serve_announcing(&self, brokers: &str) -> anyhow::Result<Service> {
        let mut command = self.command(&["serve"]);
        command.env(BROKERS, brokers);
        self.served(command)
    }

    fn served(&self, mut command: Command) -> anyhow::Result<Service> {
        let log = self.home.join("service.log");
        command.stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
        let process = command.spawn().context("the service did not start")?;
        let watcher = watch(process.id());
        let mut service = Service { process, watcher, address: self.address, log };
        ensure!(service.watcher.is_some(), "there is no shell to watch the service with");
        service.wait_until_ready()?;
        Ok(service)
    }
}

/// A service that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    watcher: Option<Child>,
    address: SocketAddr,
    log: PathBuf,
}

impl Service {
    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("the service has ended ({status}): {}", self.said());
            }
            if matches!(load::fetch(self.address, "/health/ready"), Ok((200, _))) {
                return Ok(());
            }
            ensure!(
                start.elapsed() < READY_WITHIN,
                "the service is not ready after {READY_WITHIN:?}: {}",
                self.said()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it counts of itself.
    pub(crate) fn scrape(&self) -> anyhow::Result<Scrape> {
        let (status, text) = load::fetch(self.address, "/metrics")?;
        ensure!(status == 200, "/metrics answers {status}");
        Ok(Scrape::read(&text))
    }

    /// The end of what it has said, warnings and worse.
    pub(crate) fn said(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The watcher goes first, so that it never ends another process that got the same id.
        if let Some(mut watcher) = self.watcher.take() {
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
        // Its database is thrown away, so there is nothing to finish.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ends a process when we are gone, whatever killed us: only we hold the other end of the watcher's
/// pipe.
fn watch(process: u32) -> Option<Child> {
    Command::new("sh")
        .args(["-c", "trap '' INT TERM HUP; read -r line; kill -9 \"$1\"", "watcher"])
        .arg(process.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

/// A port that was free a moment ago.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn write_lines(input: impl Write, lines: impl Iterator<Item = String>) -> io::Result<usize> {
    let mut input = BufWriter::with_capacity(64 * 1024, input);
    let mut count = 0;
    for line in lines {
        input.write_all(line.as_bytes())?;
        input.write_all(b"\n")?;
        count += 1;
    }
    input.flush()?;
    Ok(count)
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let from = text.len().saturating_sub(TAIL);
    let from = (from..text.len()).find(|&place| text.is_char_boundary(place)).unwrap_or(from);
    text.get(from..).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_when_nobody_holds_the_watchers_pipe() {
        let mut process = Command::new("sleep").arg("600").spawn().unwrap();
        let mut watcher = watch(process.id()).unwrap();
        assert!(process.try_wait().unwrap().is_none());
        drop(watcher.stdin.take());
        assert!(!process.wait().unwrap().success());
        watcher.wait().unwrap();
    }

    #[test]
    fn of_a_long_log_the_end_is_shown() {
        let log = tempfile::NamedTempFile::new().unwrap();
        fs::write(log.path(), "я".repeat(TAIL)).unwrap();
        assert_eq!(tail(log.path()), "я".repeat(TAIL / 2));
        assert_eq!(tail(Path::new("/nowhere")), "");
    }
}
