//! From a command to events, or to every rule that it would break.

pub mod create_hold;
pub mod process;
pub(crate) mod standing;
pub(crate) mod table;

use chrono::{DateTime, Utc};

use crate::{
    Cancel, Cancelled, CancelledBody, Code, Command, Dispense, DispenseEvent, DispenseId,
    Dispensing, Expired, LegalEntityId, Personal, Question, Reach, Refusal, Refusals, Sight,
    Status, salt_for,
};

/// The most dispenses that one medication request can have.
pub const MOST_DISPENSES: usize = 500;

/// The events that `command` brings about.
///
/// No events means that there is nothing left to do: the question was answered before, and whoever
/// asks again gets the first answer.
///
/// # Errors
///
/// Every rule that the command would break, in the order of `docs/domain.md`; the first one is the
/// answer where only one may be given.
pub fn decide(
    dispensing: &Dispensing,
    command: &Command,
    sight: &Sight,
) -> Result<Vec<DispenseEvent>, Refusals> {
    match command {
        Command::CreateHold(command) => create_hold::create_hold(dispensing, command, sight),
        Command::Process(command) => process::process(dispensing, command, sight),
        Command::Cancel(command) => cancel(dispensing, command, sight),
        Command::Expire(_) => Ok(expire(dispensing, sight.at)),
    }
}

/// Rule 5.6: only a live hold can be given back, by who owns it or by the payer.
fn cancel(
    dispensing: &Dispensing,
    command: &Cancel,
    sight: &Sight,
) -> Result<Vec<DispenseEvent>, Refusals> {
    let dispense = reached(dispensing, command.dispense_id, command.reach, command.client)?;
    let request_digest = command.request_digest();
    let asked = Question { key: command.key_digest, request: request_digest };
    if dispense.recorded_status() == Status::Cancelled && asked_before(dispense.closed_by, asked)? {
        return Ok(Vec::new());
    }
    still_held(dispense, Status::Cancelled, sight.at)?;

    let says_something = command.payment_id.is_some() || command.reason.is_some();
    let personal = says_something.then(|| {
        Personal::seal(&CancelledBody {
            salt: salt_for(&sight.salt, "Cancelled"),
            payment_id: command.payment_id.clone(),
            reason: command.reason.clone(),
        })
    });
    Ok(vec![DispenseEvent::Cancelled(Cancelled {
        dispense_id: command.dispense_id,
        key_digest: command.key_digest,
        request_digest,
        personal: personal.flatten(),
    })])
}

/// D-10: the dispense, if it is there for this asker; what is foreign looks like what is not there.
fn reached(
    dispensing: &Dispensing,
    id: DispenseId,
    reach: Reach,
    client: LegalEntityId,
) -> Result<&Dispense, Refusal> {
    dispensing
        .get(id)
        .filter(|dispense| reach == Reach::All || dispense.client == client)
        .ok_or_else(|| Refusal::of(Code::DispenseNotFound))
}

/// D-06: every hold that ran out by `at`, which is never more than one.
fn expire(dispensing: &Dispensing, at: DateTime<Utc>) -> Vec<DispenseEvent> {
    dispensing
        .dispenses()
        .iter()
        .filter(|dispense| dispense.recorded_status() == Status::Held)
        .filter(|dispense| dispense.status(at) == Status::Expired)
        .filter_map(|dispense| {
            let expires_at = dispense.expires_at?;
            Some(DispenseEvent::Expired(Expired { dispense_id: dispense.id, expires_at }))
        })
        .collect()
}

/// Whether this very question was answered before.
///
/// # Errors
///
/// The key was used before, for something else.
fn asked_before(answered: Option<Question>, asked: Question) -> Result<bool, Refusal> {
    match answered {
        Some(answered) if answered.key == asked.key => {
            if answered.request == asked.request {
                Ok(true)
            } else {
                Err(Refusal::of(Code::IdempotencyKeyReused))
            }
        }
        Some(_) | None => Ok(false),
    }
}

/// Rule 4.1: a dispense leaves the hold once, and only while it lives.
fn still_held(dispense: &Dispense, to: Status, at: DateTime<Utc>) -> Result<(), Refusal> {
    let from = dispense.status(at);
    if from == Status::Held {
        return Ok(());
    }
    let (from, to) = (register_word(from), register_word(to));
    let message = format!("Can't update medication dispense status from {from} to {to}");
    Err(Refusal::saying(Code::WrongStatus, message).with("from", from).with("to", to))
}

/// The register's word for a status.
#[must_use]
pub const fn register_word(status: Status) -> &'static str {
    match status {
        Status::Held => "NEW",
        Status::Processed => "PROCESSED",
        Status::Cancelled => "REJECTED",
        Status::Expired => "EXPIRED",
    }
}
