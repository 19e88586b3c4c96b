//! What can go wrong with the store: for us alone, behind [`Unavailable`].

use std::path::PathBuf;
use std::time::Duration;

use dispensary::Unavailable;

/// Why something could not be kept, found or listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The store said so.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// The file system said so.
    #[error("the folder {} cannot be used", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// It is not the folder that was there at the start.
    #[error(
        "the folder {} was replaced while it was used, or another file system is mounted there \
         than at the start; mount the right one, or start the service again", path.display()
    )]
    OtherFolder { path: PathBuf },
    /// A key with other bytes than it promises. Neither is touched: somebody has to look.
    #[error("what is kept under {key} is damaged: it does not have the SHA-256 of its key")]
    Damaged { key: String },
    /// A key that no container can have.
    #[error("{key} is not the key of this container: expected <dispense id>/<its SHA-256>")]
    Misnamed { key: String },
    /// What was written at the start came back as something else.
    #[error("what was written to it could not be read back as it was")]
    Forgetful,
    /// Nothing came back.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// The work ended without an outcome.
    #[error("the work on it was broken off")]
    BrokenOff(#[from] tokio::task::JoinError),
    /// The machine has no random numbers.
    #[error("no random number could be drawn: {0}")]
    NoRandomness(getrandom::Error),
}

impl From<Fault> for Unavailable {
    fn from(fault: Fault) -> Self {
        Self { what: "the content store", source: fault.into() }
    }
}
