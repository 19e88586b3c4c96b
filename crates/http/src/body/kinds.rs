//! A reader for each kind of value.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use dispense_domain::{Money, Quantity, Text, json_number};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Fault, Json};

/// An id, with dashes or without, in any case.
pub(crate) const UUID: &str =
    "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$";

/// The lengths of an id: without dashes and with them.
const UUID_LENGTHS: [usize; 2] = [32, 36];

/// The years of a date that is written with four digits.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Any string; escapes are resolved.
fn string(json: Json<'_>) -> Result<Cow<'_, str>, Fault> {
    let text = json.text();
    if !text.starts_with('"') {
        return Err(Fault::cast("string", json.type_name()));
    }
    if text.contains('\\') {
        return serde_json::from_str(text)
            .map(Cow::Owned)
            .map_err(|_| Fault::format("expected Unicode text, but a surrogate stands alone"));
    }
    Ok(Cow::Borrowed(&text[1..text.len() - 1]))
}

/// A string that may reach the log.
pub(crate) fn text<const MOST: usize>(json: Json<'_>) -> Result<Text<MOST>, Fault> {
    Ok(Text::try_from(string(json)?.into_owned())?)
}

/// A word, if it is that one.
pub(crate) fn word(json: Json<'_>, word: &str) -> Result<(), Fault> {
    if string(json)? == word { Ok(()) } else { Err(Fault::not_in_enum([word])) }
}

/// What a text in base64 stands for: nothing, if it is none. Whoever looks into it says what is
/// missing.
pub(crate) fn base64(json: Json<'_>) -> Result<Vec<u8>, Fault> {
    Ok(BASE64.decode(string(json)?.as_bytes()).unwrap_or_default())
}

/// An id.
pub(crate) fn uuid(json: Json<'_>) -> Result<Uuid, Fault> {
    parse_uuid(&string(json)?).ok_or_else(|| Fault::pattern(UUID))
}

/// An id out of its text, with dashes or without; no braces, no `urn:`.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    if !UUID_LENGTHS.contains(&text.len()) {
        return None;
    }
    Uuid::try_parse(text).ok()
}

/// A day.
pub(crate) fn day(json: Json<'_>) -> Result<NaiveDate, Fault> {
    parse_day(&string(json)?)
        .ok_or_else(|| Fault::format("expected a day of the calendar as YYYY-MM-DD"))
}

/// A day, or an instant, of which the day in `zone` counts.
pub(crate) fn day_or_instant(json: Json<'_>, zone: Tz) -> Result<NaiveDate, Fault> {
    let text = string(json)?;
    let instant = || Some(parse_instant(&text)?.with_timezone(&zone).date_naive());
    parse_day(&text).or_else(instant).filter(|day| YEARS.contains(&day.year())).ok_or_else(|| {
        Fault::format("expected a day of the calendar as YYYY-MM-DD, or a time as of RFC 3339")
    })
}

/// An instant out of its text.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    YEARS.contains(&instant.year()).then_some(instant)
}

/// A day out of its text.
pub(crate) fn parse_day(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let in_form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !in_form {
        return None;
    }
    let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, &text[8..]);
    NaiveDate::from_ymd_opt(year, month, day.parse().ok()?).filter(|_| YEARS.contains(&year))
}

/// A number, exactly; `None` if no decimal is equal to it.
fn number(json: Json<'_>) -> Result<Option<Decimal>, Fault> {
    match json.type_name() {
        "number" | "integer" => Ok(json_number(json.text())),
        other => Err(Fault::cast("number", other)),
    }
}

/// An amount of medication: more than zero.
pub(crate) fn quantity(json: Json<'_>) -> Result<Quantity, Fault> {
    let no_amount = || Fault::no_amount(Quantity::LIMIT, Quantity::SCALE);
    Ok(number(json)?.ok_or_else(no_amount)?.try_into()?)
}

/// An amount of money: zero or more.
pub(crate) fn money(json: Json<'_>) -> Result<Money, Fault> {
    let no_amount = || Fault::no_amount(Money::LIMIT, Money::SCALE);
    Ok(number(json)?.ok_or_else(no_amount)?.try_into()?)
}

/// An amount of money: more than zero.
pub(crate) fn price(json: Json<'_>) -> Result<Money, Fault> {
    let no_amount = || Fault::no_amount(Money::LIMIT, Money::SCALE);
    let number = number(json)?.ok_or_else(no_amount)?;
    if number <= Decimal::ZERO {
        return Err(Fault::not_positive());
    }
    Ok(number.try_into()?)
}
