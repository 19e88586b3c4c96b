//! What is told of a partition that is not announced.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dispensary::relay::Signs;

use super::Fault;
use super::figures::{self, Stopped};

/// How long another instance must have had the lease before a fault of ours does not matter any more: it
/// may meet the same one, and notice it later.
const ELSEWHERE_FOR: Duration = Duration::from_secs(20);

/// Tells the faults of one partition.
pub(super) struct Told {
    signs: Arc<dyn Signs>,
    about: String,
    partition: u16,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The sentence of the fault that lasts.
    fault: Option<String>,
    /// Since when another instance has the lease.
    elsewhere: Option<Instant>,
}

impl Told {
    pub(super) fn new(signs: Arc<dyn Signs>, partition: u16) -> Self {
        figures::stopped(partition, Stopped::No);
        Self { signs, about: format!("partition {partition}"), partition, state: Mutex::default() }
    }

    /// It does not go on. Logged once, however often it is tried again.
    pub(super) fn fault(&self, fault: &Fault) {
        let (sentence, in_full) = (fault.to_string(), fault.in_full());
        let stopped = if fault.lasts() { Stopped::UntilMended } else { Stopped::No };
        figures::stopped(self.partition, stopped);
        self.signs.report(&self.about, in_full.clone());
        let mut state = self.state();
        state.elsewhere = None;
        let partition = self.partition;
        let before = state.fault.replace(sentence);
        if before == state.fault {
            tracing::debug!(partition, "not announced: {in_full}");
        } else if fault.lasts() {
            tracing::error!(partition, "not announced: {in_full}");
        } else {
            tracing::warn!(partition, "not announced for now: {in_full}");
        }
    }

    /// It goes on.
    pub(super) fn well(&self) {
        let mut state = self.state();
        state.elsewhere = None;
        if state.fault.take().is_some() {
            tracing::info!(partition = self.partition, "announced again");
            figures::stopped(self.partition, Stopped::No);
            self.signs.clear(&self.about);
        }
    }

    /// Another instance has the lease.
    pub(super) fn elsewhere(&self) {
        let mut state = self.state();
        let since = *state.elsewhere.get_or_insert_with(Instant::now);
        if since.elapsed() >= ELSEWHERE_FOR && state.fault.take().is_some() {
            figures::stopped(self.partition, Stopped::No);
            self.signs.clear(&self.about);
        }
    }

    /// Whether this instance announces, or has failed to.
    pub(super) fn concerns_us(&self) -> bool {
        let state = self.state();
        state.elsewhere.is_none() || state.fault.is_some()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
