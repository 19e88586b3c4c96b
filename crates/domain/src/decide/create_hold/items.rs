//! Rules 5.3, 12 and 15: the program, and each item.

use super::Case;
use crate::registry::MedicationType;
use crate::{Code, Member, Place, Prices, Refusal};

/// Rule 12c: the program exists.
pub(super) fn program_exists(case: &Case<'_>) -> Vec<Refusal> {
    match (case.command.medical_program_id, &case.sight.evidence.program) {
        (Some(id), None) => {
            vec![Refusal::of(Code::ProgramNotFound).at(Place::Program).with("medicalProgramId", id)]
        }
        (Some(_) | None, _) => Vec::new(),
    }
}

/// Rule 5.3: each item states its prices, unless its program is funded by somebody else than the
/// payer. A program that does not exist is rule 12's to tell.
pub(super) fn prices_stated(case: &Case<'_>) -> Vec<Refusal> {
    let funded_elsewhere = match (&case.sight.evidence.program, case.command.medical_program_id) {
        (Some(program), _) => program.is_funded_elsewhere(),
        (None, Some(_)) => return Vec::new(),
        (None, None) => false,
    };
    match case.command.prices {
        Prices::UnlessFundedElsewhere if !funded_elsewhere => {}
        Prices::UnlessFundedElsewhere | Prices::AsStated => return Vec::new(),
    }
    let items = case.command.items.iter().enumerate();
    items
        .flat_map(|(index, item)| {
            let prices = [
                ("sell_price", item.unit_price, Member::UnitPrice),
                ("sell_amount", item.total_price, Member::TotalPrice),
                ("discount_amount", item.discount_amount, Member::DiscountAmount),
            ];
            prices.into_iter().filter(|(_, price, _)| price.is_none()).map(
                move |(name, _, member)| {
                    let message = format!("required property {name} was not present");
                    Refusal::saying(Code::PriceMissing, message)
                        .at(Place::Item(index, member))
                        .by_schema("required")
                },
            )
        })
        .collect()
}

/// Rule 15a: each medication exists, and is one that can be dispensed: a brand, or a dosage that
/// the pharmacy makes itself.
pub(super) fn medication_exists(case: &Case<'_>) -> Vec<Refusal> {
    let found = &case.sight.evidence.medications;
    let items = case.command.items.iter().enumerate();
    items
        .filter(|(index, _)| match found.get(*index).and_then(Option::as_ref) {
            Some(medication) => medication.kind == MedicationType::Innm,
            None => true,
        })
        .map(|(index, item)| {
            Refusal::of(Code::MedicationNotFound)
                .at(Place::Item(index, Member::Medication))
                .with("medicationId", item.medication_id)
        })
        .collect()
}

/// Rule 10.3: no expired medicine. It is good on its expiry date; counted is the later of today and
/// the stated day.
pub(super) fn medicine_good(case: &Case<'_>) -> Vec<Refusal> {
    let today = case.sight.evidence.today(case.sight.at);
    let day = today.max(case.command.dispensed_on);
    let items = case.command.items.iter().enumerate();
    items
        .filter_map(|(index, item)| {
            let expiry = item.expiry_date.filter(|expiry| *expiry < day)?;
            Some(
                Refusal::of(Code::MedicineExpired)
                    .at(Place::Item(index, Member::ExpiryDate))
                    .with("expiryDate", expiry)
                    .with("earliest", day),
            )
        })
        .collect()
}
