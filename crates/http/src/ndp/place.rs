//! Where this API keeps what a rule blames.

use dispense_domain::{Member, Place};

/// The path of the member that is to blame.
pub(crate) fn path(place: &Place) -> String {
    match place {
        Place::Asker => "$".to_owned(),
        Place::Request => "$.prescriptionId".to_owned(),
        Place::Quantity => "$.items".to_owned(),
        Place::Division => "$.pharmacyId".to_owned(),
        Place::Program => "$.programId".to_owned(),
        Place::DispensedAt => "$.dispensedAt".to_owned(),
        Place::PaymentAmount => "$.copayment".to_owned(),
        Place::PaymentId => "$.paymentId".to_owned(),
        Place::Item(index, Member::Medication) => format!("$.items.[{index}].medicineCode"),
        Place::Item(index, Member::ExpiryDate) => format!("$.items.[{index}].expiryDate"),
        Place::Item(index, Member::UnitPrice) => format!("$.items.[{index}].unitPrice"),
        Place::Item(index, Member::TotalPrice) => format!("$.items.[{index}].totalPrice"),
        Place::Item(index, Member::DiscountAmount) => format!("$.items.[{index}].discountAmount"),
        Place::Content => "$.signedContent".to_owned(),
        // The document is the register's, whatever API it comes through.
        Place::Document(path) => path.to_string(),
    }
}
