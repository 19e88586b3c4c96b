//! Patients.

use serde_json::json;
use uuid::Uuid;

use crate::Demo;
use crate::line::line;
use crate::names::Identity;

impl Demo {
    /// The id of the `n`-th patient.
    pub(crate) fn person_id(&self, n: u32) -> Uuid {
        self.seed.id("person", n)
    }
}

/// The lines of the patients: as many as there are medication requests.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    (0..demo.requests).map(|n| {
        let person = Identity::drawn(&mut demo.seed.draw("person", n), 1932, 2012);
        let record = json!({
            "id": demo.person_id(n),
            "first_name": person.first_name,
            "last_name": person.last_name,
            "second_name": person.second_name,
            "birth_date": person.birth_date,
        });
        line("person", record)
    })
}
