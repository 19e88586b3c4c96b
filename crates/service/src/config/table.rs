//! Every setting: name, default, what is expected, an example, and what it means. `--help`,
//! `docs/operations.md` and the report of mistakes are written from this table.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: Option<&'static str>,
    pub(crate) expected: &'static str,
    pub(crate) example: &'static str,
    pub(crate) meaning: &'static str,
    /// Whether its value must never be repeated.
    pub(crate) secret: bool,
}

const fn setting(
    name: &'static str,
    default: Option<&'static str>,
    expected: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { name, default, expected, example, meaning, secret: false }
}

const fn secret(setting: Setting) -> Setting {
    Setting { secret: true, ..setting }
}

/// All settings, in the order in which they are explained.
#[rustfmt::skip]
pub(crate) const TABLE: &[Setting] = &[
    secret(setting("DATABASE_URL", None, "a PostgreSQL URL", "postgres://dispense:secret@db/dispense",
        "the database, under the role that serves")),
    secret(setting("DATABASE_ADMIN_URL", None, "a PostgreSQL URL", "postgres://owner:secret@db/dispense",
        "the same database, under the role that owns the tables; for commands that `serve` may not do, such as `migrate`")),
    setting("DATABASE_CONNECTIONS", Some("10"), "a whole number from 1 to 200", "10",
        "connections for reading, beside one for each partition"),
    setting("DISPENSE_LISTEN", Some("127.0.0.1:8080"), "an address and a port", "0.0.0.0:8080",
        "where the service listens"),
    setting("HTTP_WORKERS", None, "a whole number from 1 to 256", "4",
        "threads that speak HTTP; as many as there are cores if not set"),
    setting("DISPENSE_HOME", Some(".dispense"), "a folder", "/var/lib/dispense",
        "what `dev` keeps: its database, its keys and its signed containers"),
    setting("LOG_PARTITIONS", None, "a whole number from 1 to 1024", "4",
        "into how many partitions the first `migrate` divides the log; 4 if not set, and fixed ever after"),
    setting("TIME_ZONE", Some("Europe/Kyiv"), "a time zone of the IANA database", "Europe/Kyiv",
        "in which days are counted"),
    setting("MEDICATION_DISPENSE_EXPIRATION", Some("10"),
        "whole minutes, or a duration from 1s to 24h", "10 or 90s", "how long a hold lasts"),
    setting("MEDICATION_DISPENSE_LEGAL_ENTITY_TYPES", Some("PHARMACY,MSP_PHARMACY"),
        "types with commas between", "PHARMACY,MSP_PHARMACY", "which legal entities may dispense"),
    setting("MULTI_DISPENSE_WITHOUT_PROGRAM", Some("false"), "true or false", "false",
        "whether parts may be dispensed outside any program"),
    setting("DISPENSE_DIVISION_DLS_VERIFY", Some("false"), "true or false", "true",
        "whether the regulator for medicines must have confirmed an outlet"),
    setting("MEDICAL_PROGRAM_PROVISION_VERIFY", Some("false"), "true or false", "true",
        "whether an outlet must state that it provides the program; if not, the contract must name the outlet"),
    setting("LEGAL_ENTITY_NHS_VERIFY", Some("false"), "true or false", "true",
        "whether the payer must have verified the company"),
    setting("DEVIATION", Some("0.1"), "a share from 0 to 1 with at most 2 decimal places", "0.1",
        "how far a discount may stay below what the program pays: a share of it"),
    setting("TOLERANCE", Some("0.01"),
        "an amount from 0 to less than 1000000000 with at most 4 decimal places", "0.01",
        "how far a discount may lie above what the program pays, for each item"),
    setting("CONTENT_STORE_URL", None, "file:///folder or s3://bucket/prefix", "file:///var/lib/dispense/content",
        "where signed containers are kept, for all instances together; the folder `content` below DISPENSE_HOME if not set"),
    setting("CHECKPOINT_KEY", None, "a file with a key that signs notes, as `dispense audit key` makes it",
        "/etc/dispense/checkpoint-key", "the key that signs checkpoints of the log; none are signed if not set"),
    setting("CHECKPOINT_EVERY", Some("1m"), "a duration from 1s to 24h", "1m",
        "how often a checkpoint is signed, if the log grew"),
    setting("SIGNATURE_TRUST_ANCHORS", None, "a PEM file that is there", "/etc/dispense/authorities.pem",
        "certificates of the authorities that certify pharmacists; nobody's signature is believed if not set"),
    setting("SIGNATURE_CRLS", None, "a file or a folder that is there", "/etc/dispense/crls",
        "lists of revoked certificates, in PEM or DER, read again when they change; none count as revoked if not set"),
    setting("KAFKA_BROKERS", None, "addresses with ports, with commas between", "kafka1:9092,kafka2:9092",
        "where events are announced, and where registry data comes from; neither, if not set"),
    setting("KAFKA_TLS", Some("false"), "true or false", "true", "whether connections to Kafka are encrypted"),
    setting("KAFKA_CA_FILE", None, "a PEM file that is there", "/etc/dispense/kafka-ca.pem",
        "certificates of the authorities that certify brokers; those of the system if not set"),
    setting("KAFKA_CERTIFICATE_FILE", None, "a PEM file that is there", "/etc/dispense/kafka.pem",
        "our certificate, where brokers ask for one; together with KAFKA_KEY_FILE"),
    setting("KAFKA_KEY_FILE", None, "a PEM file that is there", "/etc/dispense/kafka.key",
        "the key of KAFKA_CERTIFICATE_FILE"),
    setting("KAFKA_SASL_USERNAME", None, "a name", "dispense", "as whom to log in to Kafka; as nobody if not set"),
    secret(setting("KAFKA_SASL_PASSWORD", None, "a password", "secret", "the password of KAFKA_SASL_USERNAME")),
    setting("KAFKA_SASL_MECHANISM", Some("SCRAM-SHA-512"), "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", "SCRAM-SHA-512",
        "how the password is shown to Kafka; PLAIN only together with KAFKA_TLS"),
    setting("KAFKA_TOPIC_PREFIX", None, "letters, digits, dots, hyphens and underscores", "staging.",
        "what stands before the name of every topic, where several installations share a cluster; nothing if not set"),
    setting("KAFKA_TOPIC_PARTITIONS", Some("12"), "a whole number from 1 to 1024", "12",
        "into how many partitions `dispense streams topics` divides a topic of events"),
    setting("KAFKA_REPLICATION", None, "a whole number from 1 to 15", "3",
        "how many brokers keep a topic that `dispense streams topics` makes; as many as there are and at most 3 if not set"),
    setting("KAFKA_REGISTRY", Some("true"), "true or false", "false",
        "whether registry data is read from the topics `ndp.registry.<kind>`"),
    setting("AUTH_MODE", Some("jwt"), "jwt or gateway", "jwt", "who vouches for a caller"),
    setting("AUTH_JWKS", None, "a file or an https address with a JSON Web Key Set", "/etc/dispense/jwks.json",
        "the keys that sign tokens; needed for AUTH_MODE=jwt"),
    setting("AUTH_ISSUER", None, "the iss claim of your tokens, letter by letter", "https://id.example.org/",
        "who makes the tokens; needed for AUTH_MODE=jwt"),
    setting("AUTH_AUDIENCE", None, "a name that your tokens carry in their aud claim", "dispense",
        "for whom the tokens are; needed for AUTH_MODE=jwt"),
    setting("AUTH_ALLOW_DEVELOPMENT_KEY", Some("false"), "true (for development only) or false", "false",
        "whether tokens of `dispense token` are believed"),
    secret(setting("AUTH_GATEWAY_SECRET", None, "a secret of at least 16 visible ASCII characters",
        "sixteen-or-more-characters", "what the gateway sends in x-gateway-secret; needed for AUTH_MODE=gateway")),
    setting("LOG_FORMAT", None, "json or pretty", "json",
        "how the service logs; pretty on a terminal, json elsewhere"),
    setting("RUST_LOG", Some("info"), "levels as tracing-subscriber reads them", "info,sqlx=warn",
        "what the service logs"),
];

