//! Every way of `deploy/` to start the service, run as it is written: the words, the settings, the probes and the
//! signal. Only where the outside is named something else stands in its place: databases, brokers, folders and the
//! port. It runs as a user who may write nothing but what is given to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::image::Image;
use super::written::{
    self, Settings, document, documents, examples, interpolated, known, lines, members, of_unit,
    text, words,
};
use crate::harness::{Database, Process, authority, eventually, free_port, key_set, temporary};

/// How long a command may take; debug builds on busy machines are slow.
pub(super) const WITHIN: Duration = Duration::from_mins(1);

/// The user of the image.
const USER: u32 = 10_001;

/// Where the files are that settings name.
const FILES: &str = "/etc/dispense/";

/// Whether this test may choose whom commands run as.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A machine that things are deployed on.
struct Machine {
    folder: TempDir,
    database: Database,
    listen: String,
}

impl Machine {
    async fn new() -> Self {
        let server = std::env::var("TEST_DATABASE_URL").expect("run the tests with `make test`");
        let (folder, database) = (temporary(), Database::empty_on(&server).await);
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        std::fs::write(files.join("jwks.json"), key_set("tests").to_string()).unwrap();
        let certificate = authority().certificate_pem().unwrap();
        std::fs::write(files.join("authorities.pem"), &certificate).unwrap();
        std::fs::write(files.join("kafka-ca.pem"), &certificate).unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let machine = Self { folder, database, listen };
        for writable in [files, machine.contents()] {
            std::fs::create_dir_all(&writable).unwrap();
            if is_root() {
                std::os::unix::fs::chown(&writable, Some(USER), Some(USER)).unwrap();
            }
        }
        let key = machine.file("checkpoint-key").display().to_string();
        machine.does(&["dispense", "audit", "key", &key, "--name", "tests"], &Settings::new());
        machine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("files").join(name)
    }

    fn contents(&self) -> PathBuf {
        self.folder.path().join("content")
    }

    /// The settings, with what is here in place of what is outside.
    fn here(&self, settings: &Settings) -> Vec<(String, String)> {
        let here = |name: &str, value: &str| match name {
            "DATABASE_URL" => self.database.serving_url.clone(),
            "DATABASE_ADMIN_URL" => self.database.admin_url.clone(),
            "DISPENSE_LISTEN" => self.listen.clone(),
            "CONTENT_STORE_URL" => format!("file://{}", self.contents().display()),
            // Nothing listens there: no broker is needed to serve.
            "KAFKA_BROKERS" => "127.0.0.1:9".to_owned(),
            _ => match value.strip_prefix(FILES) {
                Some(file) => self.file(file).display().to_string(),
                None => value.to_owned(),
            },
        };
        let told = settings.iter().map(|(name, value)| (name.clone(), here(name, value)));
        told.collect()
    }

    /// Starts what is written there, as a user who may write nothing.
    fn start(&self, command: &[&str], settings: &Settings) -> Process {
        let program = Path::new(command[0]).file_name().unwrap();
        assert_eq!(program, "dispense", "{command:?}");
        for name in settings.keys() {
            assert!(known(name), "{name} is no setting");
        }
        let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
        let mut wrapper = Vec::new();
        if is_root() {
            wrapper.extend(["setpriv", &user, &group, "--clear-groups", "--no-new-privs"]);
        }
        wrapper.extend(["env", "--chdir=/"]);
        let wrapper: Vec<String> = wrapper.into_iter().map(str::to_owned).collect();
        Process::start_under(&wrapper, self.folder.path(), &command[1..], &self.here(settings))
    }

    /// Runs it to its end, which has to be a good one.
    fn does(&self, command: &[&str], settings: &Settings) {
        let mut process = self.start(command, settings);
        let status = process.wait(WITHIN);
        assert!(status.success(), "{command:?}: {status}\n{}", process.said());
    }

