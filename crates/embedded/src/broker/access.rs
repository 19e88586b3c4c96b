//! What a client must show before a broker serves it.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::broker::certificates;
use crate::error::{Result, failed};
use crate::home::Home;

/// Ways to show a password.
const MECHANISMS: &str = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512";

/// Whether a user may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Everything.
    All,
    /// Nothing but what was granted.
    Granted,
}

/// Somebody with a password.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) rights: Rights,
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// Nobody needs a password if there are none.
    pub(crate) users: Vec<User>,
    /// Where the certificates are, if connections are encrypted.
    pub(crate) certificates: Option<PathBuf>,
}

impl Access {
    /// Checks the names and makes the certificates if need be.
    pub(crate) fn prepare(users: Vec<User>, encrypted: bool, home: &Home) -> Result<Self> {
        for user in &users {
            let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
            let words = [&user.name, &user.password];
            if words.iter().any(|word| word.is_empty() || !word.bytes().all(is_plain)) {
                return Err(failed(
                    format!("the user {:?} has a name or a password that is not plain", user.name),
                    "use letters, digits, dots, dashes and underscores",
                ));
            }
        }
        let certificates = encrypted.then(|| home.folder().join("certificates"));
        if let Some(folder) = &certificates {
            certificates::make(folder)?;
        }
        Ok(Self { users, certificates })
    }

    /// How clients talk, in Kafka's word.
    pub(crate) fn protocol(&self) -> &'static str {
        match (self.users.is_empty(), self.certificates.is_none()) {
            (true, true) => "PLAINTEXT",
            (true, false) => "SSL",
            (false, true) => "SASL_PLAINTEXT",
            (false, false) => "SASL_SSL",
        }
    }

    /// The settings that follow from it.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        let mut set = |name: &str, value: String| settings.push((name.to_owned(), value));
        if let Some(folder) = &self.certificates {
            set("ssl.keystore.type", "PEM".to_owned());
            let chain = folder.join(certificates::CHAIN);
            set("ssl.keystore.location", chain.display().to_string());
            set("ssl.client.auth", "none".to_owned());
        }
        if self.users.is_empty() {
            return settings;
        }
        set("sasl.enabled.mechanisms", MECHANISMS.to_owned());
        let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        let passwords = self.users.iter().fold(String::new(), |mut text, user| {
            let _ = write!(text, " user_{}=\"{}\"", user.name, user.password);
            text
        });
        set("listener.name.clients.plain.sasl.jaas.config", format!("{plain}{passwords};"));
        for mechanism in ["scram-sha-256", "scram-sha-512"] {
            set(
                &format!("listener.name.clients.{mechanism}.sasl.jaas.config"),
                "org.apache.kafka.common.security.scram.ScramLoginModule required;".to_owned(),
            );
        }
        let authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
        set("authorizer.class.name", authorizer.to_owned());
        // The listeners inside ask for no name.
        let mut names = "User:ANONYMOUS".to_owned();
        for user in self.users.iter().filter(|user| user.rights == Rights::All) {
            let _ = write!(names, ";User:{}", user.name);
        }
        set("super.users", names);
        settings
    }

    /// What the formatting of a node's storage is told, because passwords for SCRAM are kept there.
    pub(crate) fn formatting(&self) -> Vec<String> {
        let of = |user: &User, mechanism| {
            let (name, password) = (&user.name, &user.password);
            ["--add-scram".to_owned(), format!("{mechanism}=[name={name},password={password}]")]
        };
        let mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
        let each = self.users.iter().flat_map(|user| mechanisms.map(|how| of(user, how)));
        each.flatten().collect()
    }
}
