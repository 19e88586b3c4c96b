//! `dispense audit`: what proves that the log is whole.

mod verify;

use std::process::ExitCode;

use crate::config::Reader;

/// What an auditor asks for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Check an export of the log from nothing but itself: no database, no network
    #[command(after_long_help = verify::HELP)]
    Verify(verify::Arguments),
}

/// Does it.
pub(super) fn run(_reader: Reader, command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(arguments) => verify::run(&arguments),
    }
}
