//! Breaks JSON where it is interesting: a member is dropped, doubled, moved, renamed or wrapped, or gets
//! a value that is almost right. A change of bytes alone is rarely JSON any more.

use serde_json::Value;

use crate::Dice;

/// Texts in the place of a value: at the edge of what is taken, or of another type.
const ODD: [&str; 36] = [
    "null", "true", "[]", "{}", "\"\"", "0", "-0", "-1", "1e3", "1e-9", "0.00005", "9999999.9999", "10000000",
    "999999999.9999", "1e400", "-1e400", "12345678901234567890123456789012345678", "00", "0x10", "NaN",
    "\"30\"", "\"\\u0000\"", "\"\\ud800\"", "\"A\\u0308\"", "\"2026-02-30\"", "\"2026-03-02\"",
    "\"2026-03-29T03:30:00+02:00\"", "\"+262143-12-31\"", "\"-262144-01-01\"", "\"9999-12-31T23:59:60Z\"",
    "\"00000000-0000-4000-8000-0000000000E1\"", "\"{00000000-0000-4000-8000-0000000000e1}\"",
    "\"000000000000400080000000000000e1\"", "\"1234\"", "\"0000\"", "\"base64\"",
];

/// The same JSON, broken in one to three places; none if it is not JSON.
#[must_use]
pub fn broken_json(bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    let mut raw = Vec::new();
    for _ in 0..=dice.below(3) {
        let donor = nth(&value, dice.below(count(&value))).cloned().unwrap_or_default();
        let place = dice.below(count(&value));
        break_at(&mut value, place, &donor, &mut raw, &mut dice);
    }
    let mut text = value.to_string();
    for (number, odd) in raw.iter().enumerate() {
        text = text.replacen(&format!("\"{}\"", mark(number)), odd, 1);
    }
    Some(text.into_bytes())
}

/// What stands in the tree for a text that is no value of it.
fn mark(number: usize) -> String {
    format!("broken-{number}")
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn nth(value: &Value, mut n: usize) -> Option<&Value> {
    if n == 0 {
        return Some(value);
    }
    n -= 1;
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return None,
    };
    for child in children {
        let size = count(child);
        if n < size {
            return nth(child, n);
        }
        n -= size;
    }
    None
}

fn break_at(value: &mut Value, n: usize, donor: &Value, raw: &mut Vec<String>, dice: &mut Dice) {
    if n == 0 {
        *value = changed(value, donor, raw, dice);
        return;
    }
    let mut left = n - 1;
    match value {
        Value::Array(items) => {
            for index in 0..items.len() {
                let size = count(&items[index]);
                if left < size {
                    match dice.below(12) {
                        0 if left == 0 => drop(items.remove(index)),
                        1 if left == 0 => items.insert(index, items[index].clone()),
                        2 if left == 0 => items.resize(101, items[index].clone()),
                        _ => break_at(&mut items[index], left, donor, raw, dice),
                    }
                    return;
                }
                left -= size;
            }
        }
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                let size = count(&members[&name]);
                if left < size {
                    match dice.below(12) {
                        0 if left == 0 => drop(members.remove(&name)),
                        1 if left == 0 => {
                            let value = members.remove(&name).unwrap_or_default();
                            members.insert(format!("{name} "), value);
                        }
                        2 if left == 0 => {
                            // The same name twice.
                            let twice = format!("{}, \"{name}\": {donor}", members[&name]);
                            members.insert(name, marked(raw, twice));
                        }
                        _ => break_at(&mut members[&name], left, donor, raw, dice),
                    }
                    return;
                }
                left -= size;
            }
        }
        _ => {}
    }
}

fn changed(value: &Value, donor: &Value, raw: &mut Vec<String>, dice: &mut Dice) -> Value {
    match dice.below(8) {
        0 => donor.clone(),
        1 => Value::Array(vec![value.clone()]),
        2 => (0..dice.below(40)).fold(value.clone(), |inner, _| Value::Array(vec![inner])),
        3 => Value::String("я".repeat(dice.below(1_200))),
        4 => match value {
            Value::String(text) => Value::String(spoiled(text, dice)),
            other => Value::String(other.to_string()),
        },
        5 => match value.as_f64() {
            Some(number) => marked(raw, format!("{}", number * [0.1, 0.5, 2.0, 10.0][dice.below(4)])),
            None => Value::Null,
        },
        _ => marked(raw, ODD[dice.below(ODD.len())].to_owned()),
    }
}

fn marked(raw: &mut Vec<String>, text: String) -> Value {
    raw.push(text);
    Value::String(mark(raw.len() - 1))
}

fn spoiled(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if !letters.is_empty() {
        let place = dice.below(letters.len());
        match dice.below(3) {
            0 => drop(letters.remove(place)),
            1 => letters[place] = ['0', 'f', 'F', '-', '\u{7f}', '\u{202e}'][dice.below(6)],
            _ => letters.insert(place, letters[place]),
        }
    }
    letters.into_iter().collect()
}
