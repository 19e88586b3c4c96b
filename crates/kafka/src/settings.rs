//! How Kafka is reached, and how topics are called and made.

use std::fmt;
use std::path::PathBuf;

/// How Kafka is reached, and how topics are called and made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the brokers are, and who we are to them.
    pub connection: Connection,
    /// What stands before the name of every topic: empty, but where several installations share a
    /// cluster.
    pub prefix: String,
    /// Into how many partitions a topic is divided that is made.
    pub partitions: u16,
    /// How many brokers keep a topic that is made; as many as there are, and at most 3, if not set.
    pub replication: Option<u16>,
    /// Whether registry data is read from topics.
    pub registry: bool,
}

impl Settings {
    /// The name of a topic on the brokers.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Where the brokers are, and who we are to them.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Addresses with commas between them.
    pub brokers: String,
    /// How the connection is encrypted; in the clear if not set.
    pub tls: Option<Tls>,
    /// As whom we log in; as nobody if not set.
    pub sasl: Option<Sasl>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Whom to believe; the authorities of the system if not set.
    pub authorities: Option<PathBuf>,
    /// Our certificate and its key, if brokers ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// As whom we log in.
#[derive(Clone)]
pub struct Sasl {
    /// How the password is shown.
    pub mechanism: Mechanism,
    /// Who we are.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sasl")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// How a password is shown to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// As it is; only over an encrypted connection.
    Plain,
    /// Salted, with SHA-256.
    ScramSha256,
    /// Salted, with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// Its name in SASL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

#[cfg(test)]
impl Settings {
    /// For brokers that ask for nothing, such as librdkafka's imitation, with topics of one partition.
    pub(crate) fn plain(brokers: String) -> Self {
        Self {
            connection: Connection { brokers, tls: None, sasl: None },
            prefix: String::new(),
            partitions: 1,
            replication: None,
            registry: true,
        }
    }
}
