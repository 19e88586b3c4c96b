//! `dispense audit`: what proves that the log is whole.

mod checkpoint;
mod verify;

use std::process::ExitCode;

pub(super) use checkpoint::{Signing, page, taken};

use super::{log, wait};
use crate::config::Reader;

/// What an auditor asks for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Check an export of the log from nothing but itself: no database, no network
    #[command(after_long_help = verify::HELP)]
    Verify(verify::Arguments),
    /// Sign what the log is now, after holding it against the checkpoints before
    #[command(after_long_help = checkpoint::HELP)]
    Checkpoint(checkpoint::Arguments),
    /// Make a key that signs checkpoints, and print the one that verifies them
    Key(checkpoint::KeyArguments),
}

/// Does it.
pub(super) fn run(reader: Reader, command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(arguments) => verify::run(&arguments),
        AuditCommand::Checkpoint(arguments) => {
            wait(checkpoint::run(log(reader, "warn")?, arguments))
        }
        AuditCommand::Key(arguments) => checkpoint::make_key(&arguments),
    }
}
