//! `dispense dev`: everything on one machine, with nothing set up before.
//!
//! A private PostgreSQL, its role and its log; the demo registry, made around today; a development
//! key and an authority for signatures; and the service. All of it lives below `DISPENSE_HOME`, and
//! starts again where it stopped. With `--kafka` there is a private Apache Kafka too.

mod orders;
mod streams;
mod welcome;

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use dispensary::Line;
use dispense_demo::Demo;
use dispense_embedded::{Broker, Mode, Server};
use dispense_http::auth::{
    Audience, AuthConfig, DevelopmentKeys, Issuer, JwksSource, JwtConfig, KeySchedule,
};
use dispense_postgres::migrate::{ServingRole, migrate};
use dispense_postgres::{Importer, PgLog, pool};
use sqlx::postgres::PgConnectOptions;

use self::welcome::{Announced, Welcome};
use crate::checkpoints;
use crate::cli::{self, import, sign, token};
use crate::config::{Reader, Serving, Settings, home, private_kafka};
use crate::serve::{listen, serve};

/// The database of a private installation, and the role that serves it.
const DATABASE: &str = "dispense";
const ROLE: &str = "dispense";

/// The file that tells other commands where the database is.
pub(crate) const DATABASE_URL: &str = "database-url";

/// The file that tells it to commands that need the owner of its tables.
pub(crate) const DATABASE_ADMIN_URL: &str = "database-admin-url";

/// Options of `dispense dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Registry data to load in place of the demo registry
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Start a private Apache Kafka too, announce there, and read registry data from there
    #[arg(long)]
    kafka: bool,
}

/// Starts everything, and stops everything that it started.
pub(crate) fn run(mut reader: Reader, arguments: &Arguments) -> anyhow::Result<()> {
    let home = home(&mut reader);
    let streams = if arguments.kafka { private_kafka(&mut reader) } else { None };
    let serving = match (Serving::read(&mut reader), reader.mistakes()) {
        (Some(serving), None) => Serving { kafka: streams.or(serving.kafka), ..serving },
        (_, mistakes) => return Err(mistakes.unwrap_or_default().into()),
    };
    let parties = token::parties(&mut reader)?;
    let listener = listen(serving.listen)?;
    std::fs::create_dir_all(&home)
        .with_context(|| format!("DISPENSE_HOME: cannot make the folder {}", home.display()))?;
    let home = home.canonicalize()?;

    let (mut server, mut broker) = start(&home, arguments)?;
    let serving_on = (&server, broker.as_ref());
    let outcome = cli::wait(serve_on(serving_on, &home, (serving, listener), parties, arguments));
    if let Some(broker) = &mut broker {
        say("stopping Apache Kafka");
        broker.stop()?;
    }
    say("stopping PostgreSQL");
    let stopped = server.stop(Mode::Fast);
    outcome?;
    Ok(stopped?)
}

/// Starts the servers, side by side.
fn start(home: &Path, arguments: &Arguments) -> anyhow::Result<(Server, Option<Broker>)> {
    let streams = arguments.kafka.then(|| {
        say("starting Apache Kafka");
        let home = home.to_owned();
        std::thread::spawn(move || streams::start(&home))
    });
    say("starting PostgreSQL");
    let server = Server::builder(home.join("postgres"))
        .setting("max_connections", 100)
        .setting("synchronous_commit", "on")
        .start();
    let broker = streams.map(std::thread::JoinHandle::join).transpose();
    let broker = broker.map_err(|_| anyhow::anyhow!("the start of Apache Kafka panicked"))?;
    Ok((server?, broker.transpose()?))
}

