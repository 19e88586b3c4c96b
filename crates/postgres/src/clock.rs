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

/// A reading of both clocks.
type Reading = (DateTime<Utc>, Instant);

/// What one partition remembers of the clocks.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    sound: Option<Reading>,
    stepped: Option<Reading>,
}

impl Clock {
    /// The time of a batch: the database's, never below the log's. `None` if it is unsound.
    pub(crate) fn told(
        &mut self,
        database: DateTime<Utc>,
        log: DateTime<Utc>,
        now: Instant,
    ) -> Option<DateTime<Utc>> {
        let behind = log - database > TimeDelta::seconds(5);
        let course = self.sound.is_none_or(|before| agree(before, (database, now)));
        if !behind && course {
            self.sound = Some((database, now));
            self.stepped = None;
            return Some(database.max(log));
        }
        let since = *self.stepped.get_or_insert((database, now));
        if !agree(since, (database, now)) {
            self.stepped = Some((database, now));
        } else if !behind && now.duration_since(since.1) >= STEADY {
            tracing::error!("the database's clock was stepped, and is believed again");
            self.sound = None;
            return self.told(database, log, now);
        }
        None
    }
}

/// Whether both clocks moved alike between two readings.
fn agree(before: Reading, after: Reading) -> bool {
    let moved = after.0 - before.0;
    let Ok(ran) = TimeDelta::from_std(after.1.duration_since(before.1)) else { return false };
    (moved - ran).abs().to_std().is_ok_and(|difference| difference <= TOLERANCE)
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
        assert_eq!(clock.told(at(0), at(-9), start), Some(at(0)));
        assert_eq!(clock.told(at(12), at(0), start + Duration::from_secs(10)), Some(at(12)));
    }

    #[test]
    fn time_never_goes_below_the_log() {
        let mut clock = Clock::default();
        assert_eq!(clock.told(at(0), at(4), Instant::now()), Some(at(4)));
    }

    #[test]
    fn a_clock_far_behind_the_log_is_unsound_however_long() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        for seconds in [0, 30, 90, 600] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(clock.told(at(seconds.cast_signed()), at(3600), now), None);
        }
    }

    #[test]
    fn a_step_is_unsound_until_it_is_taken_back() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert!(clock.told(at(0), at(0), start).is_some());
        assert_eq!(clock.told(at(3600), at(0), start + Duration::from_secs(1)), None);
        assert_eq!(clock.told(at(3601), at(0), start + Duration::from_secs(2)), None);
        assert!(clock.told(at(3), at(0), start + Duration::from_secs(3)).is_some());
    }

    #[test]
    fn a_step_that_stays_is_believed_after_a_minute() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert!(clock.told(at(0), at(0), start).is_some());
        assert_eq!(clock.told(at(3600), at(0), start + Duration::from_secs(1)), None);
        assert_eq!(clock.told(at(3630), at(0), start + Duration::from_secs(31)), None);
        assert_eq!(clock.told(at(3661), at(0), start + Duration::from_secs(62)), Some(at(3661)));
    }
}
