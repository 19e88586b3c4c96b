//! The log in memory: one partition, decided by the real rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dispensary::past::{Subject, Told};
use dispensary::{
    AppendError, Appended, EventLog, LogPosition, Origin, Recorded, Stream, Tried, Unavailable,
    Unnamed,
};
use dispense_domain::decide::create_hold::{Verdict, explain};
use dispense_domain::{
    Code, Command, CreateHold, DispenseId, Dispensing, Evidence, MedicationRequestId, Refusal,
    Sight, decide, evolve,
};

use super::{Inner, State, WrongCode};

pub(super) struct MemoryLog(pub(super) State);

impl Inner {
    /// What that command may look at.
    fn sight(&self, request: MedicationRequestId, command: &Command) -> Sight {
        let terms = Arc::new(self.ground.terms.clone());
        let found = self.ground.evidence_of(request);
        let registries = &self.ground.registries;
        let evidence = match command {
            Command::CreateHold(hold) => {
                let tried = self.wrong_codes.iter();
                let tried = tried.filter(|it| (it.request, it.client) == (request, hold.client));
                Evidence {
                    wrong_codes: tried.map(|it| it.at).collect(),
                    ..registries.evidence(hold, found, &terms)
                }
            }
            Command::Process(process) => registries.process_evidence(process, found, &terms),
            Command::Cancel(_) | Command::Expire(_) => Evidence::none(terms),
        };
        Sight { at: self.now, evidence, salt: [7; 32] }
    }

    /// All dispenses of that medication request.
    fn dispensing(&self, request: MedicationRequestId) -> Dispensing {
        let own = self.events.iter().filter(|(of, _)| *of == request);
        own.fold(Dispensing::default(), |state, (_, it)| evolve(state, &it.event))
    }

    /// Where the log ends.
    fn position(&self) -> LogPosition {
        LogPosition { partition: 0, position: i64::try_from(self.events.len()).unwrap() }
    }

    /// A wrong code is a try, whatever became of the command; no code is none.
    fn count_wrong_code<'a>(
        &mut self,
        hold: &CreateHold,
        mut refusals: impl Iterator<Item = &'a Refusal>,
    ) {
        let is_wrong = refusals.any(|refusal| refusal.code == Code::WrongCode);
        if is_wrong && hold.verification_code.is_some() {
            let (request, client, at) = (hold.medication_request_id, hold.client, self.now);
            self.wrong_codes.push(WrongCode { request, client, at });
        }
    }
}

/// What the writer keeps with an event.
fn metadata(origin: &Origin) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::from([
        ("user".to_owned(), origin.user.to_string()),
        ("request_id".to_owned(), origin.request_id.to_string()),
        ("rules_version".to_owned(), "2".to_owned()),
        ("registry_version".to_owned(), "17".to_owned()),
        ("service_version".to_owned(), "0.1.0".to_owned()),
    ]);
    let client = origin.client.map(|client| client.to_string());
    let client_type = origin.client_type.map(|client_type| client_type.to_string());
    let traceparent = origin.traceparent.as_ref().map(ToString::to_string);
    for (name, said) in
        [("client", client), ("client_type", client_type), ("traceparent", traceparent)]
    {
        metadata.extend(said.map(|said| (name.to_owned(), said)));
    }
    metadata
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(
        &self,
        request: MedicationRequestId,
        command: Command,
        origin: Origin,
    ) -> Result<Appended, AppendError> {
        let mut inner = self.0.get();
        inner.origins.push(origin.clone());
        if let Some(failure) = inner.failure {
            return Err(failure());
        }
        let sight = inner.sight(request, &command);
        let last = inner.position();
        let decided = match decide(&inner.dispensing(request), &command, &sight) {
            Ok(decided) => decided,
            Err(refusals) => {
                if let Command::CreateHold(hold) = &command {
                    inner.count_wrong_code(hold, refusals.all().iter());
                }
                return Err(AppendError::Refused { refusals, position: last });
            }
        };
        let sequence = inner.events.iter().filter(|(of, _)| *of == request).count();
        let sequence = i64::try_from(sequence).unwrap();
        let events: Vec<Recorded> = (1..)
            .zip(decided)
            .map(|(index, event)| Recorded {
                place: LogPosition { position: last.position + index, ..last },
                sequence: sequence + index,
                event_id: event.dispense_id().event_id(event.name()),
                recorded_at: inner.now,
                body: event.personal().and_then(|personal| personal.text().cloned()),
                event,
                metadata: metadata(&origin),
            })
            .collect();
        inner.events.extend(events.iter().map(|it| (request, it.clone())));
        Ok(Appended { events, position: inner.position(), at: inner.now })
    }

    async fn try_out(
        &self,
        request: MedicationRequestId,
        command: Arc<CreateHold>,
        origin: Origin,
    ) -> Result<Tried, AppendError> {
        let mut inner = self.0.get();
        inner.origins.push(origin);
        if let Some(failure) = inner.failure {
            return Err(failure());
        }
        let sight = inner.sight(request, &Command::CreateHold(Arc::clone(&command)));
        let rules = explain(&inner.dispensing(request), &command, &sight);
        let refusals = rules.iter().flat_map(|it| match &it.verdict {
            Verdict::Failed(refusals) => refusals.as_slice(),
            Verdict::Passed | Verdict::NotEvaluated => &[],
        });
        inner.count_wrong_code(&command, refusals);
        Ok(Tried { rules, position: inner.position(), at: inner.now })
    }

    async fn request_of(
        &self,
        dispense: DispenseId,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let inner = self.0.get();
        if inner.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        let of = inner.events.iter().find(|(_, it)| it.event.dispense_id() == dispense);
        Ok(of.map(|(request, _)| *request))
    }

    async fn unnamed(&self, _: Vec<String>) -> Result<Unnamed, Unavailable> {
        Ok(Unnamed::default())
    }

    async fn stream(&self, request: MedicationRequestId) -> Result<Stream, Unavailable> {
        let inner = self.0.get();
        let own = inner.events.iter().filter(|(of, _)| *of == request);
        let events = own.map(|(_, it)| it.clone()).collect();
        Ok(Stream { events, at: inner.now, position: inner.position() })
    }

    async fn told(&self) -> Result<Told, Unavailable> {
        let inner = self.0.get();
        let earliest = inner.events.first().map(|(_, first)| first.recorded_at);
        Ok(Told { earliest, latest: inner.now })
    }

    async fn settle(&self, _: Subject) -> Result<(), Unavailable> {
        Ok(())
    }
}
