//! Plain numbers: medians, quantiles, and how they are written.

use std::time::Duration;

/// A count as a number to divide.
#[allow(clippy::cast_precision_loss, reason = "nothing here is counted beyond 2^53")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// How many in each second.
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    ratio(float(count), time.as_secs_f64())
}

/// One divided by the other; nothing divided by nothing is nothing.
pub(crate) fn ratio(upper: f64, lower: f64) -> f64 {
    if lower > 0.0 { upper / lower } else { 0.0 }
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

/// A whole number, its thousands apart: `12,345`.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How long answers took, to the microsecond.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        self.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn count(&self) -> usize {
        self.micros.len()
    }

    /// What so many of a hundred answers did not exceed, in milliseconds: the nearest rank, so that
    /// it is an answer that was really given.
    pub(crate) fn percentiles(&self, wanted: [usize; 3]) -> [f64; 3] {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        wanted.map(|percent| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).map_or(0.0, |&micros| f64::from(micros) / 1_000.0)
        })
    }

    pub(crate) fn add(&mut self, others: &Self) {
        self.micros.extend_from_slice(&others.micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentiles([50, 99, 100]).map(grouped), ["0"; 3]);
        for micros in (1..=200_u64).rev() {
            latencies.record(Duration::from_micros(micros * 1_000));
        }
        assert_eq!(latencies.percentiles([50, 99, 100]).map(grouped), ["100", "198", "200"]);
        assert_eq!(latencies.count(), 200);
    }

    #[test]
    fn an_answer_that_took_hours_is_not_lost() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_hours(10));
        assert!(latencies.percentiles([50, 99, 100])[2] > 4_000_000.0);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,568"],
            [0.0, 999.0, 999.6, 1_234_567.8].map(grouped)[..]
        );
    }

    #[test]
    fn nothing_in_no_time_is_no_rate() {
        assert!(rate(0, Duration::ZERO).abs() < f64::EPSILON);
        assert!((rate(10, Duration::from_secs(4)) - 2.5).abs() < f64::EPSILON);
    }
}
