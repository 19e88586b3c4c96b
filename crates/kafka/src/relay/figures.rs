//! What can be counted of the relay.

use std::time::Duration;

use dispensary::Topic;
use metrics::{counter, gauge, histogram};

use super::batch::Batch;
use crate::error::StreamError;
use crate::producer::NotCommitted;

/// Counts begin at nothing, so that the first of each can be seen.
pub(super) fn begin() {
    for outcome in ["committed", "aborted", "fenced"] {
        counter!("dispense_relay_transactions_total", "outcome" => outcome).increment(0);
    }
    for topic in Topic::ALL {
        counter!("dispense_relay_messages_total", "topic" => topic.name()).increment(0);
    }
    counter!("dispense_relay_events_total").increment(0);
}

/// A transaction is over, or given up.
pub(super) fn transaction(committed: &Result<(), NotCommitted>, took: Duration) {
    let outcome = match committed {
        Ok(()) => "committed",
        Err(NotCommitted { error: StreamError::Fenced(_), .. }) => "fenced",
        Err(_) => "aborted",
    };
    counter!("dispense_relay_transactions_total", "outcome" => outcome).increment(1);
    histogram!("dispense_relay_transaction_seconds").record(took);
}

/// Those were announced.
pub(super) fn announced(batch: &Batch) {
    counter!("dispense_relay_events_total").increment(batch.events);
    for topic in Topic::ALL {
        let count = batch.messages.iter().filter(|message| message.topic == topic).count();
        counter!("dispense_relay_messages_total", "topic" => topic.name())
            .increment(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

/// Whether a partition is announced here.
pub(super) fn leased(partition: u16, here: Leased) {
    let value = match here {
        Leased::Here => 1.0,
        Leased::NotHere => 0.0,
    };
    gauge!("dispense_relay_leased", "partition" => partition.to_string()).set(value);
}

/// Who announces a partition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leased {
    /// This instance.
    Here,
    /// Another one, or nobody.
    NotHere,
}

/// Whether a partition stands still until somebody does something about it.
pub(super) fn stopped(partition: u16, stopped: Stopped) {
    let value = match stopped {
        Stopped::UntilMended => 1.0,
        Stopped::No => 0.0,
    };
    gauge!("dispense_relay_stopped", "partition" => partition.to_string()).set(value);
}

/// Whether a partition stands still.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stopped {
    /// Until somebody does something about it.
    UntilMended,
    /// It goes on, or will by itself.
    No,
}

/// How far the streams are behind the log.
#[allow(
    clippy::cast_precision_loss,
    reason = "nobody needs a lag of more than 2^53 events exactly"
)]
pub(super) fn lag(partition: u16, (events, seconds): (i64, f64)) {
    let label = partition.to_string();
    gauge!("dispense_relay_lag_events", "partition" => label.clone()).set(events as f64);
    gauge!("dispense_relay_lag_seconds", "partition" => label).set(seconds);
}
