//! `dispense log export`: the log in a folder, as `dispense audit verify` reads it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Reader;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
The folder holds all that is needed to check the log without the database: docs/audit.md says what
stands where. Run it again, and it goes on where it stopped.";

/// Options of `dispense log export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to write; the folder is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Exports.
#[allow(clippy::unused_async, reason = "what it waits for comes with the export itself")]
pub(super) async fn run(_reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("{}: nothing can be exported yet", arguments.folder.display())
}
