//! Rules 17 to 19 and 21: what is left, how much may be taken, and who pays when.

use rust_decimal::Decimal;

use super::Case;
use crate::{Code, Place, Quantity, Refusal};

/// What rules 18 and 19 look at, once it is all known.
struct Amounts {
    prescribed: Quantity,
    processed: Decimal,
    available: Decimal,
    requested: Decimal,
    in_parts: Option<bool>,
}

fn amounts(case: &Case<'_>) -> Option<Amounts> {
    let registry = case.sight.evidence.request.as_ref()?.request.medication_qty;
    let items = &case.command.items;
    let requested =
        items.iter().fold(Decimal::ZERO, |sum, item| sum.saturating_add(item.quantity.decimal()));
    Some(Amounts {
        prescribed: case.dispensing.prescribed().unwrap_or(registry),
        processed: case.dispensing.processed().normalize(),
        available: case.dispensing.remaining(registry).into(),
        requested: requested.normalize(),
        in_parts: in_parts(case),
    })
}

/// Whether parts may be dispensed: the setting of the program, or of the installation where there
/// is none. Unknown while the program is.
fn in_parts(case: &Case<'_>) -> Option<bool> {
    let evidence = &case.sight.evidence;
    match (case.command.medical_program_id, &evidence.program) {
        (None, _) => Some(evidence.terms.multi_dispense_without_program),
        (Some(_), Some(program)) => Some(program.medical_program_settings.multi_dispense()),
        (Some(_), None) => None,
    }
}

/// Rule 17: one hold at a time.
pub(super) fn one_hold_at_a_time(case: &Case<'_>) -> Vec<Refusal> {
    let Some(hold) = case.dispensing.live_hold(case.sight.at) else { return Vec::new() };
    let refusal = Refusal::of(Code::AlreadyHeld).at(Place::Request);
    vec![match hold.expires_at {
        // The caller's own hold is no secret to it; anybody else's is.
        Some(expires_at) if hold.client == case.command.client => refusal
            .with("dispenseId", hold.id)
            .with("expiresAt", expires_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        Some(_) | None => refusal,
    }]
}

/// Rule 18: something is left, and where parts are not allowed, nothing was handed over yet.
pub(super) fn something_left(case: &Case<'_>) -> Vec<Refusal> {
    let Some(amounts) = amounts(case) else { return Vec::new() };
    let spent = amounts.in_parts == Some(false) && amounts.processed > Decimal::ZERO;
    if !spent && amounts.available > Decimal::ZERO {
        return Vec::new();
    }
    vec![
        Refusal::of(Code::NothingLeft)
            .at(Place::Request)
            .with("prescribed", amounts.prescribed)
            .with("dispensed", amounts.processed),
    ]
}

/// Rule 19: in parts, no more than is left; else exactly what was prescribed.
pub(super) fn fits(case: &Case<'_>) -> Vec<Refusal> {
    let Some(amounts) = amounts(case) else { return Vec::new() };
    let Amounts { prescribed, available, requested, .. } = amounts;
    match amounts.in_parts {
        Some(true) if requested > available => {
            let message = format!(
                "Dispensed medication quantity must be lower or equal to medication quantity in \
                 Medication Request. Available quantity is {available}"
            );
            vec![
                Refusal::saying(Code::QuantityExceedsAvailable, message)
                    .at(Place::Quantity)
                    .with("requested", requested)
                    .with("available", available),
            ]
        }
        Some(false) if requested != prescribed.decimal() => {
            vec![
                Refusal::of(Code::QuantityNotEqual)
                    .at(Place::Quantity)
                    .with("requested", requested)
                    .with("prescribed", prescribed),
            ]
        }
        Some(true | false) | None => Vec::new(),
    }
}

/// Rule 21: with a signature the payment is stated when it is signed; without, at once.
pub(super) fn payment_members(case: &Case<'_>) -> Vec<Refusal> {
    let command = case.command;
    let program = &case.sight.evidence.program;
    if command.medical_program_id.is_some() && program.is_none() {
        return Vec::new();
    }
    let skips = program.as_ref().map(|program| program.medical_program_settings.skips_signature());
    if skips == Some(true) {
        if command.payment_amount.value().is_some() {
            return Vec::new();
        }
        return vec![Refusal::of(Code::PaymentRequired).at(Place::PaymentAmount)];
    }
    [
        (command.payment_id.is_present(), Place::PaymentId),
        (command.payment_amount.is_present(), Place::PaymentAmount),
    ]
    .into_iter()
    .filter(|(present, _)| *present)
    .map(|(_, place)| Refusal::of(Code::PaymentNotAllowed).at(place))
    .collect()
}
