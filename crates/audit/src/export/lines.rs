//! The lines of a file, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

/// The longest line that is read.
pub(super) const LONGEST_LINE: u64 = 4 * 1024 * 1024;
/// How much of a file is read at once.
const BUFFER: usize = 256 * 1024;

/// Reads lines; each must end with a line break.
pub(super) struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    /// How many lines were read.
    pub(super) number: u64,
}

/// The next line, without its line break.
pub(super) enum Next<'a> {
    Line(&'a str),
    /// It is no line; the sentence says why.
    Fault(&'static str),
    End,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let reader = BufReader::with_capacity(BUFFER, File::open(path)?);
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    /// How many bytes the last line had, with its line break.
    pub(super) fn bytes(&self) -> u64 {
        self.line.len() as u64
    }

    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        self.line.clear();
        self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(Next::End);
        }
        self.number += 1;
        let Some((b'\n', line)) = self.line.split_last() else {
            let too_long = self.line.len() as u64 == LONGEST_LINE;
            return Ok(Next::Fault(if too_long {
                "a line that is too long"
            } else {
                "a line without its line break"
            }));
        };
        Ok(std::str::from_utf8(line).map_or(Next::Fault("bytes that are not UTF-8"), Next::Line))
    }
}
