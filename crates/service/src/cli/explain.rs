//! `dispense explain`: why a dispense could begin now, or could not, rule by rule.

mod asker;
mod page;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use dispense_http::MAX_BODY_BYTES;
use dispense_http::explanation::{self, Told};
use dispense_postgres::{PgLog, PgRegistry, pool};
use serde_json::json;
use uuid::Uuid;

use super::{database, print};
use crate::config::{Reader, home, terms};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
FILE is the body of POST /api/v1/dispenses, as the pharmacy sent it:

  dispense explain --request body.json
  echo '{\"prescriptionId\": …}' | dispense explain --request -

The database is that of DATABASE_URL, else of the `dispense dev` that runs on DISPENSE_HOME. The
settings that decide (TIME_ZONE, DEVIATION and the like) come from the environment or --config; let
them be those of the service. The rules are asked about this moment, on what the database says now.
Nothing is written, and a wrong verification code does not use up a try of the pharmacy.

Exit codes: 0 it would be granted, 1 it would be refused or could not be explained, 2 wrong usage.
What could not be explained ends in no line that says granted or refused; with --json it is a
document of title and detail that has no status.";

/// What stands in place of an idempotency key: whether it was asked before does not matter.
const NO_KEY: &str = "explain";

/// Options of `dispense explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The body of a create, or - for standard input
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The user who asks; the first with an approved job in the company if not given
    #[arg(long, value_name = "ID")]
    user: Option<Uuid>,
    /// The company that asks; the one that owns the pharmacy of the body if not given
    #[arg(long, value_name = "ID")]
    client: Option<Uuid>,
    /// Print the answer of a dry run, as JSON
    #[arg(long)]
    json: bool,
}

/// Explains, and tells by the exit code how it would end.
pub(crate) async fn run(reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let explained = explain(reader, &arguments).await;
    if let (Err(error), true) = (&explained, arguments.json) {
        // Who reads JSON finds some in any case. It is no answer of a rule: no status, no code.
        let title = "It could not be explained";
        print(&format!("{}\n", json!({ "title": title, "detail": format!("{error:#}") })))?;
    }
    explained
}

async fn explain(mut reader: Reader, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let home = home(&mut reader);
    let terms = match (terms(&mut reader), reader.mistakes()) {
        (Some(terms), None) => Arc::new(terms),
        (_, mistakes) => return Err(mistakes.unwrap_or_default().into()),
    };
    let body = body(&arguments.request)?;
    let wanted = match explanation::read_create(&body, terms.zone) {
        Ok(wanted) => wanted,
        Err(misread) => return tell(&misread, arguments),
    };

    let pool = pool(&database::of(reader, &home)?, 1);
    let settings = PgLog::settings(&pool, None).await?;
    let registry = PgRegistry::new(pool.clone(), settings.partitions, settings.log_id);
    let registries = registry.refresh().await.context("the registries cannot be read")?;
    let (user, client) = (arguments.user, arguments.client);
    let asker = asker::of(&registries, wanted.division_id, user, client)?;
    if let Some(taken) = asker::taken(&asker, user, client) {
        eprintln!("dispense: {taken}");
    }
    let command = wanted.command(&asker, NO_KEY);
    let rules = PgLog::to_read(pool, settings).explain(&registry, &command, &terms).await?;
    tell(&explanation::tell(&rules), arguments)
}

/// The bytes of the file, or of standard input; one more than the door takes is enough to know.
fn body(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    let most = MAX_BODY_BYTES as u64 + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut body)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut body))
    };
    read.with_context(|| format!("--request: cannot read {}", file.display()))?;
    Ok(body)
}

/// Prints what was said.
fn tell(told: &Told, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = if arguments.json { format!("{}\n", told.json) } else { page::of(&told.json)? };
    print(&text)?;
    Ok(if told.is_granted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
