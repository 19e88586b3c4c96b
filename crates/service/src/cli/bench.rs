//! `dispense bench`

/// Runs the comparison.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not wired yet")
}

/// Options of the bench.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}
