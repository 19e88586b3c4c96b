//! `dispense log export`: the log in a folder, as `dispense audit verify` reads it.

mod checkpoints;
mod folder;
mod segments;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dispense_audit::export::LogFile;
use dispense_audit::note::VerifierKey;
use dispense_postgres::{LogSettings, PgLog, Taken, export as stored, pool};
use serde_json::{Value, json};

use super::super::{audit, database, print};
use crate::cli::progress::Progress;
use crate::config::{Reader, home};
use folder::Folder;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
The folder holds all that is needed to check the log without the database: its rows, its checkpoints,
its erasures. docs/audit.md says what stands where. A file is written once it is whole, and not
touched again: run the command once more, and it adds what is new, or goes on where it was stopped.

The database is that of DATABASE_URL, else of the `dispense dev` that runs on DISPENSE_HOME. Where
CHECKPOINT_KEY is set a checkpoint is signed at the end, so that the whole export is covered.

Exit codes: 0 exported, 1 not, 2 wrong usage.";

/// Connections to the database: rows are read one page after the other.
const CONNECTIONS: u32 = 2;

/// How many rows are read at once.
const PAGE: u32 = 1_000;

/// Options of `dispense log export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to write; the folder is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write checkpoints and erasures alone: for a copy whose rows are exported elsewhere
    #[arg(long)]
    checkpoints_only: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// What was exported of a partition.
struct Exported {
    partition: u16,
    /// The last position in the folder, now.
    last: u64,
    rows: u64,
    segments: u64,
    checkpoints: u64,
}

/// Exports.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let home = home(&mut reader);
    let signing = audit::Signing::read(&mut reader, &home)?;
    let pool = pool(&database::of(reader, &home)?, CONNECTIONS);
    let settings = PgLog::settings(&pool, None).await?;
    let log = PgLog::to_read(pool.clone(), settings);
    let folder = Folder::open(&arguments.folder)?;
    let key = signing.as_ref().map(|signing| signing.key.verifier().clone());
    begin(&folder, settings, key)?;

    let mut all = Vec::new();
    let total = if arguments.checkpoints_only { 0 } else { left(&log, &folder, settings).await? };
    let mut progress = Progress::of("events exported", Some(total));
    for partition in settings.partitions.all() {
        let mut exported = Exported { partition, last: 0, rows: 0, segments: 0, checkpoints: 0 };
        if arguments.checkpoints_only {
            // Nobody asks whether the rows are there.
            exported.last = u64::MAX;
        } else {
            segments::export(&log, &pool, &folder, &mut exported, &mut progress).await?;
        }
        all.push(exported);
    }
    let mut code = ExitCode::SUCCESS;
    if let Some(signing) = signing {
        let keeper = signing.keeper(pool.clone(), settings).await?;
        for exported in &mut all {
            match audit::taken(&keeper, exported.partition).await?.0 {
                Taken::Signed(_) | Taken::Unchanged(_) | Taken::Empty => {}
                not_signed @ (Taken::Behind | Taken::Diverged(_)) => {
                    eprint!("dispense: {}", audit::page(exported.partition, &not_signed));
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    for exported in &mut all {
        let covered = stored::most_covered(&pool, exported.partition).await?;
        // What was written and signed meanwhile has to be there before its checkpoint is.
        if !arguments.checkpoints_only && covered > exported.last {
            segments::export(&log, &pool, &folder, exported, &mut progress).await?;
        }
        if covered > exported.last {
            let Exported { partition, last, .. } = exported;
            eprintln!(
                "dispense: log-diverged: partition {partition} ends at position {last}, and a \
                 checkpoint of it covers {covered}: it lost its tail"
            );
            code = ExitCode::FAILURE;
        }
        checkpoints::export(&pool, &folder, exported, covered).await?;
    }
    progress.finish();
    let erasures = checkpoints::erasures(&pool, &folder).await?;
    tell(&arguments, settings, &all, erasures)?;
    Ok(code)
}

/// Writes what log it is; of another log nothing is added to.
fn begin(folder: &Folder, log: LogSettings, key: Option<VerifierKey>) -> anyhow::Result<()> {
    let mut file = LogFile {
        log_id: log.log_id,
        partitions: log.partitions.count(),
        epoch: log.epoch.cast_unsigned(),
        key,
    };
    if let Some(text) = folder.read(dispense_audit::export::LOG)? {
        let before = LogFile::read(&text).with_context(|| {
            format!("{} is no log.json of an export; choose an empty folder", folder.shown())
        })?;
        if (before.log_id, before.partitions) != (file.log_id, file.partitions) {
            bail!(
                "{} has the export of another log ({}); choose an empty folder",
                folder.shown(),
                before.log_id
            );
        }
        // Without a key of its own, this run says nothing against what was known before.
        file.key = file.key.or(before.key);
    } else if !folder.is_empty()? {
        bail!("{} is not empty and no export; choose an empty folder", folder.shown());
    }
    folder.write(dispense_audit::export::LOG, &file.text())
}

/// How many rows are still to be exported.
async fn left(log: &PgLog, folder: &Folder, settings: LogSettings) -> anyhow::Result<u64> {
    let mut left = 0;
    for partition in settings.partitions.all() {
        let end = dispensary::LogPages::end(log, partition).await?.place.position.cast_unsigned();
        let last = segments::last_of(folder, partition)?.map_or(0, |last| last.position);
        left += end.saturating_sub(last);
    }
    Ok(left)
}

fn tell(
    arguments: &Arguments,
    log: LogSettings,
    all: &[Exported],
    erasures: u64,
) -> anyhow::Result<()> {
    let sum = |of: fn(&Exported) -> u64| all.iter().map(of).sum::<u64>();
    let (rows, segments) = (sum(|it| it.rows), sum(|it| it.segments));
    let checkpoints = sum(|it| it.checkpoints);
    if arguments.json {
        let partitions: Vec<Value> = all
            .iter()
            .map(|it| {
                let last = (it.last < u64::MAX).then_some(it.last);
                json!({"partition": it.partition, "last": last, "rows": it.rows,
                       "segments": it.segments, "checkpoints": it.checkpoints})
            })
            .collect();
        let told = json!({"logId": log.log_id, "rows": rows, "segments": segments,
                          "checkpoints": checkpoints, "erasures": erasures,
                          "partitions": partitions});
        print(&format!("{told}\n"))
    } else {
        print(&format!(
            "{rows} new events in {segments} new segments, {checkpoints} new checkpoints; \
             {erasures} erasures in all\ncheck it: dispense audit verify {} --key FILE\n",
            arguments.folder.display()
        ))
    }
}
