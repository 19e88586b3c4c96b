//! What files an export has.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::broken::{Broken, Fault, Kind, NotWhole, Place};
use super::folder::{CHECKPOINTS, ERASURES, EVENTS, LOG};

/// The files of an export, by partition.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The first positions of the segments.
    pub(super) segments: Vec<BTreeSet<u64>>,
    /// The sizes of the checkpoints.
    pub(super) checkpoints: Vec<BTreeSet<u64>>,
}

/// Lists the folder. A file whose name begins with a dot is not looked at; any other that no export
/// has is a fault, and the first of them by its path is told.
///
/// # Errors
///
/// [`Kind::Layout`]
pub(super) fn read(folder: &Path, partitions: u16) -> Result<Listing, NotWhole> {
    let mut strangers = BTreeSet::new();
    let tops: BTreeSet<String> = names(folder, "")?.into_iter().collect();
    if !tops.contains(ERASURES) {
        let fault = Fault::new(Kind::Layout, "a file, empty if nothing was erased", "none");
        return Err(fault.at(Place::file(ERASURES)).into());
    }
    for name in &tops {
        let kind = if [EVENTS, CHECKPOINTS].contains(&name.as_str()) {
            folder.join(name).is_dir()
        } else {
            [LOG, ERASURES].contains(&name.as_str()) && folder.join(name).is_file()
        };
        if !kind {
            strangers.insert(name.clone());
        }
    }
    let mut files = |top: &str, end: &str| {
        let has = tops.contains(top) && folder.join(top).is_dir();
        has.then(|| numbered(folder, (top, end), partitions, &mut strangers)).transpose()
    };
    let none = || vec![BTreeSet::new(); usize::from(partitions)];
    let listing = Listing {
        segments: files(EVENTS, ".ndjson")?.unwrap_or_else(none),
        checkpoints: files(CHECKPOINTS, ".txt")?.unwrap_or_else(none),
    };
    match strangers.into_iter().next() {
        None => Ok(listing),
        Some(stranger) => Err(strange(stranger).into()),
    }
}

fn strange(path: String) -> Broken {
    Fault::new(Kind::Layout, "only files that an export has", "another").at(Place::file(path))
}

/// The numbers of the files in the folders of the partitions.
fn numbered(
    folder: &Path,
    (top, end): (&str, &str),
    partitions: u16,
    strangers: &mut BTreeSet<String>,
) -> Result<Vec<BTreeSet<u64>>, NotWhole> {
    let mut all = vec![BTreeSet::new(); usize::from(partitions)];
    for name in names(folder, top)? {
        let path = format!("{top}/{name}");
        let partition = digits(&name, 4).and_then(|it| usize::try_from(it).ok());
        let found = partition.and_then(|it| all.get_mut(it));
        let (Some(found), true) = (found, folder.join(&path).is_dir()) else {
            strangers.insert(path);
            continue;
        };
        for name in names(folder, &path)? {
            let path = format!("{path}/{name}");
            let number = name.strip_suffix(end).and_then(|it| digits(it, 12));
            match number {
                Some(number) if folder.join(&path).is_file() => {
                    found.insert(number);
                }
                Some(_) | None => {
                    strangers.insert(path);
                }
            }
        }
    }
    Ok(all)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    (text.len() == count && text.bytes().all(|it| it.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// The names in a folder, without those that begin with a dot. A name that is not UTF-8 is shown
/// with marks in place of what cannot be read, and so is none that an export has.
fn names(folder: &Path, path: &str) -> Result<Vec<String>, NotWhole> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder.join(path))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    };
    let mut names = list().map_err(NotWhole::unread(if path.is_empty() { "." } else { path }))?;
    names.retain(|name| !name.starts_with('.'));
    Ok(names)
}
