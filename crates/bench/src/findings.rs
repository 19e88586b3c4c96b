//! What was measured, and what follows from it.

use std::time::Duration;

use anyhow::bail;

use crate::figures::{median, ratio};
use crate::load::Tally;
use crate::machine::{CpuTime, Memory};
use crate::metrics::{Batches, Verification};
use crate::past::Past;
use crate::rounds::Stretch;
use crate::streams::Streams;

/// What one stretch has shown.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) stretch: Stretch,
    /// Holds, or hand-overs.
    pub(crate) per_second: f64,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: CpuTime,
    /// Of the service only.
    pub(crate) tally: Tally,
    /// Of the service only.
    pub(crate) batches: Batches,
    /// Of the service only.
    pub(crate) verification: Verification,
    /// Dumps that were begun.
    pub(crate) dumps: u32,
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) samples: Vec<Sample>,
    /// The steady stretch.
    pub(crate) steady: Option<Tally>,
    /// Processor time of checking one signature where nothing else runs.
    pub(crate) checked_alone: Option<Duration>,
    pub(crate) at_rest: Memory,
    pub(crate) after_load: Memory,
    /// The read side.
    pub(crate) past: Option<Past>,
    /// What is announced.
    pub(crate) streams: Option<Streams>,
    /// Stretches that began although PostgreSQL or the service was still busy.
    pub(crate) restless: usize,
}

impl Findings {
    /// The samples of one kind of stretch.
    pub(crate) fn of(&self, stretch: Stretch) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.stretch == stretch)
    }

    /// Holds or hand-overs per second in the middle one of these stretches.
    pub(crate) fn per_second(&self, stretch: Stretch) -> Option<f64> {
        median(self.of(stretch).map(|sample| sample.per_second))
    }

    /// Holds per second of pgbench, with the number of clients that suits it better.
    pub(crate) fn best_of_pgbench(&self) -> Option<f64> {
        [32, 64]
            .into_iter()
            .filter_map(|clients| self.per_second(Stretch::Pgbench { clients }))
            .max_by(f64::total_cmp)
    }

    /// Which part of the service's processor time went into checking signatures, where medication was
    /// handed over: by the clock, and if each had cost what it costs alone. The truth is between.
    pub(crate) fn shares_of_verification(&self) -> [f64; 2] {
        let alone = self.checked_alone.unwrap_or_default().as_secs_f64();
        let share = |seconds: &dyn Fn(&Sample) -> f64| {
            let shares = |it: &Sample| ratio(seconds(it), it.cpu.service.as_secs_f64());
            median(self.of(Stretch::HandOvers).map(shares)).unwrap_or_default()
        };
        [share(&|it| it.verification.seconds), share(&|it| it.verification.containers * alone)]
    }

    /// Everything that the service answered.
    pub(crate) fn answers(&self) -> Tally {
        let mut all = Tally::default();
        for tally in self.samples.iter().map(|sample| &sample.tally).chain(&self.steady) {
            all.add(tally);
        }
        all
    }

    /// Whether the figures were won honestly; whether they are good is for the reader.
    ///
    /// # Errors
    ///
    /// When the service took a wrong order, or failed.
    pub(crate) fn verdict(&self, tolerate_server_errors: bool) -> anyhow::Result<()> {
        let all = self.answers();
        if all.wrongly_taken > 0 {
            bail!("the service has taken {} wrong orders", all.wrongly_taken);
        }
        if all.failures() > 0 && !tolerate_server_errors {
            bail!(
                "the service has failed {} times: {:?}, {} broken connections",
                all.failures(),
                all.statuses,
                all.broken
            );
        }
        Ok(())
    }
}
