//! Instants as an export writes them: UTC, six decimals, one form only.

use chrono::{DateTime, NaiveDate, Utc};

/// The form in which an instant is written.
const FORM: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Microseconds since 1970-01-01T00:00:00Z, written as `2026-03-10T08:00:00.000000Z`; nothing for
/// an instant outside the years 1 to 9999.
#[must_use]
pub fn written(microseconds: i64) -> Option<String> {
    let text = DateTime::<Utc>::from_timestamp_micros(microseconds)?.format(FORM).to_string();
    // A year of another length brings a sign, and not everybody has a year 0.
    (text.len() == "2026-03-10T08:00:00.000000Z".len() && !text.starts_with("0000")).then_some(text)
}

/// Microseconds since 1970-01-01T00:00:00Z of an instant in that form, and in no other.
#[must_use]
pub fn read(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let day = NaiveDate::from_ymd_opt(text.get(0..4)?.parse().ok()?, number(5, 7)?, number(8, 10)?);
    let second = day?.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, 0)?;
    let microseconds = second.and_utc().timestamp_micros() + i64::from(number(20, 26)?);
    // Whatever stands between the numbers, and signs before them, show in the comparison.
    (written(microseconds).as_deref() == Some(text)).then_some(microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_was_written() {
        for microseconds in [0, 1, -1, 1_700_000_000_000_001, 253_402_300_799_999_999] {
            let text = written(microseconds).unwrap();
            assert_eq!(read(&text), Some(microseconds), "{text}");
        }
        assert_eq!(written(1_773_129_600_000_000).unwrap(), "2026-03-10T08:00:00.000000Z");
        assert_eq!(written(253_402_300_800_000_000), None, "the year 10000");
    }

    #[test]
    fn there_is_no_second_form() {
        for text in [
            "",
            "2026-03-10T08:00:00Z",
            "2026-03-10T08:00:00.000Z",
            "2026-03-10T08:00:00.000000000Z",
            "2026-03-10T08:00:00.000000+00:00",
            "2026-03-10t08:00:00.000000Z",
            "2026-03-10 08:00:00.000000Z",
            "2026-03-10T24:00:00.000000Z",
            "2026-03-10T08:00:60.000000Z",
            "2026-02-29T08:00:00.000000Z",
            "0000-03-10T08:00:00.000000Z",
            "+026-03-10T08:00:00.000000Z",
            "2026-+3-10T08:00:00.000000Z",
            " 2026-03-10T08:00:00.000000Z",
            "2026-03-10T08:00:00.000000Z ",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
