//! The check of a whole export.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{fs, thread};

use super::broken::{Broken, Fault, Kind, NotWhole, Place};
use super::checkpoints::{Kept, Trust};
use super::erasures;
use super::folder::{self, LOG};
use super::listing;
use super::log_file::LogFile;
use super::partition::{self, Export, Go};
use super::streams::MOST_STREAMS;
use super::summary::{PartitionSummary, Summary};

/// How many partitions are checked side by side.
const SIDE_BY_SIDE: usize = 2;
/// The longest `log.json`.
const LONGEST_LOG: u64 = 64 * 1024;

/// Checks an export from nothing but itself, and what the auditor trusts and has kept. Told are
/// bytes that were checked; [`extent`] says how many there are.
///
/// # Errors
///
/// [`NotWhole::Broken`] names the first thing that is wrong: `log.json`, then the names of files,
/// then erasures, then the partitions one after the other.
pub fn verify(
    folder: &Path,
    trust: &Trust,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Summary, NotWhole> {
    verify_with(folder, trust, progress, MOST_STREAMS)
}

pub(super) fn verify_with(
    folder: &Path,
    trust: &Trust,
    progress: &(dyn Fn(u64) + Sync),
    most_streams: usize,
) -> Result<Summary, NotWhole> {
    let log = log(folder)?;
    let listing = listing::read(folder, log.partitions)?;
    let erased = erasures::read(folder, log.log_id)?;
    for kept in &trust.kept {
        of_this_log(kept, &log)?;
    }
    let export = Export { folder, log, listing, erased, trust, most_streams };
    let partitions = side_by_side(&export, progress)?;
    let Export { log, erased, .. } = export;
    Ok(Summary { log_id: log.log_id, epoch: log.epoch, erasures: erased.count(), partitions })
}

/// Reads `log.json`.
///
/// # Errors
///
/// [`Kind::Log`]
pub fn log(folder: &Path) -> Result<LogFile, NotWhole> {
    let wrong = |found: String| -> NotWhole {
        Fault::new(Kind::Log, "what log it is", found).at(Place::file(LOG)).into()
    };
    let path = folder.join(LOG);
    if !path.is_file() {
        return Err(wrong("no file".to_owned()));
    }
    let length = fs::metadata(&path).map_err(NotWhole::unread(LOG))?.len();
    if length > LONGEST_LOG {
        return Err(wrong("a long file".to_owned()));
    }
    let text = fs::read(&path).map_err(NotWhole::unread(LOG))?;
    let text = String::from_utf8(text).map_err(|why| wrong(why.to_string()))?;
    LogFile::read(&text).map_err(|why| wrong(why.to_string()))
}

/// How much there is to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many bytes of rows.
    pub bytes: u64,
    /// How many checkpoints.
    pub checkpoints: u64,
}

/// Says how much there is to check, before it is checked.
///
/// # Errors
///
/// [`NotWhole`], if it cannot be told what files it has.
pub fn extent(folder: &Path) -> Result<Extent, NotWhole> {
    let log = log(folder)?;
    let listing = listing::read(folder, log.partitions)?;
    let mut extent = Extent { bytes: 0, checkpoints: 0 };
    for (partition, firsts) in (0..).zip(&listing.segments) {
        for first in firsts {
            let file = folder::segment(partition, *first);
            let length = fs::metadata(folder.join(&file)).map_err(NotWhole::unread(&file))?.len();
            extent.bytes += length;
        }
    }
    extent.checkpoints = listing.checkpoints.iter().map(|sizes| sizes.len() as u64).sum();
    Ok(extent)
}

fn of_this_log(kept: &Kept, log: &LogFile) -> Result<(), Broken> {
    let found = &kept.checkpoint;
    let expected = if found.log_id != log.log_id {
        format!("log {}", found.log_id)
    } else if found.partition >= log.partitions {
        format!("partition {}", found.partition)
    } else if found.epoch > log.epoch {
        format!("epoch {} or later", found.epoch)
    } else {
        return Ok(());
    };
    let has = format!("log {} of {} partitions, epoch {}", log.log_id, log.partitions, log.epoch);
    Err(Fault::new(Kind::Kept, expected, has).at(Place::file(kept.name.clone())))
}

/// Checks all partitions. What is told is the first partition's that is broken, whichever was
/// checked first.
fn side_by_side(
    export: &Export<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<PartitionSummary>, NotWhole> {
    let (next, broken) = (AtomicU16::new(0), AtomicU16::new(u16::MAX));
    let found = Mutex::new(Vec::new());
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= export.log.partitions || number > broken.load(Ordering::Relaxed) {
            break;
        }
        let tell = |bytes| {
            progress(bytes);
            if number > broken.load(Ordering::Relaxed) { Go::Home } else { Go::On }
        };
        let checked = partition::check(export, number, &tell);
        if checked.is_err() {
            broken.fetch_min(number, Ordering::Relaxed);
        }
        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.push((number, checked));
    };
    thread::scope(|scope| {
        for _ in 1..SIDE_BY_SIDE {
            scope.spawn(work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    // Whoever was sent home stands behind a partition that is broken.
    found.into_iter().filter_map(|(_, checked)| checked.transpose()).collect()
}
