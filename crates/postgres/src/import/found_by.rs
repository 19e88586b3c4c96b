//! What medication requests are found by, beside their ids.

use chrono::NaiveDate;
use dispense_domain::registry::{BasedOn, MedicationRequest};
use uuid::Uuid;

use crate::days::in_calendar;

/// The columns that repeat what a record says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FoundBy {
    pub care_plan: Option<Uuid>,
    pub activity: Option<Uuid>,
    pub started_at: Option<NaiveDate>,
    pub ended_at: Option<NaiveDate>,
}

impl FoundBy {
    pub(super) fn of(request: &MedicationRequest) -> Self {
        let BasedOn { care_plan, activity } = request.is_based_on();
        let [started_at, ended_at] =
            [request.started_at, request.ended_at].map(|day| day.map(in_calendar));
        Self { care_plan, activity, started_at, ended_at }
    }
}
