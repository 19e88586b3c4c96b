//! What medication requests are found by, beside their ids.

use chrono::NaiveDate;
use dispense_domain::registry::{BasedOn, MedicationRequest};
use uuid::Uuid;

/// The days that a calendar knows. A day beyond them is as good as the nearest of them: what is
/// found is judged by its record.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("there is such a day");
const LAST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("there is such a day");

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
        let within = |day: Option<NaiveDate>| day.map(|day| day.clamp(FIRST, LAST));
        let (started_at, ended_at) = (within(request.started_at), within(request.ended_at));
        Self { care_plan, activity, started_at, ended_at }
    }
}
