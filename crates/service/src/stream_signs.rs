//! What does not work between us and the brokers, for readiness: it stops no command.

use dispensary::relay::Signs;
use dispense_postgres::faults::Faults;

/// The name of the check.
pub(crate) const CHECK: &str = "streams";

/// Tells the check `streams`.
#[derive(Debug, Clone)]
pub(crate) struct StreamSigns(pub(crate) Faults);

impl Signs for StreamSigns {
    fn report(&self, about: &str, detail: String) {
        self.0.report(CHECK, about, detail);
    }

    fn clear(&self, about: &str) {
        self.0.clear(CHECK, about);
    }
}
