//! Handing medication over, signed for.
//!
//! ```text
//!   read the stream     without the lock: the hold, and the document that should have been signed
//!     open              who signed what, and is it that document; off the threads that serve
//!       decide          once, so that nothing is stored for a question that is refused
//!         store         the container, durably, under its own digest
//!           decide      again, under the lock, and commit
//! ```
//!
//! Whoever loses between the two decisions leaves a container that no event names; it is removed
//! after a day.

use std::sync::Arc;

use dispense_domain::command::key_digest;
use dispense_domain::{
    Command, Digest, DispenseEvent, DispenseId, LegalEntityId, MedicationRequestId, Process, Reach,
    Refusals, Salt, Sight, SignedContent, StoredContent, decide,
};
use futures::channel::oneshot;
use serde_json::value::RawValue;

use crate::document;
use crate::hold::answer;
use crate::{Answer, Asker, CommandError, Dispensary, Origin, Shown, Stream, Unavailable};

/// What a pharmacy sends when it hands medication over.
#[derive(Debug, Clone)]
pub struct WantedProcess {
    /// The signed container; empty for what was none.
    pub container: Vec<u8>,
}

impl Dispensary {
    /// Hands a hold over, and answers with the dispense.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotFound`] for a dispense of another legal entity too (D-10), before the
    /// signature is looked at; [`CommandError::NotStored`], and then nothing has changed.
    pub async fn process(
        &self,
        asker: &Asker,
        id: DispenseId,
        wanted: WantedProcess,
        key: &str,
        origin: Origin,
    ) -> Result<Answer, CommandError> {
        let request = self.log.request_of(id).await?.ok_or(CommandError::NotFound)?;
        let stream = self.log.stream(request).await?;
        let shown = Shown::of(&stream.events, id, stream.at).ok_or(CommandError::NotFound)?;
        let client = LegalEntityId::from(asker.client);
        let reach = asker.reach();
        if reach == Reach::Own && shown.hold.legal_entity_id != client {
            return Err(CommandError::NotFound);
        }

        let digest = Digest::of(&[&wanted.container]);
        let (read, mut content) = oneshot::channel();
        let (own, amount) = (own_documents(&stream, id)?, shown.hold.amount_paid());
        let read = Box::new(move |document: &[u8]| {
            let own: Vec<&str> = own.iter().map(|own| own.get()).collect();
            // Nobody waits for it where the question was given up.
            let _ = read.send(SignedContent::examine(document, &own, amount));
        });
        let opened = self.signatures.open_and_read(wanted.container.clone(), read).await?;
        let command = Arc::new(Process {
            dispense_id: id,
            user: asker.user.into(),
            client,
            reach,
            division_id: shown.hold.division.id,
            medical_program_id: shown.hold.medical_program.as_ref().map(|program| program.id),
            signature: opened.signature,
            // By now it was read, or it never will be.
            content: content.try_recv().ok().flatten(),
            stored: StoredContent { key: format!("{id}/{digest}"), digest },
            key_digest: key_digest(client, key),
        });
        if self.decided(&stream, request, &command).await? == Decided::Before {
            return self.answered_before(request, id, answers_process).await;
        }
        self.contents
            .put(&command.stored.key, wanted.container)
            .await
            .map_err(CommandError::NotStored)?;

        let mut events = stream.events;
        let appended = self.log.append(request, Command::Process(command), origin).await?;
        if appended.events.is_empty() {
            return self.answered_before(request, id, answers_process).await;
        }
        events.extend(appended.events);
        answer(&events, id)
    }

    /// The first decision: on what was read without the lock, so that only what will most likely be
    /// granted is stored.
    async fn decided(
        &self,
        stream: &Stream,
        request: MedicationRequestId,
        command: &Arc<Process>,
    ) -> Result<Decided, CommandError> {
        let found = self.registry.request(request).await?;
        let evidence = self.registry.small().process_evidence(command, found, &self.terms);
        // What this decision would record is thrown away, so its salt need not be random.
        let sight = Sight { at: stream.at, evidence, salt: Salt::default() };
        match decide(&stream.dispensing(), &Command::Process(command.clone()), &sight) {
            Ok(events) if events.is_empty() => Ok(Decided::Before),
            Ok(_) => Ok(Decided::Granted),
            Err(refusals) => Err(refused(stream, refusals)),
        }
    }
}

/// What the first decision said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decided {
    /// It may be done.
    Granted,
    /// It was done before.
    Before,
}

/// What may have been signed: the document of the hold, as either path shows it.
///
/// # Errors
///
/// Our own document cannot be read: then nobody can say whether it was signed.
fn own_documents(stream: &Stream, id: DispenseId) -> Result<[Box<RawValue>; 2], Unavailable> {
    document::frozen_sides(&stream.events, id).map_err(document::unreadable)
}

fn refused(stream: &Stream, refusals: Refusals) -> CommandError {
    CommandError::Refused { refusals, position: stream.position }
}

fn answers_process(event: &DispenseEvent) -> bool {
    match event {
        DispenseEvent::Processed(processed) => processed.key_digest.is_some(),
        DispenseEvent::HoldCreated(_) | DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => {
            false
        }
    }
}
