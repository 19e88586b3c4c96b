//! One partition of an export, row after row.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::broken::{Fault, Kind, NotWhole, Place};
use super::checkpoints::{self, Kept, Trust};
use super::erasures::Erased;
use super::event::{self, Event};
use super::folder;
use super::lines::{Lines, Next};
use super::listing::Listing;
use super::log_file::LogFile;
use super::streams::{Share, Streams};
use super::summary::PartitionSummary;
use crate::chain::{self, Hash};
use crate::checkpoint::Checkpoint;
use crate::line::{self, Line};
use crate::note::LONGEST;
use crate::tree::Frontier;

/// How many rows are read before somebody is told, and may say to stop.
const TOLD_EVERY: u64 = 1_000;

/// An export, and what it is compared with.
pub(super) struct Export<'a> {
    pub(super) folder: &'a Path,
    pub(super) log: LogFile,
    pub(super) listing: Listing,
    pub(super) erased: Erased,
    pub(super) trust: &'a Trust,
    /// The most medication requests that are looked at in one walk.
    pub(super) most_streams: usize,
}

/// Told how many bytes were read; says whether to go on.
pub(super) type Progress<'a> = &'a dyn Fn(u64) -> Go;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    /// Nobody waits for the answer any more.
    Home,
}

/// Checks a partition; nothing is told where nobody waits for it any more.
///
/// # Errors
///
/// [`NotWhole`], with the first thing that is wrong.
pub(super) fn check(
    export: &Export<'_>,
    partition: u16,
    progress: Progress<'_>,
) -> Result<Option<PartitionSummary>, NotWhole> {
    let mut walk = Walk::begin(export, partition);
    let mut first = match walk.whole(progress) {
        Ok(Go::Home) => return Ok(None),
        Err(NotWhole::Broken(broken)) => Err(broken),
        Err(unread) => return Err(unread),
        Ok(Go::On) => Ok(()),
    };
    // What else is wrong with rows that fit so far may show in another share of them.
    let (mut until, share) = (walk.position, walk.streams.share.clone());
    let mut streams = walk.streams.count();
    for number in 1..share.of {
        let mut other = Walk::begin(export, partition);
        other.looks = Looks::AtEvents;
        other.streams = Streams::of(share.another(number), usize::MAX);
        match other.segments(until, &|_| progress(0)) {
            Ok(Go::On) => streams += other.streams.count(),
            Ok(Go::Home) => return Ok(None),
            Err(NotWhole::Broken(broken)) => {
                until = other.position.saturating_sub(1);
                first = Err(broken);
            }
            Err(unread) => return Err(unread),
        }
    }
    first.map_err(NotWhole::Broken)?;
    Ok(Some(PartitionSummary { medication_requests: streams, ..walk.summary() }))
}

/// What a walk looks at.
#[derive(Debug, Clone, Copy)]
enum Looks {
    /// Chain, tree, checkpoints, and the events of the first share.
    AtAll,
    /// The events of another share, in rows that are known to fit.
    AtEvents,
}

struct Walk<'a> {
    looks: Looks,
    export: &'a Export<'a>,
    partition: u16,
    /// How many rows were taken.
    position: u64,
    hash: Hash,
    recorded_at: i64,
    tree: Frontier,
    streams: Streams,
    place: Place,
    epoch: u64,
    covered: u64,
    erasures_covered: u64,
    signed_by: BTreeSet<String>,
    kept: BTreeMap<u64, Vec<&'a Kept>>,
}

impl<'a> Walk<'a> {
    fn begin(export: &'a Export<'a>, partition: u16) -> Self {
        let mut kept: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for one in export.trust.kept.iter().filter(|it| it.checkpoint.partition == partition) {
            kept.entry(one.checkpoint.size).or_default().push(one);
        }
        Self {
            looks: Looks::AtAll,
            export,
            partition,
            position: 0,
            hash: chain::first(export.log.log_id, partition, export.log.partitions),
            recorded_at: i64::MIN,
            tree: Frontier::default(),
            streams: Streams::of(Share::whole(), export.most_streams),
            place: Place { partition: Some(partition), ..Place::default() },
            epoch: 0,
            covered: 0,
            erasures_covered: 0,
            signed_by: BTreeSet::new(),
            kept,
        }
    }

