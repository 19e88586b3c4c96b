//! What can be chosen, and what follows from it.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::rounds::Stretch;

/// How long to measure, and what.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How many times each stretch is repeated; medians of these are compared. 3 unless told.
    pub rounds: Option<u32>,
    /// How long each stretch is, in seconds. 10 unless told.
    pub seconds: Option<u32>,
    /// Into how many partitions the log is divided; what the service does by itself unless told.
    pub partitions: Option<u16>,
    /// One row of the table instead of all.
    pub only: Option<Row>,
    /// Two short rounds: a first impression in two minutes.
    pub quick: bool,
    /// Searches among five million dispenses, for which some forty gigabytes are written.
    pub large: bool,
    /// Whether a status of 500 or more is only reported.
    pub tolerate_server_errors: bool,
    /// The binary `dispense`; the running program unless told.
    pub program: Option<PathBuf>,
    /// A folder for everything, which is emptied before and removed after; on the disk that is to be
    /// measured. `bench` in `$DISPENSE_HOME` or `.dispense` unless told.
    pub folder: Option<PathBuf>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Holds per second next to pgbench, 64 clients.
    Clients64,
    /// Holds per second next to pgbench, 256 clients.
    Clients256,
    /// How long a hold takes at a steady rate with wrong orders in between.
    Steady,
    /// Holds per second while the database is dumped, next to those without.
    Dump,
    /// The memory of the service.
    Memory,
    /// Signed hand-overs per second next to holds, 64 clients.
    Process,
    /// A rebuild of all read models next to a plain COPY of the same events.
    Rebuild,
    /// How long a search takes in a large log, next to a small one.
    Search,
    /// How fast events are announced, next to Kafka's own producer.
    Streams,
}

impl FromStr for Row {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "1" => Self::Clients64,
            "2" => Self::Clients256,
            "3" => Self::Steady,
            "4" | "rebuild" => Self::Rebuild,
            "5" | "search" => Self::Search,
            "6" => Self::Dump,
            "7" | "memory" => Self::Memory,
            "8" | "process" => Self::Process,
            "9" | "streams" => Self::Streams,
            _ => bail!(
                "expected a row of the table, 1 to 6, memory, process or streams, but found `{text}`"
            ),
        })
    }
}

/// Dispenses of the smaller log that is searched, and of the larger one.
const FEW: usize = 50_000;
const MANY: usize = 200_000;
const VERY_MANY: usize = 5_000_000;

/// What will be done.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) stretch: Duration,
    pub(crate) steady: Duration,
    pub(crate) partitions: Option<u16>,
    pub(crate) only: Option<Row>,
    /// How many dispenses the smaller log has that is searched, and the larger one.
    pub(crate) dispenses: [usize; 2],
    pub(crate) tolerate_server_errors: bool,
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Options {
    /// Fills in what was not told.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        let (rounds, seconds, steady) = if self.quick { (2, 4, 15) } else { (3, 10, 60) };
        let rounds = self.rounds.unwrap_or(rounds);
        let seconds = self.seconds.unwrap_or(seconds);
        ensure!((1..=50).contains(&rounds), "rounds: expected 1 to 50, such as 3");
        ensure!((1..=600).contains(&seconds), "seconds: expected 1 to 600, such as 10");
        let program = self.program.clone().map_or_else(env::current_exe, Ok);
        Ok(Plan {
            rounds,
            stretch: Duration::from_secs(seconds.into()),
            steady: Duration::from_secs(steady),
            partitions: self.partitions,
            only: self.only,
            dispenses: [FEW, if self.large { VERY_MANY } else { MANY }],
            tolerate_server_errors: self.tolerate_server_errors,
            program: program.context("the path of the running program is unknown")?,
            folder: self.folder.clone().unwrap_or_else(usual_folder),
        })
    }
}

/// Not the folder for temporary files, which is often in memory: there, fsync costs nothing.
fn usual_folder() -> PathBuf {
    let home = env::var_os("DISPENSE_HOME").unwrap_or_else(|| ".dispense".into());
    PathBuf::from(home).join("bench")
}

impl Plan {
    /// Whether a row is wanted.
    pub(crate) fn wants(&self, row: Row) -> bool {
        self.only.is_none_or(|only| only == row)
    }

    fn want<const N: usize>(&self, rows: [Row; N]) -> [bool; N] {
        rows.map(|row| self.wants(row))
    }

    /// What one round is made of, in this order.
    pub(crate) fn stretches(&self) -> Vec<Stretch> {
        let [small, large, dump] = self.want([Row::Clients64, Row::Clients256, Row::Dump]);
        let [memory, process, streams] = self.want([Row::Memory, Row::Process, Row::Streams]);
        [
            (small || large, Stretch::Pgbench { clients: 32 }),
            (small || dump || process || streams, Stretch::Service { clients: 64 }),
            (small || large, Stretch::Pgbench { clients: 64 }),
            (large || memory, Stretch::Service { clients: 256 }),
            (dump, Stretch::DuringDump),
            (process, Stretch::HandOvers),
        ]
        .into_iter()
        .filter_map(|(wanted, stretch)| wanted.then_some(stretch))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(row: &str) -> Vec<Stretch> {
        let options = Options { only: Some(row.parse().unwrap()), ..Options::default() };
        options.plan().unwrap().stretches()
    }

    #[test]
    fn without_options_every_stretch_takes_its_turn() {
        let plan = Options::default().plan().unwrap();
        assert_eq!((plan.rounds, plan.stretch.as_secs(), plan.steady.as_secs()), (3, 10, 60));
        assert_eq!(plan.stretches().len(), 6);
        assert_eq!(plan.program, env::current_exe().unwrap());
    }

    #[test]
    fn quick_is_shorter_and_yields_to_what_is_told() {
        let plan = Options { quick: true, seconds: Some(7), ..Options::default() }.plan().unwrap();
        assert_eq!((plan.rounds, plan.stretch.as_secs(), plan.steady.as_secs()), (2, 7, 15));
    }

    #[test]
    fn one_row_runs_what_it_needs() {
        let [small, large] = [64, 256].map(|clients| Stretch::Service { clients });
        let [few, many] = [32, 64].map(|clients| Stretch::Pgbench { clients });
        assert_eq!(only("1"), [few, small, many]);
        assert_eq!(only("2"), [few, many, large]);
        assert_eq!(only("3"), []);
        assert_eq!(only("6"), [small, Stretch::DuringDump]);
        assert_eq!(only("memory"), [large]);
        assert_eq!(only("process"), [small, Stretch::HandOvers]);
        assert_eq!(only("streams"), [small]);
        assert_eq!((only("4"), only("search")), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert!("10".parse::<Row>().unwrap_err().to_string().contains("process or streams"));
        assert!(Options { rounds: Some(0), ..Options::default() }.plan().is_err());
        assert!(Options { seconds: Some(0), ..Options::default() }.plan().is_err());
    }
}
