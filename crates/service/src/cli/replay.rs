//! `dispense log replay`

mod page;

use std::sync::Mutex;

use anyhow::Context;
use dispense_postgres::replay::{Moment, Replay, Scratch, Summary, When};
use tokio::signal::unix::{SignalKind, signal};

use super::progress::Progress;
use super::{database, print};
use crate::config::{Reader, home};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
A moment is a time as of RFC 3339, such as 2026-03-02T12:00:00Z, or positions as `Dispense-Position`
has them, such as 0:120,1:98. At a time every partition is read up to what was recorded by then. Of
positions, partitions that are not named are left out, and the instant is that of the last event.
Holds that had run out by that instant are EXPIRED, recorded or not.

The log is read from its beginning into a schema of its own beside the live tables, which nobody
misses meanwhile. It is removed at the end, also after Ctrl-C, unless --keep: then its name is
printed, and it is yours to drop. An erasure does not reach a schema that is kept.

The database is that of DATABASE_ADMIN_URL, the role that owns the tables, else that of the
`dispense dev` that runs on DISPENSE_HOME. It needs room for a copy of the read models.

Exit codes: 0 done, 1 there is no such moment or the log could not be read, 2 wrong usage.";

/// Options of `dispense log replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The moment to look at: a time, or positions
    #[arg(long, value_name = "TIME|POSITION")]
    to: When,
    /// Another moment, whose figures stand beside it with the difference
    #[arg(long, value_name = "TIME|POSITION")]
    compare: Option<When>,
    /// Leave the tables where they were filled
    #[arg(long)]
    keep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads moments again, and prints what was there then.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<()> {
    let home = home(&mut reader);
    let replay = Replay::open(&database::admin(reader, &home)?).await?;
    // Both are found before the first is read: a mistake in the second should not cost an hour.
    let moment = replay.find(&arguments.to).await.context("--to")?;
    let other = match &arguments.compare {
        Some(when) => Some(replay.find(when).await.context("--compare")?),
        None => None,
    };
    let shown = of(&replay, &moment, arguments.keep).await?;
    let compared = match &other {
        Some(other) => Some(of(&replay, other, arguments.keep).await?),
        None => None,
    };
    print(&if arguments.json {
        page::document(&shown, compared.as_ref())
    } else {
        page::table(&shown, compared.as_ref())
    })
}

/// The state of a moment, and where its tables were left.
struct Shown {
    summary: Summary,
    schema: Option<String>,
}

/// Reads a moment again, and clears up after it, however it ends.
async fn of(replay: &Replay, moment: &Moment, keep: bool) -> anyhow::Result<Shown> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let scratch = replay.scratch().await.context("a schema cannot be made")?;
    let outcome = tokio::select! {
        summary = read(replay, moment, &scratch) => summary,
        _ = interrupted.recv() => Err(anyhow::anyhow!("interrupted; nothing was left behind")),
        _ = terminated.recv() => Err(anyhow::anyhow!("terminated; nothing was left behind")),
    };
    let name = scratch.name().to_owned();
    match outcome {
        Ok(summary) if keep => {
            replay.keep(scratch).await.context("the schema cannot be kept")?;
            Ok(Shown { summary, schema: Some(name) })
        }
        outcome => {
            scratch.remove().await.with_context(|| {
                format!("the schema {name} is left; the next replay removes it")
            })?;
            Ok(Shown { summary: outcome?, schema: None })
        }
    }
}

async fn read(replay: &Replay, moment: &Moment, scratch: &Scratch) -> anyhow::Result<Summary> {
    let bar = Mutex::new(Progress::of("events", Some(moment.events())));
    let progress = |events| {
        if let Ok(mut bar) = bar.lock() {
            bar.add(events);
        }
    };
    let summary = replay.run(moment, scratch, &progress).await?;
    if let Ok(bar) = bar.into_inner() {
        bar.finish();
    }
    Ok(summary)
}
