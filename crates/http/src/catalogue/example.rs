//! A problem of each kind, to look at: as a test has really met it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Entry;

/// What was answered with each code. A test writes it, and holds it against what is answered.
const ANSWERED: &str = include_str!("examples.json");

#[derive(Deserialize)]
struct Coded {
    code: String,
}

/// The body of a problem of this entry, as it can be read on a page.
pub(super) fn readable_example(entry: &Entry) -> Option<&'static str> {
    static EXAMPLES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let answered: Vec<&RawValue> = serde_json::from_str(ANSWERED).unwrap_or_default();
        let coded = answered.into_iter().filter_map(|example| {
            let Coded { code } = serde_json::from_str(example.get()).ok()?;
            // In the file it is indented as one of a list.
            Some((code, example.get().replace("\n  ", "\n")))
        });
        coded.collect()
    });
    EXAMPLES.get(entry.code).map(String::as_str)
}

/// As [`readable_example`], on one line.
pub(crate) fn example(entry: &Entry) -> Option<Box<RawValue>> {
    let line: String = readable_example(entry)?.lines().map(str::trim_start).collect();
    RawValue::from_string(line).ok()
}
