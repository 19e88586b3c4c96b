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

#[cfg(test)]
mod tests {
    use dispense_demo::Program;

    use super::*;

    const README: &str = include_str!("../../../../README.md");

    #[test]
    fn the_walk_of_the_readme_names_what_the_demo_has() {
        let demo = Demo::new("2026-11-22".parse().unwrap());
        let tour = demo.tour();
        let mut ids = vec![demo.program_id(Program::Insulins)];
        for pharmacy in [&tour.pharmacy, &tour.other_pharmacy] {
            ids.extend([pharmacy.user_id, pharmacy.legal_entity_id, pharmacy.division_id]);
        }
        for wanted in [&tour.hold, &tour.at_once] {
            ids.extend([wanted.medication_request_id, wanted.medical_program_id, wanted.brand_id]);
        }
        for id in ids {
            assert!(README.contains(&id.to_string()), "{id}");
        }
    }

    #[test]
    fn every_example_is_a_file_that_the_readme_names() {
        let home = tempfile::tempdir().unwrap();
        let demo = Demo::new("2026-11-22".parse().unwrap());
        let folder = write_examples(home.path(), &demo).unwrap();
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let names: Vec<_> =
            names.map(|path| path.file_stem().unwrap().display().to_string()).collect();
        assert_eq!(names.len(), dispense_demo::Shows::ALL.len() + 1);
        for name in names {
            assert!(README.contains(&format!("`{name}`")), "{name}");
        }
    }
}
