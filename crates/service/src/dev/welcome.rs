//! What `dispense dev` prints once it serves: where it is, and a first command that works when pasted.

use std::time::Duration;

use dispense_demo::{Demo, Dispensable, Pharmacy, Tour};
use dispense_http::auth::development::{DevelopmentClaims, DevelopmentKey};
use dispense_http::auth::{Audience, Issuer};
use serde_json::json;

/// How long the printed tokens are good.
const GOOD_FOR: Duration = Duration::from_hours(12);

/// What the welcome tells.
pub(crate) struct Welcome {
    pub(crate) issuer: Issuer,
    pub(crate) audience: Audience,
    pub(crate) psql: String,
    pub(crate) demo: Option<Demo>,
}

impl Welcome {
    /// Prints it.
    pub(crate) fn print(&self, address: &str, key: &DevelopmentKey) {
        println!("\nThe dispense service is ready at {address}");
        println!("  try it      {address}/api/v1/docs");
        println!("  database    psql '{}'", self.psql);
        println!(
            "  stop it     Ctrl-C; what was dispensed is kept, and is there at the next start"
        );
        if let Some(demo) = &self.demo {
            match self.first_command(address, demo, key) {
                Ok(command) => println!("\nHold what a doctor has prescribed:\n\n{command}\n"),
                Err(error) => eprintln!("dispense: no first command: {error}"),
            }
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
        let body = hold(&tour, &wanted, demo);
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
                medication_dispense:reject medication_dispense:read"
                .to_owned(),
        })
    }
}

/// The body of a hold on all that was prescribed.
fn hold(tour: &Tour, wanted: &Dispensable, demo: &Demo) -> serde_json::Value {
    let offer = wanted.offer(wanted.quantity);
    json!({
        "prescriptionId": wanted.medication_request_id,
        "pharmacyId": tour.pharmacy.division_id,
        "programId": wanted.medical_program_id,
        "dispensedAt": demo.today(),
        "items": [{
            "medicineCode": wanted.brand_id,
            "quantityDispensed": wanted.quantity,
            "batchNumber": tour.batch_number,
            "expiryDate": tour.expiry_date,
            "unitPrice": offer.sell_price,
            "totalPrice": offer.sell_amount,
            "discountAmount": offer.discount_amount,
        }],
    })
}
