//! `dispense audit verify`: whether an export of the log is whole.

use std::path::PathBuf;
use std::process::ExitCode;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "docs/audit.md specifies what is checked.";

/// Options of `dispense audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `dispense log export` wrote
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Checks, and tells by the exit code how it ended.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("{} cannot be checked by this build", arguments.folder.display())
}