    /// Serves until it is stopped as `way` says, and looks at everything that looks at it.
    async fn serves(&self, way: &Way) {
        let mut process = self.start(&refs(&way.serve), &way.settings);
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        let url = |path: &str| format!("http://{}{path}", self.listen);
        for path in &way.probes {
            eventually(path, WITHIN, async || {
                if let Some(status) = process.ended() {
                    panic!("{}: the service ended ({status}):\n{}", way.name, process.said());
                }
                let answer = http.get(url(path)).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await;
        }
        let health = Image::read().health;
        self.does(&refs(&health), &way.settings);
        process.signal(way.signal.trim_start_matches("SIG"));
        let status = process.wait(way.grace);
        assert_eq!(status.code(), Some(0), "{}: {status}\n{}", way.name, process.said());
        let mut gone = self.start(&refs(&health), &way.settings);
        assert_eq!(gone.wait(WITHIN).code(), Some(1), "{}", gone.said());
    }
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// A way to start the service.
struct Way {
    name: &'static str,
    migrate: Vec<String>,
    /// What `migrate` is told beside.
    owner: Settings,
    topics: Vec<String>,
    serve: Vec<String>,
    settings: Settings,
    /// The paths that are asked, over HTTP.
    probes: Vec<String>,
    signal: String,
    /// How long it may take to stop.
    grace: Duration,
}

/// The image, with these arguments in place of its own.
fn image_with(arguments: Vec<String>) -> Vec<String> {
    [Image::read().entrypoint, arguments].concat()
}

fn joined<const N: usize>(parts: [Settings; N]) -> Settings {
    parts.into_iter().flatten().collect()
}

fn kubernetes() -> Way {
    let folder = "deploy/kubernetes";
    let pod =
        |file: &str| document(&format!("{folder}/{file}"))["spec"]["template"]["spec"].clone();
    let container = |file: &str| pod(file)["containers"][0].clone();
    let secret = |name: &str| {
        let secrets = documents(&format!("{folder}/secrets.example.yaml"));
        let secret = secrets.iter().find(|secret| secret["metadata"]["name"] == name);
        members(&secret.unwrap_or_else(|| panic!("no secret {name}"))["stringData"])
    };
    let told = |container: &Value| -> Settings {
        let sources = container["envFrom"].as_array().unwrap().iter();
        sources
            .flat_map(|from| match from["secretRef"]["name"].as_str() {
                Some(name) => secret(name),
                None => lines(&text(&format!("{folder}/settings/settings.env"))),
            })
            .collect()
    };
    let (serving, migrating) =
        (container("serve/deployment.yaml"), container("prepare/migrate.yaml"));
    let probes = ["startupProbe", "livenessProbe", "readinessProbe"];
    let path = |probe: &str| serving[probe]["httpGet"]["path"].as_str().unwrap().to_owned();
    let grace = pod("serve/deployment.yaml")["terminationGracePeriodSeconds"].as_u64().unwrap();
    Way {
        name: "Kubernetes",
        migrate: image_with(words(&migrating["args"])),
        owner: told(&migrating),
        topics: image_with(words(&container("prepare/topics.yaml")["args"])),
        serve: image_with(words(&serving["args"])),
        settings: joined([Image::read().settings, told(&serving)]),
        probes: probes.map(path).to_vec(),
        signal: Image::read().stop_signal,
        grace: Duration::from_secs(grace),
    }
}

fn compose() -> Way {
    let file = document("deploy/compose.yaml");
    let mut given = lines(&text("deploy/compose.env.example"));
    for (name, value) in [
        ("POSTGRES_PASSWORD", "one"),
        ("DISPENSE_DATABASE_PASSWORD", "other"),
        ("AUTH_ISSUER", "https://id.example.org/"),
    ] {
        assert_eq!(given.insert(name.into(), value.into()).as_deref(), Some(""), "{name}");
    }
    let told = |name: &str| -> Settings {
        let told = members(&file["services"][name]["environment"]).into_iter();
        let told = told.map(|(name, value)| (name, interpolated(&value, &given)));
        told.filter(|(_, value)| !value.is_empty()).collect()
    };
    let command = |name: &str| image_with(words(&file["services"][name]["command"]));
    let grace = file["services"]["dispense"]["stop_grace_period"].as_str().unwrap();
    Way {
        name: "compose",
        migrate: command("migrate"),
        owner: told("migrate"),
        topics: command("topics"),
        serve: command("dispense"),
        settings: joined([Image::read().settings, told("dispense")]),
        probes: vec!["/health/live".into(), "/health/ready".into()],
        signal: Image::read().stop_signal,
        grace: Duration::from_secs(grace.trim_end_matches('s').parse().unwrap()),
    }
}

/// What an operator writes into /etc/dispense/env: these lines of the example.
const WRITTEN: [&str; 7] = [
    "DATABASE_URL",
    "CONTENT_STORE_URL",
    "CHECKPOINT_KEY",
    "SIGNATURE_TRUST_ANCHORS",
    "AUTH_JWKS",
    "AUTH_ISSUER",
    "AUTH_AUDIENCE",
];

fn systemd() -> Way {
    let one = |unit: &str, key: &str| {
        let found = of_unit(unit, key);
        assert_eq!(found.len(), 1, "{key} in {unit}: {found:?}");
        found[0].clone()
    };
    let command = |unit: &str| one(unit, "ExecStart").split(' ').map(str::to_owned).collect();
    let (serve, migrate) = ("dispense.service", "dispense-migrate.service");
    assert_eq!(of_unit(serve, "EnvironmentFile"), ["/etc/dispense/env"]);
    assert_eq!(
        of_unit(migrate, "EnvironmentFile"),
        ["/etc/dispense/env", "/etc/dispense/owner.env"]
    );
    let examples = examples();
    let mut settings: Settings =
        WRITTEN.map(|name| (name.to_owned(), examples[name].clone())).into();
    settings.insert("DISPENSE_LISTEN".to_owned(), examples["DISPENSE_LISTEN"].clone());
    settings.extend(lines(&one(serve, "Environment")));
    let owner = lines(&format!("DATABASE_ADMIN_URL={}", examples["DATABASE_ADMIN_URL"]));
    Way {
        name: "systemd",
        migrate: command(migrate),
        owner: joined([settings.clone(), owner]),
        topics: Vec::new(),
        serve: command(serve),
        settings,
        probes: vec!["/health/live".into(), "/health/ready".into()],
        signal: one(serve, "KillSignal"),
        grace: Duration::from_secs(one(serve, "TimeoutStopSec").parse().unwrap()),
    }
}

async fn comes_and_goes(way: Way) {
    let machine = Machine::new().await;
    machine.does(&refs(&way.migrate), &way.owner);
    machine.serves(&way).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubernetes_starts_asks_and_stops_it_as_it_is_written() {
    comes_and_goes(kubernetes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compose_starts_and_stops_it_as_it_is_written() {
    comes_and_goes(compose()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_starts_and_stops_it_as_it_is_written() {
    comes_and_goes(systemd()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_serves_where_nothing_else_is_said() {
    let image = Image::read();
    let way = kubernetes();
    assert_eq!(image_with(image.command.clone()), way.serve);
    assert_eq!(image.user, format!("{USER}:{USER}"));
    // Whatever the settings say beside, the door is open to whoever is outside the container.
    assert!(image.settings["DISPENSE_LISTEN"].starts_with("0.0.0.0:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_made_as_it_is_written() {
    let brokers = std::env::var("TEST_KAFKA_BROKERS").expect("run the tests with `make test`");
    let machine = Machine::new().await;
    for way in [kubernetes(), compose()] {
        machine.does(&refs(&way.migrate), &way.owner);
        let mut settings = machine.here(&way.settings);
        // The broker of the tests knows neither certificates nor accounts.
        settings.retain(|(name, _)| !name.starts_with("KAFKA_"));
        let prefix = format!("{}.{:08x}.", way.name.to_lowercase(), rand::random::<u32>());
        settings.push(("KAFKA_BROKERS".to_owned(), brokers.clone()));
        settings.push(("KAFKA_TOPIC_PREFIX".to_owned(), prefix));
        let arguments = &refs(&way.topics)[1..];
        let mut topics = Process::start(machine.folder.path(), arguments, &settings);
        assert!(topics.wait(WITHIN).success(), "{}: {}", way.name, topics.said());
    }
}

#[test]
fn compose_says_what_has_to_be_set() {
    let text = text("deploy/compose.yaml");
    let given = written::lines(&written::text("deploy/compose.env.example"));
    for (name, message) in written::variables(&text) {
        let is_needed = given.get(&name).is_some_and(String::is_empty);
        assert_eq!(is_needed, message.is_some(), "{name} has to be set, or has a default");
        assert!(message.is_none_or(|it| it.contains("deploy/.env")), "{name} says no way out");
    }
}
