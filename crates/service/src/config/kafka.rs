//! How Kafka is reached. Without `KAFKA_BROKERS` there is none, and nothing else of it may be set: who
//! sets it believes that it counts.

use std::path::PathBuf;

use dispense_kafka::{Connection, Mechanism, Sasl, Settings, Tls};

use super::table::TABLE;
use super::{Mistakes, Reader, bounded};

/// How the names of these settings begin.
const KAFKA: &str = "KAFKA_";

/// Settings that say nothing without another one, and that one.
const TOGETHER: [(&str, &str); 4] = [
    ("KAFKA_CERTIFICATE_FILE", "KAFKA_KEY_FILE"),
    ("KAFKA_KEY_FILE", "KAFKA_CERTIFICATE_FILE"),
    ("KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME"),
    ("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
];

/// Settings that say nothing where connections are not encrypted.
const ENCRYPTED: [&str; 3] = ["KAFKA_CA_FILE", "KAFKA_CERTIFICATE_FILE", "KAFKA_KEY_FILE"];

/// The settings of Kafka, if there is one. What is wrong is noted in the reader.
pub(crate) fn read(from: &mut Reader) -> Option<Settings> {
    if !from.is_set("KAFKA_BROKERS") {
        let names = TABLE.iter().map(|setting| setting.name);
        for name in
            names.filter(|name| name.starts_with(KAFKA) && from.is_set(name)).collect::<Vec<_>>()
        {
            from.refuse(name, "it says nothing without KAFKA_BROKERS; set both or neither");
        }
        return None;
    }
    let brokers = from.optional("KAFKA_BROKERS", brokers);
    let tls = from.value("KAFKA_TLS", truth);
    refuse_halves(from, tls);
    let authorities = from.optional("KAFKA_CA_FILE", file);
    let certificate = from.optional("KAFKA_CERTIFICATE_FILE", file);
    let key = from.optional("KAFKA_KEY_FILE", file);
    let user = from.optional("KAFKA_SASL_USERNAME", |user| Some(user.to_owned()));
    let password = user.as_ref().and_then(|_| {
        from.required("KAFKA_SASL_PASSWORD", |it| (!it.is_empty()).then(|| it.to_owned()))
    });
    let mechanism = from.value("KAFKA_SASL_MECHANISM", mechanism);
    if user.is_some() && (tls, mechanism) == (Some(false), Some(Mechanism::Plain)) {
        from.refuse(
            "KAFKA_SASL_MECHANISM",
            "PLAIN shows the password to whoever listens; set KAFKA_TLS=true, or choose SCRAM-SHA-512",
        );
    }
    let replication = from.optional("KAFKA_REPLICATION", |text| bounded(text, 1, 15));
    let (prefix, partitions, registry) = topics(from);
    let sasl = match (user, password) {
        (Some(user), Some(password)) => Some(Sasl { mechanism: mechanism?, user, password }),
        _ => None,
    };
    let tls = tls?.then(|| Tls { authorities, certificate: certificate.zip(key) });
    Some(Settings {
        connection: Connection { brokers: brokers?, tls, sasl },
        prefix,
        partitions: partitions?,
        replication,
        registry: registry?,
    })
}

/// Notes what is set and says nothing, as something else is not.
fn refuse_halves(from: &mut Reader, tls: Option<bool>) {
    for (name, other) in TOGETHER {
        if from.is_set(name) && !from.is_set(other) {
            from.refuse(name, &format!("it says nothing without {other}; set both or neither"));
        }
    }
    for name in ENCRYPTED.into_iter().filter(|_| tls == Some(false)) {
        if from.is_set(name) {
            from.refuse(name, "it says nothing without KAFKA_TLS=true");
        }
    }
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
    // They were read here, and say nothing about another Kafka.
    for name in ["KAFKA_TOPIC_PREFIX", "KAFKA_TOPIC_PARTITIONS", "KAFKA_REGISTRY"] {
        from.forget(name);
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn reader(set: &[(&str, &str)]) -> Reader {
        Reader::of(set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    /// What is said of those settings, beside a broker.
    fn told(set: &[(&str, &str)]) -> String {
        let mut reader = reader(&[&[("KAFKA_BROKERS", "127.0.0.1:9092")], set].concat());
        let _ = read(&mut reader);
        reader.mistakes().map(|mistakes| mistakes.to_string()).unwrap_or_default()
    }

    #[test]
    fn without_brokers_there_is_no_kafka_and_nothing_may_be_said_of_it() {
        let mut nothing = reader(&[]);
        assert!(read(&mut nothing).is_none() && nothing.mistakes().is_none());
        let mut half = reader(&[("KAFKA_TLS", "true"), ("KAFKA_TOPIC_PREFIX", "staging.")]);
        assert!(read(&mut half).is_none());
        let told = half.mistakes().unwrap().to_string();
        for name in ["KAFKA_TLS", "KAFKA_TOPIC_PREFIX"] {
            assert!(
                told.contains(&format!("{name}: it says nothing without KAFKA_BROKERS")),
                "{told}"
            );
        }
    }

    #[test]
    fn a_half_of_what_belongs_together_is_a_mistake() {
        // Some file that is there.
        let file = "/proc/version";
        for (set, name, missing) in [
            (
                &[("KAFKA_TLS", "true"), ("KAFKA_KEY_FILE", file)][..],
                "KAFKA_KEY_FILE",
                "KAFKA_CERTIFICATE_FILE",
            ),
            (
                &[("KAFKA_TLS", "true"), ("KAFKA_CERTIFICATE_FILE", file)],
                "KAFKA_CERTIFICATE_FILE",
                "KAFKA_KEY_FILE",
            ),
            (&[("KAFKA_SASL_PASSWORD", "secret")], "KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME"),
            (&[("KAFKA_SASL_MECHANISM", "PLAIN")], "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
            (&[("KAFKA_CA_FILE", file)], "KAFKA_CA_FILE", "KAFKA_TLS=true"),
        ] {
            let told = told(set);
            assert!(told.contains(&format!("{name}: it says nothing without {missing}")), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        assert!(
            told(&[("KAFKA_SASL_USERNAME", "dispense")]).contains("KAFKA_SASL_PASSWORD: expected")
        );
    }

    #[test]
    fn a_password_is_shown_as_it_is_only_where_nobody_listens() {
        let login = [("KAFKA_SASL_USERNAME", "dispense"), ("KAFKA_SASL_PASSWORD", "secret")];
        let plain = [&login[..], &[("KAFKA_SASL_MECHANISM", "PLAIN")]].concat();
        let said = told(&plain);
        assert!(said.contains("KAFKA_SASL_MECHANISM: PLAIN shows the password"), "{said}");
        assert_eq!(told(&[&plain[..], &[("KAFKA_TLS", "true")]].concat()), "");
        assert_eq!(told(&login), "");
    }

    #[test]
    fn all_mistakes_are_told_together() {
        let told = told(&[
            ("KAFKA_TOPIC_PARTITIONS", "0"),
            ("KAFKA_TOPIC_PREFIX", "a b"),
            ("KAFKA_SASL_PASSWORD", "secret"),
            ("KAFKA_CA_FILE", "/nowhere"),
        ]);
        for name in
            ["KAFKA_TOPIC_PARTITIONS", "KAFKA_TOPIC_PREFIX", "KAFKA_SASL_PASSWORD", "KAFKA_CA_FILE"]
        {
            assert!(told.contains(&format!("{name}: ")), "{name}: {told}");
        }
    }

    #[test]
    fn what_is_chosen_of_a_private_kafka_is_not_said_of_another() {
        let mut reader = reader(&[("KAFKA_TOPIC_PREFIX", "mine.")]);
        assert_eq!(private(&mut reader).unwrap().prefix, "mine.");
        assert!(read(&mut reader).is_none() && reader.mistakes().is_none());
    }
}
