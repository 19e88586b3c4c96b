//! What is to be signed for a dispense, and what was.

use dispense_domain::DispenseId;
use serde_json::value::RawValue;

use crate::document::{self, Side};
use crate::{Asker, Dispensary, QueryError, Shown, Unavailable};

impl Dispensary {
    /// The dispense, and the document that is to be signed for it, or was: the register's, as it was
    /// when the hold began, with the payment once it is known.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] for a dispense of another legal entity too, unless the asker sees
    /// all; [`QueryError::Erased`] where the names in it are gone: without them it is another
    /// document.
    pub async fn content(
        &self,
        asker: &Asker,
        id: DispenseId,
    ) -> Result<(Shown, Box<RawValue>), QueryError> {
        let (stream, shown) = self.seen_by(asker, id).await?;
        if shown.erased {
            return Err(QueryError::Erased("document of this dispense"));
        }
        let document = document::signed(&stream.events, &shown, Side::Whole);
        let document = document.map_err(document::unreadable)?;
        Ok((shown, document))
    }

    /// The dispense, and the container as it was signed, byte for byte.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] where nothing was signed; [`QueryError::Erased`] where the record of
    /// an erasure says that the container was removed; [`QueryError::Unavailable`] if the store does
    /// not have what the log names for any other reason, which is for an operator to look into.
    pub async fn container(
        &self,
        asker: &Asker,
        id: DispenseId,
    ) -> Result<(Shown, Vec<u8>), QueryError> {
        let (_, shown) = self.seen_by(asker, id).await?;
        let stored = shown.content.clone().ok_or(QueryError::NotFound("signed content"))?;
        let found = self.contents.get(&stored.key).await?;
        let container = match found {
            Some(container) => container,
            None if self.registry.container_was_erased(&stored.key).await? => {
                return Err(QueryError::Erased("signed document"));
            }
            None => {
                let source = stored.key.into();
                return Err(Unavailable { what: "the content store", source }.into());
            }
        };
        Ok((shown, container))
    }
}
