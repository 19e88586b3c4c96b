//! Hand-overs, ready before the time is taken: the holds made, their documents read and signed.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::alone::checked_alone;
use crate::figures::float;
use crate::load::{self, Tally, holding};
use crate::rounds::HAND_OVER_CLIENTS;
use crate::work::{Belt, HandOvers, Held, Supply};

/// Hand-overs in a second, until the first stretch has shown how many there are.
const EXPECTED: f64 = 200.0;

/// Hand-overs to have ready, for each that is expected.
const AMPLE: f64 = 2.0;

/// No more are ready at once, so that they fit into memory: each is about ten kilobytes. A stretch
/// that needs more ends when they run out.
const MOST: usize = 40_000;

/// As many are made before they are signed.
const AT_ONCE: usize = 5_000;

/// How long it may take to make that many holds, on a slow machine.
const HELD_WITHIN: Duration = Duration::from_mins(2);

/// Has hand-overs ready.
#[derive(Debug)]
pub(crate) struct Preparation {
    hand_overs: HandOvers,
    /// The most hand-overs in a second that were seen so far.
    pace: f64,
    /// One that was signed for.
    sample: Option<Held>,
}

impl Preparation {
    pub(crate) fn new(hand_overs: HandOvers) -> Self {
        Self { hand_overs, pace: EXPECTED, sample: None }
    }

    /// Those that wait to be sent.
    pub(crate) fn belt(&self) -> Rc<Belt> {
        self.hand_overs.belt()
    }

    /// Has as many ready as will be sent in that time, or as the medication requests suffice for.
    pub(crate) fn prepare(
        &mut self,
        address: SocketAddr,
        supply: &mut Supply<'_>,
        time: Duration,
    ) -> anyhow::Result<()> {
        let wanted = wanted(self.pace, time);
        while let missing @ 1.. = wanted.saturating_sub(self.hand_overs.belt().len()) {
            let count = missing.min(AT_ONCE);
            let (orders, signers) = (supply.right_orders(count), self.hand_overs.signers());
            let holding = holding(address, HAND_OVER_CLIENTS, count, orders, signers);
            let held = load::run(HELD_WITHIN, holding)?;
            let Some(sample) = held.last().cloned() else {
                break;
            };
            self.hand_overs.sign(&held)?;
            self.sample = Some(sample);
        }
        Ok(())
    }

    /// Processor time of checking what was signed, alone; none where nothing was.
    pub(crate) fn checked_alone(&self, anchors: &Path) -> anyhow::Result<Option<Duration>> {
        let sample = self.sample.as_ref();
        let container = sample.map(|held| self.hand_overs.signers().container(held)).transpose()?;
        container.map(|container| checked_alone(anchors, &container)).transpose()
    }

    /// Learns how fast they are used up.
    pub(crate) fn learn(&mut self, tally: &Tally) {
        self.pace = self.pace.max(tally.per_second());
    }
}

/// How many will be sent in that time, and some more.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn wanted(pace: f64, time: Duration) -> usize {
    let ample = (pace * AMPLE * time.as_secs_f64()).min(float(MOST)) as usize;
    ample.max(HAND_OVER_CLIENTS as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_ready_as_the_seconds_need_and_fit_into_memory() {
        assert_eq!(wanted(800.0, Duration::from_secs(10)), 16_000);
        assert_eq!(wanted(1e9, Duration::from_mins(10)), MOST);
        assert_eq!(wanted(0.0, Duration::from_secs(10)), 64);
    }
}