    fn summary(self) -> PartitionSummary {
        PartitionSummary {
            partition: self.partition,
            rows: self.position,
            covered: self.covered,
            erasures_covered: self.erasures_covered,
            checkpoints: self.export.listing.checkpoints[usize::from(self.partition)].len() as u64,
            medication_requests: self.streams.count(),
            hash: self.hash,
            root: self.tree.root(),
            signed_by: self.signed_by,
        }
    }

    fn whole(&mut self, progress: Progress<'_>) -> Result<Go, NotWhole> {
        self.checkpoints()?;
        let go = self.segments(u64::MAX, progress)?;
        if go == Go::On {
            self.tail()?;
        }
        Ok(go)
    }

    /// Takes line after line, up to that position.
    fn segments(&mut self, until: u64, progress: Progress<'_>) -> Result<Go, NotWhole> {
        for first in &self.export.listing.segments[usize::from(self.partition)] {
            if self.position == until {
                break;
            }
            let file = folder::segment(self.partition, *first);
            self.place.file = Some(file.clone());
            if *first != self.position + 1 {
                let expected = folder::segment(self.partition, self.position + 1);
                return Err(self.broken(Fault::new(Kind::Layout, expected, &file)));
            }
            if self.segment(&file, until, progress)? == Go::Home {
                return Ok(Go::Home);
            }
        }
        Ok(Go::On)
    }

    fn segment(&mut self, file: &str, until: u64, progress: Progress<'_>) -> Result<Go, NotWhole> {
        let open = Lines::open(&self.export.folder.join(file));
        let mut lines = open.map_err(NotWhole::unread(file))?;
        let mut bytes = 0;
        while self.position < until {
            let before = self.position;
            let taken = match lines.next().map_err(NotWhole::unread(file))? {
                Next::End => break,
                Next::Line(text) => self.line(text),
                Next::Fault(found) => Err(Fault::new(Kind::Line, "a line", found)),
            };
            if let Err(fault) = taken {
                self.place.line = Some(lines.number);
                let place = Place { position: Some(before + 1), ..self.place.clone() };
                return Err(fault.at(place).into());
            }
            if let Looks::AtAll = self.looks {
                self.checkpoints()?;
            }
            bytes += lines.bytes();
            if lines.number.is_multiple_of(TOLD_EVERY) {
                if progress(bytes) == Go::Home {
                    return Ok(Go::Home);
                }
                bytes = 0;
            }
        }
        if lines.number == 0 {
            return Err(self.broken(Fault::new(Kind::Layout, "a row", "an empty file")));
        }
        Ok(progress(bytes))
    }

    fn line(&mut self, text: &str) -> Result<(), Fault> {
        let line =
            line::read(text).map_err(|why| Fault::new(Kind::Line, "a line with an event", why))?;
        match self.looks {
            Looks::AtAll => {
                let event = self.row(&line)?;
                self.streams.take(&event)
            }
            Looks::AtEvents => {
                self.position += 1;
                let request = line.medication_request_id.parse();
                if !request.is_ok_and(|request| self.streams.share.has(request)) {
                    return Ok(());
                }
                self.streams.take(&event::read(&line, self.export.log.partitions)?)
            }
        }
    }

    fn broken(&self, fault: Fault) -> NotWhole {
        fault.at(Place { position: Some(self.position + 1), ..self.place.clone() }).into()
    }

