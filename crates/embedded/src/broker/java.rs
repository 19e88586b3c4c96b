//! Which Java runs the broker.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The oldest major version that Kafka 4 runs on.
const OLDEST: u32 = 17;

/// Variables that make a Java virtual machine do what nobody asked it for here.
const STRANGE: [&str; 4] = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"];

/// An installed Java that is new enough.
#[derive(Debug, Clone)]
pub(crate) struct Java {
    program: PathBuf,
}

impl Java {
    /// Finds it through `JAVA_HOME`, else in `PATH`.
    pub(crate) fn find() -> Result<Self> {
        let home = env::var_os("JAVA_HOME").filter(|home| !home.is_empty());
        let candidates: Vec<PathBuf> = match &home {
            Some(home) => vec![Path::new(home).join("bin/java")],
            None => on_path(env::var_os("PATH").as_deref()),
        };
        let mut found = None;
        for program in candidates {
            match major(&program) {
                Some(major) if major >= OLDEST => return Ok(Self { program }),
                Some(major) => {
                    let old = format!("{} has version {major}", program.display());
                    found.get_or_insert(old);
                }
                None => {}
            }
        }
        let nothing = || match home {
            Some(home) => format!("JAVA_HOME names {}, which has none", home.display()),
            None => "none was found in PATH".to_owned(),
        };
        Err(Error::NoJava { oldest: OLDEST, found: found.unwrap_or_else(nothing) })
    }

    /// A command that runs in a machine with such a heap.
    ///
    /// The compiler for long runs and a collector with threads of its own would cost a second of start and
    /// much memory.
    pub(crate) fn command(&self, heap_mib: u32) -> Command {
        let mut command = Command::new(&self.program);
        for name in STRANGE {
            command.env_remove(name);
        }
        command.arg(format!("-Xmx{heap_mib}m"));
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]);
        command.args(["-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]);
        command.stdin(Stdio::null());
        command
    }
}

fn on_path(path: Option<&OsStr>) -> Vec<PathBuf> {
    let folders = env::split_paths(path.unwrap_or_default());
    folders.map(|folder| folder.join("java")).filter(|program| program.is_file()).collect()
}

fn major(program: &Path) -> Option<u32> {
    let mut command = Command::new(program);
    for name in STRANGE {
        command.env_remove(name);
    }
    let answer = command.arg("-version").stdin(Stdio::null()).output().ok()?;
    major_of(&String::from_utf8_lossy(&answer.stderr))
}

/// Reads 17 out of `openjdk version "17.0.15" 2025-04-15`, and 8 out of `java version "1.8.0_402"`.
fn major_of(answer: &str) -> Option<u32> {
    let version = answer.split_once("version \"")?.1;
    let version = version.strip_prefix("1.").unwrap_or(version);
    let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
    version.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn the_major_version_is_read_from_what_java_says() {
        assert_eq!(major_of("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(major_of("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(major_of("java version \"1.8.0_402\""), Some(8));
        assert_eq!(major_of("java: not found"), None);
    }
}
