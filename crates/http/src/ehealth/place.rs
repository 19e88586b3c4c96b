//! Where this API keeps what a rule blames. What the rules blame stands without the wrapper of the
//! body, what the schema blames with it: the register does so.

use dispense_domain::{Member, Place};

/// The path of the member that is to blame.
pub(crate) fn path(place: &Place) -> String {
    let of_line = |index: &usize, name: &str| format!("$.dispense_details.[{index}].{name}");
    match place {
        Place::Asker => "$.legal_entity_id".to_owned(),
        Place::Request => "$.medication_request_id".to_owned(),
        Place::Quantity => "$.medication_request.medication_qty".to_owned(),
        Place::Division => "$.division_id".to_owned(),
        Place::Program => "$.medical_program_id".to_owned(),
        Place::ProgramAt(index) => format!("$.programs.[{index}].id"),
        Place::Code => "$.code".to_owned(),
        Place::DispensedAt => "$.dispensed_at".to_owned(),
        Place::PaymentAmount => "$.payment_amount".to_owned(),
        Place::PaymentId => "$.payment_id".to_owned(),
        Place::Item(index, Member::Medication) => of_line(index, "medication_id"),
        Place::Item(index, Member::ProgramMedication) => of_line(index, "program_medication_id"),
        Place::Item(index, Member::Quantity) => of_line(index, "medication_qty"),
        Place::Item(index, Member::ExpiryDate) => of_line(index, "expiry_date"),
        Place::Item(index, Member::UnitPrice) => of_line(index, "sell_price"),
        Place::Item(index, Member::TotalPrice) => of_line(index, "sell_amount"),
        Place::Item(index, Member::DiscountAmount) => of_line(index, "discount_amount"),
        Place::Content => "$.content".to_owned(),
        Place::Document(path) => path.to_string(),
    }
}
