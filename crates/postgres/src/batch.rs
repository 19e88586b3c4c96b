//! Deciding a batch: one command after the other, each on the state that the one before left.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use dispensary::{AppendError, Appended, Registries, RequestRecords, Tried};
use dispense_domain::decide::create_hold::explain;
use dispense_domain::registry::{MedicationRequest, Person};
use dispense_domain::{
    Command, CreateHold, DispenseEvent, Dispensing, Evidence, MedicationRequestId, Refusals,
    RequestEvidence, Salt, Sight, Terms,
};
use futures::FutureExt;

use crate::folded::Folded;
use crate::queue::{Granted, Outcome, Waiting, Wish};
use crate::rows::{Appender, Written, metadata};

/// What a batch was decided on.
pub(crate) struct Ground<'a> {
    pub(crate) registries: &'a Registries,
    pub(crate) terms: &'a Arc<Terms>,
    pub(crate) at: DateTime<Utc>,
    /// The medication requests that were read with the batch, as text.
    pub(crate) requests: HashMap<MedicationRequestId, (Option<String>, Option<String>)>,
}

/// A batch in the making.
pub(crate) struct Deciding<'a> {
    pub(crate) ground: Ground<'a>,
    /// Copies of the streams; the writer's own are changed only after COMMIT.
    pub(crate) streams: HashMap<MedicationRequestId, Folded>,
    pub(crate) log: Appender,
}

impl Deciding<'_> {
    /// Does what is wanted, as far as it can be done before COMMIT.
    pub(crate) async fn grant(&mut self, waiting: &Waiting) -> Outcome {
        match &waiting.wish {
            Wish::Record(command) => self.decide(waiting, command).await.map(Granted::Recorded),
            Wish::TryOut(command) => self.try_out(waiting, command).map(Granted::Tried),
        }
    }

    /// Asks every rule about a hold, on the state that a command would be decided on here.
    fn try_out(&self, waiting: &Waiting, command: &CreateHold) -> Result<Tried, AppendError> {
        let evidence = self.hold_evidence(command);
        // The salt goes into personal bodies alone, and none is written.
        let sight = Sight { at: self.ground.at, evidence, salt: Salt::default() };
        let empty = Dispensing::default();
        let state = self.streams.get(&waiting.request).map_or(&empty, |folded| &folded.state);
        let explaining = AssertUnwindSafe(|| explain(state, command, &sight));
        let rules = std::panic::catch_unwind(explaining)
            .map_err(|_| self.bug(waiting, "a rule panicked"))?;
        Ok(Tried { rules, position: self.log.place(), at: self.ground.at })
    }

    /// Decides one command, and lays out its events.
    async fn decide(
        &mut self,
        waiting: &Waiting,
        command: &Command,
    ) -> Result<Appended, AppendError> {
        let mut folded = self.streams.get(&waiting.request).cloned().unwrap_or_default();
        let mut salt = Salt::default();
        if getrandom::fill(&mut salt).is_err() {
            return Err(self.bug(waiting, "the system has no random numbers"));
        }
        // A rule that panics is a bug for this command alone.
        let deciding = self.handle(waiting.request, command, salt, &mut folded.state);
        let decided = AssertUnwindSafe(deciding).catch_unwind().await;
        let events = match decided {
            Ok(Ok(events)) => events,
            Ok(Err(refusals)) => {
                return Err(AppendError::Refused { refusals, position: self.log.place() });
            }
            Err(_) => return Err(self.bug(waiting, "a rule panicked")),
        };
        // All or nothing: only once every event is written out does the first one get its place.
        let version = self.ground.registries.version;
        let written = events.into_iter().map(|event| {
            let metadata = metadata(&waiting.origin, &event, version);
            Written::out(event, metadata)
        });
        let written = match written.collect::<Result<Vec<_>, _>>() {
            Ok(written) => written,
            Err(error) => return Err(self.bug(waiting, &error.to_string())),
        };
        let mut recorded = Vec::with_capacity(written.len());
        for event in written {
            folded.sequence += 1;
            recorded.push(self.log.add(waiting.request, folded.sequence, event));
        }
        self.streams.insert(waiting.request, folded);
        Ok(Appended { events: recorded, position: self.log.place(), at: self.ground.at })
    }

    async fn handle(
        &self,
        request: MedicationRequestId,
        command: &Command,
        salt: Salt,
        state: &mut Dispensing,
    ) -> Result<Vec<DispenseEvent>, Refusals> {
        let sight = Sight { at: self.ground.at, evidence: self.evidence(request, command), salt };
        let sink = EventSink::default();
        state.handle(command.clone(), &sight, &sink).await?;
        Ok(sink.collect().await)
    }

    fn evidence(&self, request: MedicationRequestId, command: &Command) -> Evidence {
        let Ground { registries, terms, .. } = &self.ground;
        match command {
            Command::CreateHold(command) => self.hold_evidence(command),
            Command::Process(command) => {
                registries.process_evidence(command, self.request(request), terms)
            }
            Command::Cancel(_) | Command::Expire(_) => Evidence::none((*terms).clone()),
        }
    }

    fn hold_evidence(&self, command: &CreateHold) -> Evidence {
        let Ground { registries, terms, .. } = &self.ground;
        let request = self.request(command.medication_request_id);
        registries.evidence(command, request, terms)
    }

    /// The medication request as it was read; one that cannot be read counts as not found, loudly.
    fn request(&self, id: MedicationRequestId) -> Option<RequestEvidence> {
        let (request, person) = self.ground.requests.get(&id)?;
        let request: MedicationRequest = parsed(id, request.as_deref()?)?;
        let person: Option<Person> = person.as_deref().and_then(|text| parsed(id, text));
        let (request, person) = (request.into(), person.map(Arc::new));
        let records = RequestRecords { request, person, others: Vec::new(), care: None };
        Some(self.ground.registries.request_evidence(records))
    }

    #[allow(clippy::unused_self, reason = "a bug belongs to the batch that met it")]
    fn bug(&self, waiting: &Waiting, what: &str) -> AppendError {
        metrics::counter!("dispense_bugs_total").increment(1);
        tracing::error!(
            medication_request.id = %waiting.request,
            request.id = %waiting.origin.request_id,
            "a command met a bug and was not decided: {what}"
        );
        AppendError::Bug
    }
}

fn parsed<T: serde::de::DeserializeOwned>(id: MedicationRequestId, text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| {
            tracing::error!(medication_request.id = %id, "a registry record is unreadable: {error}");
        })
        .ok()
}
