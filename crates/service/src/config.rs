//! The settings: from the environment, or a file with the same names, read once into one typed
//! struct. All mistakes are reported together.

mod kafka;
mod names;
mod reader;
mod table;
mod terms;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dispense_audit::note::SigningKey;
use dispense_domain::{Partitions, Terms};
use dispense_http::auth::{
    Audience, AuthConfig, AuthMode, DevelopmentKeys, GatewaySecret, Issuer, JwksSource, JwtConfig,
    KeySchedule,
};
use sqlx::postgres::PgConnectOptions;

use crate::checkpoints;

pub(crate) use kafka::{needed as kafka, private as private_kafka};
pub(crate) use reader::{Mistakes, Reader};
pub(crate) use table::help;
pub(crate) use terms::{read as terms, written};

/// How often checkpoints may be taken.
const CHECKPOINTS_WITHIN: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(24);

/// The settings of a serving instance.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) database: PgConnectOptions,
    pub(crate) serving: Serving,
    pub(crate) auth: AuthConfig,
}

/// What does not depend on where database and keys are.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) connections: u32,
    pub(crate) listen: SocketAddr,
    pub(crate) workers: usize,
    pub(crate) partitions: Option<Partitions>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) signing: Signing,
    pub(crate) checkpoints: Checkpoints,
    /// Where events are announced; nowhere if not set.
    pub(crate) kafka: Option<dispense_kafka::Settings>,
}

/// Whom to believe a signature, and where to keep what was signed.
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    pub(crate) store: String,
    pub(crate) trust_anchors: Option<PathBuf>,
    pub(crate) crls: Option<PathBuf>,
}

/// With which key checkpoints are signed, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    pub(crate) key: Option<Arc<SigningKey>>,
    pub(crate) every: Duration,
}

/// The settings of `migrate`.
#[derive(Debug, Clone)]
pub(crate) struct MigrateSettings {
    pub(crate) admin: PgConnectOptions,
    /// The URL of the role that serves; its password is needed as text.
    pub(crate) serving_url: String,
    pub(crate) partitions: Option<Partitions>,
}

impl Settings {
    /// Reads what `serve` needs.
    pub(crate) fn read(mut from: Reader) -> Result<Self, Mistakes> {
        let database = from.required("DATABASE_URL", database);
        let serving = Serving::read(&mut from);
        let auth = auth(&mut from);
        match (database, serving, auth, from.mistakes()) {
            (Some(database), Some(serving), Some(auth), None) => {
                Ok(Self { database, serving, auth })
            }
            (_, _, _, mistakes) => Err(mistakes.unwrap_or_default()),
        }
    }
}

impl Serving {
    /// Reads it; what is wrong is noted in the reader.
    pub(crate) fn read(from: &mut Reader) -> Option<Self> {
        let connections = from.value("DATABASE_CONNECTIONS", |text| bounded(text, 1, 200));
        let listen = listen(from);
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let workers = from.optional("HTTP_WORKERS", |text| bounded(text, 1, 256));
        let partitions = from.optional("LOG_PARTITIONS", partitions);
        let terms = terms(from);
        let signing = Signing::read(from);
        let checkpoints = Checkpoints::read(from);
        let kafka = kafka::read(from);
        Some(Self {
            connections: connections?,
            listen: listen?,
            workers: workers.unwrap_or(cores),
            partitions,
            terms: Arc::new(terms?),
            signing,
            checkpoints: checkpoints?,
            kafka,
        })
    }
}

impl Signing {
    fn read(from: &mut Reader) -> Self {
        let home = home(from);
        let known = |url: &&str| url.starts_with("file:///") || url.starts_with("s3://");
        let store =
            from.optional("CONTENT_STORE_URL", |url| Some(url).filter(known).map(str::to_owned));
        let path = |path: &str| Some(PathBuf::from(path)).filter(|path| path.exists());
        Self {
            store: store.unwrap_or_else(|| folder_url(&home.join("content"))),
            trust_anchors: from.optional("SIGNATURE_TRUST_ANCHORS", path),
            crls: from.optional("SIGNATURE_CRLS", path),
        }
    }
}

