//! `dispense log accept-restore`

use std::collections::BTreeSet;

use chrono::SecondsFormat;
use dispense_postgres::lost_tail::{self, Beyond, LogStands};

use super::{database, print};
use crate::config::{Reader, home};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
Without --epoch it prints how the log stands and what does not fit it, and changes nothing. It is your
decision whether what is missing is lost for good: docs/operations.md, after a restore.

With --epoch, and the number that it printed, the log goes on as it is: the epoch is raised, where each
partition ended is written down in log_epochs, and read models that had read more begin anew. From then
on checkpoints are signed again. Whoever reads the log sees the new epoch. The relay goes on by itself
from the last event that log and streams have in common, as far as the database knows it.

The database is that of DATABASE_ADMIN_URL, the role that owns the tables, else that of the
`dispense dev` that runs on DISPENSE_HOME.

Exit codes: 0 done, 1 it was not accepted and nothing was changed, 2 wrong usage.";

/// Options of `dispense log accept-restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The number of the epoch to go on with: the one that is printed without this
    #[arg(long, value_name = "NUMBER")]
    epoch: Option<i64>,
}

/// Looks, or goes on.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<()> {
    let home = home(&mut reader);
    let admin = database::admin(reader, &home)?;
    match arguments.epoch {
        None => print(&found(&lost_tail::look(&admin).await?)),
        Some(epoch) => print(&accepted(&lost_tail::accept(&admin, epoch).await?, epoch)),
    }
}

/// How the log stands.
fn found(stands: &LogStands) -> String {
    let mut lines = vec![format!("The log is in epoch {}.", stands.epoch)];
    for (place, at) in &stands.heads {
        lines.push(if place.position == 0 {
            format!("Partition {} has no events.", place.partition)
        } else {
            format!("It ends at {place}, at {}.", at.to_rfc3339_opts(SecondsFormat::Micros, true))
        });
    }
    for beyond in &stands.followers {
        let Beyond { name, place } = beyond;
        let did = if beyond.is_read_model() { "read" } else { "announced" };
        lines.push(format!("{name} has {did} {place}, which this log does not have."));
    }
    for (partition, why) in &stands.checkpoints {
        lines.push(format!("Checkpoints of partition {partition}: {why}."));
    }
    if stands.followers.is_empty() && stands.checkpoints.is_empty() {
        lines.push("Nothing was found that does not fit it.".to_owned());
        lines.push("If it lost no tail, there is nothing to accept.".to_owned());
    }
    let next = stands.epoch + 1;
    lines.push(format!(
        "To go on without what is missing: dispense log accept-restore --epoch {next}"
    ));
    lines.join("\n") + "\n"
}

/// What was done.
fn accepted(stood: &LogStands, epoch: i64) -> String {
    let mut lines = vec![format!("The log goes on in epoch {epoch}.")];
    let models = stood.followers.iter().filter(|it| it.is_read_model());
    let anew: BTreeSet<&str> = models.map(|it| &*it.name).collect();
    for name in anew {
        lines.push(format!(
            "{name} reads the log from its beginning; dispense projections rebuild {name} is faster."
        ));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told_with_the_way_on() {
        let place = "0:7".parse().unwrap();
        let stands = LogStands {
            epoch: 1,
            heads: vec![
                ("0:5".parse().unwrap(), "2026-03-02T12:00:00Z".parse().unwrap()),
                ("1:0".parse().unwrap(), "1970-01-01T00:00:00Z".parse().unwrap()),
            ],
            followers: vec![
                Beyond { name: "dispenses".to_owned(), place },
                Beyond { name: "relay".to_owned(), place },
            ],
            checkpoints: vec![(0, "it lost its tail".to_owned())],
        };
        let text = found(&stands);
        for line in [
            "It ends at 0:5, at 2026-03-02T12:00:00.000000Z.",
            "Partition 1 has no events.",
            "dispenses has read 0:7, which this log does not have.",
            "relay has announced 0:7, which this log does not have.",
            "Checkpoints of partition 0: it lost its tail.",
            "To go on without what is missing: dispense log accept-restore --epoch 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{text}");
        }
        assert!(!text.contains("nothing to accept"), "{text}");
        let said = accepted(&stands, 2);
        assert!(said.contains("dispenses reads the log from its beginning"), "{said}");
        assert!(!said.contains("projections rebuild relay"), "the relay goes on by itself: {said}");
    }

    #[test]
    fn whoever_lost_nothing_is_not_sent_on() {
        let stands = LogStands {
            epoch: 1,
            heads: Vec::new(),
            followers: Vec::new(),
            checkpoints: Vec::new(),
        };
        assert!(found(&stands).contains("If it lost no tail, there is nothing to accept."));
    }
}
