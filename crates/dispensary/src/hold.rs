//! Holding medication, or recording it at once where the program needs no signature.

use std::sync::Arc;

use chrono::NaiveDate;
use dispense_domain::command::key_digest;
use dispense_domain::decide::create_hold::told_to_asker;
use dispense_domain::{
    CodeTurn, Command, CreateHold, DispenseDay, DispenseEvent, DispenseId, DivisionId,
    LegalEntityId, LongText, MedicalProgramId, MedicationRequestId, Money, NewItem, Prices, Stated,
    Text,
};

use crate::{
    Answer, AppendError, Asker, CommandError, Dispensary, Origin, Recorded, Shown, Tried,
    Unavailable,
};

/// What a pharmacy wants to hold, believed by a door.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each is explained at dispense_domain::CreateHold")]
pub struct WantedHold {
    pub medication_request_id: MedicationRequestId,
    pub division_id: DivisionId,
    pub medical_program_id: Option<MedicalProgramId>,
    pub dispensed_on: NaiveDate,
    pub dispense_day: DispenseDay,
    pub dispensed_by: Option<Text>,
    pub verification_code: Option<Text>,
    pub code_turn: CodeTurn,
    pub items: Vec<NewItem>,
    pub prices: Prices,
    pub note: Option<LongText>,
    pub payment_id: Stated<Text>,
    pub payment_amount: Stated<Money>,
}

impl WantedHold {
    /// What this asker means by it.
    #[must_use]
    pub fn command(self, asker: &Asker, key: &str) -> CreateHold {
        let client = LegalEntityId::from(asker.client);
        let request = self.medication_request_id;
        CreateHold {
            dispense_id: DispenseId::asked_for(request, client, key),
            medication_request_id: request,
            user: asker.user.into(),
            client,
            division_id: self.division_id,
            medical_program_id: self.medical_program_id,
            dispensed_on: self.dispensed_on,
            dispense_day: self.dispense_day,
            dispensed_by: self.dispensed_by,
            verification_code: self.verification_code,
            code_turn: self.code_turn,
            items: self.items,
            prices: self.prices,
            note: self.note,
            payment_id: self.payment_id,
            payment_amount: self.payment_amount,
            key_digest: key_digest(client, key),
        }
    }
}

impl Dispensary {
    /// Holds what the pharmacy wants, and answers with the dispense. Asked again with the same key,
    /// it answers as it did first.
    ///
    /// # Errors
    ///
    /// [`CommandError::Refused`] names the rules that forbid it.
    pub async fn hold(
        &self,
        asker: &Asker,
        wanted: WantedHold,
        key: &str,
        origin: Origin,
    ) -> Result<Answer, CommandError> {
        let command = wanted.command(asker, key);
        let (id, request) = (command.dispense_id, command.medication_request_id);
        let command = Command::CreateHold(Arc::new(command));
        let appended = self.log.append(request, command, origin).await?;
        if appended.events.is_empty() {
            return self.answered_before(request, id, answers_create).await;
        }
        answer(&appended.events, id)
    }

    /// What every rule would say if the pharmacy asked for that now. Nothing is held and nothing is
    /// written, but for a wrong verification code, which counts as a try.
    ///
    /// # Errors
    ///
    /// The log cannot say.
    pub async fn try_hold(
        &self,
        asker: &Asker,
        wanted: WantedHold,
        key: &str,
        origin: Origin,
    ) -> Result<Tried, CommandError> {
        let command = wanted.command(asker, key);
        let request = command.medication_request_id;
        let Tried { rules, position, at } =
            self.log.try_out(request, Arc::new(command), origin).await?;
        Ok(Tried { rules: told_to_asker(rules), position, at })
    }

    /// The answer that the first of these questions got: the dispense after the last event that
    /// belongs to it, and where the dispense stands now.
    pub(crate) async fn answered_before(
        &self,
        request: MedicationRequestId,
        id: DispenseId,
        belongs: fn(&DispenseEvent) -> bool,
    ) -> Result<Answer, CommandError> {
        let stream = self.log.stream(request).await?;
        let now = Shown::of(&stream.events, id, stream.at).ok_or(CommandError::NotFound)?;
        let last = stream
            .events
            .iter()
            .rposition(|it| it.event.dispense_id() == id && belongs(&it.event))
            .ok_or(CommandError::NotFound)?;
        let first = answer(&stream.events[..=last], id)?;
        Ok(Answer { replayed: Some(now.status), ..first })
    }
}

/// Whether an event belongs to the commit that answered a create: the hold, and a hand-over without
/// signature, which stands in the same commit.
fn answers_create(event: &DispenseEvent) -> bool {
    match event {
        DispenseEvent::HoldCreated(_) => true,
        DispenseEvent::Processed(processed) => processed.key_digest.is_none(),
        DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => false,
    }
}

/// The answer after those events, the last of which is the one that answers.
pub(crate) fn answer(events: &[Recorded], id: DispenseId) -> Result<Answer, CommandError> {
    let shown = events.last().and_then(|last| Shown::of(events, id, last.recorded_at)).ok_or(
        AppendError::Unavailable(Unavailable {
            what: "the event log",
            source: "the dispense has no events".into(),
        }),
    )?;
    Ok(Answer { position: shown.place, shown, replayed: None })
}
