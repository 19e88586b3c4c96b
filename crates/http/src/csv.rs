//! Tables of text: RFC 4180, in UTF-8, with a line of headers.
//!
//! Whoever opens one in a spreadsheet has its cells read as formulas, and names of companies and
//! medicines are other people's words: what would be taken for a formula begins with an apostrophe.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use actix_web::web::Bytes;
use csv::{Terminator, WriterBuilder};
use rust_decimal::Decimal;

/// The media type of a table.
const MEDIA_TYPE: &str = "text/csv";

/// That of what else a report can be.
const JSON: &str = "application/json";

/// The same, with all that a reader needs to know.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What a spreadsheet takes for the beginning of a formula, also as East Asian keyboards write it.
const BEGINS_A_FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A cell.
pub(crate) type Cell<'a> = Cow<'a, str>;

/// A cell with nothing in it.
pub(crate) const EMPTY: Cell<'static> = Cow::Borrowed("");

/// A cell of words that somebody else chose.
pub(crate) fn words(text: &str) -> Cell<'_> {
    if text.starts_with(BEGINS_A_FORMULA) { format!("'{text}").into() } else { text.into() }
}

/// A cell of words that may be missing.
pub(crate) fn words_if_any(text: Option<&str>) -> Cell<'_> {
    text.map_or(EMPTY, words)
}

/// A cell with a number, exactly and without trailing zeros. One below zero is no formula.
pub(crate) fn number(amount: impl Into<Decimal>) -> Cell<'static> {
    amount.into().normalize().to_string().into()
}

/// A cell with a number that may be missing.
pub(crate) fn number_if_any(amount: Option<impl Into<Decimal>>) -> Cell<'static> {
    amount.map_or(EMPTY, number)
}

/// Those rows, each of as many cells as the header has.
///
/// # Errors
///
/// None that a table in memory can meet.
pub(crate) fn lines<'a, const COLUMNS: usize>(
    rows: impl IntoIterator<Item = [Cell<'a>; COLUMNS]>,
) -> Result<Bytes, csv::Error> {
    let mut table = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .has_headers(false)
        .from_writer(Vec::new());
    for row in rows {
        table.write_record(row.iter().map(|cell| cell.as_bytes()))?;
    }
    Ok(table.into_inner().map_err(|error| csv::Error::from(error.into_error()))?.into())
}

/// The line of headers.
///
/// # Errors
///
/// As [`lines`].
pub(crate) fn headers<const COLUMNS: usize>(
    names: [&'static str; COLUMNS],
) -> Result<Bytes, csv::Error> {
    lines([names.map(Cow::Borrowed)])
}

/// Whether a table is asked for, by its name, and more than JSON.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    weight(request, MEDIA_TYPE) > weight(request, JSON)
}

/// Whether JSON is asked for, by its name, and more than a table.
pub(crate) fn is_json_wanted(request: &HttpRequest) -> bool {
    weight(request, JSON) > weight(request, MEDIA_TYPE)
}

/// How much a media type is asked for, from 0 to 1; not at all if it is not named.
fn weight(request: &HttpRequest, media_type: &str) -> f32 {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let ranges = accepted.flat_map(|value| value.split(','));
    let weights = ranges.filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_named.then_some(weight.unwrap_or(1.0))
    });
    weights.fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_would_be_a_formula_is_words() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(words(formula), format!("'{formula}"), "{formula}");
        }
        for harmless in ["Аптека № 7", "a=b", "'", ""] {
            assert_eq!(words(harmless), harmless);
        }
    }

    #[test]
    fn a_cell_may_hold_what_separates_cells() {
        let rows = lines([[words("a,b"), words("say \"so\""), words("one\nmore"), EMPTY]]);
        assert_eq!(rows.unwrap(), "\"a,b\",\"say \"\"so\"\"\",\"one\nmore\",\r\n".as_bytes());
    }

    #[test]
    fn a_number_has_no_trailing_zeros_and_no_apostrophe() {
        let cell = |text: &str| number(text.parse::<Decimal>().unwrap());
        assert_eq!([cell("50.00"), cell("-0.50"), cell("1000")], ["50", "-0.5", "1000"]);
        assert_eq!(number_if_any(None::<Decimal>), EMPTY);
    }

    #[test]
    fn a_table_is_asked_for_by_name() {
        let is_wanted_by = |accept: &'static str| {
            is_wanted(&TestRequest::get().insert_header((ACCEPT, accept)).to_http_request())
        };
        for wanted in ["text/csv", "TEXT/CSV; q=0.1", "text/html, text/csv;header=present"] {
            assert!(is_wanted_by(wanted), "{wanted}");
        }
        for other in ["*/*", "application/json", "text/csv;q=0", "application/json, text/csv"] {
            assert!(!is_wanted_by(other), "{other}");
        }
        assert!(!is_wanted(&TestRequest::get().to_http_request()));
    }
}
