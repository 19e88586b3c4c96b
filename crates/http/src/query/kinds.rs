//! A reader for each kind of value that a member of a query can have.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, Utc};
use dispense_domain::Text;
use uuid::Uuid;

use crate::body::{Fault, kinds};

/// An id, with dashes or without.
pub(crate) fn uuid(value: &str) -> Result<Uuid, Fault> {
    kinds::parse_uuid(value).ok_or_else(|| Fault::pattern(kinds::UUID))
}

/// A day of the calendar.
pub(crate) fn day(value: &str) -> Result<NaiveDate, Fault> {
    kinds::parse_day(value)
        .ok_or_else(|| Fault::format("expected a day of the calendar as YYYY-MM-DD"))
}

/// An instant as of RFC 3339. In a query a bare `+` is a space, so the message says what to write.
pub(crate) fn instant(value: &str) -> Result<DateTime<Utc>, Fault> {
    kinds::parse_instant(value).ok_or_else(|| {
        Fault::format("expected a time as of RFC 3339, with Z, or with + written as %2B")
    })
}

/// A whole number within that range.
pub(crate) fn whole(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, Fault> {
    move |value| {
        let number = parse_whole(value).ok_or_else(|| Fault::cast("integer", "string"))?;
        // Of a number below zero no more is known than that.
        if number < *range.start() || value.starts_with('-') {
            Err(Fault::at_least(*range.start()))
        } else if number > *range.end() {
            Err(Fault::at_most(*range.end()))
        } else {
            Ok(number)
        }
    }
}

/// A whole number; one below zero counts as zero, and one that is too great for us as the greatest.
pub(crate) fn parse_whole(value: &str) -> Option<u64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if digits.len() < value.len() { 0 } else { value.parse().unwrap_or(u64::MAX) })
}

/// The meaning of a word, one of those.
pub(crate) fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&str) -> Result<T, Fault> {
    move |value| {
        let found = words.iter().find(|(word, _)| *word == value);
        let known = || Fault::not_in_enum(words.iter().map(|(word, _)| *word));
        found.map(|(_, meaning)| *meaning).ok_or_else(known)
    }
}

/// The meanings of words with commas between them, each of those; in the order of the list, and each
/// once, so that who asks for the same asks in the same way.
pub(crate) fn words<T: Copy>(
    words: &[(&'static str, T)],
) -> impl Fn(&str) -> Result<Vec<T>, Fault> {
    move |value| {
        let is_known = |said: &str| words.iter().any(|(word, _)| *word == said);
        if !value.split(',').all(is_known) {
            return Err(Fault::not_in_enum(words.iter().map(|(word, _)| *word)));
        }
        let said = |word: &str| value.split(',').any(|said| said == word);
        Ok(words.iter().filter(|(word, _)| said(word)).map(|(_, meaning)| *meaning).collect())
    }
}

/// A text as every door lets it in: 1 to 255 characters, none of them a control character.
pub(crate) fn text(value: &str) -> Result<Text, Fault> {
    Ok(Text::try_from(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader says of a value that it refuses.
    fn refused<T: std::fmt::Debug>(read: Result<T, Fault>) -> (&'static str, String) {
        let fault = read.unwrap_err();
        (fault.rule, fault.message.into_owned())
    }

    #[test]
    fn an_id_has_dashes_or_none() {
        let id = Uuid::from_u128(0xA7);
        assert_eq!(uuid(&id.to_string()).unwrap(), id);
        assert_eq!(uuid(&id.simple().to_string()).unwrap(), id);
        for strange in ["", "17", "{000000000000000000000000000000a7}"] {
            assert_eq!(refused(uuid(strange)).0, "format", "{strange}");
        }
    }

    #[test]
    fn a_day_is_in_the_calendar() {
        assert_eq!(day("2024-02-29").unwrap(), NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
        for strange in ["2023-02-29", "2024-2-29", "29.02.2024", "2024-02-29T00:00:00Z", ""] {
            assert_eq!(refused(day(strange)).0, "format", "{strange}");
        }
    }

    #[test]
    fn an_instant_has_an_offset() {
        let noon = instant("2026-03-02T12:00:00.000001Z").unwrap();
        assert_eq!(instant("2026-03-02T14:00:00.000001+02:00").unwrap(), noon);
        for strange in ["2026-03-02", "2026-03-02T12:00:00", "2026-03-02T14:00:00 02:00", ""] {
            let (rule, message) = refused(instant(strange));
            assert_eq!(rule, "format", "{strange}");
            assert!(message.contains("%2B"), "{message}");
        }
    }

    #[test]
    fn a_number_has_both_its_bounds() {
        let limit = whole(1..=300);
        assert_eq!((limit("1").unwrap(), limit("300").unwrap()), (1, 300));
        for (below, above) in [("0", "301"), ("-1", "99999999999999999999999")] {
            assert!(refused(limit(below)).1.contains(">= 1"), "{below}");
            assert!(refused(limit(above)).1.contains("<= 300"), "{above}");
        }
        for strange in ["", "-", "1.0", "+1", " 1", "x"] {
            assert_eq!(refused(limit(strange)).0, "cast", "{strange}");
        }
    }

    #[test]
    fn words_come_in_the_order_of_the_list_and_once() {
        let known = [("A", 1), ("B", 2), ("C", 3)];
        assert_eq!(words(&known)("C,A,C").unwrap(), [1, 3]);
        assert_eq!(word(&known)("B").unwrap(), 2);
        for strange in ["", "a", "A,", ",A", "A B", "A,D"] {
            assert_eq!(refused(words(&known)(strange)).0, "inclusion", "{strange}");
        }
        assert_eq!(refused(word(&known)("A,B")).0, "inclusion");
    }

    #[test]
    fn a_text_can_be_read() {
        assert_eq!(text("B-77").unwrap().as_str(), "B-77");
        assert_eq!(text(&"x".repeat(255)).unwrap().as_str().len(), 255);
        for strange in [String::new(), "x".repeat(256), "a\u{0}b".to_owned()] {
            assert!(text(&strange).is_err(), "{strange:?}");
        }
    }
}
