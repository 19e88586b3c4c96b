//! What can be chosen about a private server before it starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;

use crate::cluster::{self, Cluster};
use crate::error::Result;
use crate::home::Home;
use crate::server::Server;
use crate::{leftover, stepped_clock};

/// A private server that has not been started yet; [`Server::builder`] makes one.
#[derive(Debug, Clone)]
pub struct Builder {
    folder: PathBuf,
    port: Option<u16>,
    settings: BTreeMap<String, String>,
    environment: Vec<(OsString, OsString)>,
    throwaway: bool,
    stepped_clock: bool,
}

impl Builder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            port: None,
            settings: BTreeMap::new(),
            environment: Vec::new(),
            throwaway: false,
            stepped_clock: false,
        }
    }

    /// Listens on this port; on one that is free if none is given.
    #[must_use]
    pub fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// Sets a setting of PostgreSQL, such as `max_connections` to `300`.
    ///
    /// Unlike one given on the command line, it can still be changed with `ALTER SYSTEM`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Display) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Sets a variable in the environment of the server alone.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Removes the folder when the server is dropped, and does not hurry to get it onto the disk when
    /// it is made. The server itself is as durable as any other.
    #[must_use]
    pub fn throwaway(mut self) -> Self {
        self.throwaway = true;
        self
    }

    /// Lets [`Server::step_clock`] set the server's clock forward and back, through libfaketime.
    #[must_use]
    pub fn stepped_clock(mut self) -> Self {
        self.stepped_clock = true;
        self
    }

    /// Makes the data if the folder is new, starts the server and waits until it takes connections.
    ///
    /// A server that a killed process left running on the folder is stopped first.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed, the folder cannot be used or is in use, the port is taken, or
    /// the server does not come up; the end of its log is in the message.
    pub fn start(mut self) -> Result<Server> {
        let home = Home::open(&self.folder)?;
        let prepared = self.prepare(&home);
        if prepared.is_err() && self.throwaway {
            // What matters is why it failed; a folder that stays is the lesser harm.
            let _ = home.remove();
        }
        Server::start(home, prepared?, self.environment, self.port, self.throwaway)
    }

    /// Brings everything into the folder that a start needs.
    fn prepare(&mut self, home: &Home) -> Result<Cluster> {
        leftover::stop(&home.data())?;
        let prepared = cluster::prepare(home, self.throwaway)?;
        cluster::configure(home, &self.settings)?;
        if self.stepped_clock {
            self.environment.extend(stepped_clock::environment(home)?);
        }
        Ok(prepared)
    }
}
