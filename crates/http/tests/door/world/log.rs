//! The log in memory: one partition, decided by the real rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dispensary::{
    AppendError, Appended, EventLog, LogPosition, Origin, Recorded, Registries, Stream,
    Unavailable, Unnamed,
};
use dispense_domain::{
    Command, DispenseId, Dispensing, Evidence, MedicationRequestId, Sight, Terms, decide, evolve,
};

use super::registry::evidence_of;
use super::{Inner, State};

pub(super) struct MemoryLog {
    state: State,
    registries: Arc<Registries>,
}

impl MemoryLog {
    pub(super) fn new(state: State, registries: Arc<Registries>) -> Self {
        Self { state, registries }
    }

    fn sight(&self, inner: &Inner, request: MedicationRequestId, command: &Command) -> Sight {
        let terms = Arc::new(Terms::default());
        let evidence = match command {
            Command::CreateHold(hold) => {
                let request = evidence_of(&self.registries, hold.medication_request_id);
                self.registries.evidence(hold, request, &terms)
            }
            Command::Process(process) => {
                let request = evidence_of(&self.registries, request);
                self.registries.process_evidence(process, request, &terms)
            }
            Command::Cancel(_) | Command::Expire(_) => Evidence::none(terms),
        };
        Sight { at: inner.now, evidence, salt: [7; 32] }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(
        &self,
        request: MedicationRequestId,
        command: Command,
        origin: Origin,
    ) -> Result<Appended, AppendError> {
        let mut inner = self.state.get();
        inner.origins.push(origin.clone());
        if let Some(failure) = inner.failure {
            return Err(failure());
        }
        let sight = self.sight(&inner, request, &command);
        let own: Vec<&Recorded> =
            inner.events.iter().filter(|(of, _)| *of == request).map(|(_, it)| it).collect();
        let sequence = i64::try_from(own.len()).unwrap();
        let dispensing =
            own.into_iter().fold(Dispensing::default(), |state, it| evolve(state, &it.event));
        let last = i64::try_from(inner.events.len()).unwrap();
        let position = |position| LogPosition { partition: 0, position };
        let decided = decide(&dispensing, &command, &sight)
            .map_err(|refusals| AppendError::Refused { refusals, position: position(last) })?;
        let events: Vec<Recorded> = (1..)
            .zip(decided)
            .map(|(index, event)| Recorded {
                place: position(last + index),
                sequence: sequence + index,
                event_id: event.dispense_id().event_id(event.name()),
                recorded_at: inner.now,
                body: event.personal().and_then(|personal| personal.text().cloned()),
                event,
                metadata: BTreeMap::from([("user".to_owned(), origin.user.to_string())]),
            })
            .collect();
        inner.events.extend(events.iter().map(|it| (request, it.clone())));
        let position = position(i64::try_from(inner.events.len()).unwrap());
        Ok(Appended { events, position, at: inner.now })
    }

    async fn request_of(
        &self,
        dispense: DispenseId,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let inner = self.state.get();
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
        let inner = self.state.get();
        let own = inner.events.iter().filter(|(of, _)| *of == request);
        Ok(Stream { events: own.map(|(_, it)| it.clone()).collect(), at: inner.now })
    }
}
