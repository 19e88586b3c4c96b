//! A private server that runs.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::binaries::Binaries;
use crate::builder::Builder;
use crate::cluster::{Cluster, SUPERUSER};
use crate::error::{Result, failed};
use crate::home::Home;
use crate::postmaster::{NotUp, Postmaster};
use crate::{leftover, port, stepped_clock};

/// How many ports are tried when others take them between our look and the server's.
const PORTS: u32 = 10;

/// How long a fixed port, or memory of a killed server, may take to become free.
const FREE_WITHIN: Duration = Duration::from_secs(15);

/// How long a stop may take before the server is ended without a last checkpoint.
const STOP_WITHIN: Duration = Duration::from_mins(1);

/// How a server is asked to stop, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Waits until all clients have left.
    Smart,
    /// Throws clients out, writes everything down, ends.
    Fast,
    /// Ends as in a crash; the next start recovers from the log.
    Immediate,
}

/// A private PostgreSQL, which stops when this is dropped and ends when this process does.
///
/// ```no_run
/// use dispense_embedded::{Mode, Server};
///
/// let mut server = Server::builder(".dispense/postgres").setting("max_connections", 300).start()?;
/// println!("psql {}", server.admin_url("postgres"));
/// server.stop(Mode::Immediate)?;
/// server.start_again()?;
/// # Ok::<(), dispense_embedded::Error>(())
/// ```
///
/// All methods block; in asynchronous code, call them where blocking is allowed. A `process::exit`
/// drops nothing: then the watcher stops the server a moment later.
#[derive(Debug)]
pub struct Server {
    home: Home,
    cluster: Cluster,
    environment: Vec<(OsString, OsString)>,
    port: u16,
    throwaway: bool,
    running: Option<Postmaster>,
}

impl Server {
    /// Begins to describe a server whose data is in `folder`, new or not.
    pub fn builder(folder: impl Into<PathBuf>) -> Builder {
        Builder::new(folder.into())
    }

    /// Removes the data of a server that does not run, wherever it is.
    ///
    /// # Errors
    ///
    /// [`crate::Error::InUse`] when its process is alive; [`crate::Error::Io`] when the folder cannot be removed.
    pub fn remove(folder: &Path) -> Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        let home = Home::open(folder)?;
        leftover::stop(&home.data())?;
        home.remove()
    }

    pub(crate) fn start(
        home: Home,
        cluster: Cluster,
        environment: Vec<(OsString, OsString)>,
        wanted: Option<u16>,
        throwaway: bool,
    ) -> Result<Self> {
        let port = wanted.unwrap_or_default();
        let mut server = Self { home, cluster, environment, port, throwaway, running: None };
        if wanted.is_some() {
            server.start_again()?;
        } else {
            server.start_anywhere()?;
        }
        Ok(server)
    }

    /// Starts on a free port: on that of the last time if it is still free, so that what people have
    /// pasted elsewhere stays right.
    fn start_anywhere(&mut self) -> Result<()> {
        let memo = self.home.folder().join("port");
        let last = fs::read_to_string(&memo).ok().and_then(|text| text.trim().parse().ok());
        let mut next = last.filter(|last| port::is_free(*last));
        for _ in 0..PORTS {
            self.port = match next.take() {
                Some(port) => port,
                None => port::pick()?,
            };
            match self.launch() {
                Err(NotUp::PortTaken(_)) => {}
                Err(not_up) => return Err(not_up.into()),
                Ok(()) => {
                    // Only a convenience, so a failure to write it is no reason to stop.
                    let _ = fs::write(&memo, self.port.to_string());
                    return Ok(());
                }
            }
        }
        Err(failed(
            format!("{PORTS} free ports were taken by others before PostgreSQL could listen"),
            "try again, or name a port",
        ))
    }

    /// Starts the server again after a stop, on the same port and with the same settings.
    ///
    /// Does nothing if it runs.
    ///
    /// # Errors
    ///
    /// As for [`Builder::start`].
    pub fn start_again(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        let start = Instant::now();
        loop {
            match self.launch() {
                Ok(()) => return Ok(()),
                Err(NotUp::PortTaken(_) | NotUp::StillEnding(_))
                    if start.elapsed() < FREE_WITHIN =>
                {
                    sleep(Duration::from_millis(200));
                }
                Err(NotUp::PortTaken(_)) => {
                    return Err(failed(
                        format!("PostgreSQL cannot listen on 127.0.0.1:{}", self.port),
                        "stop what listens there, or choose another port",
                    ));
                }
                Err(not_up) => return Err(not_up.into()),
            }
        }
    }

    fn launch(&mut self) -> std::result::Result<(), NotUp> {
        let postmaster =
            Postmaster::launch(&self.home, &self.cluster.binaries, self.port, &self.environment)?;
        self.running = Some(postmaster);
        Ok(())
    }

    /// Stops the server and waits for its end.
    ///
    /// Does nothing if it does not run.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Failed`] when it goes on for a minute, as a smart stop does while clients stay; it then
    /// still runs.
    pub fn stop(&mut self, mode: Mode) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let signal = match mode {
            Mode::Smart => Signal::TERM,
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        };
        if running.end(signal, STOP_WITHIN) {
            self.running = None;
            return Ok(());
        }
        Err(failed(
            format!("PostgreSQL (process {}) did not stop within {STOP_WITHIN:?}", running.id()),
            "stop it with Mode::Immediate",
        ))
    }

    /// Whether the server's process is alive.
    pub fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| running.exited().is_none())
    }

    /// Sets the server's clock off by whole seconds from the real one, forward or back.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Failed`] unless the server was built with [`Builder::stepped_clock`].
    pub fn step_clock(&self, seconds: i64) -> Result<()> {
        if self.environment.iter().any(|(name, _)| name == "FAKETIME_TIMESTAMP_FILE") {
            return stepped_clock::step(&self.home, seconds);
        }
        Err(failed("this server has the real clock", "build it with stepped_clock()"))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, while it runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(Postmaster::id)
    }

    /// The address of a database for a user of its own.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        let [user, password, database] = [user, password, database].map(escaped);
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a database for the superuser.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url(SUPERUSER, &self.cluster.password, database)
    }

    /// PostgreSQL's programs that fit this server.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.cluster.binaries
    }

    /// The folder that holds the data and the password; not the wanted one if that could not be used.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// The file with what the server says.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.log()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to be told of a failure, and the watcher stops what still runs.
        let mode = if self.throwaway { Mode::Immediate } else { Mode::Fast };
        if self.stop(mode).is_err() {
            let _ = self.stop(Mode::Immediate);
        }
        if self.throwaway {
            let _ = self.home.remove();
        }
    }
}

/// Percent-encodes all that is not plain in every part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_would_end_a_part_of_an_address_is_escaped() {
        assert_eq!(escaped("a-b_9.~"), "a-b_9.~");
        assert_eq!(escaped("p@ss:/ w%rd"), "p%40ss%3A%2F%20w%25rd");
    }
}
