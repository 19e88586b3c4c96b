//! Rules 17 to 21: what is left, how much may be taken in which parts, and who pays when.

use rust_decimal::Decimal;

use super::{Case, each};
use crate::decide::table::{Judgement, PASSED, failed};
use crate::{Code, Member, Place, Quantity, Refusal};

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
    Some(Amounts {
        prescribed: case.dispensing.prescribed().unwrap_or(registry),
        processed: case.dispensing.processed().normalize(),
        available: case.dispensing.remaining(registry).into(),
        requested: requested(case),
        in_parts: in_parts(case),
    })
}

/// How much is wanted, all items together.
pub(super) fn requested(case: &Case<'_>) -> Decimal {
    let items = case.command.items.iter();
    let sum = items.fold(Decimal::ZERO, |sum, item| sum.saturating_add(item.quantity.decimal()));
    sum.normalize()
}

/// Whether parts may be dispensed: the setting of the program, or of the installation where there
/// is none. Unknown while the program is.
pub(super) fn in_parts(case: &Case<'_>) -> Option<bool> {
    let evidence = &case.sight.evidence;
    match (case.command.medical_program_id, &evidence.program) {
        (None, _) => Some(evidence.terms.multi_dispense_without_program),
        (Some(_), Some(program)) => Some(program.medical_program_settings.multi_dispense()),
        (Some(_), None) => None,
    }
}

/// Rule 17: one hold at a time.
pub(super) fn one_hold_at_a_time(case: &Case<'_>) -> Judgement {
    let Some(hold) = case.dispensing.live_hold(case.sight.at) else { return PASSED };
    let refusal = Refusal::of(Code::AlreadyHeld).at(Place::Request);
    failed(match hold.expires_at {
        // The caller's own hold is no secret to it; anybody else's is.
        Some(expires_at) if hold.client == case.command.client => refusal
            .with("dispenseId", hold.id)
            .with("expiresAt", expires_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        Some(_) | None => refusal,
    })
}

/// Rule 18: something is left, and where parts are not allowed, nothing was handed over yet.
pub(super) fn something_left(case: &Case<'_>) -> Judgement {
    let amounts = amounts(case)?;
    let spent = amounts.in_parts == Some(false) && amounts.processed > Decimal::ZERO;
    if !spent && amounts.available > Decimal::ZERO {
        return PASSED;
    }
    failed(
        Refusal::of(Code::NothingLeft)
            .at(Place::Request)
            .with("prescribed", amounts.prescribed)
            .with("dispensed", amounts.processed),
    )
}

/// Rule 19: in parts, no more than is left; else exactly what was prescribed.
pub(super) fn fits(case: &Case<'_>) -> Judgement {
    let amounts = amounts(case)?;
    let Amounts { prescribed, available, requested, .. } = amounts;
    match amounts.in_parts {
        Some(true) if requested > available => {
            let message = format!(
                "Dispensed medication quantity must be lower or equal to medication quantity in \
                 Medication Request. Available quantity is {available}"
            );
            failed(
                Refusal::saying(Code::QuantityExceedsAvailable, message)
                    .at(Place::Quantity)
                    .with("requested", requested)
                    .with("available", available),
            )
        }
        Some(false) if requested != prescribed.decimal() => failed(
            Refusal::of(Code::QuantityNotEqual)
                .at(Place::Quantity)
                .with("requested", requested)
                .with("prescribed", prescribed),
        ),
        Some(true | false) => PASSED,
        None => None,
    }
}

/// The text of rule 20 where a participant forbids to divide a package.
const WHOLE_PACKAGES: &str = "Requested medication brand quantity must be a multiplier of \
     package_min_qty (or package_qty if program_medication.package_quantity_divisible = false)";

/// Rule 20: the quantity of each item is a multiple of what cannot be divided (7.3). Where the
/// registry does not say what that is, every quantity will do.
pub(super) fn divisible(case: &Case<'_>) -> Judgement {
    if case.command.medical_program_id.is_some() {
        case.sight.evidence.program.as_ref()?;
    }
    each(case, |line| {
        let participant = line.participant();
        let step = line.known()?.step(participant)?;
        let quantity = line.wanted.quantity;
        if (quantity.decimal() % step.decimal()).is_zero() {
            return None;
        }
        let refusal = match participant {
            Some(it) if !it.is_divisible() => {
                Refusal::saying(Code::QuantityNotDivisible, WHOLE_PACKAGES)
            }
            Some(_) | None => Refusal::of(Code::QuantityNotDivisible),
        };
        Some(refusal.at(line.at(Member::Quantity)).with("actual", quantity).with("step", step))
    })
}

/// Rule 21: with a signature the payment is stated when it is signed; without, at once.
pub(super) fn payment_members(case: &Case<'_>) -> Judgement {
    let command = case.command;
    let program = &case.sight.evidence.program;
    if command.medical_program_id.is_some() && program.is_none() {
        return None;
    }
    let skips = program.as_ref().map(|program| program.medical_program_settings.skips_signature());
    if skips == Some(true) {
        if command.payment_amount.value().is_some() {
            return PASSED;
        }
        return failed(Refusal::of(Code::PaymentRequired).at(Place::PaymentAmount));
    }
    let members = [
        (command.payment_id.is_present(), Place::PaymentId),
        (command.payment_amount.is_present(), Place::PaymentAmount),
    ];
    let stated = members.into_iter().filter(|(present, _)| *present);
    Some(stated.map(|(_, place)| Refusal::of(Code::PaymentNotAllowed).at(place)).collect())
}
