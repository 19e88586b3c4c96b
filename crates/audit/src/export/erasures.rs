//! The chain of erasures in an export.

use std::path::Path;

use uuid::Uuid;

use super::broken::{Fault, Kind, NotWhole, Place};
use super::folder::ERASURES;
use super::json::Json;
use super::lines::{Lines, Next};
use crate::chain::Hash;
use crate::{erasure, line};

/// Whom an erasure can be about.
const KINDS: [&str; 2] = ["person", "party"];

/// The hashes of all erasures; the first is the one before them.
pub(super) struct Erased(Vec<Hash>);

impl Erased {
    /// How many erasures there were.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64 - 1
    }

    /// The hash of that erasure.
    pub(super) fn hash(&self, number: u64) -> Option<Hash> {
        self.0.get(usize::try_from(number).ok()?).copied()
    }
}

/// Reads all erasures.
///
/// # Errors
///
/// [`Kind::Line`], [`Kind::Erasure`]
pub(super) fn read(folder: &Path, log_id: Uuid) -> Result<Erased, NotWhole> {
    let mut lines = Lines::open(&folder.join(ERASURES)).map_err(NotWhole::unread(ERASURES))?;
    let mut previous = erasure::first(log_id);
    let mut hashes = vec![previous];
    loop {
        let number = hashes.len();
        let hash = match lines.next().map_err(NotWhole::unread(ERASURES))? {
            Next::End => return Ok(Erased(hashes)),
            Next::Line(text) => next(text, number, &previous),
            Next::Fault(found) => Err(Fault::new(Kind::Line, "a line", found)),
        };
        previous = hash.map_err(|fault| {
            let line = Some(lines.number);
            fault.at(Place { line, ..Place::file(ERASURES) })
        })?;
        hashes.push(previous);
    }
}

fn next(text: &str, number: usize, previous: &Hash) -> Result<Hash, Fault> {
    let found = line::read_erasure(text)
        .map_err(|why| Fault::new(Kind::Line, "a line with an erasure", why))?;
    if usize::try_from(found.number) != Ok(number) {
        return Err(Fault::new(Kind::Erasure, format!("number {number}"), found.number));
    }
    let hash = erasure::next(previous, &found.erasure());
    if hash != found.hash {
        let expected = format!("hash {}", hex::encode(hash));
        return Err(Fault::new(Kind::Erasure, expected, hex::encode(found.hash)));
    }
    if !KINDS.contains(&found.kind) {
        return Err(Fault::new(Kind::Erasure, "kind person or party", found.kind));
    }
    if !matches!(Json::read(found.places), Ok(Json::List(_))) {
        return Err(Fault::new(Kind::Erasure, "a list of places", found.places));
    }
    Ok(hash)
}
