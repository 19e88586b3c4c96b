//! What the callers of a batch are told, and how it is counted.

use dispensary::{AppendError, Unavailable};
use dispense_domain::Command;

use crate::fault::Fault;
use crate::queue::{Granted, Outcome, Waiting, Wish};

/// Gives a caller its answer.
pub(crate) fn give(waiting: Waiting, outcome: Outcome) {
    count(&waiting.wish, &outcome);
    waiting.answer(outcome);
}

/// Tells everyone in a batch that nothing was done, or that nobody knows.
pub(crate) fn give_all(partition: u16, batch: Vec<Waiting>, fault: &Fault) {
    tracing::error!(partition, commands = batch.len(), "a batch was not written: {fault:?}");
    for waiting in batch {
        let error = match fault {
            Fault::Culprit(_) | Fault::Stale(_) => AppendError::Bug,
            Fault::Busy(_) => AppendError::Busy,
            Fault::ClockUnsound => AppendError::ClockUnsound,
            Fault::Unknown => AppendError::OutcomeUnknown,
            Fault::Unavailable(cause) => Unavailable::database(cause.to_string()).into(),
            Fault::RolledBack => Unavailable::database("the batch was rolled back").into(),
        };
        give(waiting, Err(error));
    }
}

/// The answers of a batch of which nobody knows whether it was committed. What would have written
/// nothing has certainly done nothing.
pub(crate) fn unknown(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    tracing::error!(commands = outcomes.len(), "the outcome of a batch is unknown");
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(Granted::Recorded(it)) if !it.events.is_empty() => Err(AppendError::OutcomeUnknown),
            Ok(Granted::Recorded(_) | Granted::Tried(_)) | Err(_) => {
                Err(Unavailable::database("the answer to a commit was lost").into())
            }
        })
        .collect()
}

/// Counts what became of a wish.
fn count(wish: &Wish, outcome: &Outcome) {
    let kind = match wish {
        Wish::Record(Command::CreateHold(_)) => "create",
        Wish::Record(Command::Process(_)) => "process",
        Wish::Record(Command::Cancel(_)) => "cancel",
        Wish::Record(Command::Expire(_)) => "expire",
        Wish::TryOut(_) => "try",
    };
    let became = match outcome {
        Ok(Granted::Recorded(appended)) if appended.events.is_empty() => "replayed",
        Ok(Granted::Recorded(_)) => "recorded",
        Ok(Granted::Tried(_)) => "tried",
        Err(AppendError::Refused { refusals, .. }) => {
            for refusal in refusals.all() {
                let code = refusal.code.definition().code;
                metrics::counter!("dispense_refusals_total", "code" => code).increment(1);
            }
            "refused"
        }
        Err(AppendError::Busy) => "busy",
        Err(AppendError::OutcomeUnknown) => "outcome-unknown",
        Err(AppendError::ClockUnsound) => "clock-unsound",
        Err(AppendError::Unavailable(_)) => "unavailable",
        Err(AppendError::Bug) => "bug",
    };
    metrics::counter!("dispense_commands_total", "kind" => kind, "outcome" => became).increment(1);
}
