//! `dispense bench`: holds over HTTP next to what pgbench reaches on the same server, and signed
//! hand-overs next to holds.

use std::path::PathBuf;

use dispense_bench::{Options, Row};

/// Measures, in turn with pgbench on a private `PostgreSQL`, and prints a table. Takes less than ten
/// minutes; with --quick about two.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often each stretch is repeated; medians are compared [default: 3]
    #[arg(long)]
    rounds: Option<u32>,
    /// How long each stretch is, in seconds [default: 10]
    #[arg(long)]
    seconds: Option<u32>,
    /// Into how many partitions the log is divided
    #[arg(long)]
    partitions: Option<u16>,
    /// One row of the table: 1 to 6, memory, process or streams
    #[arg(long)]
    only: Option<Row>,
    /// Two short rounds
    #[arg(long)]
    quick: bool,
    /// Search among five million dispenses; takes much longer, and 50 GB of the disk
    #[arg(long)]
    large: bool,
    /// Do not fail on answers of 500 and more
    #[arg(long)]
    tolerate_server_errors: bool,
    /// A folder on the disk to measure; emptied before, removed after
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Runs the comparison.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    dispense_bench::run(&Options {
        rounds: arguments.rounds,
        seconds: arguments.seconds,
        partitions: arguments.partitions,
        only: arguments.only,
        quick: arguments.quick,
        large: arguments.large,
        tolerate_server_errors: arguments.tolerate_server_errors,
        program: None,
        folder: arguments.folder,
    })
}
