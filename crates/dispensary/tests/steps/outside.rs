//! The outside, as far as a hold and a qualification ask for it: fakes that record what they are
//! asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispensary::cursor::ListError;
use dispensary::list::{Filter, ListCursor, Listed};
use dispensary::past::{Subject, Told};
use dispensary::patient_history::{Happenings, HappeningsAsked, Histories, HistoryCursor};
use dispensary::reimbursement::{Mark, Portion, ReimbursementAsked, Reimbursements};
use dispensary::report::{Counted, Group, Reports, Sums};
use dispensary::search::{Matching, PageAsked, PageSize};
use dispensary::{
    AppendError, Appended, Asker, ClientType, Consistency, Contents, Criteria, Dispensary,
    Dispenses, EventLog, Fact, FaultyLine, Inclusion, Kept, Line, LogEnd, LogFacts, LogLine,
    LogPages, LogPosition, LogPositions, Model, NoProof, Opened, Origin, Outside, Positions,
    Proofs, ProvedRow, Recorded, Registries, Registry, Scopes, Signatures, SignedCheckpoint,
    Stream, Tried, Unavailable, Unnamed,
};
use dispense_domain::decide::create_hold::explain;
use dispense_domain::{
    Command, CreateHold, DispenseId, LegalEntityId, MedicationRequestId, Partitions, PersonId,
    RequestEvidence, Sight, Terms, Text,
};
use futures::stream::BoxStream;
use uuid::Uuid;

use crate::registries::{REQUEST, USER, id, registries};

/// What the log was asked to do.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Append(Arc<CreateHold>, Origin),
    Try(Arc<CreateHold>, Origin),
    Settle(Subject),
}

/// A world in memory, and what was asked of its log.
pub(crate) struct World {
    pub(crate) registries: Registries,
    pub(crate) request: RequestEvidence,
    pub(crate) events: Vec<Recorded>,
    pub(crate) at: DateTime<Utc>,
    /// When the first event of all was recorded, if that is not the first of this request.
    pub(crate) log_began_at: Option<DateTime<Utc>>,
    pub(crate) answers: fn() -> Result<(), Unavailable>,
    asked: Mutex<Vec<Asked>>,
}

/// Noon in Kyiv on 10 March 2026; of that medication request nothing was dispensed.
pub(crate) fn world(request: RequestEvidence) -> World {
    World {
        registries: registries(),
        request,
        events: Vec::new(),
        log_began_at: None,
        at: "2026-03-10T10:00:00Z".parse().unwrap(),
        answers: || Ok(()),
        asked: Mutex::default(),
    }
}

/// A log that does not answer.
pub(crate) fn silent() -> Result<(), Unavailable> {
    Err(Unavailable::database("connection refused"))
}

/// Somebody of that legal entity asks.
pub(crate) fn asker(client: u128, client_type: ClientType) -> Asker {
    Asker { user: id(USER), client: id(client), client_type, scopes: Scopes::parse("") }
}

impl World {
    /// The world with something changed.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What was asked of the log.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A dispensary in that world.
pub(crate) fn dispensary(world: &Arc<World>) -> Dispensary {
    dispensary_with(world, Arc::new(Nobody))
}

/// As [`dispensary`], where positions are asked for.
pub(crate) fn dispensary_with(world: &Arc<World>, positions: Arc<dyn Positions>) -> Dispensary {
    Dispensary::new(Outside {
        log: world.clone(),
        positions,
        registry: world.clone(),
        dispenses: Arc::new(Nobody),
        histories: Arc::new(Nobody),
        reports: Arc::new(Nobody),
        reimbursements: Arc::new(Nobody),
        pages: Arc::new(Nobody),
        facts: Arc::new(Nobody),
        signatures: Arc::new(Nobody),
        contents: Arc::new(Nobody),
        proofs: Arc::new(Nobody),
        terms: Arc::new(Terms::default()),
    })
}

const END: LogPosition = LogPosition { partition: 3, position: 7 };

#[async_trait]
impl EventLog for World {
    async fn append(
        &self,
        request: MedicationRequestId,
        command: Command,
        origin: Origin,
    ) -> Result<Appended, AppendError> {
        let Command::CreateHold(hold) = command else { unreachable!("{command:?}") };
        assert_eq!(request, hold.medication_request_id);
        self.asked.lock().unwrap().push(Asked::Append(hold, origin));
        Err(AppendError::Busy)
    }

