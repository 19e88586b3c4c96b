//! `dispense projections`: read models, how far they are, and how they are made anew.

use std::fmt::Write as _;
use std::sync::Mutex;

use dispense_postgres::pool;
use dispense_postgres::rebuild::{self, Progress as Step, Standing};
use serde_json::json;

use super::progress::Progress;
use super::{database, print};
use crate::config::{Reader, home};

/// What can be asked about read models.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ProjectionsCommand {
    /// List the read models: version of the tables, position and lag of each partition
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a read model anew from the log, beside the live one, and put it in its place
    #[command(after_long_help = HELP)]
    Rebuild {
        /// The read model, or all
        #[arg(value_parser = known)]
        name: String,
    },
}

/// What `--help` tells beside the options.
const HELP: &str = "\
The log is read once, from its beginning, into new tables beside those that are read. Commands and
queries go on, and are answered from the old tables until the new ones have caught up; then all of them
turn to the new ones in one moment. If it is stopped before, nothing has changed; run it again.

The database is that of DATABASE_ADMIN_URL, the role that owns the tables, else that of the
`dispense dev` that runs on DISPENSE_HOME. It needs room for a second copy of the tables.

Exit codes: 0 it was rebuilt, 1 it was given up and the old tables are read on, 2 wrong usage.";

/// The name of a read model, or all.
fn known(name: &str) -> Result<String, String> {
    rebuild::chosen(name).map(|_| name.to_owned()).map_err(|unknown| unknown.to_string())
}

/// Runs one of them.
pub(super) async fn run(mut reader: Reader, command: ProjectionsCommand) -> anyhow::Result<()> {
    let home = home(&mut reader);
    match command {
        ProjectionsCommand::List { json } => {
            let pool = pool(&database::of(reader, &home)?, 1);
            let standings = rebuild::standings(&pool).await?;
            print(&if json { document(&standings) } else { table(&standings) })
        }
        ProjectionsCommand::Rebuild { name } => {
            let models = rebuild::chosen(&name)?;
            let admin = database::admin(reader, &home)?;
            let shown = Shown(Mutex::new(None));
            let rebuilt = rebuild::rebuild(&admin, models, &|step| shown.show(step)).await?;
            for (name, version) in rebuilt.versions {
                println!("{name} is read from version {version} of its tables");
            }
            for table in rebuilt.left_behind {
                println!("{table} is still in use, and is dropped by the next rebuild");
            }
            Ok(())
        }
    }
}

/// The bar of a rebuild.
struct Shown(Mutex<Option<Progress>>);

impl Shown {
    fn show(&self, step: Step) {
        let Ok(mut bar) = self.0.lock() else { return };
        let end = |bar: &mut Option<Progress>| {
            if let Some(bar) = bar.take() {
                bar.finish();
            }
        };
        match step {
            Step::Begins(events) => *bar = Some(Progress::of("events", Some(events))),
            Step::Read(events) => {
                if let Some(bar) = bar.as_mut() {
                    bar.add(events);
                }
            }
            Step::MakesIndexes => {
                end(&mut bar);
                eprintln!("making indexes");
            }
            Step::CatchesUp => {
                eprintln!("catching up with what was written meanwhile");
                *bar = Some(Progress::of("events", None));
            }
            Step::Switched => end(&mut bar),
        }
    }
}

/// The list as a table for people.
fn table(standings: &[Standing]) -> String {
    let mut text = format!(
        "{:<16} {:>7} {:>9} {:>12} {:>10} {:>8}\n",
        "NAME", "VERSION", "PARTITION", "POSITION", "BEHIND", "FOR"
    );
    for standing in standings {
        let Standing { name, version, partition, position, behind, seconds } = standing;
        // Writing into a text cannot fail.
        let _written = writeln!(
            text,
            "{name:<16} {version:>7} {partition:>9} {position:>12} {behind:>10} {:>8}",
            format!("{seconds:.0} s")
        );
    }
    text
}

/// The list as JSON.
fn document(standings: &[Standing]) -> String {
    let items: Vec<_> = standings
        .iter()
        .map(|standing| {
            let Standing { name, version, partition, position, behind, seconds } = standing;
            json!({
                "name": name, "version": version, "partition": partition, "position": position,
                "behind": behind, "behindSeconds": seconds,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "items": items }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            name: "dispenses".to_owned(),
            version: 2,
            partition: 3,
            position: 17,
            behind: 5,
            seconds: 2.4,
        }
    }

    #[test]
    fn a_line_of_the_table_stands_below_its_words() {
        let table = table(&[standing()]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0].len(), lines[1].len());
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["dispenses", "2", "3", "17", "5", "2", "s"]);
    }

    #[test]
    fn the_document_says_the_same() {
        let document: serde_json::Value = serde_json::from_str(&document(&[standing()])).unwrap();
        assert_eq!(
            document,
            json!({"items": [{"name": "dispenses", "version": 2, "partition": 3, "position": 17,
                "behind": 5, "behindSeconds": 2.4}]})
        );
    }
}
