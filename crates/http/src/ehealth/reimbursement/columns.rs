//! The table of the reimbursement report: a line for each medication of a dispense.

use dispensary::reimbursement::Reimbursed;
use dispense_domain::{Item, Text};

use crate::csv::{self, Cell};

/// The columns, in their order.
pub(in super::super) const COLUMNS: [&str; 18] = [
    "pharmacy_name",
    "pharmacy_edrpou",
    "msp_name",
    "msp_edrpou",
    "doctor_name",
    "request_number",
    "created_at",
    "dispensed_at",
    "innm_name",
    "innm_dosage_name",
    "medication_name",
    "form",
    "medication_qty",
    "package_qty",
    "sell_price",
    "sell_amount",
    "discount_amount",
    "reimbursement_amount",
];

/// The lines of a dispense. What was erased, or never said, is empty; companies are named all the same.
pub(super) fn of(row: &Reimbursed) -> impl Iterator<Item = [Cell<'_>; COLUMNS.len()]> {
    row.shown.hold.items.iter().map(move |item| line(row, item))
}

fn line<'a>(row: &'a Reimbursed, item: &'a Item) -> [Cell<'a>; COLUMNS.len()] {
    let hold = &row.shown.hold;
    let request = &hold.medication_request;
    let (pharmacy, clinic) = (row.pharmacy.as_deref(), row.clinic.as_deref());
    let doctor = row.body.as_ref().map(|body| body.employee.party.full_name());
    let text = |text: Option<&'a Text>| csv::words_if_any(text.map(Text::as_str));
    [
        text(pharmacy.map(|it| &it.name)),
        text(pharmacy.and_then(|it| it.edrpou.as_ref())),
        text(clinic.map(|it| &it.name)),
        text(clinic.and_then(|it| it.edrpou.as_ref())),
        doctor.map_or(csv::EMPTY, |name| csv::words(&name).into_owned().into()),
        text(request.request_number.as_ref()),
        request.created_at.map_or(csv::EMPTY, |day| day.to_string().into()),
        hold.dispensed_on.to_string().into(),
        row.innm_name.as_ref().map_or(csv::EMPTY, |name| csv::words(name.as_str())),
        csv::words(request.medication.name.as_str()),
        csv::words(item.medication.name.as_str()),
        text(item.medication.form.as_ref()),
        csv::number(item.quantity),
        csv::number_if_any(item.package_qty),
        csv::number_if_any(item.unit_price),
        csv::number_if_any(item.total_price),
        csv::number_if_any(item.discount_amount),
        csv::number(item.reimbursement_amount),
    ]
}
