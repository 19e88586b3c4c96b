//! Checkpoints: whom to believe, and whether one agrees with the export.

use std::collections::BTreeSet;

use super::broken::{Fault, Kind};
use super::erasures::Erased;
use super::log_file::LogFile;
use crate::chain::Hash;
use crate::checkpoint::Checkpoint;
use crate::note::{self, NotBelieved, VerifierKey};

/// Whom an auditor believes, and what he or she kept.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The keys whose signatures count.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints that were kept elsewhere.
    pub kept: Vec<Kept>,
}

/// A checkpoint that was kept elsewhere, and is believed.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What it is called when it does not agree, such as the name of its file.
    pub name: String,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// Why a checkpoint that was kept cannot be compared with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It is not believed.
    #[error(transparent)]
    NotBelieved(#[from] NotBelieved),
    /// The text that was signed is not that of a checkpoint.
    #[error(transparent)]
    NoCheckpoint(#[from] crate::checkpoint::NoCheckpoint),
}

impl Kept {
    /// Opens a signed note.
    ///
    /// # Errors
    ///
    /// [`NotKept`]
    pub fn open(name: String, note: &[u8], keys: &[VerifierKey]) -> Result<Self, NotKept> {
        let opened = note::open(note, keys)?;
        Ok(Self { name, checkpoint: Checkpoint::read(opened.text)? })
    }
}

/// A checkpoint of the export, and who signed it.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) checkpoint: Checkpoint,
    pub(super) signed_by: BTreeSet<String>,
}

/// Opens the note of a file that is named for that partition and size.
///
/// # Errors
///
/// [`Kind::Checkpoint`], [`Kind::Signature`]
pub(super) fn open(
    note: &[u8],
    keys: &[VerifierKey],
    log: &LogFile,
    (partition, size): (u16, u64),
    last_epoch: u64,
) -> Result<Signed, Fault> {
    let malformed =
        |found: &dyn std::fmt::Display| Fault::new(Kind::Checkpoint, "a signed checkpoint", found);
    let opened = note::open(note, keys).map_err(|why| match why {
        NotBelieved::Malformed(_) => malformed(&why),
        NotBelieved::WrongSignature(_) | NotBelieved::Unknown(_) => {
            Fault::new(Kind::Signature, "the signature of a trusted key", why)
        }
    })?;
    let signed_by = opened.signed_by.iter().map(ToString::to_string).collect();
    let checkpoint = Checkpoint::read(opened.text).map_err(|why| malformed(&why))?;
    let expected = Checkpoint { log_id: log.log_id, partition, size, ..checkpoint };
    if checkpoint != expected {
        let shown = |it: &Checkpoint| format!("{}/{} at {}", it.log_id, it.partition, it.size);
        return Err(Fault::new(Kind::Checkpoint, shown(&expected), shown(&checkpoint)));
    }
    if !(last_epoch..=log.epoch).contains(&checkpoint.epoch) {
        let expected = format!("an epoch from {last_epoch} to {}", log.epoch);
        return Err(Fault::new(Kind::Checkpoint, expected, checkpoint.epoch));
    }
    Ok(Signed { checkpoint, signed_by })
}

/// Compares a checkpoint with the erasures of the export.
///
/// # Errors
///
/// [`Kind::Erasure`]
pub(super) fn compare_erasures(checkpoint: &Checkpoint, erased: &Erased) -> Result<(), Fault> {
    let claimed = checkpoint.erasures;
    let expected = format!("erasure {} with hash {}", claimed.number, hex::encode(claimed.hash));
    match erased.hash(claimed.number) {
        Some(hash) if hash == claimed.hash => Ok(()),
        Some(hash) => Err(Fault::new(Kind::Erasure, expected, hex::encode(hash))),
        None => {
            let found = format!("{} erasures", erased.count());
            Err(Fault::new(Kind::Erasure, expected, found))
        }
    }
}

/// Compares a checkpoint with the root over as many rows as it covers.
///
/// # Errors
///
/// The kind that is given.
pub(super) fn compare_root(checkpoint: &Checkpoint, root: &Hash, kind: Kind) -> Result<(), Fault> {
    if checkpoint.root == *root {
        return Ok(());
    }
    let expected = format!("root {} over {} rows", hex::encode(checkpoint.root), checkpoint.size);
    Err(Fault::new(kind, expected, hex::encode(root)))
}
