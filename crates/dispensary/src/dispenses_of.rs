//! The dispenses of one medication request, those of every pharmacy.

use dispense_domain::Status;

use crate::past::{Moment, PastError, Reading};
use crate::{Asker, Dispensary, QueryError, RequestKey, Requested, Shown};

/// A medication request and its dispenses.
#[derive(Debug, Clone)]
pub struct DispensesOf {
    /// The medication request.
    pub requested: Requested,
    /// The last one first.
    pub dispenses: Vec<Shown>,
}

impl Dispensary {
    /// A medication request, and its dispenses that stood at one of those statuses at that moment, or
    /// all of them if none is named; the last one first.
    ///
    /// Whoever may see the request sees the dispenses of every pharmacy: that is how a pharmacy
    /// learns that another one holds the medication already.
    ///
    /// # Errors
    ///
    /// As [`Dispensary::requested`]; [`PastError::OutOfRange`] for a moment that the log does not
    /// know.
    pub async fn dispenses_of(
        &self,
        asker: &Asker,
        key: &RequestKey,
        statuses: &[Status],
        moment: Moment,
    ) -> Result<Reading<DispensesOf>, PastError> {
        let found = self.visible_at(asker, key, moment).await?;
        let (requested, stream) = found.ok_or(QueryError::NotFound("medication request"))?;
        // In the order in which they began, which the clock of a partition never turns round.
        let begun = requested.dispensing.dispenses().iter().rev();
        let shown = begun.filter_map(|dispense| Shown::of(&stream.events, dispense.id, stream.at));
        let wanted = |shown: &Shown| statuses.is_empty() || statuses.contains(&shown.status);
        let dispenses = shown.filter(wanted).collect();
        Ok(Reading { read: DispensesOf { requested, dispenses }, position: stream.position })
    }
}
