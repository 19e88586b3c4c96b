//! Where the system keeps PostgreSQL's programs.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// The oldest major version that the service's statements are written for.
const OLDEST: u32 = 15;

/// Where Debian keeps a folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of one installed PostgreSQL: `postgres`, `psql`, `pgbench`, `pg_dump` and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds the newest PostgreSQL that the service can use.
    ///
    /// Looks in `PG_BIN` if it is set, else in Debian's folders, else where `pg_config` points, else in
    /// `PATH`.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`] when there is none, or none new enough.
    pub fn find() -> Result<Self> {
        let mut too_old = None;
        for place in places() {
            let newest = place.iter().filter_map(|folder| Self::at(folder)).max_by_key(Self::major);
            match newest {
                Some(binaries) if binaries.major >= OLDEST => return Ok(binaries),
                Some(binaries) => too_old = too_old.or(Some(binaries)),
                None => {}
            }
        }
        let found = too_old.map_or_else(
            || match env::var_os("PG_BIN") {
                Some(told) => format!("PG_BIN names {}, which has none", told.display()),
                None => "none was found".to_owned(),
            },
            |old| format!("{} has version {}", old.folder.display(), old.major),
        );
        Err(Error::NotInstalled {
            wanted: format!("{OLDEST} or newer"),
            found,
            package: "postgresql".to_owned(),
        })
    }

    /// Finds the PostgreSQL that can read data of the major version `major`.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`] when that version is not there.
    pub(crate) fn find_major(major: u32, data: &Path) -> Result<Self> {
        let fitting = places().into_iter().flatten().filter_map(|folder| Self::at(&folder));
        fitting.into_iter().find(|binaries| binaries.major == major).ok_or_else(|| {
            Error::NotInstalled {
                wanted: major.to_string(),
                found: format!(
                    "only other versions were found, and {} was made by version {major} \
                     (remove that folder to start afresh)",
                    data.display()
                ),
                package: format!("postgresql-{major}"),
            }
        })
    }

    /// The folder that holds the programs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, such as 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The path of one program, such as `psql` or `pgbench`.
    ///
    /// # Errors
    ///
    /// [`Error::NoTool`] when this PostgreSQL was installed without it.
    pub fn tool(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(Error::NoTool { tool: name.to_owned(), folder: self.folder.clone() })
    }

    /// A server needs `initdb` and `postgres`; a folder with clients alone is none.
    fn at(folder: &Path) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self { folder: folder.to_owned(), major })
    }
}

/// Reads 15 out of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or out of `17beta1`.
fn major_of(answer: &str) -> Option<u32> {
    let version = answer.split_once("(PostgreSQL) ")?.1;
    let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
    version.get(..digits)?.parse().ok()
}

/// Folders to look in; an earlier group wins over a later one, whatever its version.
fn places() -> Vec<Vec<PathBuf>> {
    if let Some(told) = env::var_os("PG_BIN") {
        return vec![vec![PathBuf::from(told)]];
    }
    vec![debian(), pg_config().into_iter().collect(), on_path()]
}

fn debian() -> Vec<PathBuf> {
    let Ok(versions) = fs::read_dir(DEBIAN) else {
        return Vec::new();
    };
    versions.flatten().map(|version| version.path().join("bin")).collect()
}

fn pg_config() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| PathBuf::from(folder.trim()))
}

fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH");
    env::split_paths(path.as_deref().unwrap_or(OsStr::new(""))).collect()
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(major_of("bash: postgres: command not found"), None);
    }
}
