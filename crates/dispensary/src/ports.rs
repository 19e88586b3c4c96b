//! The outside, as traits. They belong to those who call them: each has the methods that use cases
//! call, and no more.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispense_domain::decide::create_hold::Explained;
use dispense_domain::{
    Command, CreateHold, DispenseId, Dispensing, LegalEntityId, MedicationRequestId, Refusals,
    RequestEvidence, SignatureFault, Signer, Text, UserId, evolve,
};
use futures::stream::BoxStream;
use uuid::Uuid;

use crate::past::{Subject, Told};
use crate::{ClientType, FaultyLine, Line, LogPosition, Recorded, Registries};

/// Where a command comes from; kept in the metadata of its events.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Who asks.
    pub user: UserId,
    /// For which legal entity; none for the service itself.
    pub client: Option<LegalEntityId>,
    /// What kind of client; none for the service itself.
    pub client_type: Option<ClientType>,
    /// Names the request in logs.
    pub request_id: Arc<str>,
    /// W3C trace context of the caller.
    pub traceparent: Option<Arc<str>>,
}

/// The event log, and its writer.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Has `command` decided in the next batch of the partition of `request`, and answers once its
    /// commit is known.
    async fn append(
        &self,
        request: MedicationRequestId,
        command: Command,
        origin: Origin,
    ) -> Result<Appended, AppendError>;

    /// Has every rule judge a hold in the next batch of the partition of `request`, and writes no
    /// event. A wrong verification code counts as a try.
    async fn try_out(
        &self,
        request: MedicationRequestId,
        command: Arc<CreateHold>,
        origin: Origin,
    ) -> Result<Tried, AppendError>;

    /// The medication request that a dispense belongs to, if there is such a dispense.
    async fn request_of(
        &self,
        dispense: DispenseId,
    ) -> Result<Option<MedicationRequestId>, Unavailable>;

    /// All events of a medication request, with their personal bodies.
    async fn stream(&self, request: MedicationRequestId) -> Result<Stream, Unavailable>;

    /// The instants that the log can be asked for.
    async fn told(&self) -> Result<Told, Unavailable>;

    /// Waits, and not for long, until what is being recorded in the partition of that subject right
    /// now can be read, or will never be. What is recorded after this began has a later instant.
    async fn settle(&self, subject: Subject) -> Result<(), Unavailable>;

    /// Which of those keys of containers no event names: their dispense is unknown, names another,
    /// or is over for good. A key of another form is never among them.
    async fn unnamed(&self, keys: Vec<String>) -> Result<Unnamed, Unavailable>;
}

/// Keys of containers that no event names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unnamed {
    /// Of dispenses that are over: none ever will.
    pub over: Vec<String>,
    /// Of dispenses that the log does not know. A container is stored for a hold that it knows, so
    /// these are of another log, or this one has lost its tail.
    pub unknown: Vec<String>,
}

/// What became of a command that was not refused.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The events that it brought about. None: the question was answered before.
    pub events: Vec<Recorded>,
    /// The last position of the log that the decision knew, its own events included.
    pub position: LogPosition,
    /// The instant of the decision.
    pub at: DateTime<Utc>,
}

/// What every rule says of a hold that was not placed.
#[derive(Debug, Clone)]
pub struct Tried {
    /// In the order of the rules.
    pub rules: Vec<Explained>,
    /// The last position of the log that the rules knew.
    pub position: LogPosition,
    /// The instant for which they were asked.
    pub at: DateTime<Utc>,
}

/// The events of one medication request.
#[derive(Debug, Clone)]
pub struct Stream {
    /// In order.
    pub events: Vec<Recorded>,
    /// The instant for which they are read: never before the last of the partition.
    pub at: DateTime<Utc>,
    /// Where the partition ended then.
    pub position: LogPosition,
}

impl Stream {
    /// What the events add up to.
    #[must_use]
    pub fn dispensing(&self) -> Dispensing {
        self.events.iter().fold(Dispensing::default(), |state, it| evolve(state, &it.event))
    }
}

/// Why a command has no events.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It would break rules.
    #[error("refused: {refusals}")]
    Refused {
        /// Which ones.
        refusals: Refusals,
        /// The last position of the log that the decision knew.
        position: LogPosition,
    },
    /// The partition has no room now; certainly nothing was done.
    #[error("the service is busy; nothing was done, try again")]
    Busy,
    /// The connection was lost during the commit, and the outcome could not be read in time.
    #[error("it is not known whether this was done; try again with the same idempotency key")]
    OutcomeUnknown,
    /// The database's clock cannot be trusted; nothing was done.
    #[error("the database's clock cannot be trusted; nothing was done")]
    ClockUnsound,
    /// The log cannot be written now; nothing was done.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// This command cannot be decided; the others can.
    #[error("this request met a bug; nothing was done")]
    Bug,
}

