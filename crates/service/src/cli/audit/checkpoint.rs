//! `dispense audit checkpoint`: signs what the log is now; `dispense audit key`: the key for that.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use dispense_audit::note::SigningKey;
use dispense_content::ObjectContents;
use dispense_postgres::{CheckpointKeeper, Finding, LogSettings, NotTaken, PgLog, Taken, pool};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::super::{database, print};
use crate::checkpoints;
use crate::config::{Reader, checkpoint_key_of, content_store, home};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
Holds each partition of the log against its last checkpoints, and signs a new one where it grew, or an
erasure was recorded. The key is that of CHECKPOINT_KEY, else of the `dispense dev` on DISPENSE_HOME;
the copies go where CONTENT_STORE_URL says. Let these be the settings of the service.

Exit codes: 0 the log is what its checkpoints say, 1 it is not (log-diverged) or could not be read,
2 wrong usage. docs/operations.md says what to do.";

/// Connections to the database.
const CONNECTIONS: u32 = 2;

/// How often a checkpoint is tried while the tree is still behind what was signed.
const TRIES: u32 = 20;

/// The pause between two tries.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// Options of `dispense audit checkpoint`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write missing copies into the object store again, from what the database has; a copy that is
    /// another one is never overwritten
    #[arg(long)]
    restore_copies: bool,
    /// Print the checkpoints as JSON
    #[arg(long)]
    json: bool,
}

/// Options of `dispense audit key`.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArguments {
    /// The file to make; the key that verifies is written beside it, with `.pub` at the end
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the key: best an address that is yours, such as dispense.example.org
    #[arg(long)]
    name: String,
}

/// With what checkpoints are signed, and where their copies go.
pub(crate) struct Signing {
    pub(crate) key: Arc<SigningKey>,
    store: String,
}

impl Signing {
    /// Reads it; none where no key is named, and none was made by `dispense dev`.
    pub(crate) fn read(reader: &mut Reader, home: &Path) -> anyhow::Result<Option<Self>> {
        let key = checkpoint_key_of(reader).or_else(|| checkpoints::kept_key(home));
        let store = content_store(reader);
        match reader.mistakes() {
            Some(mistakes) => Err(mistakes.into()),
            None => Ok(key.map(|key| Self { key, store })),
        }
    }

    /// Who signs them.
    pub(crate) async fn keeper(
        self,
        pool: PgPool,
        log: LogSettings,
    ) -> anyhow::Result<CheckpointKeeper> {
        let copies = Arc::new(ObjectContents::open(&self.store).await?);
        Ok(CheckpointKeeper::new(pool, log, self.key, copies))
    }
}

/// Takes a checkpoint, and waits for the tree where that is still to be read on.
pub(crate) async fn taken(
    keeper: &CheckpointKeeper,
    partition: u16,
) -> Result<(Taken, Finding), NotTaken> {
    for _ in 1..TRIES {
        let looked = keeper.look_after(partition).await?;
        match looked.0 {
            Taken::Behind => tokio::time::sleep(PAUSE).await,
            Taken::Signed(_) | Taken::Unchanged(_) | Taken::Empty | Taken::Diverged(_) => {
                return Ok(looked);
            }
        }
    }
    keeper.look_after(partition).await
}

/// Signs, and prints what was signed.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let home = home(&mut reader);
    let Some(signing) = Signing::read(&mut reader, &home)? else {
        bail!("CHECKPOINT_KEY is not set; make a key with `dispense audit key FILE --name NAME`");
    };
    let pool = pool(&database::of(reader, &home)?, CONNECTIONS);
    let log = PgLog::settings(&pool, None).await?;
    let keeper = signing.keeper(pool, log).await?;
    let (mut all, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for partition in log.partitions.all() {
        if arguments.restore_copies {
            restore(&keeper, partition).await?;
        }
        let (taken, found) = taken(&keeper, partition).await?;
        if let Some(why) = found.lost_why {
            code = ExitCode::FAILURE;
            eprintln!("dispense: partition {partition}: copies of checkpoints: {why}");
        }
        if matches!(taken, Taken::Diverged(_) | Taken::Behind) {
            code = ExitCode::FAILURE;
        }
        all.push((partition, taken));
    }
    if arguments.json {
        let all: Vec<Value> = all.iter().map(|(partition, it)| json(*partition, it)).collect();
        print(&format!("{}\n", json!({ "partitions": all })))?;
    } else {
        let all: String = all.iter().map(|(partition, it)| page(*partition, it)).collect();
        print(&all)?;
    }
    Ok(code)
}

async fn restore(keeper: &CheckpointKeeper, partition: u16) -> anyhow::Result<()> {
    let restored = keeper.restore_copies(partition).await?;
    if restored.written > 0 {
        eprintln!("dispense: partition {partition}: {} copies were missing", restored.written);
    }
    for other in restored.others {
        eprintln!(
            "dispense: {other}: another text stands there and was left; find out whose it is, move \
             it away, and run this again"
        );
    }
    Ok(())
}

/// What became of a partition, for people.
pub(crate) fn page(partition: u16, taken: &Taken) -> String {
    match taken {
        Taken::Signed(it) => {
            format!("partition {partition}: signed at size {}\n{}\n", it.size, it.note)
        }
        Taken::Unchanged(it) => format!("partition {partition}: unchanged at size {}\n", it.size),
        Taken::Empty => format!("partition {partition}: no events yet\n"),
        Taken::Behind => {
            format!("partition {partition}: the tree is behind; is the service running?\n")
        }
        Taken::Diverged(why) => format!("partition {partition}: log-diverged: {why}\n"),
    }
}

fn json(partition: u16, taken: &Taken) -> Value {
    let (outcome, checkpoint, why) = match taken {
        Taken::Signed(it) => ("signed", Some(it), None),
        Taken::Unchanged(it) => ("unchanged", Some(it), None),
        Taken::Empty => ("empty", None, None),
        Taken::Behind => ("behind", None, None),
        Taken::Diverged(why) => ("log-diverged", None, Some(why)),
    };
    json!({"partition": partition, "outcome": outcome, "why": why,
           "size": checkpoint.map(|it| it.size), "note": checkpoint.map(|it| &*it.note)})
}

/// Makes a key, and prints the line that verifies.
pub(super) fn make_key(arguments: &KeyArguments) -> anyhow::Result<ExitCode> {
    let key = checkpoints::make_key(&arguments.file, &arguments.name)
        .with_context(|| format!("no key was made in {}", arguments.file.display()))?;
    print(&format!("{}\n", key.verifier()))?;
    Ok(ExitCode::SUCCESS)
}