    /// Takes a row, if it follows on the one before.
    fn row(&mut self, line: &Line<'_>) -> Result<Event, Fault> {
        if line.partition != self.partition {
            let expected = format!("partition {}", self.partition);
            return Err(Fault::new(Kind::Partition, expected, line.partition));
        }
        let position = self.position + 1;
        if u64::try_from(line.position) != Ok(position) {
            let expected = format!("position {position}");
            return Err(Fault::new(Kind::Position, expected, line.position));
        }
        let hash = chain::next(&self.hash, &line.row());
        if hash != line.hash {
            let expected = format!("hash {}", hex::encode(hash));
            return Err(Fault::new(Kind::Hash, expected, hex::encode(line.hash)));
        }
        self.position = position;
        self.hash = hash;
        self.tree.append(&hash, |_, _| {});
        if line.recorded_at < self.recorded_at {
            let expected = "a time that is not before that of the last row";
            let found = crate::instant::written(line.recorded_at).unwrap_or_default();
            return Err(Fault::new(Kind::Time, expected, found));
        }
        self.recorded_at = line.recorded_at;
        event::read(line, self.export.log.partitions)
    }

    /// Compares what was taken with the checkpoints of that size.
    fn checkpoints(&mut self) -> Result<(), NotWhole> {
        let here = &self.export.listing.checkpoints[usize::from(self.partition)];
        if here.contains(&self.position) {
            self.checkpoint(self.position)?;
        }
        for kept in self.kept.remove(&self.position).into_iter().flatten() {
            let fault = checkpoints::compare_erasures(&kept.checkpoint, &self.export.erased)
                .and_then(|()| {
                    checkpoints::compare_root(&kept.checkpoint, &self.tree.root(), Kind::Kept)
                });
            let place = || self.checkpoint_place(kept.name.clone(), self.position);
            fault.map_err(|fault| fault.at(place()))?;
            self.covers(&kept.checkpoint);
        }
        Ok(())
    }

    fn checkpoint_place(&self, file: String, size: u64) -> Place {
        let (partition, position) = (Some(self.partition), Some(size));
        Place { partition, position, file: Some(file), line: None }
    }

    /// Opens the checkpoint of that size, and compares it with the rows if they are so many.
    fn checkpoint(&mut self, size: u64) -> Result<(), NotWhole> {
        let file = folder::checkpoint(self.partition, size);
        let note = read_bounded(&self.export.folder.join(&file));
        let note = note.map_err(NotWhole::unread(&file))?;
        let export = self.export;
        let named = (self.partition, size);
        let opened = checkpoints::open(&note, &export.trust.keys, &export.log, named, self.epoch);
        let compared = opened.and_then(|opened| {
            checkpoints::compare_erasures(&opened.checkpoint, &export.erased)?;
            if size == self.position {
                checkpoints::compare_root(&opened.checkpoint, &self.tree.root(), Kind::Root)?;
            }
            Ok(opened)
        });
        let signed = compared.map_err(|fault| fault.at(self.checkpoint_place(file, size)))?;
        self.epoch = signed.checkpoint.epoch;
        self.signed_by.extend(signed.signed_by);
        self.covers(&signed.checkpoint);
        Ok(())
    }

    fn covers(&mut self, checkpoint: &Checkpoint) {
        self.covered = self.covered.max(checkpoint.size);
        self.erasures_covered = self.erasures_covered.max(checkpoint.erasures.number);
    }

    /// Nothing that a checkpoint covers may be missing at the end.
    fn tail(&mut self) -> Result<(), NotWhole> {
        let export = self.export;
        let here = &export.listing.checkpoints[usize::from(self.partition)];
        let larger = here.range(self.position + 1..).next().copied();
        let missing = match larger {
            Some(size) => {
                self.checkpoint(size)?;
                Some((size, folder::checkpoint(self.partition, size)))
            }
            None => self.kept.iter().next().map(|(size, kept)| {
                (*size, kept.first().map(|kept| kept.name.clone()).unwrap_or_default())
            }),
        };
        let Some((size, file)) = missing else { return Ok(()) };
        let found = format!("{} rows", self.position);
        let fault = Fault::new(Kind::Tail, format!("at least {size} rows"), found);
        Err(fault.at(self.checkpoint_place(file, self.position + 1)).into())
    }
}

/// Reads a note, and not much more than the longest.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut note = Vec::new();
    let longest = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    std::fs::File::open(path)?.take(longest + 1).read_to_end(&mut note)?;
    Ok(note)
}
