//! All that happened to the dispenses of a patient, event by event (9.4).

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use dispense_domain::{DispenseEvent, HoldCreated, LegalEntityId, PersonId, Status};
use serde::{Deserialize, Serialize};

use crate::cursor::{ListError, Snapshot};
use crate::search::PageSize;
use crate::{Asker, Dispensary, LogPositions, QueryError, Recorded, Unavailable};

/// Whose events, and of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HappeningsAsked {
    /// The patient.
    pub person: PersonId,
    /// At dispenses of this pharmacy company alone.
    pub legal_entity: Option<LegalEntityId>,
    /// Recorded at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this instant.
    pub before: Option<DateTime<Utc>>,
}

/// Where a patient's history goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCursor {
    /// What counts.
    pub snapshot: Snapshot,
    /// The last event that was looked at.
    pub after: HappeningPlace,
}

/// The place of an event in a patient's history: what was recorded last first, then by partition, then
/// the last one of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappeningPlace {
    /// When it was recorded.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub recorded_at: DateTime<Utc>,
    /// Its partition.
    pub partition: u16,
    /// Its place in the partition.
    pub position: i64,
}

/// An event of a patient's dispense.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The event, as the log has it.
    pub recorded: Recorded,
    /// What opened the dispense.
    pub hold: Arc<HoldCreated>,
}

impl Happening {
    /// Where the dispense stood after it. What was processed at once was never seen as held: its two
    /// events are one commit.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.recorded.event {
            DispenseEvent::HoldCreated(hold) if hold.processed_at_once => Status::Processed,
            DispenseEvent::HoldCreated(_) => Status::Held,
            DispenseEvent::Processed(_) => Status::Processed,
            DispenseEvent::Cancelled(_) => Status::Cancelled,
            DispenseEvent::Expired(_) => Status::Expired,
        }
    }
}

/// A page of a patient's history.
#[derive(Debug, Clone)]
pub struct Happenings {
    /// The events, what was recorded last first.
    pub happenings: Vec<Happening>,
    /// Where it goes on; it does not if absent.
    pub next: Option<HistoryCursor>,
    /// What the history looks at.
    pub positions: LogPositions,
}

/// The events of patients, to look among. What this process has written is there, unless that takes
/// long.
#[async_trait]
pub trait Histories: Send + Sync {
    /// A page of the events of a patient: the first one, or the one after a cursor.
    async fn happenings(
        &self,
        asked: &HappeningsAsked,
        after: Option<&HistoryCursor>,
        size: PageSize,
    ) -> Result<Happenings, ListError>;

    /// Whether a registry or the log knows the patient.
    async fn knows(&self, person: PersonId) -> Result<bool, Unavailable>;
}

/// The days on which events were recorded, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Option<NaiveDate>,
    /// The last.
    pub to: Option<NaiveDate>,
}

impl Dispensary {
    /// What happened to the dispenses of a patient: the first page, or the one after a cursor that was
    /// handed out for the same asker and days. Whoever is shown their own alone is shown the events of
    /// those (5.1).
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] for a patient whom neither a registry nor the log knows;
    /// [`ListError::Gone`] for a cursor whose moment cannot be looked at any more.
    pub async fn patient_history(
        &self,
        asker: &Asker,
        person: PersonId,
        days: Days,
        after: Option<&HistoryCursor>,
        size: PageSize,
    ) -> Result<Happenings, ListError> {
        let zone = &self.terms.zone;
        let wanted = HappeningsAsked {
            person,
            legal_entity: asker.client_type.is_personal().then(|| asker.client.into()),
            from: days.from.map(|day| beginning(day, zone)),
            before: days.to.and_then(|day| day.succ_opt()).map(|day| beginning(day, zone)),
        };
        let found = self.histories.happenings(&wanted, after, size).await?;
        // Who has a cursor was shown something of the patient.
        if found.happenings.is_empty() && after.is_none() && !self.histories.knows(person).await? {
            return Err(QueryError::NotFound("patient").into());
        }
        Ok(found)
    }
}

/// The first instant of a day. Where a clock is put forward at midnight, it is the first after that.
fn beginning(day: NaiveDate, zone: &impl TimeZone) -> DateTime<Utc> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let within = (0..=24).filter_map(|hours| {
        let time = midnight.checked_add_signed(chrono::TimeDelta::hours(hours))?;
        zone.from_local_datetime(&time).earliest()
    });
    within.map(|it| it.to_utc()).next().unwrap_or_else(|| midnight.and_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_where_the_patient_is() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let begins = |text: &str, zone: Tz| beginning(day(text), &zone).to_rfc3339();
        assert_eq!(begins("2026-01-31", Tz::Europe__Kyiv), "2026-01-30T22:00:00+00:00");
        assert_eq!(begins("2026-07-31", Tz::Europe__Kyiv), "2026-07-30T21:00:00+00:00");
        assert_eq!(
            begins("2018-11-04", Tz::America__Sao_Paulo),
            "2018-11-04T03:00:00+00:00",
            "there was no midnight: clocks went on to one o'clock"
        );
    }
}