    async fn try_out(
        &self,
        request: MedicationRequestId,
        command: Arc<CreateHold>,
        origin: Origin,
    ) -> Result<Tried, AppendError> {
        assert_eq!(request, command.medication_request_id);
        self.asked.lock().unwrap().push(Asked::Try(command.clone(), origin));
        (self.answers)()?;
        let terms = Arc::new(Terms::default());
        let evidence = self.registries.evidence(&command, Some(self.request.clone()), &terms);
        let sight = Sight { at: self.at, evidence, salt: [0; 32] };
        let dispensing = self.stream(request).await?.dispensing();
        Ok(Tried { rules: explain(&dispensing, &command, &sight), position: END, at: self.at })
    }

    async fn request_of(
        &self,
        dispense: DispenseId,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let known = self.events.iter().any(|it| it.event.dispense_id() == dispense);
        Ok(known.then(|| id(REQUEST)))
    }

    async fn stream(&self, _: MedicationRequestId) -> Result<Stream, Unavailable> {
        (self.answers)()?;
        Ok(Stream { events: self.events.clone(), at: self.at, position: END })
    }

    async fn told(&self) -> Result<Told, Unavailable> {
        let first = self.events.first().map(|first| first.recorded_at);
        let earliest = self.log_began_at.or(first);
        Ok(Told { earliest, latest: self.at })
    }

    async fn settle(&self, subject: Subject) -> Result<(), Unavailable> {
        self.asked.lock().unwrap().push(Asked::Settle(subject));
        (self.answers)()
    }

    async fn unnamed(&self, _: Vec<String>) -> Result<Unnamed, Unavailable> {
        unreachable!("no container is looked for")
    }
}

#[async_trait]
impl Registry for World {
    async fn request(
        &self,
        request: MedicationRequestId,
    ) -> Result<Option<RequestEvidence>, Unavailable> {
        Ok((request == id(REQUEST)).then(|| self.request.clone()))
    }

    async fn request_by_number(
        &self,
        number: &Text,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let own = self.request.request.request_number.as_ref() == Some(number);
        Ok(own.then(|| id(REQUEST)))
    }

    async fn was_erased(&self, _: Uuid) -> Result<bool, Unavailable> {
        unreachable!("nothing is missing")
    }

    async fn container_was_erased(&self, _: &str) -> Result<bool, Unavailable> {
        unreachable!("no container is missing")
    }

    async fn body_was_erased(&self, _: LogPosition) -> Result<bool, Unavailable> {
        unreachable!("no body is missing")
    }

    fn small(&self) -> Arc<Registries> {
        Arc::new(self.registries.clone())
    }

    fn client_type(&self, _: LegalEntityId) -> Option<ClientType> {
        unreachable!("the asker says what it is")
    }

    async fn import(&self, _: Vec<Line>, _: &Origin) -> Result<Vec<FaultyLine>, Unavailable> {
        unreachable!("nothing is imported")
    }
}

/// Whom neither a hold nor a qualification asks.
struct Nobody;

#[async_trait]
impl Dispenses for Nobody {
    async fn search(&self, _: &Criteria, _: PageAsked) -> Result<Matching, Unavailable> {
        unreachable!("nobody searches")
    }

    async fn list(
        &self,
        _: &Filter,
        _: Option<&ListCursor>,
        _: PageSize,
    ) -> Result<Listed, ListError> {
        unreachable!("nobody lists")
    }
}

#[async_trait]
impl Histories for Nobody {
    async fn happenings(
        &self,
        _: &HappeningsAsked,
        _: Option<&HistoryCursor>,
        _: PageSize,
    ) -> Result<Happenings, ListError> {
        unreachable!("nobody asks for a history")
    }

