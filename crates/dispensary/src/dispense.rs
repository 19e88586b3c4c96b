//! One dispense, as it stands now.

use dispense_domain::{DispenseId, LegalEntityId};

use crate::{Asker, Dispensary, QueryError, Shown, Stream};

impl Dispensary {
    /// The dispense, read from the log itself and so always current.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] for one of another legal entity too, unless the asker sees all.
    pub async fn dispense(&self, asker: &Asker, id: DispenseId) -> Result<Shown, QueryError> {
        Ok(self.seen_by(asker, id).await?.1)
    }

    /// The dispense with the events of its medication request, if the asker may see it.
    pub(crate) async fn seen_by(
        &self,
        asker: &Asker,
        id: DispenseId,
    ) -> Result<(Stream, Shown), QueryError> {
        const MISSING: QueryError = QueryError::NotFound("dispense");
        let request = self.log.request_of(id).await?.ok_or(MISSING)?;
        let stream = self.log.stream(request).await?;
        let shown = Shown::of(&stream.events, id, stream.at).ok_or(MISSING)?;
        let own = shown.hold.legal_entity_id == LegalEntityId::from(asker.client);
        if own || !asker.client_type.is_personal() { Ok((stream, shown)) } else { Err(MISSING) }
    }
}
