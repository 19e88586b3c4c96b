//! One dispense, as it stands or stood.

use dispense_domain::{DispenseId, LegalEntityId};

use crate::past::{Moment, PastError, Reading, Subject};
use crate::{Asker, Dispensary, QueryError, Shown, Stream};

/// There is none, or none for this asker.
const MISSING: QueryError = QueryError::NotFound("dispense");

impl Dispensary {
    /// The dispense at that moment, read from the log itself and so always current.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] for one that had not begun, and for one of another legal entity,
    /// unless the asker sees all. [`PastError::OutOfRange`] for a moment that the log does not know.
    pub async fn dispense(
        &self,
        asker: &Asker,
        id: DispenseId,
        moment: Moment,
    ) -> Result<Reading<Shown>, PastError> {
        let (stream, shown) = self.seen_at(asker, id, moment).await?;
        Ok(Reading { read: shown, position: stream.position })
    }

    /// The dispense with the events of its medication request, as both were at that moment, if the
    /// asker may see it.
    pub(crate) async fn seen_at(
        &self,
        asker: &Asker,
        id: DispenseId,
        moment: Moment,
    ) -> Result<(Stream, Shown), PastError> {
        self.settled(Subject::Dispense(id), moment).await?;
        Ok(self.seen(asker, id, moment).await?)
    }

    /// As [`Self::seen_at`], as it stands now.
    pub(crate) async fn seen_by(
        &self,
        asker: &Asker,
        id: DispenseId,
    ) -> Result<(Stream, Shown), QueryError> {
        self.seen(asker, id, Moment::Now).await
    }

    async fn seen(
        &self,
        asker: &Asker,
        id: DispenseId,
        moment: Moment,
    ) -> Result<(Stream, Shown), QueryError> {
        let request = self.log.request_of(id).await?.ok_or(MISSING)?;
        let stream = self.log.stream(request).await?.at(moment);
        let shown = Shown::of(&stream.events, id, stream.at).ok_or(MISSING)?;
        let own = shown.hold.legal_entity_id == LegalEntityId::from(asker.client);
        if own || !asker.client_type.is_personal() { Ok((stream, shown)) } else { Err(MISSING) }
    }
}