    async fn knows(&self, _: PersonId) -> Result<bool, Unavailable> {
        unreachable!("nobody asks for a history")
    }
}

#[async_trait]
impl Positions for Nobody {
    fn partitions(&self) -> Partitions {
        unreachable!("no position is named")
    }

    async fn heads(&self, _: &LogPositions) -> Result<LogPositions, Unavailable> {
        unreachable!("no position is named")
    }

    async fn read_by(&self, _: Model) -> Result<LogPositions, Unavailable> {
        unreachable!("no read model is looked at")
    }

    async fn wait_for(&self, _: Model, _: &LogPositions) -> Result<LogPositions, Unavailable> {
        unreachable!("no read model is looked at")
    }
}

#[async_trait]
impl Reports for Nobody {
    async fn totals(&self, _: &Counted) -> Result<BTreeMap<Group, Sums>, Unavailable> {
        unreachable!("nobody asks for a report")
    }
}

#[async_trait]
impl Reimbursements for Nobody {
    async fn page(&self, _: &ReimbursementAsked, _: PageAsked) -> Result<Matching, Unavailable> {
        unreachable!("nobody asks for a report")
    }

    async fn portion(
        &self,
        _: &ReimbursementAsked,
        _: Option<Mark>,
    ) -> Result<Portion, Unavailable> {
        unreachable!("nobody asks for a report")
    }
}

#[async_trait]
impl LogPages for Nobody {
    async fn end(&self, _: u16) -> Result<LogEnd, Unavailable> {
        unreachable!("nobody reads the log")
    }

    async fn lines(&self, _: LogPosition, _: u32) -> Result<Vec<LogLine>, Unavailable> {
        unreachable!("nobody reads the log")
    }

    async fn more(&self, _: LogPosition) {
        unreachable!("nobody reads the log")
    }
}

#[async_trait]
impl LogFacts for Nobody {
    fn log_id(&self) -> Uuid {
        unreachable!("nobody is told of the log")
    }

    async fn facts(&self, _: LogPosition, _: u32) -> Result<Vec<Fact>, Unavailable> {
        unreachable!("nobody is told of the log")
    }
}

#[async_trait]
impl Signatures for Nobody {
    async fn open(&self, _: Vec<u8>) -> Result<Opened, Unavailable> {
        unreachable!("nothing is signed")
    }
}

#[async_trait]
impl Contents for Nobody {
    async fn put(&self, _: &str, _: Vec<u8>) -> Result<(), Unavailable> {
        unreachable!("nothing is stored")
    }

    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        unreachable!("nothing is stored")
    }

    fn kept(&self) -> BoxStream<'_, Result<Kept, Unavailable>> {
        unreachable!("nothing is stored")
    }

    async fn remove(&self, _: &str) -> Result<(), Unavailable> {
        unreachable!("nothing is stored")
    }
}

#[async_trait]
impl Proofs for Nobody {
    fn verifier_key(&self) -> Option<&str> {
        unreachable!("no proof is asked for")
    }

    async fn latest(&self) -> Result<Vec<SignedCheckpoint>, Unavailable> {
        unreachable!("no proof is asked for")
    }

    async fn checkpoints(
        &self,
        _: u16,
        _: Option<i64>,
        _: u16,
    ) -> Result<Vec<SignedCheckpoint>, NoProof> {
        unreachable!("no proof is asked for")
    }

    async fn inclusion(&self, _: LogPosition, _: Option<u64>) -> Result<Inclusion, NoProof> {
        unreachable!("no proof is asked for")
    }

    async fn consistency(&self, _: u16, _: u64, _: Option<u64>) -> Result<Consistency, NoProof> {
        unreachable!("no proof is asked for")
    }

    async fn rows(&self, _: u16, _: &[i64]) -> Result<Vec<ProvedRow>, Unavailable> {
        unreachable!("no proof is asked for")
    }
}