/// The table as `--help` shows it.
pub(crate) fn help() -> String {
    let entries = TABLE.iter().map(|setting| {
        let default = setting.default.map_or(String::new(), |value| format!(" [default: {value}]"));
        let Setting { name, meaning, expected, example, .. } = setting;
        format!("\n  {name}{default}\n      {meaning}: {expected}, such as {example}\n")
    });
    let entries: String = entries.collect();
    format!("Settings, from the environment or the file of --config:\n{entries}")
}

#[cfg(test)]
mod tests {
    use super::{Setting, TABLE};

    /// The block between the marks in `docs/operations.md`.
    fn page() -> String {
        let rows = TABLE.iter().map(|setting| {
            let Setting { name, default, expected, example, meaning, .. } = setting;
            let default = default.map_or_else(|| "–".to_owned(), |value| format!("`{value}`"));
            let example = example.replace('`', "");
            format!("| `{name}` | {default} | {expected}, such as `{example}` | {meaning} |\n")
        });
        let rows: String = rows.collect();
        format!("| setting | default | expected | meaning |\n|---|---|---|---|\n{rows}")
    }

    /// `deploy/env.example`.
    fn example() -> String {
        let entries = TABLE.iter().map(|setting| {
            let Setting { name, default, example, meaning, .. } = setting;
            let value = default.unwrap_or(example);
            format!("\n# {meaning}\n#{name}={value}\n")
        });
        let entries: String = entries.collect();
        format!("# Settings of the dispense service; docs/operations.md explains them.\n{entries}")
    }

    fn committed(path: &str) -> (std::path::PathBuf, String) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        (path, text)
    }

    fn same(path: &std::path::Path, committed: &str, wanted: &str) {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, wanted).unwrap();
        } else {
            let way_out = "run this test with UPDATE_DOCS=1";
            assert_eq!(committed, wanted, "{} is out of date: {way_out}", path.display());
        }
    }

    #[test]
    fn the_page_for_operators_lists_every_setting() {
        const MARKS: [&str; 2] = ["<!-- settings -->\n", "<!-- /settings -->"];
        let (path, text) = committed("docs/operations.md");
        let (before, rest) = text.split_once(MARKS[0]).expect("the mark before the table");
        let (_, after) = rest.split_once(MARKS[1]).expect("the mark after the table");
        let wanted = format!("{before}{}{}{}{after}", MARKS[0], page(), MARKS[1]);
        same(&path, &text, &wanted);
    }

    #[test]
    fn the_example_names_every_setting() {
        let (path, text) = committed("deploy/env.example");
        same(&path, &text, &example());
    }
}
