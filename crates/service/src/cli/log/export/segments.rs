//! The rows of a partition, in segments that are never touched again.

use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, bail};
use dispensary::{LogPages, LogPosition};
use dispense_audit::chain::Hash;
use dispense_audit::{export as layout, line};
use dispense_postgres::{PgLog, export as stored};
use sqlx::PgPool;

use super::folder::Folder;
use super::{Exported, PAGE};
use crate::cli::progress::Progress;

/// How many rows a segment has at most.
const ROWS: u64 = 100_000;

/// How much of the end of a segment is read to find its last line: rows of a medication request with
/// as many items and codes as are taken are shorter.
const LAST_LINE: u64 = 4 * 1024 * 1024;

/// The last row that a folder has of a partition.
pub(super) struct Last {
    pub(super) position: u64,
    hash: Hash,
}

/// Exports what the folder does not have yet, up to what is there now.
pub(super) async fn export(
    log: &PgLog,
    pool: &PgPool,
    folder: &Folder,
    into: &mut Exported,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let partition = into.partition;
    let mut last = 0;
    if let Some(before) = last_of(folder, partition)? {
        let found = stored::row_hash(pool, partition, before.position).await?;
        if found != Some(before.hash) {
            bail!(
                "log-diverged: at position {} of partition {partition} the log is not what {} has; \
                 keep that export, it may be all that is left, and see docs/operations.md",
                before.position,
                folder.shown()
            );
        }
        last = before.position;
    }
    let end = log.end(partition).await?.place.position.cast_unsigned();
    while last < end {
        let until = end.min(last + ROWS);
        segment(log, folder, partition, (last, until), progress).await?;
        into.rows += until - last;
        into.segments += 1;
        last = until;
    }
    into.last = last;
    Ok(())
}

/// Writes the rows behind one position up to another.
async fn segment(
    log: &PgLog,
    folder: &Folder,
    partition: u16,
    (mut last, until): (u64, u64),
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut file = folder.begin(&layout::segment(partition, last + 1))?;
    while last < until {
        let left = u32::try_from(until - last).unwrap_or(PAGE).min(PAGE);
        let after = LogPosition { partition, position: last.cast_signed() };
        let lines = log.lines(after, left).await?;
        if lines.is_empty() {
            bail!(
                "log-diverged: the rows behind position {last} of partition {partition} are gone"
            );
        }
        for line in &lines {
            file.add(&line.text)?;
            file.add("\n")?;
        }
        last += lines.len() as u64;
        progress.add(lines.len() as u64);
    }
    file.finish()
}

/// The last row that the folder has of a partition.
pub(super) fn last_of(folder: &Folder, partition: u16) -> anyhow::Result<Option<Last>> {
    let name = layout::segment(partition, 0);
    let (segments, _) = name.rsplit_once('/').unwrap_or_default();
    let Some(first) = folder.numbers(segments, ".ndjson")?.pop() else { return Ok(None) };
    let name = layout::segment(partition, first);
    let broken = || format!("{name} of {} is no segment of an export", folder.shown());
    let mut file = std::fs::File::open(folder.path(&name)).with_context(broken)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_LINE)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let end = end.strip_suffix(b"\n").with_context(broken)?;
    let line = end.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let read = line::read(std::str::from_utf8(line).with_context(broken)?).with_context(broken)?;
    Ok(Some(Last { position: read.position.cast_unsigned(), hash: read.hash }))
}
