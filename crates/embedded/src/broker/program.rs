//! Apache Kafka as a program: Java, the jars, and what it is to say.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::jars::Jars;
use crate::broker::java::Java;
use crate::error::{Result, While};
use crate::home::Home;

/// Kafka says each setting several times over at its start; nobody would find the rest.
const LOGGING: &str = "\
status = error
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5p %c{1}: %m%n
logger.settings.name = org.apache.kafka.common.config
logger.settings.level = warn
";

/// What starts the classes of Apache Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    java: Java,
    jars: Jars,
    logging: PathBuf,
}

impl Program {
    /// Finds all of it.
    pub(crate) fn find(home: &Home) -> Result<Self> {
        let (java, jars) = (Java::find()?, Jars::find()?);
        let logging = home.folder().join("log4j2.properties");
        std::fs::write(&logging, LOGGING).when(|| format!("write {}", logging.display()))?;
        Ok(Self { java, jars, logging })
    }

    /// A command that runs one class; its arguments follow.
    pub(crate) fn command(&self, class: &str, heap_mib: u32) -> Command {
        let mut command = self.java.command(heap_mib);
        command.arg(format!("-Dlog4j2.configurationFile={}", self.logging.display()));
        command.arg("-cp").arg(self.jars.class_path()).arg(class);
        command
    }

    /// The folder of the jars.
    pub(crate) fn libs(&self) -> &Path {
        self.jars.folder()
    }
}
