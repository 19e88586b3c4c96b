//! A rebuild of all read models, next to a plain COPY of the same events.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::database::DISPENSE;
use crate::machine::{Memory, Watched};
use crate::report::progress;
use crate::stage::Stage;

/// What a rebuild has shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rebuilt {
    pub(crate) events: usize,
    /// How long the rebuild took, from the start of its process to its end.
    pub(crate) took: Duration,
    /// How long the COPY took.
    pub(crate) copied: Duration,
    /// The most memory of the service that ran meanwhile, and of the rebuild.
    pub(crate) service: u64,
    pub(crate) rebuild: u64,
}

/// Rebuilds all read models while the service runs.
pub(super) fn rebuild(stage: &Stage) -> anyhow::Result<(Duration, u64, u64)> {
    let service = stage.program.serve()?;
    let start = Instant::now();
    let watched = Watched::run(stage.program.rebuild())?;
    let took = start.elapsed();
    ensure!(watched.success, "the rebuild failed: {}", watched.said);
    Ok((took, Memory::of(service.id())?.peak, watched.peak))
}

/// Rebuilds, and copies the same events.
pub(super) fn measure(stage: &Stage) -> anyhow::Result<Rebuilt> {
    let database = &stage.database;
    progress("making all read models anew");
    database.checkpoint()?;
    let (took, service, rebuild) = rebuild(stage)?;
    let events = database.ask(DISPENSE, "SELECT count(*) FROM events")?.trim().parse()?;

    progress("copying the same events");
    let file = database.writable("events.copy")?;
    let path = file.display();
    database.tell(DISPENSE, &format!("COPY events TO '{path}' (FORMAT binary)"))?;
    database.tell(DISPENSE, "CREATE TABLE events_copied (LIKE events)")?;
    database.checkpoint()?;
    let start = Instant::now();
    database.tell(DISPENSE, &format!("COPY events_copied FROM '{path}' (FORMAT binary)"))?;
    let copied = start.elapsed();
    database.tell(DISPENSE, "DROP TABLE events_copied")?;
    fs::remove_file(&file)?;
    Ok(Rebuilt { events, took, copied, service, rebuild })
}
