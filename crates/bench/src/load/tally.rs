//! What came back from a stretch of load.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connection::Answer;
use crate::figures::{Latencies, rate};

/// The part of a body that is kept as an example.
const EXAMPLE: usize = 600;

/// The answer to an order of a hold that was taken, and to a hand-over that was.
const HELD: u16 = 201;
const HANDED_OVER: u16 = 200;

/// Answers, counted and timed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Of all answers.
    pub(crate) latencies: Latencies,
    /// Of orders that were taken.
    pub(crate) taken: Latencies,
    /// How often each status came.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// The first answer of each status that does not take an order.
    pub(crate) examples: BTreeMap<u16, String>,
    /// Connections that broke.
    pub(crate) broken: usize,
    /// Wrong orders that were taken.
    pub(crate) wrongly_taken: usize,
    /// Right orders that were refused.
    pub(crate) wrongly_refused: usize,
    /// From the first order to the last answer.
    pub(crate) elapsed: Duration,
    /// Whether orders ran out before the time was over.
    pub(crate) ran_out: bool,
}

impl Tally {
    /// Counts an answer.
    pub(crate) fn count(&mut self, answer: Answer<'_>, is_wrong: bool, took: Duration) {
        *self.statuses.entry(answer.status).or_default() += 1;
        self.latencies.record(took);
        if matches!(answer.status, HELD | HANDED_OVER) {
            self.taken.record(took);
            self.wrongly_taken += usize::from(is_wrong);
            return;
        }
        self.wrongly_refused += usize::from(!is_wrong);
        self.examples.entry(answer.status).or_insert_with(|| {
            let body = String::from_utf8_lossy(answer.body);
            body.chars().take(EXAMPLE).collect()
        });
    }

    /// Orders taken in each second.
    pub(crate) fn per_second(&self) -> f64 {
        rate(self.taken.count(), self.elapsed)
    }

    /// Answers with a status of 500 or more.
    pub(crate) fn server_errors(&self) -> usize {
        self.statuses.range(500..).map(|(_, count)| count).sum()
    }

    /// Orders that the service has not answered as it has to.
    pub(crate) fn failures(&self) -> usize {
        self.server_errors() + self.broken
    }

    /// Adds what another stretch has brought.
    pub(crate) fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies);
        self.taken.add(&other.taken);
        for (&status, &count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (&status, example) in &other.examples {
            self.examples.entry(status).or_insert_with(|| example.clone());
        }
        self.broken += other.broken;
        self.wrongly_taken += other.wrongly_taken;
        self.wrongly_refused += other.wrongly_refused;
        self.elapsed += other.elapsed;
        self.ran_out |= other.ran_out;
    }
}
