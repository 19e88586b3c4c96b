//! Care plans and their activities.

use serde_json::json;
use uuid::Uuid;

use crate::Demo;
use crate::line::line;
use crate::requests::{Request, State};

impl Demo {
    /// The id of the care plan from which the `n`-th medication request follows.
    pub(crate) fn care_plan_id(&self, n: u32) -> Uuid {
        self.seed.id("care plan", n)
    }

    /// The id of the activity from which the `n`-th medication request follows.
    pub(crate) fn activity_id(&self, n: u32) -> Uuid {
        self.seed.id("activity", n)
    }

    fn planned(&self) -> impl Iterator<Item = Request> {
        (0..self.requests)
            .map(|n| self.request(n))
            .filter(|request| request.state == State::Planned)
    }
}

/// The lines of the care plans, then of their activities.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    let plans = demo.planned().map(|request| {
        let record = json!({
            "id": demo.care_plan_id(request.n),
            "person_id": demo.person_id(request.person),
            "status": "active",
            "period": { "start": demo.ago(request.days_old + 20), "end": demo.ahead(160) },
        });
        line("care_plan", record)
    });
    let activities = demo.planned().map(|request| {
        let budget = request.quantity * 3;
        let record = json!({
            "id": demo.activity_id(request.n),
            "care_plan_id": demo.care_plan_id(request.n),
            "kind": "medication_request",
            "status": if request.n.is_multiple_of(2) { "scheduled" } else { "in_progress" },
            "program": request.program.map(|program| demo.program_id(program)),
            "product_reference": demo.seed.id("dosage", request.dosage),
            "quantity": budget,
            "remaining_quantity": budget,
        });
        line("care_plan_activity", record)
    });
    plans.chain(activities)
}
