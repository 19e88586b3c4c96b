//! Apache Kafka as a program: Java, the jars, and what it is to say.

use std::fs;
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

/// A tool talks with people on its standard output, and complains on the other one.
const TOOL_LOGGING: &str = "\
status = error
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %-5p %c{1}: %m%n
";

/// The heap of a node.
const NODE_HEAP_MIB: u32 = 320;

/// The heap of a tool.
const TOOL_HEAP_MIB: u32 = 128;

/// What starts the classes of Apache Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    java: Java,
    jars: Jars,
    logging: PathBuf,
    tool_logging: PathBuf,
}

impl Program {
    /// Finds all of it.
    pub(crate) fn find(home: &Home) -> Result<Self> {
        let (java, jars) = (Java::find()?, Jars::find()?);
        let logging = home.folder().join("log4j2.properties");
        let tool_logging = home.folder().join("log4j2-tools.properties");
        for (path, text) in [(&logging, LOGGING), (&tool_logging, TOOL_LOGGING)] {
            fs::write(path, text).when(|| format!("write {}", path.display()))?;
        }
        Ok(Self { java, jars, logging, tool_logging })
    }

    /// The command that is a node; its settings follow.
    pub(crate) fn node(&self) -> Command {
        self.command("kafka.Kafka", NODE_HEAP_MIB, &self.logging)
    }

    /// A command that runs one of Kafka's tools; its arguments follow.
    pub(crate) fn tool(&self, class: &str) -> Command {
        self.command(class, TOOL_HEAP_MIB, &self.tool_logging)
    }

    fn command(&self, class: &str, heap_mib: u32, logging: &Path) -> Command {
        let mut command = self.java.command(heap_mib);
        command.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
        command.arg("-cp").arg(self.jars.class_path()).arg(class);
        command
    }

    /// The folder of the jars.
    pub(crate) fn libs(&self) -> &Path {
        self.jars.folder()
    }
}
