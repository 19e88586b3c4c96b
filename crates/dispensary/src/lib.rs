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

pub mod access;
pub mod announcement;
mod answer;
pub mod asker;
mod balance;
mod cancel;
mod checkpoints;
mod content;
pub mod cursor;
mod dispense;
mod dispenses_of;
pub mod document;
pub mod events;
pub mod history;
pub mod hold;
mod import;
pub mod list;
pub mod messages;
mod orphans;
pub mod past;
pub mod patient_history;
pub mod ports;
pub mod positions;
pub mod process;
mod proofs;
mod qualify;
mod recorded;
mod registries;
pub mod registry_changes;
pub mod registry_stream;
pub mod reimbursement;
pub mod relay;
pub mod report;
mod requests;
pub mod search;
mod shown;
mod verify;

use std::sync::Arc;

use dispense_domain::Terms;

pub use announcement::{Announcement, Fact, Topic};
pub use answer::{Answer, CommandError, QueryError};
pub use asker::{Asker, ClientType, Scopes};
pub use balance::Balance;
pub use cancel::WantedCancel;
pub use checkpoints::{CheckpointCopies, CheckpointKey, Copied};
pub use dispense_domain::{SignatureFault, Signer};
pub use dispenses_of::{Beginning, DispensesOf, PageOf, RestOf};
pub use events::{LogEnd, LogLine, LogPages};
pub use history::{History, Step};
pub use hold::WantedHold;
pub use import::{FaultyLine, ImportError, Line};
pub use messages::{LogFacts, MessagePage};
pub use orphans::{Orphans, dispense_of_key, remove_orphans};
pub use past::{Moment, PastError, Reading};
pub use patient_history::Histories;
pub use ports::{
    AppendError, Appended, Contents, EventLog, Kept, Opened, Origin, ReadDocument, Registry,
    Signatures, Stored, Stream, Tried, Unavailable, Unnamed,
};
pub use positions::{InvalidPositions, LogPositions, Model, PositionError, Positions};
pub use process::WantedProcess;
pub use proofs::{
    Asked, Consistency, Covered, Inclusion, LogHash, NoProof, Proofs, ProvedRow, SignedCheckpoint,
};
pub use qualify::Qualifiable;
pub use recorded::{LogPosition, Recorded};
pub use registries::{Registries, RequestRecords};
pub use reimbursement::Reimbursements;
pub use report::Reports;
pub use requests::{InvalidRequestKey, RequestKey, Requested};
pub use search::{Criteria, Dispenses, Found};
pub use shown::Shown;
pub use verify::{Verdict, VerifiedDispense};

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
    /// The events of patients, to look among.
    pub histories: Arc<dyn Histories>,
    /// Daily totals.
    pub reports: Arc<dyn Reports>,
    /// All dispenses, for the reimbursement report.
    pub reimbursements: Arc<dyn Reimbursements>,
    /// The log itself, page by page.
    pub pages: Arc<dyn LogPages>,
    /// The log, as far as messages are made of it.
    pub facts: Arc<dyn LogFacts>,
    /// Who signed what.
    pub signatures: Arc<dyn Signatures>,
    /// Where signed containers are kept.
    pub contents: Arc<dyn Contents>,
    /// What the log can prove.
    pub proofs: Arc<dyn Proofs>,
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
    histories: Arc<dyn Histories>,
    reports: Arc<dyn Reports>,
    reimbursements: Arc<dyn Reimbursements>,
    pages: Arc<dyn LogPages>,
    facts: Arc<dyn LogFacts>,
    signatures: Arc<dyn Signatures>,
    contents: Arc<dyn Contents>,
    proofs: Arc<dyn Proofs>,
    terms: Arc<Terms>,
}

impl Dispensary {
    /// A dispensary among all that.
    #[must_use]
    pub fn new(outside: Outside) -> Self {
        let Outside { log, positions, registry, dispenses, histories, pages, facts, .. } = outside;
        let Outside { reports, reimbursements, signatures, contents, proofs, terms, .. } = outside;
        Self {
            log,
            positions,
            registry,
            dispenses,
            histories,
            reports,
            reimbursements,
            pages,
            facts,
            signatures,
            contents,
            proofs,
            terms,
        }
    }
}
