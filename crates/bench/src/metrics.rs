//! What the service counts of itself, in Prometheus's text.

use std::collections::BTreeMap;

use crate::figures::ratio;

/// One look at `/metrics`: every series by its name, its labels added up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scrape {
    values: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads the text; what it does not understand is left out.
    pub(crate) fn read(text: &str) -> Self {
        let mut values = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let name = series.split_once('{').map_or(series, |(name, _)| name);
            if let Ok(value) = value.parse::<f64>() {
                *values.entry(name.to_owned()).or_default() += value;
            }
        }
        Self { values }
    }

    fn value(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// What a histogram has gained since an earlier look.
    fn gained(&self, earlier: &Self, histogram: &str) -> Gain {
        let gain = |part: &str| {
            let name = format!("{histogram}_{part}");
            self.value(&name) - earlier.value(&name)
        };
        Gain { sum: gain("sum"), count: gain("count") }
    }
}

/// What was added to a histogram.
#[derive(Debug, Clone, Copy, Default)]
struct Gain {
    sum: f64,
    count: f64,
}

impl Gain {
    fn mean(self) -> f64 {
        ratio(self.sum, self.count)
    }
}

/// What the relay has announced since the service started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Relayed {
    /// Events that it read.
    pub(crate) events: f64,
    /// Messages that it announced.
    pub(crate) messages: f64,
}

impl Relayed {
    /// What a look shows.
    pub(crate) fn of(scrape: &Scrape) -> Self {
        Self {
            events: scrape.value("dispense_relay_events_total"),
            messages: scrape.value("dispense_relay_messages_total"),
        }
    }
}

/// What the writers did between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Batches {
    /// Batches that were committed.
    pub(crate) commits: f64,
    /// Commands in a batch, on average.
    pub(crate) commands: f64,
    /// Milliseconds for the lock on the head, on average.
    pub(crate) lock: f64,
    /// Milliseconds for reading, deciding and writing, on average.
    pub(crate) decide: f64,
    /// Milliseconds for COMMIT, on average.
    pub(crate) commit: f64,
}

impl Batches {
    /// What happened between an earlier and a later look.
    pub(crate) fn between(earlier: &Scrape, later: &Scrape) -> Self {
        let gained = |histogram| later.gained(earlier, histogram);
        let millis = |histogram| gained(histogram).mean() * 1_000.0;
        Self {
            commits: gained("dispense_commit_seconds").count,
            commands: gained("dispense_batch_commands").mean(),
            lock: millis("dispense_lock_seconds"),
            decide: millis("dispense_decide_seconds"),
            commit: millis("dispense_commit_seconds"),
        }
    }
}

/// What the verifier of signatures did between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Verification {
    /// Containers that were checked.
    pub(crate) containers: f64,
    /// Seconds for all of them, by the clock of the threads that check.
    pub(crate) seconds: f64,
}

impl Verification {
    /// What happened between an earlier and a later look.
    pub(crate) fn between(earlier: &Scrape, later: &Scrape) -> Self {
        let Gain { sum, count } = later.gained(earlier, "dispense_signature_seconds");
        Self { containers: count, seconds: sum }
    }

    /// Milliseconds for one container, on average.
    pub(crate) fn millis(self) -> f64 {
        ratio(self.seconds, self.containers) * 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str = "\
# TYPE dispense_commit_seconds histogram
dispense_commit_seconds_bucket{partition=\"0\",le=\"0.001\"} 5
dispense_commit_seconds_sum{partition=\"0\"} 1.5
dispense_commit_seconds_count{partition=\"0\"} 100
dispense_batch_commands_sum 700
dispense_batch_commands_count 100
";
    const LATER: &str = "\
dispense_commit_seconds_sum{partition=\"0\"} 2.5
dispense_commit_seconds_count{partition=\"0\"} 500
dispense_commit_seconds_sum{partition=\"1\"} 1
dispense_commit_seconds_count{partition=\"1\"} 600
dispense_batch_commands_sum 20700
dispense_batch_commands_count 1100
not a metric
";

    #[test]
    fn labels_are_added_up_and_only_what_was_gained_counts() {
        let batches = Batches::between(&Scrape::read(EARLIER), &Scrape::read(LATER));
        let expected =
            Batches { commits: 1_000.0, commands: 20.0, lock: 0.0, decide: 0.0, commit: 2.0 };
        assert_eq!(batches, expected);
    }

    #[test]
    fn what_the_verifier_did_before_does_not_count() {
        let text = |sum, count| {
            format!(
                "dispense_signature_seconds_sum {sum}\ndispense_signature_seconds_count {count}"
            )
        };
        let [earlier, later] = [text(2.0, 100), text(2.5, 1_100)].map(|text| Scrape::read(&text));
        let verification = Verification::between(&earlier, &later);
        assert_eq!(verification, Verification { containers: 1_000.0, seconds: 0.5 });
        assert!((verification.millis() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_service_that_counts_nothing_is_shown_with_zeros() {
        let nothing = Scrape::default();
        assert_eq!(Batches::between(&nothing, &nothing), Batches::default());
        assert_eq!(Verification::between(&nothing, &nothing).millis().to_bits(), 0);
    }
}
