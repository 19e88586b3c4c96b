//! Deciding a batch: one command after the other, each on the state that the one before left.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use dispensary::{AppendError, Appended, Recorded, Registries};
use dispense_domain::registry::{MedicationRequest, Person};
use dispense_domain::{
    Command, DispenseEvent, Dispensing, Evidence, MedicationRequestId, Refusals, RequestEvidence,
    Salt, Sight, Terms,
};
use futures::FutureExt;

use crate::folded::Folded;
use crate::queue::{Outcome, Waiting};
use crate::rows::{Appender, metadata};

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
    /// Decides one command, and lays out its events.
    pub(crate) async fn decide(&mut self, waiting: &Waiting) -> Outcome {
        let mut folded = self.streams.get(&waiting.request).cloned().unwrap_or_default();
        let mut salt = Salt::default();
        if getrandom::fill(&mut salt).is_err() {
            return Err(self.bug(waiting, "the system has no random numbers"));
        }
        // A rule that panics is a bug for this command alone.
        let deciding = self.handle(waiting, salt, &mut folded.state);
        let decided = AssertUnwindSafe(deciding).catch_unwind().await;
        let events = match decided {
            Ok(Ok(events)) => events,
            Ok(Err(refusals)) => {
                return Err(AppendError::Refused { refusals, position: self.log.place() });
            }
            Err(_) => return Err(self.bug(waiting, "a rule panicked")),
        };
        let mut recorded = Vec::with_capacity(events.len());
        for event in events {
            folded.sequence += 1;
            match self.add(waiting, folded.sequence, event) {
                Ok(row) => recorded.push(row),
                Err(error) => return Err(self.bug(waiting, &error.to_string())),
            }
        }
        self.streams.insert(waiting.request, folded);
        Ok(Appended { events: recorded, position: self.log.place(), at: self.ground.at })
    }

    async fn handle(
        &self,
        waiting: &Waiting,
        salt: Salt,
        state: &mut Dispensing,
    ) -> Result<Vec<DispenseEvent>, Refusals> {
        let sight = Sight { at: self.ground.at, evidence: self.evidence(waiting), salt };
        let sink = EventSink::default();
        state.handle(waiting.command.clone(), &sight, &sink).await?;
        Ok(sink.collect().await)
    }

    fn evidence(&self, waiting: &Waiting) -> Evidence {
        let Ground { registries, terms, .. } = &self.ground;
        match &waiting.command {
            Command::CreateHold(command) => {
                let request = self.request(command.medication_request_id);
                registries.evidence(command, request, terms)
            }
            Command::Cancel(_) | Command::Expire(_) => Evidence::none((*terms).clone()),
        }
    }

    /// The medication request as it was read; one that cannot be read counts as not found, loudly.
    fn request(&self, id: MedicationRequestId) -> Option<RequestEvidence> {
        let (request, person) = self.ground.requests.get(&id)?;
        let request: MedicationRequest = parsed(id, request.as_deref()?)?;
        let person: Option<Person> = person.as_deref().and_then(|text| parsed(id, text));
        Some(self.ground.registries.request_evidence(Arc::new(request), person.map(Arc::new)))
    }

    fn add(
        &mut self,
        waiting: &Waiting,
        sequence: i64,
        event: DispenseEvent,
    ) -> Result<Recorded, serde_json::Error> {
        let metadata = metadata(&waiting.origin, &event, self.ground.registries.version);
        self.log.add(waiting.request, sequence, event, metadata)
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