async fn serve_on(
    (server, broker): (&Server, Option<&Broker>),
    home: &Path,
    (mut serving, listener): (Serving, TcpListener),
    (issuer, audience): (Issuer, Audience),
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let database = prepare(server, home, &serving).await?;
    // An authority of one's own is made in any case; it is trusted unless others are named.
    let authority = sign::authority(home)?;
    let anchors = &mut serving.signing.trust_anchors;
    anchors.get_or_insert_with(|| authority.trust_anchors_path().to_owned());
    if serving.checkpoints.key.is_none() {
        serving.checkpoints.key = Some(checkpoints::development_key(home)?);
    }
    let day = today(serving.terms.zone);
    load(&database, home, day, arguments.registry.as_deref()).await?;
    let mut announced = None;
    if let (Some(broker), Some(kafka)) = (broker, &mut serving.kafka) {
        kafka.connection.brokers = broker.addresses();
        let log = PgLog::settings(&pool(&database, 1), None).await?;
        streams::make_topics(kafka, log.partitions).await?;
        announced = Some(Announced {
            brokers: broker.addresses(),
            listening: streams::listening(broker, &kafka.prefix),
        });
    }
    let key = token::key(home)?;
    let auth = AuthConfig::Jwt(JwtConfig {
        jwks: key.jwks_path().display().to_string().parse::<JwksSource>()?,
        issuer: issuer.clone(),
        audience: audience.clone(),
        development_keys: DevelopmentKeys::Allowed,
        schedule: KeySchedule::default(),
    });
    let demo = arguments.registry.is_none().then(|| Demo::new(day));
    let psql = server.admin_url(DATABASE);
    let settings = Settings { database, serving, auth };
    let examples = demo.as_ref().map(|demo| orders::write_examples(home, demo)).transpose()?;
    let welcome = Welcome { issuer, audience, psql, announced, demo, examples };
    serve(settings, listener, |address| welcome.print(address, &key)).await
}

/// Prepares the database, the first time and whenever this is newer.
async fn prepare(
    server: &Server,
    home: &Path,
    serving: &Serving,
) -> anyhow::Result<PgConnectOptions> {
    let password = password(&home.join("service-password"))?;
    let mut db: sqlx::PgConnection =
        sqlx::Connection::connect(&server.admin_url("postgres")).await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut db)
            .await?;
    if !exists {
        sqlx::query("CREATE DATABASE dispense").execute(&mut db).await?;
    }
    let admin_url = server.admin_url(DATABASE);
    let admin: PgConnectOptions = admin_url.parse()?;
    let role = ServingRole { name: ROLE.to_owned(), password: Some(password.clone()) };
    migrate(&admin, Some(&role), serving.partitions).await?;
    let url = server.url(ROLE, &password, DATABASE);
    write_secret(&home.join(DATABASE_URL), &url)?;
    write_secret(&home.join(DATABASE_ADMIN_URL), &admin_url)?;
    Ok(url.parse()?)
}

/// The password of the role that serves: drawn once, readable by its owner alone.
fn password(path: &Path) -> anyhow::Result<String> {
    if let Ok(password) = std::fs::read_to_string(path) {
        return Ok(password.trim().to_owned());
    }
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let password = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
    write_secret(path, &password)?;
    Ok(password)
}

/// Writes a file that its owner alone can read, in place of the one that was there.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&written)?;
    file.write_all(text.as_bytes())?;
    Ok(std::fs::rename(written, path)?)
}

/// Loads a file, or the demo registry once a day: its periods lie around the day of its making.
async fn load(
    database: &PgConnectOptions,
    home: &Path,
    day: NaiveDate,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let pool = pool(database, 8);
    let settings = PgLog::settings(&pool, None).await?;
    let importer = Importer::new(pool, settings.partitions, settings.log_id);
    if let Some(file) = file {
        say("loading the registry");
        let (input, total) = import::open(file)?;
        let done = import::apply(&importer, import::lines(input), total, false).await?;
        if done.faulty > 0 {
            say(&format!(
                "{} lines of {} are faulty and were skipped",
                done.faulty,
                file.display()
            ));
        }
        return Ok(());
    }
    let marker = home.join("demo-registry-of");
    let loaded = std::fs::read_to_string(&marker).unwrap_or_default();
    if loaded == day.to_string() {
        return Ok(());
    }
    say("loading the demo registry");
    let demo = Demo::new(day);
    let lines = demo.lines().zip(1..).map(|(line, number)| Ok(Line { number, bytes: line.into() }));
    let done = import::apply(&importer, lines, None, false).await?;
    if done.faulty > 0 {
        say(&format!(
            "{} lines of the demo registry are in use and stay as they were",
            done.faulty
        ));
    }
    Ok(std::fs::write(marker, day.to_string())?)
}

/// The civil date in that zone, by the clock of this process.
pub(crate) fn today(zone: Tz) -> NaiveDate {
    DateTime::<Utc>::from(SystemTime::now()).with_timezone(&zone).date_naive()
}

fn say(what: &str) {
    eprintln!("dispense: {what}");
}
