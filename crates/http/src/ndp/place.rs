//! Where this API keeps what a rule blames.

use dispense_domain::{Member, Place};

/// The path of the member that is to blame.
pub(crate) fn path(place: &Place) -> String {
    let of_item = |index: &usize, name: &str| format!("$.items.[{index}].{name}");
    match place {
        Place::Asker => "$".to_owned(),
        Place::Request => "$.prescriptionId".to_owned(),
        Place::Quantity => "$.items".to_owned(),
        Place::Division => "$.pharmacyId".to_owned(),
        Place::Program => "$.programId".to_owned(),
        Place::ProgramAt(index) => format!("$.programs.[{index}].id"),
        Place::Code => "$.verificationCode".to_owned(),
        Place::DispensedAt => "$.dispensedAt".to_owned(),
        Place::PaymentAmount => "$.copayment".to_owned(),
        Place::PaymentId => "$.paymentId".to_owned(),
        Place::Item(index, Member::Medication) => of_item(index, "medicineCode"),
        Place::Item(index, Member::ProgramMedication) => of_item(index, "programMedicationId"),
        Place::Item(index, Member::Quantity) => of_item(index, "quantityDispensed"),
        Place::Item(index, Member::ExpiryDate) => of_item(index, "expiryDate"),
        Place::Item(index, Member::UnitPrice) => of_item(index, "unitPrice"),
        Place::Item(index, Member::TotalPrice) => of_item(index, "totalPrice"),
        Place::Item(index, Member::DiscountAmount) => of_item(index, "discountAmount"),
        Place::Content => "$.signedContent".to_owned(),
        // The document is the register's, whatever API it comes through.
        Place::Document(path) => path.to_string(),
    }
}
