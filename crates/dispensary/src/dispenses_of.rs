//! The dispenses of one medication request, those of every pharmacy.

use chrono::{DateTime, Utc};
use dispense_domain::{DispenseId, Status};
use serde::{Deserialize, Serialize};

use crate::past::{Moment, PastError, Reading};
use crate::search::PageSize;
use crate::{Asker, Dispensary, LogPosition, QueryError, RequestKey, Requested, Shown, Stream};

/// A medication request and its dispenses.
#[derive(Debug, Clone)]
pub struct DispensesOf {
    /// The medication request.
    pub requested: Requested,
    /// The last one first.
    pub dispenses: Vec<Shown>,
}

/// Where a list of them begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With the last dispense, as all of them stood at that moment.
    Last(Moment),
    /// Where a page ended.
    After(RestOf),
}

/// Where a list goes on: it shows what was there when its first page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestOf {
    /// Up to where the partition counts.
    pub position: i64,
    /// The instant for which holds run out.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    /// The last one that was shown.
    pub after: DispenseId,
}

/// A page of them.
#[derive(Debug, Clone)]
pub struct PageOf {
    /// The medication request, with the dispenses of this page.
    pub of: DispensesOf,
    /// Where the list goes on; it does not if absent.
    pub next: Option<RestOf>,
}

impl Stream {
    /// The stream as a list looked at it.
    fn within(mut self, rest: RestOf) -> Self {
        self.events.retain(|it| it.place.position <= rest.position && it.recorded_at <= rest.at);
        self.position.position = rest.position;
        self.at = rest.at;
        self
    }
}

impl Dispensary {
    /// A medication request, and its dispenses that stand at one of those statuses, or all of them if
    /// none is named; the last one first.
    ///
    /// Whoever may see the request sees the dispenses of every pharmacy: that is how a pharmacy
    /// learns that another one holds the medication already.
    ///
    /// # Errors
    ///
    /// As [`Dispensary::requested`].
    pub async fn dispenses_of(
        &self,
        asker: &Asker,
        key: &RequestKey,
        statuses: &[Status],
    ) -> Result<Reading<DispensesOf>, QueryError> {
        let found = self.visible(asker, key).await?;
        let (requested, stream) = found.ok_or(QueryError::NotFound("medication request"))?;
        let dispenses = standing_at(statuses, &requested, &stream).collect();
        Ok(Reading { read: DispensesOf { requested, dispenses }, position: stream.position })
    }

    /// As [`Dispensary::dispenses_of`], at that moment, page by page.
    ///
    /// # Errors
    ///
    /// [`PastError::OutOfRange`] for a moment that the log does not know, [`PastError::Gone`] for a
    /// list that the log has lost.
    pub async fn page_of_dispenses(
        &self,
        asker: &Asker,
        key: &RequestKey,
        statuses: &[Status],
        beginning: Beginning,
        size: PageSize,
    ) -> Result<Reading<PageOf>, PastError> {
        const MISSING: QueryError = QueryError::NotFound("medication request");
        let (requested, stream) = match beginning {
            Beginning::Last(moment) => self.visible_at(asker, key, moment).await?.ok_or(MISSING)?,
            Beginning::After(rest) => {
                let (requested, stream) = self.visible(asker, key).await?.ok_or(MISSING)?;
                if stream.position.position < rest.position {
                    return Err(PastError::Gone);
                }
                let stream = stream.within(rest);
                (Requested { dispensing: stream.dispensing(), ..requested }, stream)
            }
        };
        let after = match beginning {
            Beginning::Last(_) => None,
            Beginning::After(rest) => Some(rest.after),
        };
        let mut rest = standing_at(statuses, &requested, &stream);
        if let Some(last) = after
            && !rest.by_ref().any(|shown| shown.hold.dispense_id == last)
        {
            return Err(PastError::Gone);
        }
        let dispenses: Vec<Shown> =
            rest.by_ref().take(usize::try_from(size.get()).unwrap_or(usize::MAX)).collect();
        let is_last = rest.next().is_none();
        drop(rest);
        let LogPosition { position, .. } = stream.position;
        let next = dispenses.last().filter(|_| !is_last).map(|last| RestOf {
            position,
            at: stream.at,
            after: last.hold.dispense_id,
        });
        let page = PageOf { of: DispensesOf { requested, dispenses }, next };
        Ok(Reading { read: page, position: stream.position })
    }
}

/// The dispenses that stand at one of those, in the order in which they began, the last one first: the
/// clock of a partition never turns that round.
fn standing_at<'a>(
    statuses: &'a [Status],
    requested: &'a Requested,
    stream: &'a Stream,
) -> impl Iterator<Item = Shown> + use<'a> {
    let begun = requested.dispensing.dispenses().iter().rev();
    let shown = begun.filter_map(|dispense| Shown::of(&stream.events, dispense.id, stream.at));
    shown.filter(|shown| statuses.is_empty() || statuses.contains(&shown.status))
}
