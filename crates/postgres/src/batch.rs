//! Deciding a batch: one command after the other, each on the state that the one before left.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use dispensary::{AppendError, Appended, Registries, Tried};
use dispense_domain::decide::create_hold::{Verdict, explain};
use dispense_domain::{
    Code, Command, CreateHold, DispenseEvent, Dispensing, Evidence, MedicationRequestId, Refusal,
    Refusals, RequestEvidence, Salt, Sight, Terms,
};
use futures::FutureExt;

use crate::folded::Folded;
use crate::look::RequestTexts;
use crate::queue::{Granted, Outcome, Waiting, Wish};
use crate::rows::{Appender, Written, metadata};
use crate::wrong_codes::WrongCodes;

/// What a batch was decided on.
pub(crate) struct Ground<'a> {
    pub(crate) registries: &'a Registries,
    pub(crate) terms: &'a Arc<Terms>,
    pub(crate) at: DateTime<Utc>,
    /// The medication requests that were read with the batch.
    pub(crate) requests: HashMap<MedicationRequestId, RequestTexts>,
}

/// A batch in the making.
pub(crate) struct Deciding<'a> {
    pub(crate) ground: Ground<'a>,
    /// Copies of the streams; the writer's own are changed only after COMMIT.
    pub(crate) streams: HashMap<MedicationRequestId, Folded>,
    pub(crate) log: Appender,
    /// Wrong verification codes, those of this batch included.
    pub(crate) wrong_codes: WrongCodes,
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
    fn try_out(&mut self, waiting: &Waiting, command: &CreateHold) -> Result<Tried, AppendError> {
        let evidence = self.hold_evidence(command);
        // The salt goes into personal bodies alone, and none is written.
        let sight = Sight { at: self.ground.at, evidence, salt: Salt::default() };
        let empty = Dispensing::default();
        let state = self.streams.get(&waiting.request).map_or(&empty, |folded| &folded.state);
        let explaining = AssertUnwindSafe(|| explain(state, command, &sight));
        let rules = std::panic::catch_unwind(explaining)
            .map_err(|_| self.bug(waiting, "a rule panicked"))?;
        let failed = rules.iter().filter_map(|rule| match &rule.verdict {
            Verdict::Failed(refusals) => Some(refusals),
            Verdict::Passed | Verdict::NotEvaluated => None,
        });
        self.count_wrong_code(command, failed.flatten());
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
                if let Command::CreateHold(command) = command {
                    self.count_wrong_code(command, refusals.all());
                }
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
        let wrong_codes = self.wrong_codes.of(command.medication_request_id, command.client);
        Evidence { wrong_codes, ..registries.evidence(command, request, terms) }
    }

    fn request(&self, id: MedicationRequestId) -> Option<RequestEvidence> {
        self.ground.requests.get(&id)?.evidence(id, self.ground.registries)
    }

    /// Counts a wrong verification code. Where none was given, none was tried.
    fn count_wrong_code<'r>(
        &mut self,
        command: &CreateHold,
        refusals: impl IntoIterator<Item = &'r Refusal>,
    ) {
        let is_wrong = refusals.into_iter().any(|refusal| refusal.code == Code::WrongCode);
        if is_wrong && command.verification_code.is_some() {
            let request = command.medication_request_id;
            self.wrong_codes.add(request, command.client, self.ground.at);
        }
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
