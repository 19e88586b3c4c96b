//! What the service can do, one file for each thing.
//!
//! The way of a command:
//!
//! ```text
//! POST …            http        bytes ─▶ asker and wanted dispense; nothing unparsed goes further
//!   gather          dispensary  here: a command, with an id derived from the idempotency key
//!     wait          postgres    until the partition's next batch
//!       lock, read  postgres    log head; time, medication requests, registry version; streams
//!       decide      domain      events or every broken rule, one command after the other
//!       commit      postgres    the whole batch, events and personal bodies
//! answer            http        rendered from the recorded events
//! ─ ─ ─ the rest follows the log ─ ─ ─
//! position n ─▶ n+1 postgres    followers: read model and place in one transaction
//! ```
//!
//! [`Dispensary`] has a method for each thing that can be done; [`ports`] are the traits behind
//! which the outside stands. Start reading at [`hold`].

mod answer;
pub mod access;
pub mod asker;
mod balance;
mod cancel;
mod checkpoints;
mod content;
mod dispense;
mod dispenses_of;
pub mod document;
pub mod history;
pub mod hold;
pub mod events;
mod import;
mod orphans;
pub mod past;
pub mod ports;
pub mod positions;
pub mod process;
mod proofs;
mod qualify;
mod recorded;
mod registries;
mod requests;
pub mod search;
mod shown;

use std::sync::Arc;

use dispense_domain::Terms;

pub use answer::{Answer, CommandError, QueryError};
pub use asker::{Asker, ClientType, Scopes};
pub use balance::Balance;
pub use cancel::WantedCancel;
pub use checkpoints::{CheckpointCopies, CheckpointKey, Copied};
pub use dispense_domain::{SignatureFault, Signer};
pub use dispenses_of::DispensesOf;
pub use history::{History, Step};
pub use hold::WantedHold;
pub use import::{FaultyLine, ImportError, Line};
pub use events::{LogEnd, LogLine, LogPages};
pub use orphans::{Orphans, dispense_of_key, remove_orphans};
pub use past::{Moment, PastError, Reading};
pub use ports::{
    AppendError, Appended, Contents, EventLog, Kept, Opened, Origin, ReadDocument, Registry,
    Signatures, Stream, Tried, Unavailable, Unnamed,
};
pub use positions::{InvalidPositions, LogPositions, Model, PositionError, Positions};
pub use process::WantedProcess;
pub use proofs::{
    Asked, Consistency, Covered, Inclusion, LogHash, NoProof, ProvedRow, Proofs, SignedCheckpoint,
};
pub use qualify::Qualifiable;
pub use recorded::{LogPosition, Recorded};
pub use registries::{Registries, RequestRecords};
pub use requests::{InvalidRequestKey, RequestKey, Requested};
pub use search::{Criteria, Dispenses, Found};
pub use shown::Shown;

/// What stands around the dispensary.
#[derive(Clone)]
pub struct Outside {
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// How far the log goes, and how far read models have read it.
    pub positions: Arc<dyn Positions>,
    /// The registries.
    pub registry: Arc<dyn Registry>,
    /// All dispenses, to look among.
    pub dispenses: Arc<dyn Dispenses>,
    /// Who signed what.
    pub signatures: Arc<dyn Signatures>,
    /// Where signed containers are kept.
    /// The log itself, page by page.
    pub pages: Arc<dyn LogPages>,
    pub contents: Arc<dyn Contents>,
    /// How this installation decides.
    pub terms: Arc<Terms>,
}

/// The service, whatever door one comes through.
#[derive(Clone)]
pub struct Dispensary {
    log: Arc<dyn EventLog>,
    positions: Arc<dyn Positions>,
    registry: Arc<dyn Registry>,
    dispenses: Arc<dyn Dispenses>,
    signatures: Arc<dyn Signatures>,
    contents: Arc<dyn Contents>,
    terms: Arc<Terms>,
    pages: Arc<dyn LogPages>,
}

impl Dispensary {
    /// A dispensary among all that.
    #[must_use]
    pub fn new(outside: Outside) -> Self {
        let Outside { log, positions, registry, dispenses, pages, signatures, contents, terms } =
            outside;
        Self { log, positions, registry, dispenses, pages, signatures, contents, terms }
    }
}
