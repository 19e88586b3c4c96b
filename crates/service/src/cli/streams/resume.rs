//! `dispense streams resume`

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::bail;
use dispense_kafka::resume::{Plan, Step, Whence, plan, resume};

use super::super::print;
use super::super::progress::Progress;
use super::Log;
use crate::config::{Reader, kafka};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
The brokers keep how far each partition of the log was announced in the topic ndp.dispense.positions. If
that was lost, an instance that knows that something was announced stops rather than announce it twice.
This says where to go on:

  --from-topics      behind the last event that the topics of events tell, or the last of which the
                     database was told. If topics were lost as well, that is noticed then: fill them
                     with `dispense streams refill`
  --from-beginning   at the first event, so that everything is announced again: for a new cluster, whose
                     topics have to be empty

What will be done is shown before. Partitions of which the brokers know how far they are are left alone.
Instances may run; they go on within seconds.

The database is that of DATABASE_URL, else that of the `dispense dev` that runs on DISPENSE_HOME.

Exit codes: 0 done, or nothing to do; 1 nothing was changed, or not everything; 2 wrong usage.";

/// Options of `dispense streams resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this partition of the log; all if not given
    #[arg(long, value_name = "NUMBER")]
    partition: Option<u16>,
    /// Go on at the first event, on a new cluster
    #[arg(long, conflicts_with = "from_topics")]
    from_beginning: bool,
    /// Go on behind what was announced, which is what is done anyway
    #[arg(long)]
    from_topics: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Shows what is to be done, asks, and does it.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = kafka(&mut reader)?;
    let log = Log::of(reader).await?;
    let count = log.settings.partitions.count();
    let wanted: Vec<u16> = match arguments.partition {
        Some(partition) if partition < count => vec![partition],
        Some(partition) => bail!(
            "--partition: the log has partitions 0 to {}, and no partition {partition}",
            count - 1
        ),
        None => log.settings.partitions.all().collect(),
    };
    let whence = if arguments.from_beginning { Whence::Beginning } else { Whence::Topics };
    let bar = Mutex::new(None::<Progress>);
    let progress = |step| {
        let Ok(mut bar) = bar.lock() else { return };
        let begins = match step {
            Step::Reads(records) => Some(Progress::of("records", Some(records))),
            Step::Counts(events) => Some(Progress::of("events", Some(events))),
            Step::Read(more) | Step::Counted(more) => {
                bar.iter_mut().for_each(|bar| bar.add(more));
                None
            }
        };
        if begins.is_some() {
            bar.take().into_iter().for_each(Progress::finish);
            *bar = begins;
        }
    };
    let beginning = |partition| log.beginning(partition);
    let plans = plan(&settings, &log.relay, &beginning, &wanted, whence, &progress).await?;
    if let Some(bar) = bar.lock().ok().and_then(|mut bar| bar.take()) {
        bar.finish();
    }
    print(&plans.iter().map(|plan| told(plan) + "\n").collect::<String>())?;
    let some = plans.iter().any(|plan| matches!(plan, Plan::Resumes(_)));
    if !some {
        print("nothing is to be done\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes && !confirmed()? {
        eprintln!("dispense: nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let resumed = resume(&settings, &log.relay, &plans).await?;
    print(&format!("{resumed} partitions go on\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What becomes of a partition, in a line.
fn told(plan: &Plan) -> String {
    match plan {
        Plan::Known(place) => {
            let place = place.relay.place;
            format!("partition {}: it is announced up to {place}; left alone", place.partition)
        }
        Plan::Begins(partition) => {
            format!("partition {partition}: nothing of it was announced; it begins by itself")
        }
        Plan::Resumes(place) if place.relay.place.position == 0 => {
            let partition = place.relay.place.partition;
            format!("partition {partition}: everything is announced, from the first event on")
        }
        Plan::Resumes(place) => {
            let messages: u64 = place.announced.values().sum();
            let place = place.relay.place;
            format!(
                "partition {}: announcing goes on behind {place}; {messages} messages were announced \
                 up to there",
                place.partition
            )
        }
    }
}

/// Asks whoever sits there.
fn confirmed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; look at what was printed, and say --yes if it is right");
    }
    eprint!("Go on? (yes/no) ");
    std::io::stderr().flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(said.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use dispensary::LogPosition;
    use dispensary::relay::RelayPlace;
    use dispense_kafka::Place;

    use super::*;

    fn place(position: i64) -> Place {
        let place = LogPosition { partition: 3, position };
        Place::new(RelayPlace { place, hash: [0; 32], epoch: 1 })
    }

    #[test]
    fn each_partition_is_told_in_a_line() {
        for (plan, expected) in [
            (Plan::Known(place(7)), "it is announced up to 3:7; left alone"),
            (Plan::Begins(3), "nothing of it was announced; it begins by itself"),
            (Plan::Resumes(place(0)), "everything is announced, from the first event on"),
            (Plan::Resumes(place(7)), "announcing goes on behind 3:7; 0 messages were announced"),
        ] {
            let told = told(&plan);
            assert!(told.starts_with("partition 3: ") && told.contains(expected), "{told}");
        }
    }
}
