//! `dispense log`: the log itself, taken out or looked at as it was.

mod export;

use std::process::ExitCode;

use super::{accept_restore, log, replay, wait};
use crate::config::Reader;

/// What can be done with the log.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LogCommand {
    /// Write the log with its checkpoints into a folder, for whoever checks it
    #[command(after_long_help = export::HELP)]
    Export(export::Arguments),
    /// Go on with a log that lost its tail, or say what does not fit it
    #[command(after_long_help = accept_restore::HELP)]
    AcceptRestore(accept_restore::Arguments),
    /// Say how things stood at an earlier moment, read again from the log
    #[command(after_long_help = replay::HELP)]
    Replay(replay::Arguments),
}

/// Does it.
pub(super) fn run(reader: Reader, command: LogCommand) -> anyhow::Result<ExitCode> {
    let reader = log(reader, "warn")?;
    match command {
        LogCommand::Export(arguments) => wait(export::run(reader, arguments)),
        LogCommand::AcceptRestore(arguments) => {
            wait(accept_restore::run(reader, arguments)).map(|()| ExitCode::SUCCESS)
        }
        LogCommand::Replay(arguments) => {
            wait(replay::run(reader, arguments)).map(|()| ExitCode::SUCCESS)
        }
    }
}
