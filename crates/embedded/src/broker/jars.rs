//! Where Kafka's jars are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The page that names the version; `scripts/kafka` reads it too.
const POM: &str = include_str!("../../../../deploy/kafka/pom.xml");

/// A jar that no broker can do without begins like this.
const SERVER: &str = "kafka-server-";

/// A folder with the jars of one version of Apache Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// Finds them where `KAFKA_LIBS` says, else below Cargo's target folder, where `scripts/kafka` puts them.
    pub(crate) fn find() -> Result<Self> {
        if let Some(told) = env::var_os("KAFKA_LIBS").filter(|told| !told.is_empty()) {
            let missing = || format!("KAFKA_LIBS names {}, which has none", told.display());
            return Self::at(Path::new(&told)).ok_or_else(|| Error::NoJars { found: missing() });
        }
        let below = Path::new("kafka").join(version()).join("libs");
        target_folders().iter().find_map(|target| Self::at(&target.join(&below))).ok_or_else(|| {
            Error::NoJars {
                found: format!("{} has none", Path::new("target").join(&below).display()),
            }
        })
    }

    /// The folder that holds them.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All of them, as Java wants to be told.
    pub(crate) fn class_path(&self) -> OsString {
        self.folder.join("*").into_os_string()
    }

    fn at(folder: &Path) -> Option<Self> {
        let mut files = fs::read_dir(folder).ok()?.flatten();
        let is_there = files.any(|file| file.file_name().to_string_lossy().starts_with(SERVER));
        let folder = folder.canonicalize().ok()?;
        is_there.then_some(Self { folder })
    }
}

/// The version of Kafka that belongs to this code.
fn version() -> &'static str {
    let after = POM.split_once("<kafka.version>").map(|(_, after)| after);
    after.and_then(|after| after.split_once('<')).map_or("", |(version, _)| version)
}

/// Where Cargo may have built us: above this program, as told, or below the current folder.
fn target_folders() -> Vec<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).take(3).map(Path::to_owned);
    let told = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    above.chain(told).chain([PathBuf::from("target")]).collect()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_pom_names_the_version() {
        let numbers: Vec<u32> = version().split('.').map(|part| part.parse().unwrap()).collect();
        assert!(numbers.len() == 3 && numbers[0] >= 4, "{numbers:?}");
    }
}
