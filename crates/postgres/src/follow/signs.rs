//! What a follower shows of itself: figures, faults for the readiness, and lines in the log.

use std::time::Duration;

use super::lease::Behind;
use super::page::Stop;
use super::{POLL, STUCK_POLL};
use crate::faults::Faults;

/// What readiness calls the followers.
const CHECK: &str = "followers";

/// How old the oldest event may be that a model has not read, in seconds, before that is a fault.
const FAR_BEHIND: f64 = 60.0;

/// The signs of one partition.
pub(super) struct Signs {
    partition: u16,
    faults: Faults,
}

impl Signs {
    pub(super) const fn new(partition: u16, faults: Faults) -> Self {
        Self { partition, faults }
    }

    fn gauge(&self, gauge: &'static str, name: &str, value: f64) {
        let partition = self.partition.to_string();
        metrics::gauge!(gauge, "follower" => name.to_owned(), "partition" => partition).set(value);
    }

    /// So that there is a figure before anything goes wrong.
    pub(super) fn begins(&self, name: &str) {
        self.gauge("dispense_follower_stuck", name, 0.0);
    }

    /// It applied some events.
    pub(super) fn applied(&self, name: &'static str, events: usize) {
        let (events, partition) = (u64::try_from(events).unwrap_or_default(), self.partition);
        let partition = partition.to_string();
        metrics::counter!(
            "dispense_follower_events_total", "follower" => name, "partition" => partition
        )
        .increment(events);
    }

    /// It is so far behind, whoever has the lease and whether or not it goes on.
    #[allow(clippy::cast_precision_loss, reason = "a lag is far below 2^52")]
    pub(super) fn lags(&self, behind: &Behind) {
        let Behind { name, events, seconds, has_work: _ } = behind;
        self.gauge("dispense_follower_lag_events", name, *events as f64);
        self.gauge("dispense_follower_lag_seconds", name, *seconds);
        let about = format!("{}, far behind", self.about(name));
        if *seconds > FAR_BEHIND {
            let detail = format!("{events} events are not read; the first is {seconds:.0} s old");
            self.faults.report(CHECK, &about, detail);
        } else {
            self.faults.clear(CHECK, &about);
        }
    }

    /// It does not go on; how long it waits.
    pub(super) fn stops(&self, name: &str, stop: &Stop) -> Duration {
        let partition = self.partition;
        match stop {
            Stop::Database(error) => {
                tracing::warn!(follower.name = name, partition, "a follower waits: {error}");
                2 * POLL
            }
            Stop::Stuck { .. } | Stop::Diverged { .. } => {
                self.gauge("dispense_follower_stuck", name, 1.0);
                self.faults.report(CHECK, &self.about(name), stop.to_string());
                tracing::error!(follower.name = name, partition, "a follower stopped: {stop}");
                STUCK_POLL
            }
        }
    }

    /// It goes on after it stopped.
    pub(super) fn goes_on(&self, name: &str) {
        self.gauge("dispense_follower_stuck", name, 0.0);
        self.faults.clear(CHECK, &self.about(name));
        tracing::info!(follower.name = name, partition = self.partition, "a follower goes on");
    }

    fn about(&self, name: &str) -> String {
        format!("{name}, partition {}", self.partition)
    }
}