/// Something outside does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{what} does not answer; try again")]
pub struct Unavailable {
    /// What it is.
    pub what: &'static str,
    /// The cause, for us alone.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    /// The database does not answer.
    #[must_use]
    pub fn database(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what: "the database", source: source.into() }
    }
}

/// The registries.
#[async_trait]
pub trait Registry: Send + Sync {
    /// A medication request and what it points at, as it was when this was asked; the small
    /// registries are as current as that from then on.
    async fn request(
        &self,
        request: MedicationRequestId,
    ) -> Result<Option<RequestEvidence>, Unavailable>;

    /// The medication request with that number; none if several have it, because then it names none
    /// of them.
    async fn request_by_number(
        &self,
        number: &Text,
    ) -> Result<Option<MedicationRequestId>, Unavailable>;

    /// Whether the patient or party with that id was erased.
    async fn was_erased(&self, id: Uuid) -> Result<bool, Unavailable>;

    /// Whether the record of an erasure says that the container with that key was removed. One that
    /// is gone without such a record was stolen or lost.
    async fn container_was_erased(&self, key: &str) -> Result<bool, Unavailable>;

    /// Whether the record of an erasure says that the personal body of the event at that place was
    /// emptied.
    async fn body_was_erased(&self, place: LogPosition) -> Result<bool, Unavailable>;

    /// What the small registries say: not older than a few seconds, nor than the last
    /// [`Registry::request`], but not as current as what the writer decides on.
    fn small(&self) -> Arc<Registries>;

    /// The client type of a legal entity, from its type.
    fn client_type(&self, legal_entity: LegalEntityId) -> Option<ClientType>;

    /// Applies lines of registry data and returns the faulty ones, which were skipped.
    async fn import(&self, lines: Vec<Line>, by: &Origin) -> Result<Vec<FaultyLine>, Unavailable>;
}

/// Who signed what: the verifier of signed containers.
#[async_trait]
pub trait Signatures: Send + Sync {
    /// Opens a container and judges its signature as of now. Never blocks the thread that asks.
    async fn open(&self, container: Vec<u8>) -> Result<Opened, Unavailable>;

    /// As [`Self::open`], and has the document read where the container is opened: whoever sends it
    /// decides how long that takes. Without a document nothing is read.
    async fn open_and_read(
        &self,
        container: Vec<u8>,
        read: ReadDocument,
    ) -> Result<Opened, Unavailable> {
        let opened = self.open(container).await?;
        if let Some(document) = &opened.document {
            read(document);
        }
        Ok(opened)
    }

    /// As [`Self::open`], judged as of an instant that has passed: a certificate that has run out since
    /// then, or was revoked, counts as it did then. An adapter that cannot look back judges as of now.
    async fn open_as_of(
        &self,
        container: Vec<u8>,
        _at: DateTime<Utc>,
    ) -> Result<Opened, Unavailable> {
        self.open(container).await
    }
}

/// Reads a document that was taken out of a container.
pub type ReadDocument = Box<dyn FnOnce(&[u8]) + Send>;

/// What came out of a container.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What was signed, byte for byte; none where nothing can be taken out. It is there for a bad
    /// signature too: a question that was answered before is known by its document alone.
    pub document: Option<Vec<u8>>,
    /// Who signed it, or what is wrong with the signature.
    pub signature: Result<Signer, SignatureFault>,
}

/// Where signed containers are kept.
#[async_trait]
pub trait Contents: Send + Sync {
    /// Keeps a container under that key. Once this returns, it survives a crash of the machine. A
    /// key that is taken by the same bytes counts as stored.
    async fn put(&self, key: &str, container: Vec<u8>) -> Result<(), Unavailable>;

    /// The container under that key, if there is one.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable>;

    /// What stands under that key, whatever it should be.
    async fn look_at(&self, key: &str) -> Result<Stored, Unavailable> {
        Ok(self.get(key).await?.map_or(Stored::Missing, Stored::Whole))
    }

    /// All that is kept, in no order.
    fn kept(&self) -> BoxStream<'_, Result<Kept, Unavailable>>;

    /// Removes what is kept under that key; nothing there is no error.
    async fn remove(&self, key: &str) -> Result<(), Unavailable>;
}

/// What stands under the key of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The container.
    Whole(Vec<u8>),
    /// Other bytes than the key promises.
    Damaged,
    /// Nothing.
    Missing,
}

/// A container that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its key: `<dispense id>/<SHA-256 of the container in hexadecimal>`.
    pub key: String,
    /// When it was last written, by the clock of the store.
    pub since: DateTime<Utc>,
}
