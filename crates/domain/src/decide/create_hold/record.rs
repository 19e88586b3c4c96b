//! What is written down once every rule has passed.

use std::sync::Arc;

use super::Case;
use super::participant::{named_or_newest, participants};
use crate::registry::{EmployeeStatus, LegalEntity};
use crate::{
    Code, DispenseEvent, DivisionAsWas, DivisionContact, DoctorAsWas, HoldBody, HoldCreated, Item,
    MedicationAsWas, Money, PartyAsWas, PersonAsWas, Personal, Processed, ProcessedBody,
    ProgramAsWas, Question, Refusal, Refusals, Remaining, RequestAsWas, RequestBody,
    RequestEvidence, salt_for,
};

/// The events of a dispense that may begin.
///
/// # Errors
///
/// Rule 6d, if something is missing that a rule should have missed before: nothing is ever recorded
/// with a hole in it.
pub(super) fn events(case: &Case<'_>, asked: Question) -> Result<Vec<DispenseEvent>, Refusals> {
    let hold = hold(case, asked).ok_or_else(|| Refusal::of(Code::MedicationRequestInvalid))?;
    let processed = hold.processed_at_once.then(|| processed_at_once(case, &hold));
    let mut events = vec![DispenseEvent::HoldCreated(Arc::new(hold))];
    events.extend(processed.map(DispenseEvent::Processed));
    Ok(events)
}

fn hold(case: &Case<'_>, asked: Question) -> Option<HoldCreated> {
    let Case { dispensing, command, sight, .. } = case;
    let evidence = &sight.evidence;
    let found = evidence.request.as_ref()?;
    let registry = found.request.medication_qty;
    let job = evidence
        .employees
        .iter()
        .find(|job| job.is_active && job.status == EmployeeStatus::Approved)?;
    let at_once = evidence
        .program
        .as_ref()
        .is_some_and(|program| program.medical_program_settings.skips_signature());
    let lasts = chrono::TimeDelta::from_std(evidence.terms.hold_lasts).ok()?;
    let expires_at = sight.at.checked_add_signed(lasts)?;
    Some(HoldCreated {
        dispense_id: command.dispense_id,
        key_digest: asked.key,
        request_digest: asked.request,
        processed_at_once: at_once,
        prescribed: dispensing.prescribed().unwrap_or(registry),
        expires_at: (!at_once).then_some(expires_at),
        party_id: evidence.party.as_ref()?.id,
        employee_id: job.id,
        legal_entity_id: command.client,
        division: DivisionAsWas::from(evidence.division.as_deref()?),
        medical_program: evidence.program.as_deref().map(ProgramAsWas::from),
        dispensed_on: command.dispensed_on,
        items: items(case)?,
        medication_request: request_as_was(case, found)?,
        personal: personal(case, found)?,
    })
}

fn processed_at_once(case: &Case<'_>, hold: &HoldCreated) -> Processed {
    let taken = hold
        .items
        .iter()
        .fold(case.dispensing.processed(), |sum, item| sum.saturating_add(item.quantity.decimal()));
    let payment_id = case.command.payment_id.value().cloned();
    let personal = payment_id.map(|payment_id| {
        let salt = salt_for(&case.sight.salt, "Processed");
        Personal::seal(&ProcessedBody { salt, payment_id: Some(payment_id) })
    });
    Processed {
        dispense_id: hold.dispense_id,
        signed: false,
        payment_amount: case.command.payment_amount.value().copied(),
        remaining: Remaining::after(hold.prescribed, taken),
        content: None,
        key_digest: None,
        request_digest: None,
        personal: personal.flatten(),
    }
}

fn items(case: &Case<'_>) -> Option<Vec<Item>> {
    let evidence = &case.sight.evidence;
    let today = case.today;
    let wanted = case.command.items.iter().enumerate();
    wanted
        .map(|(index, wanted)| {
            let medication = evidence.medications.get(index)?.as_deref()?;
            let participant = named_or_newest(participants(case, index), wanted, today);
            Some(Item {
                id: case.command.dispense_id.item_id(index),
                medication: MedicationAsWas::from(medication),
                quantity: wanted.quantity,
                unit_price: wanted.unit_price,
                total_price: wanted.total_price,
                discount_amount: wanted.discount_amount,
                reimbursement_amount: participant
                    .map_or(Money::ZERO, |it| it.reimbursement.reimbursement_amount),
                program_medication_id: participant.map(|it| it.id),
                package_qty: medication.whole_package(),
                step: medication.step(participant),
                batch_number: wanted.batch_number.clone(),
                expiry_date: wanted.expiry_date,
                medication_2d_codes: wanted.medication_2d_codes.clone(),
            })
        })
        .collect()
}

fn personal(case: &Case<'_>, found: &RequestEvidence) -> Option<Personal> {
    let evidence = &case.sight.evidence;
    let made_on = found.request.created_at.unwrap_or(case.today);
    let pharmacy = evidence.legal_entity.as_deref()?;
    Personal::seal(&HoldBody {
        salt: salt_for(&case.sight.salt, "HoldCreated"),
        party: PartyAsWas::from(evidence.party.as_deref()?),
        legal_entity: Arc::new(LegalEntity {
            accreditation: None,
            licenses: None,
            ..pharmacy.clone()
        }),
        person: PersonAsWas::on(found.person.as_deref()?, made_on),
        employee: DoctorAsWas::of(found.employee.as_deref()?, found.doctor.as_deref()?),
        division: DivisionContact::from(evidence.division.as_deref()?),
        requester_legal_entity: found.legal_entity.clone(),
        requester_division: found.division.clone(),
        medication_request: RequestBody::from(found.request.as_ref()),
        dispensed_by: case.command.dispensed_by.clone(),
        note: case.command.note.clone(),
    })
}

fn request_as_was(case: &Case<'_>, found: &RequestEvidence) -> Option<RequestAsWas> {
    let request = &found.request;
    let of_dispense = case.command.medical_program_id;
    let chosen = found.program.as_deref().filter(|program| Some(program.id) != of_dispense);
    Some(RequestAsWas::of(
        request,
        request.status,
        found.medication.as_deref()?,
        case.dispensing.remaining(request.medication_qty),
        chosen.map(ProgramAsWas::from),
    ))
}
