//! What a server says, in a file that does not grow for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Result, While};

/// A log that has grown beyond this is put aside at the next start.
const LOG_BYTES: u64 = 10 << 20;

/// How much of the log is shown when a start fails.
const SHOWN_BYTES: usize = 2_000;

/// Opens the log for appending, and answers how long it is.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES) {
        let _ = fs::rename(path, path.with_extension("log.old"));
    }
    let file = OpenOptions::new().append(true).create(true).open(path);
    let opened = file.and_then(|file| file.metadata().map(|found| (file, found.len())));
    opened.when(|| format!("open {}", path.display()))
}

/// All that was said since the log had this length.
pub(crate) fn since(path: &Path, before: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(before))?;
        file.read_to_end(&mut bytes)
    });
    // A log that cannot be read has nothing to say.
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

/// As much of the end of a text as people want to read.
pub(crate) fn tail(said: &str) -> &str {
    let start = said.len().saturating_sub(SHOWN_BYTES);
    said.get(said.ceil_char_boundary(start)..).unwrap_or_default().trim()
}

/// As much of the beginning of a text as people want to read.
pub(crate) fn head(said: &str) -> &str {
    said.get(..said.floor_char_boundary(SHOWN_BYTES)).unwrap_or_default().trim()
}
