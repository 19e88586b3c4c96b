//! Rules 5.3 and 15: each item. A rule looks at every item and tells of each that breaks it.

use super::participant::{named_or_newest, participants};
use super::{Case, each};
use crate::decide::table::Judgement;
use crate::qualify::lacks;
use crate::registry::{Channel, MedicationType};
use crate::{Code, Member, Place, Prices, Refusal};

/// Rule 5.3: each item states its prices, unless its program is funded by somebody else than the
/// payer. A program that does not exist is rule 12's to tell.
pub(super) fn prices_stated(case: &Case<'_>) -> Judgement {
    let funded_elsewhere = match (&case.sight.evidence.program, case.command.medical_program_id) {
        (Some(program), _) => program.is_funded_elsewhere(),
        (None, Some(_)) => return None,
        (None, None) => false,
    };
    match case.command.prices {
        Prices::UnlessFundedElsewhere if !funded_elsewhere => {}
        Prices::UnlessFundedElsewhere | Prices::AsStated => return None,
    }
    let items = case.command.items.iter().enumerate();
    let missing = items.flat_map(|(index, item)| {
        let prices = [
            ("sell_price", item.unit_price, Member::UnitPrice),
            ("sell_amount", item.total_price, Member::TotalPrice),
            ("discount_amount", item.discount_amount, Member::DiscountAmount),
        ];
        prices.into_iter().filter(|(_, price, _)| price.is_none()).map(move |(name, _, member)| {
            let message = format!("required property {name} was not present");
            Refusal::saying(Code::PriceMissing, message)
                .at(Place::Item(index, member))
                .by_schema("required")
        })
    });
    Some(missing.collect())
}

/// Rule 15a: each medication exists, and is one that can be dispensed: a brand, or a dosage that
/// the pharmacy makes itself.
pub(super) fn medication_exists(case: &Case<'_>) -> Judgement {
    each(case, |line| match line.medication {
        Some(medication) if medication.kind != MedicationType::Innm => None,
        Some(_) | None => Some(
            Refusal::of(Code::MedicationNotFound)
                .at(line.at(Member::Medication))
                .with("medicationId", line.wanted.medication_id),
        ),
    })
}

/// Rule 15b: it is active, and its record has what is needed to dispense it: of a brand the primary
/// ingredient, and the size of a package where the discount depends on it (6.3).
pub(super) fn medication_active(case: &Case<'_>) -> Judgement {
    each(case, |line| {
        let medication = line.known()?;
        let channel = line.participant().map(|it| it.reimbursement.channel());
        let missing = match lacks(medication) {
            None if channel == Some(Channel::Fixed) && medication.whole_package().is_none() => {
                "package_qty"
            }
            None => return None,
            Some(missing) => missing,
        };
        Some(
            Refusal::of(Code::MedicationNotActive)
                .at(line.at(Member::Medication))
                .with("medicationId", medication.id)
                .with("missing", missing),
        )
    })
}

/// Rule 15c (D-08): it is what was prescribed: a brand of that dosage, or that dosage, made here.
pub(super) fn medication_prescribed(case: &Case<'_>) -> Judgement {
    let prescribed = case.sight.evidence.request.as_ref()?.request.medication_id;
    each(case, |line| {
        let medication = line.known()?;
        let contained = match medication.kind {
            MedicationType::Brand => medication.dosage_id()?,
            MedicationType::InnmDosage => medication.id,
            MedicationType::Innm => return None,
        };
        (contained != prescribed).then(|| {
            Refusal::of(Code::MedicationMismatch)
                .at(line.at(Member::Medication))
                .with("prescribed", prescribed)
                .with("contained", contained)
        })
    })
}

/// Rule 15d: it takes part in the program.
pub(super) fn medication_in_program(case: &Case<'_>) -> Judgement {
    let program = case.sight.evidence.program.as_ref()?;
    each(case, |line| {
        line.known()?;
        let takes_part = participants(case, line.index).iter().any(|it| it.is_active);
        (!takes_part).then(|| {
            Refusal::of(Code::MedicationNotInProgram)
                .at(line.at(Member::Medication))
                .with("medicalProgramId", program.id)
        })
    })
}

/// Rule 15e: the participant that is named is one of this brand and program; and that, or without a
/// name any one, counts today.
pub(super) fn participant_usable(case: &Case<'_>) -> Judgement {
    let today = case.today;
    case.sight.evidence.program.as_ref()?;
    each(case, |line| {
        line.known()?;
        let known = participants(case, line.index);
        let place = line.at(Member::ProgramMedication);
        match line.wanted.program_medication_id {
            Some(id) if known.iter().all(|it| it.id != id) => Some(
                Refusal::of(Code::ProgramMedicationInvalid)
                    .at(place)
                    .with("programMedicationId", id),
            ),
            // Then rule 15d has spoken.
            None if known.iter().all(|it| !it.is_active) => None,
            Some(_) | None => named_or_newest(known, line.wanted, today).is_none().then(|| {
                Refusal::of(Code::ProgramMedicationExpired).at(place).with("today", today)
            }),
        }
    })
}

/// Rule 10.3: no expired medicine. It is good on its expiry date; counted is the later of today and
/// the stated day.
pub(super) fn medicine_good(case: &Case<'_>) -> Judgement {
    let today = case.today;
    let day = today.max(case.command.dispensed_on);
    each(case, |line| {
        let expiry = line.wanted.expiry_date.filter(|expiry| *expiry < day)?;
        Some(
            Refusal::of(Code::MedicineExpired)
                .at(line.at(Member::ExpiryDate))
                .with("expiryDate", expiry)
                .with("earliest", day),
        )
    })
}
