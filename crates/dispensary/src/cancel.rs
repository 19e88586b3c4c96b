//! Giving a hold back.

use dispense_domain::command::key_digest;
use dispense_domain::{Cancel, Command, DispenseEvent, DispenseId, LegalEntityId, LongText, Text};

use crate::hold::answer;
use crate::{Answer, Asker, CommandError, Dispensary, Origin};

/// What a pharmacy says when it gives a hold back.
#[derive(Debug, Clone)]
pub struct WantedCancel {
    /// Free text.
    pub reason: Option<LongText>,
    /// Receipt number.
    pub payment_id: Option<Text>,
}

impl Dispensary {
    /// Gives a hold back, and answers with the dispense.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotFound`] for a dispense of another legal entity too (D-10).
    pub async fn cancel(
        &self,
        asker: &Asker,
        id: DispenseId,
        wanted: WantedCancel,
        key: &str,
        origin: Origin,
    ) -> Result<Answer, CommandError> {
        let request = self.log.request_of(id).await?.ok_or(CommandError::NotFound)?;
        // The event alone does not render the dispense; the stream before it does. It is read first,
        // so that nothing can fail once the command is done.
        let mut events = self.log.stream(request).await?.events;
        let client = LegalEntityId::from(asker.client);
        let command = Command::Cancel(Cancel {
            dispense_id: id,
            user: asker.user.into(),
            client,
            reach: asker.reach(),
            reason: wanted.reason,
            payment_id: wanted.payment_id,
            key_digest: key_digest(client, key),
        });
        let appended = self.log.append(request, command, origin).await?;
        if appended.events.is_empty() {
            return self.answered_before(request, id, answers_cancel).await;
        }
        events.extend(appended.events);
        answer(&events, id)
    }
}

fn answers_cancel(event: &DispenseEvent) -> bool {
    matches!(event, DispenseEvent::Cancelled(_))
}
