//! What can go wrong, each with a way out.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// The result of anything done with a private server.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a private server could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No suitable PostgreSQL is installed.
    #[error(
        "PostgreSQL {wanted} is needed, but {found}; run `scripts/install run`, \
         or on Debian `sudo apt-get install {package}`"
    )]
    NotInstalled {
        /// The version that is needed.
        wanted: String,
        /// What was found in its place.
        found: String,
        /// The Debian package that brings it.
        package: String,
    },

    /// PostgreSQL is installed without one of its tools.
    #[error(
        "{tool} is missing in {folder}; on Debian it comes with `sudo apt-get install postgresql`"
    )]
    NoTool {
        /// The tool that was asked for.
        tool: String,
        /// Where the other tools are.
        folder: PathBuf,
    },

    /// No Java is installed that Apache Kafka can run on.
    #[error(
        "Java {oldest} or newer is needed for Apache Kafka, but {found}; run `scripts/install test`, \
         or on Debian `sudo apt-get install default-jre-headless`, or let JAVA_HOME name one"
    )]
    NoJava {
        /// The oldest major version that will do.
        oldest: u32,
        /// What was found in its place.
        found: String,
    },

    /// The jars of Apache Kafka are not there.
    #[error(
        "the jars of Apache Kafka are needed, but {found}; run `scripts/kafka`, or let KAFKA_LIBS name \
         a folder with them"
    )]
    NoJars {
        /// Where they were looked for.
        found: String,
    },

    /// Another process owns the folder.
    #[error("{folder} is in use by process {owner}; stop that process, or choose another folder")]
    InUse {
        /// The folder with the data.
        folder: PathBuf,
        /// The process that holds the lock.
        owner: String,
    },

    /// A program of a server failed; its own words are in `way_out`.
    #[error("{what}; {way_out}")]
    Failed {
        /// What failed.
        what: String,
        /// What it said, and what to do.
        way_out: String,
    },

    /// The operating system refused something.
    #[error("could not {what}; check that it is there and that this user may do so")]
    Io {
        /// What was tried.
        what: String,
        /// Why it was refused.
        source: io::Error,
    },
}

/// Says what was tried when the operating system refused it.
pub(crate) trait While<T> {
    fn when(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> While<T> for io::Result<T> {
    fn when(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}

/// A failure of one of a server's programs.
pub(crate) fn failed(what: impl Display, way_out: impl Display) -> Error {
    Error::Failed { what: what.to_string(), way_out: way_out.to_string() }
}
