//! Values that have broken something somewhere, as they are written in JSON, or nearly.

use serde_json::Value;

/// Sent through every member, whatever it expects.
pub(super) const VALUES: &[&str] = &[
    // Strings: empty, blank, control characters, U+0000, halves of pairs, directions, normal forms.
    r#""""#,
    r#"" ""#,
    "\"\u{a0}\"",
    r#""\u0000""#,
    r#""a\u0000b""#,
    r#""\u0007""#,
    r#""line\nbreak""#,
    r#""tab\t""#,
    r#""\u007f""#,
    r#""\u0085""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\ud83d\ude00""#,
    "\"\u{202e}desrever\"",
    "\"\u{feff}mark\"",
    "\"e\u{301}\"",
    "\"\u{fdfa}\"",
    "\"\u{1f469}\u{200d}\u{2695}\u{fe0f}\"",
    "\"\u{ffff}\"",
    // Strings that other languages read as something else.
    r#""'; DROP TABLE events; --""#,
    r#""\\""#,
    r#""\"""#,
    r#""$1 %s {} ${x} <b>&amp;""#,
    r#""NULL""#,
    r#""NaN""#,
    r#""{\"type\":\"Expired\"}""#,
    // Days and instants.
    r#""2026-02-30""#,
    r#""0000-01-01""#,
    r#""9999-12-31""#,
    r#""+262142-12-31""#,
    r#""99999-01-01""#,
    r#""-0001-01-01""#,
    r#""2026-01-01T25:00:00Z""#,
    r#""2016-12-31T23:59:60Z""#,
    r#""2026-01-01T00:00:00+24:00""#,
    // Ids.
    r#""00000000-0000-0000-0000-000000000000""#,
    r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#,
    r#""{9a3b2c1d-0000-4000-8000-000000000001}""#,
    r#""urn:uuid:9a3b2c1d-0000-4000-8000-000000000001""#,
    // Numbers: signs, zeros, edges, exponents, digits beyond any type.
    "0",
    "-0",
    "-0.0",
    "-1",
    "1e0",
    "10.0000",
    "0.0001",
    "0.00001",
    "9999999.9999",
    "10000000",
    "999999999.9999",
    "1000000000",
    "1e7",
    "1e400",
    "1e-400",
    "-1e400",
    "1e2147483648",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "0.0000000000000000000000000001",
    "0.00000000000000000000000000001",
    "340282366920938463463374607431768211456",
    "9223372036854775808",
    // What is no JSON.
    "NaN",
    "Infinity",
    "01",
    "1.",
    ".5",
    "0x10",
    "+1",
    "'single'",
    // Other types.
    "null",
    "true",
    "[]",
    "{}",
    r#"{"$serde_json::private::Number": "1e400"}"#,
    r#"{"$serde_json::private::RawValue": "{\"a\": 1}"}"#,
    r"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    r#"[{"a": {"\u0000": ["\u0007", 1e400]}}]"#,
    // Too long, by one and by far.
    LONG_256,
    LONG_1001,
];

const LONG_256: &str = "\"\u{1}256\"";
const LONG_1001: &str = "\"\u{1}1001\"";

/// A place in a value: names of members, numbers of items.
pub(super) type Place = Vec<String>;

/// The place of every string and number within.
pub(super) fn places(value: &Value) -> Vec<Place> {
    let below = |name: String, inner: &Value| -> Vec<Place> {
        places(inner).into_iter().map(|place| [vec![name.clone()], place].concat()).collect()
    };
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, inner)| below(name.clone(), inner)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, inner)| below(n.to_string(), inner)).collect()
        }
        Value::String(_) | Value::Number(_) => vec![Vec::new()],
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// The value as text, with another text at one place: it need not be JSON.
pub(super) fn with_raw(value: &Value, place: &[impl AsRef<str>], raw: &str) -> String {
    const MARK: &str = "@mark@";
    let mut marked = value.clone();
    let mut at = &mut marked;
    for name in place {
        let name = name.as_ref();
        at = match at {
            Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
            other => &mut other[name],
        };
    }
    *at = MARK.into();
    let raw = match raw {
        LONG_256 => format!("\"{}\"", "я".repeat(256)),
        LONG_1001 => format!("\"{}\"", "я".repeat(1_001)),
        other => other.to_owned(),
    };
    marked.to_string().replace(&format!("\"{MARK}\""), &raw)
}
