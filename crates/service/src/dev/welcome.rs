//! What `dispense dev` prints once it serves: where it is, and a first command that works when pasted.

use std::path::PathBuf;
use std::time::Duration;

use dispense_demo::{Demo, Pharmacy};
use dispense_http::auth::development::{DevelopmentClaims, DevelopmentKey};
use dispense_http::auth::{Audience, Issuer};

use super::orders::order;

/// How long the printed tokens are good.
const GOOD_FOR: Duration = Duration::from_hours(12);

/// What the welcome tells.
pub(crate) struct Welcome {
    pub(crate) issuer: Issuer,
    pub(crate) audience: Audience,
    pub(crate) psql: String,
    /// Where events are announced, if a private Kafka was asked for.
    pub(crate) announced: Option<Announced>,
    pub(crate) demo: Option<Demo>,
    /// Where orders lie that show what can be in the way.
    pub(crate) examples: Option<PathBuf>,
}

/// Where events are announced.
pub(crate) struct Announced {
    /// As `KAFKA_BROKERS` wants it.
    pub(crate) brokers: String,
    /// A command that prints what is announced.
    pub(crate) listening: String,
}

impl Welcome {
    /// Prints it.
    pub(crate) fn print(&self, address: &str, key: &DevelopmentKey) {
        println!("\nThe dispense service is ready at {address}");
        println!("  try it      {address}/api/v1/docs");
        println!("  database    psql '{}'", self.psql);
        if let Some(announced) = &self.announced {
            println!("  streams     KAFKA_BROKERS={}", announced.brokers);
        }
        if let Some(examples) = &self.examples {
            println!(
                "  examples    {}, for `dispense explain --request FILE`",
                examples.join("*.json").display()
            );
        }
        println!(
            "  stop it     Ctrl-C; what was dispensed is kept, and is there at the next start"
        );
        if let Some(demo) = &self.demo {
            match self.first_command(address, demo, key) {
                Ok(command) => println!("\nHold what a doctor has prescribed:\n\n{command}\n"),
                Err(error) => eprintln!("dispense: no first command: {error}"),
            }
        }
        if let Some(announced) = &self.announced {
            println!("Watch what is announced, in another terminal:\n\n{}\n", announced.listening);
        }
    }

    /// A hold on the demo registry, as a command for the shell.
    fn first_command(
        &self,
        address: &str,
        demo: &Demo,
        key: &DevelopmentKey,
    ) -> anyhow::Result<String> {
        let tour = demo.tour();
        let token = key.mint(&self.claims(&tour.pharmacy)?, GOOD_FOR)?;
        let wanted = demo.holdable(1).next().unwrap_or_else(|| tour.hold.clone());
        let body = order(demo, &wanted);
        Ok(format!(
            "curl -i {address}/api/v1/dispenses \\\n  -H 'Authorization: Bearer {token}' \\\n  \
         -H 'Content-Type: application/json' -H 'Idempotency-Key: first' \\\n  -d '{body}'"
        ))
    }

    fn claims(&self, pharmacy: &Pharmacy) -> anyhow::Result<DevelopmentClaims> {
        Ok(DevelopmentClaims {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            user: pharmacy.user_id,
            client: pharmacy.legal_entity_id,
            client_type: pharmacy.client_type.parse()?,
            scope: "medication_dispense:write medication_dispense:process \
                medication_dispense:reject medication_dispense:read medication_request:details"
                .to_owned(),
        })
    }
}
