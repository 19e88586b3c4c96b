//! `dispense streams`: the topics of Kafka, held against the log and made whole again.

mod topics;

use std::process::ExitCode;

use super::{log, wait};
use crate::config::Reader;

/// What can be done about streams.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StreamsCommand {
    /// Make the topics that are missing, and tell how the others differ from what is wanted
    #[command(after_long_help = topics::HELP)]
    Topics(topics::Arguments),
}

/// Does it.
pub(super) fn run(reader: Reader, command: StreamsCommand) -> anyhow::Result<ExitCode> {
    // What librdkafka complains of is told with what failed because of it.
    let reader = log(reader, "warn,librdkafka=off")?;
    match command {
        StreamsCommand::Topics(arguments) => wait(topics::run(reader, arguments)),
    }
}
