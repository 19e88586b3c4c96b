//! Every rule about a hold, asked without the writer: for whoever wants to know why, and must not
//! leave a trace.

use std::sync::Arc;

use dispensary::{EventLog, Unavailable};
use dispense_domain::decide::create_hold::{Explained, explain};
use dispense_domain::{CreateHold, Evidence, Salt, Sight, Terms};

use super::{PgLog, within};
use crate::PgRegistry;
use crate::look::look;

impl PgLog {
    /// What every rule would say of that hold now, from what a decision reads. Nothing is locked and
    /// nothing is written: a wrong verification code is no try. So a decision that is made meanwhile
    /// may know more.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn explain(
        &self,
        registry: &PgRegistry,
        command: &CreateHold,
        terms: &Arc<Terms>,
    ) -> Result<Vec<Explained>, Unavailable> {
        let (request, client) = (command.medication_request_id, command.client);
        let partition = self.settings.partitions.of_request(request).cast_signed();
        let found = within(look(&self.pool, partition, &[request], &[client])).await?;
        let small = within(registry.at_least(found.registry_version)).await?;
        let stream = self.stream(request).await?;
        let known = found.requests.get(&request).and_then(|texts| texts.evidence(request, &small));
        let wrong_codes = found.wrong_codes.of(request, client);
        let evidence = Evidence { wrong_codes, ..small.evidence(command, known, terms) };
        // The salt goes into personal bodies alone, and none is written.
        let sight = Sight { at: found.at.max(stream.at), evidence, salt: Salt::default() };
        Ok(explain(&stream.dispensing(), command, &sight))
    }
}
