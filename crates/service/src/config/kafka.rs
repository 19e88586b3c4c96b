//! How Kafka is reached. Without `KAFKA_BROKERS` there is none, and nothing else of it is read.

use std::path::PathBuf;

use dispense_kafka::{Connection, Mechanism, Sasl, Settings, Tls};

use super::{Mistakes, Reader, bounded};

/// The settings of Kafka, if there is one. What is wrong is noted in the reader.
pub(crate) fn read(from: &mut Reader) -> Option<Settings> {
    let brokers = from.optional("KAFKA_BROKERS", brokers)?;
    let tls = from.value("KAFKA_TLS", truth);
    let authorities = from.optional("KAFKA_CA_FILE", file);
    let certificate = from.optional("KAFKA_CERTIFICATE_FILE", file);
    let key = from.optional("KAFKA_KEY_FILE", file);
    let user = from.optional("KAFKA_SASL_USERNAME", |user| Some(user.to_owned()));
    let password = user.as_ref().and_then(|_| {
        from.required("KAFKA_SASL_PASSWORD", |it| (!it.is_empty()).then(|| it.to_owned()))
    });
    let mechanism = from.value("KAFKA_SASL_MECHANISM", mechanism);
    let replication = from.optional("KAFKA_REPLICATION", |text| bounded(text, 1, 15));
    let (prefix, partitions, registry) = topics(from);
    let sasl = match (user, password) {
        (Some(user), Some(password)) => Some(Sasl { mechanism: mechanism?, user, password }),
        _ => None,
    };
    let tls = tls?.then(|| Tls { authorities, certificate: certificate.zip(key) });
    Some(Settings {
        connection: Connection { brokers, tls, sasl },
        prefix,
        partitions: partitions?,
        replication,
        registry: registry?,
    })
}

/// How topics are called, into how many partitions they are divided, and whether those of registry data
/// are read.
fn topics(from: &mut Reader) -> (String, Option<u16>, Option<bool>) {
    let prefix = from.optional("KAFKA_TOPIC_PREFIX", prefix);
    let partitions = from.value("KAFKA_TOPIC_PARTITIONS", |text| bounded(text, 1, 1024));
    (prefix.unwrap_or_default(), partitions, from.value("KAFKA_REGISTRY", truth))
}

/// The settings of Kafka, for commands that are nothing without it.
pub(crate) fn needed(from: &mut Reader) -> Result<Settings, Mistakes> {
    let settings = from.required("KAFKA_BROKERS", brokers).and_then(|_| read(from));
    match (settings, from.mistakes()) {
        (Some(settings), None) => Ok(settings),
        (_, mistakes) => Err(mistakes.unwrap_or_default()),
    }
}

/// The settings of a private Kafka, whose addresses are known when it has started. Nothing else than its
/// topics can be chosen about it.
pub(crate) fn private(from: &mut Reader) -> Option<Settings> {
    if from.optional("KAFKA_BROKERS", |text| Some(text.to_owned())).is_some() {
        from.refuse(
            "KAFKA_BROKERS",
            "it is set, and --kafka starts a broker of its own; leave out one of them",
        );
        return None;
    }
    let (prefix, partitions, registry) = topics(from);
    Some(Settings {
        connection: Connection { brokers: String::new(), tls: None, sasl: None },
        prefix,
        partitions: partitions?,
        replication: None,
        registry: registry?,
    })
}

/// Addresses with commas between them, each with its port.
fn brokers(text: &str) -> Option<String> {
    let address = |text: &str| {
        let (host, port) = text.trim().rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)).then_some(())
    };
    text.split(',').all(|it| address(it).is_some()).then(|| text.to_owned())
}

fn mechanism(text: &str) -> Option<Mechanism> {
    let all = [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];
    all.into_iter().find(|mechanism| mechanism.name() == text)
}

/// What Kafka takes in the name of a topic; some of its 249 characters are left for the name.
fn prefix(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (text.len() <= 150 && text.chars().all(fits)).then(|| text.to_owned())
}

fn file(path: &str) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

fn truth(text: &str) -> Option<bool> {
    text.parse().ok()
}
