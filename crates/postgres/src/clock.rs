//! Whether the database's clock can be trusted.
//!
//! It is compared with two others: the last time in the log, below which it must not fall, and the
//! process's monotonic clock, beside which it must run. A small difference is what clocks do; more
//! than [`TOLERANCE`] is a step, and holds would end early or late by it.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// What clocks may differ by.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A clock that was stepped is believed again once it has run steadily for this long: it was set
/// right, or the machine slept.
const STEADY: Duration = Duration::from_mins(1);

/// A reading of both clocks: what the database said, at some moment between question and answer. They
/// are far apart where somebody was frozen.
#[derive(Debug, Clone, Copy)]
struct Reading {
    said: DateTime<Utc>,
    asked: Instant,
    answered: Instant,
}

/// What one partition remembers of the clocks.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    sound: Option<Reading>,
    stepped: Option<Reading>,
}

impl Clock {
    /// The time of a batch: the database's, which it told between question and answer, never below the
    /// log's. `None` if it is unsound.
    pub(crate) fn told(
        &mut self,
        said: DateTime<Utc>,
        log: DateTime<Utc>,
        [asked, answered]: [Instant; 2],
    ) -> Option<DateTime<Utc>> {
        let reading = Reading { said, asked, answered };
        let behind = log - said > TimeDelta::seconds(5);
        let course = self.sound.is_none_or(|before| agree(before, reading));
        if !behind && course {
            self.sound = Some(reading);
            self.stepped = None;
            return Some(said.max(log));
        }
        let since = *self.stepped.get_or_insert(reading);
        if !agree(since, reading) {
            self.stepped = Some(reading);
        } else if !behind && asked.duration_since(since.answered) >= STEADY {
            tracing::error!("the database's clock was stepped, and is believed again");
            self.sound = None;
            return self.told(said, log, [asked, answered]);
        }
        None
    }
}

/// Whether both clocks may have moved alike between two readings.
fn agree(before: Reading, after: Reading) -> bool {
    let least = after.asked.duration_since(before.answered);
    let most = after.answered.duration_since(before.asked) + TOLERANCE;
    let [Ok(least), Ok(most), Ok(tolerance)] = [least, most, TOLERANCE].map(TimeDelta::from_std)
    else {
        return false;
    };
    let moved = after.said - before.said;
    least - tolerance <= moved && moved <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_clock_that_runs_beside_ours_is_sound() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert_eq!(clock.told(at(0), at(-9), [start; 2]), Some(at(0)));
        assert_eq!(clock.told(at(12), at(0), [start + Duration::from_secs(10); 2]), Some(at(12)));
    }

    /// Frozen between the answer and the look at our clock, or before the database looked at its own.
    #[test]
    fn an_answer_that_came_late_was_true_at_some_moment_before() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for said in [0, 9] {
            let mut clock = Clock::default();
            let late = [start, start + 9 * second];
            assert_eq!(clock.told(at(said), at(0), late), Some(at(said)));
            assert_eq!(clock.told(at(10), at(0), [start + 10 * second; 2]), Some(at(10)));
            assert_eq!(clock.told(at(17), at(0), [start + 11 * second; 2]), None);
        }
    }

    #[test]
    fn time_never_goes_below_the_log() {
        let mut clock = Clock::default();
        assert_eq!(clock.told(at(0), at(4), [Instant::now(); 2]), Some(at(4)));
    }

    #[test]
    fn a_clock_far_behind_the_log_is_unsound_however_long() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        for seconds in [0, 30, 90, 600] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(clock.told(at(seconds.cast_signed()), at(3600), [now; 2]), None);
        }
    }

    #[test]
    fn a_step_is_unsound_until_it_is_taken_back() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert!(clock.told(at(0), at(0), [start; 2]).is_some());
        assert_eq!(clock.told(at(3600), at(0), [start + Duration::from_secs(1); 2]), None);
        assert_eq!(clock.told(at(3601), at(0), [start + Duration::from_secs(2); 2]), None);
        assert!(clock.told(at(3), at(0), [start + Duration::from_secs(3); 2]).is_some());
    }

    #[test]
    fn a_step_that_stays_is_believed_after_a_minute() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert!(clock.told(at(0), at(0), [start; 2]).is_some());
        assert_eq!(clock.told(at(3600), at(0), [start + Duration::from_secs(1); 2]), None);
        assert_eq!(clock.told(at(3630), at(0), [start + Duration::from_secs(31); 2]), None);
        assert_eq!(
            clock.told(at(3661), at(0), [start + Duration::from_secs(62); 2]),
            Some(at(3661))
        );
    }
}