impl Checkpoints {
    fn read(from: &mut Reader) -> Option<Self> {
        let key = from.optional("CHECKPOINT_KEY", checkpoint_key);
        let within = |every: &Duration| CHECKPOINTS_WITHIN.contains(every);
        let every = from.value("CHECKPOINT_EVERY", |text| duration(text).filter(within));
        Some(Self { key, every: every? })
    }
}

/// The key that signs checkpoints, if `CHECKPOINT_KEY` names one; for commands that take one by hand.
pub(crate) fn checkpoint_key_of(from: &mut Reader) -> Option<Arc<SigningKey>> {
    from.optional("CHECKPOINT_KEY", checkpoint_key)
}

/// Where signed containers and copies of checkpoints are kept.
pub(crate) fn content_store(from: &mut Reader) -> String {
    Signing::read(from).store
}

fn checkpoint_key(path: &str) -> Option<Arc<SigningKey>> {
    checkpoints::read_key(Path::new(path))
}

/// The address of a folder; the store says what is wrong with one that has none.
fn folder_url(folder: &Path) -> String {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    url::Url::from_file_path(&whole).map_or_else(|()| whole.display().to_string(), String::from)
}

impl MigrateSettings {
    /// Reads what `migrate` needs.
    pub(crate) fn read(mut from: Reader) -> Result<Self, Mistakes> {
        let admin = from.required("DATABASE_ADMIN_URL", database);
        let url = |text: &str| database(text).map(|_| text.to_owned());
        let serving_url = from.required("DATABASE_URL", url);
        let partitions = from.optional("LOG_PARTITIONS", partitions);
        match (admin, serving_url, from.mistakes()) {
            (Some(admin), Some(serving_url), None) => Ok(Self { admin, serving_url, partitions }),
            (_, _, mistakes) => Err(mistakes.unwrap_or_default()),
        }
    }
}

/// Reads what commands need that write to the database and decide nothing.
pub(crate) fn database_url(mut from: Reader) -> Result<PgConnectOptions, Mistakes> {
    let options = from.required("DATABASE_URL", database);
    match (options, from.mistakes()) {
        (Some(options), None) => Ok(options),
        (_, mistakes) => Err(mistakes.unwrap_or_default()),
    }
}

/// Where an instance listens.
pub(crate) fn listen(from: &mut Reader) -> Option<SocketAddr> {
    from.value("DISPENSE_LISTEN", |text| text.parse().ok())
}

/// Where a private installation lives.
pub(crate) fn home(from: &mut Reader) -> PathBuf {
    let home = from.value("DISPENSE_HOME", |path| (!path.is_empty()).then(|| PathBuf::from(path)));
    home.unwrap_or_else(|| PathBuf::from(".dispense"))
}

fn auth(from: &mut Reader) -> Option<AuthConfig> {
    match from.value("AUTH_MODE", told::<AuthMode>)? {
        AuthMode::Gateway => {
            let secret = from.required("AUTH_GATEWAY_SECRET", told::<GatewaySecret>)?;
            Some(AuthConfig::Gateway { secret })
        }
        AuthMode::Jwt => {
            let jwks = from.required("AUTH_JWKS", told::<JwksSource>);
            let issuer = from.required("AUTH_ISSUER", told::<Issuer>);
            let audience = from.required("AUTH_AUDIENCE", told::<Audience>);
            let keys = from.value("AUTH_ALLOW_DEVELOPMENT_KEY", told::<DevelopmentKeys>);
            Some(AuthConfig::Jwt(JwtConfig {
                jwks: jwks?,
                issuer: issuer?,
                audience: audience?,
                development_keys: keys?,
                schedule: KeySchedule::default(),
            }))
        }
    }
}

fn told<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn database(url: &str) -> Option<PgConnectOptions> {
    let scheme = url.starts_with("postgres://") || url.starts_with("postgresql://");
    scheme.then(|| url.parse().ok()).flatten()
}

/// Into how many partitions the first `migrate` divides a log.
pub(crate) fn log_partitions(from: &mut Reader) -> Option<Partitions> {
    from.optional("LOG_PARTITIONS", partitions)
}

fn partitions(text: &str) -> Option<Partitions> {
    text.parse().ok().and_then(Partitions::new)
}

fn bounded<T: FromStr + PartialOrd>(text: &str, least: T, most: T) -> Option<T> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

/// A whole number and its unit: `500ms`, `90s`, `10m`, `2h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}
