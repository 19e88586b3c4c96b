//! A medication request and its dispenses, as the log has them.

use std::str::FromStr;

use chrono::NaiveDate;
use dispense_domain::registry::RequestStatus;
use dispense_domain::{
    Dispensing, LegalEntityId, MedicationRequestId, Quantity, RequestEvidence, Text,
};
use uuid::Uuid;

use crate::document::BrokenReference;
use crate::past::{Moment, PastError, Reading, Subject};
use crate::{Asker, ClientType, Dispensary, QueryError, Stream, Unavailable};

/// There is none, or none for this asker.
const MISSING: QueryError = QueryError::NotFound("medication request");

/// What a medication request is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestKey {
    /// Its id.
    Id(MedicationRequestId),
    /// Its number for people.
    Number(Text),
}

/// The text is neither the id nor the number of a medication request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID or a number like 0000-XXXX-XXXX-XXXX")]
pub struct InvalidRequestKey;

impl FromStr for RequestKey {
    type Err = InvalidRequestKey;

    /// Reads a UUID, with dashes or without, or a number as it was written.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_number(text) {
            return text.try_into().map(Self::Number).map_err(|_| InvalidRequestKey);
        }
        // The parser knows longer forms, in braces or behind a scheme; the register does not.
        if !matches!(text.len(), 32 | 36) {
            return Err(InvalidRequestKey);
        }
        let id: Uuid = text.parse().map_err(|_| InvalidRequestKey)?;
        Ok(Self::Id(id.into()))
    }
}

/// Four groups of four; the first is always zeros, the others have digits and eight letters that
/// nobody takes for something else.
fn is_number(text: &str) -> bool {
    let drawn = |c: char| c.is_ascii_digit() || "AEHKMPTX".contains(c);
    let mut groups = text.split('-');
    let first = groups.next() == Some("0000");
    let others: Vec<&str> = groups.take(4).collect();
    first && others.len() == 3 && others.iter().all(|it| it.len() == 4 && it.chars().all(drawn))
}

/// A medication request: what its registry says, and what became of it.
#[derive(Debug, Clone)]
pub struct Requested {
    /// What its registry says.
    pub evidence: RequestEvidence,
    /// Its dispenses.
    pub dispensing: Dispensing,
    /// The civil date for which it was read.
    pub today: NaiveDate,
}

impl Requested {
    /// Its effective status: completed once nothing remains, else what its registry says.
    #[must_use]
    pub fn status(&self) -> RequestStatus {
        if self.dispensing.is_completed() {
            RequestStatus::Completed
        } else {
            self.evidence.request.status
        }
    }

    /// How much was prescribed, by the log once it knows.
    #[must_use]
    pub fn prescribed(&self) -> Quantity {
        self.dispensing.prescribed().unwrap_or(self.evidence.request.medication_qty)
    }
}

impl Dispensary {
    /// The medication request, read from its registry and from the log itself.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] if there is none, or if the asker is a clinic that did not issue it.
    pub async fn requested(
        &self,
        asker: &Asker,
        key: &RequestKey,
    ) -> Result<Reading<Requested>, QueryError> {
        let (requested, stream) = self.visible(asker, key).await?.ok_or(MISSING)?;
        Ok(Reading { read: requested, position: stream.position })
    }

    /// The medication request and its events, if this asker may see it: what shows, and what counts,
    /// rests on the same reading.
    pub(crate) async fn visible(
        &self,
        asker: &Asker,
        key: &RequestKey,
    ) -> Result<Option<(Requested, Stream)>, Unavailable> {
        match self.named(key).await? {
            Some(id) => self.shown_to(asker, id, Moment::Now).await,
            None => Ok(None),
        }
    }

    /// As [`Self::visible`], with the events as they were at that moment. What the registry says is
    /// what it says now, and so is who may look.
    pub(crate) async fn visible_at(
        &self,
        asker: &Asker,
        key: &RequestKey,
        moment: Moment,
    ) -> Result<Option<(Requested, Stream)>, PastError> {
        let Some(id) = self.named(key).await? else { return Ok(None) };
        self.settled(Subject::Request(id), moment).await?;
        Ok(self.shown_to(asker, id, moment).await?)
    }

    /// Whether what a medication request points at, and the registries do not have, was erased.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unavailable`] alone.
    pub async fn was_erased(&self, broken: &BrokenReference) -> Result<bool, QueryError> {
        Ok(self.registry.was_erased(broken.missing().id).await?)
    }

    /// The id of the medication request that is known by that.
    async fn named(&self, key: &RequestKey) -> Result<Option<MedicationRequestId>, Unavailable> {
        match key {
            RequestKey::Id(id) => Ok(Some(*id)),
            RequestKey::Number(number) => self.registry.request_by_number(number).await,
        }
    }

    async fn shown_to(
        &self,
        asker: &Asker,
        id: MedicationRequestId,
        moment: Moment,
    ) -> Result<Option<(Requested, Stream)>, Unavailable> {
        let Some(evidence) = self.registry.request(id).await? else { return Ok(None) };
        let own = evidence.request.legal_entity_id == LegalEntityId::from(asker.client);
        if asker.client_type == ClientType::Msp && !own {
            return Ok(None);
        }
        let stream = self.log.stream(id).await?.at(moment);
        let dispensing = stream.dispensing();
        let today = self.terms.day_of(stream.at);
        Ok(Some((Requested { evidence, dispensing, today }, stream)))
    }
}
