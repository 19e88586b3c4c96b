//! What can be chosen about a private broker before it starts.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use crate::broker::access::{Access, Rights, User};
use crate::broker::node::Orphan;
use crate::broker::settings::QUORUM;
use crate::broker::{Broker, Plan};
use crate::error::Result;
use crate::home::Home;

/// A private broker that has not been started yet; [`Broker::builder`] makes one.
#[derive(Debug, Clone)]
pub struct BrokerBuilder {
    folder: PathBuf,
    nodes: usize,
    settings: BTreeMap<String, String>,
    users: Vec<User>,
    encrypted: bool,
    orphan: Orphan,
}

impl BrokerBuilder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            nodes: 1,
            settings: BTreeMap::new(),
            users: Vec::new(),
            encrypted: false,
            orphan: Orphan::Stops,
        }
    }

    /// Starts three nodes, each with a copy of everything: two of them are enough to go on.
    #[must_use]
    pub fn quorum(mut self) -> Self {
        self.nodes = QUORUM;
        self
    }

    /// Sets a setting of every node, such as `message.max.bytes` to `65536`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Display) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds a user who may do everything, and lets clients in with a password alone: by `PLAIN`,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    ///
    /// For SCRAM, users count that are there when the folder is new.
    #[must_use]
    pub fn superuser(self, name: &str, password: &str) -> Self {
        self.with(name, password, Rights::All)
    }

    /// As [`Self::superuser`], for a user who may do nothing but what [`Broker::grant`] grants.
    #[must_use]
    pub fn user(self, name: &str, password: &str) -> Self {
        self.with(name, password, Rights::Granted)
    }

    fn with(mut self, name: &str, password: &str, rights: Rights) -> Self {
        self.users.push(User { name: name.to_owned(), password: password.to_owned(), rights });
        self
    }

    /// Encrypts what clients say, with a certificate of an authority of its own: [`Broker::authority`].
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self
    }

    /// Removes the folder when the broker is dropped.
    #[must_use]
    pub fn throwaway(mut self) -> Self {
        self.orphan = Orphan::Dies;
        self
    }

    /// Makes the storage if the folder is new, starts all nodes and waits until all of them serve.
    ///
    /// Nodes that a killed process left running in the folder are stopped first.
    ///
    /// # Errors
    ///
    /// When Java or the jars are missing, the folder cannot be used or is in use, or a node does not come
    /// up; the end of its log is in the message.
    pub fn start(self) -> Result<Broker> {
        let home = Home::open_for_us(&self.folder)?;
        let planned = self.plan(&home);
        if planned.is_err() && self.orphan == Orphan::Dies {
            // What matters is why it failed; a folder that stays is the lesser harm.
            let _ = home.remove();
        }
        Broker::start(home, planned?)
    }

    fn plan(&self, home: &Home) -> Result<Plan> {
        let access = Access::prepare(self.users.clone(), self.encrypted, home)?;
        Plan::new(home, self.nodes, access, self.settings.clone(), self.orphan)
    }
}
