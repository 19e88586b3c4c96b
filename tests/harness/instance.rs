//! An instance of the service: a real process that serves.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{Process, temporary};
use super::wait::eventually;
use super::{Database, answer, issuer, ports};

/// How long a start may take; debug builds on busy machines are slow.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How long whoever asks how an instance is waits for the answer, and for one that the machine was not
/// too busy for.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

/// The checks that fail where the database is late with its answer, or all of them are.
const LATE: [&str; 3] = ["checks", "database", "schema"];

/// A process that serves; killed when this is dropped.
pub(crate) struct Instance {
    process: Process,
    folder: TempDir,
    wrapper: Vec<String>,
    settings: Vec<(String, String)>,
    http: reqwest::Client,
    /// Where it listens, as `http://127.0.0.1:port`.
    pub(crate) url: String,
}

/// The settings of an instance on that database.
fn settings_for(database: &Database, folder: &TempDir, port: u16) -> BTreeMap<String, String> {
    let keys = folder.path().join("jwks.json");
    std::fs::write(&keys, issuer::key_set("tests").to_string()).unwrap();
    let settings = [
        ("DATABASE_URL", database.serving_url.clone()),
        ("DISPENSE_LISTEN", format!("127.0.0.1:{port}")),
        ("DISPENSE_HOME", folder.path().display().to_string()),
        ("AUTH_JWKS", keys.display().to_string()),
        ("AUTH_ISSUER", issuer::ISSUER.to_owned()),
        ("AUTH_AUDIENCE", issuer::AUDIENCE.to_owned()),
        ("CONTENT_STORE_URL", format!("file://{}", database.contents.display())),
        ("SIGNATURE_TRUST_ANCHORS", database.trust_anchors.display().to_string()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Instance {
    /// Starts one and waits until it can work.
    pub(crate) async fn start(database: &Database) -> Self {
        Self::start_with(database, &[]).await
    }

    /// As [`Self::start`], with more settings.
    pub(crate) async fn start_with(database: &Database, more: &[(&str, &str)]) -> Self {
        Self::start_under(&[], database, more).await
    }

    /// As [`Self::start_with`], as the last words of another command.
    pub(crate) async fn start_under(
        wrapper: &[String],
        database: &Database,
        more: &[(&str, &str)],
    ) -> Self {
        let mut instance = Self::launch_under(wrapper, database, more);
        instance.wait_until_ready().await;
        instance
    }

    /// Starts one without waiting.
    pub(crate) fn launch(database: &Database, more: &[(&str, &str)]) -> Self {
        Self::launch_under(&[], database, more)
    }

    /// As [`Self::launch`], as the last words of another command.
    pub(crate) fn launch_under(
        wrapper: &[String],
        database: &Database,
        more: &[(&str, &str)],
    ) -> Self {
        let (folder, port) = (temporary(), ports::free());
        let mut settings = settings_for(database, &folder, port);
        for (name, value) in more {
            settings.insert((*name).to_owned(), (*value).to_owned());
        }
        let settings: Vec<_> = settings.into_iter().collect();
        let wrapper = wrapper.to_vec();
        let process = Process::start_under(&wrapper, folder.path(), &["serve"], &settings);
        let http = reqwest::Client::builder().timeout(ANSWERED_WITHIN).build().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { process, folder, wrapper, settings, http, url }
    }

    /// Waits until it can work.
    pub(crate) async fn wait_until_ready(&mut self) {
        let (http, url, process) = (&self.http, &self.url, &mut self.process);
        eventually("an instance that is ready", READY_WITHIN, async || {
            if let Some(status) = process.ended() {
                panic!("the service ended ({status}):\n{}", process.said());
            }
            let answer = http.get(format!("{url}/health/ready")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        answer::learn_catalogue(&self.http, &self.url).await;
    }

    /// Ends it as a crash would, and starts it again as it was, on the same port.
    pub(crate) async fn start_again(&mut self) {
        self.kill();
        let folder = self.folder.path();
        self.process = Process::start_under(&self.wrapper, folder, &["serve"], &self.settings);
        self.wait_until_ready().await;
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// The number of its process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Freezes it, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.process.signal(if frozen { "STOP" } else { "CONT" });
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.process.signal("TERM");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        self.process.wait(limit)
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }

    /// What `/health/ready` answers.
    pub(crate) async fn readiness(&self) -> (u16, Value) {
        let answer = self.http.get(format!("{}/health/ready", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What `/health/ready` says of an instance that can work. The checks have their time, and where
    /// nothing runs for seconds they are over it once in a while, so that those are asked again; whatever
    /// else takes an instance out of service is a mistake.
    pub(crate) async fn health(&self) -> Value {
        eventually("an instance that can work", ANSWERED_WITHIN, async || {
            let (status, health) = self.readiness().await;
            let checks = health["checks"].as_array().unwrap();
            let mut failed = checks.iter().filter(|it| it["status"] == "unavailable");
            let is_slow = failed.all(|it| LATE.iter().any(|name| it["name"] == *name));
            assert!(status == 200 || is_slow, "{health}");
            (status == 200).then_some(health)
        })
        .await
    }

    /// The most memory that it has used so far, in MiB: the peak of its resident set.
    pub(crate) fn memory(&self) -> u64 {
        self.resident("VmHWM:")
    }

    /// The memory that it uses now, in MiB: its resident set.
    pub(crate) fn memory_now(&self) -> u64 {
        self.resident("VmRSS:")
    }

    fn resident(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }
}
