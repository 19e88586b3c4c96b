//! Orders on the demo registry, as the JSON that a pharmacy sends.

use std::path::{Path, PathBuf};

use anyhow::Context;
use dispense_demo::{Demo, Dispensable, Example};
use serde_json::{Value, json};

/// The folder of the examples below `DISPENSE_HOME`.
const EXAMPLES: &str = "examples";

/// An order for all that was prescribed, by the pharmacy of the tour.
pub(super) fn order(demo: &Demo, wanted: &Dispensable) -> Value {
    let tour = demo.tour();
    let offer = wanted.offer(wanted.quantity);
    let mut order = json!({
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
    });
    if wanted.program.skips_signature() {
        order["copayment"] = json!(offer.payment_amount);
    }
    order
}

/// Writes an order for each thing that can be in the way. Their day is that of the registry, so they
/// are written anew at each start.
pub(super) fn write_examples(home: &Path, demo: &Demo) -> anyhow::Result<PathBuf> {
    let folder = home.join(EXAMPLES);
    let write = |name: &str, order: &Value| -> std::io::Result<()> {
        std::fs::write(folder.join(name).with_extension("json"), format!("{order:#}\n"))
    };
    let write_all = || -> std::io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        for Example { shows, wanted, verification_code } in demo.examples() {
            let mut order = order(demo, &wanted);
            write(shows.as_str(), &order)?;
            if let Some(code) = verification_code {
                order["verificationCode"] = json!(code);
                write(&format!("{}-given", shows.as_str()), &order)?;
            }
        }
        Ok(())
    };
    write_all().with_context(|| format!("cannot write the examples in {}", folder.display()))?;
    Ok(folder)
}
