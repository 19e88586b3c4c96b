//! What the files of `deploy/` say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Settings, by name.
pub(super) type Settings = BTreeMap<String, String>;

/// The repository.
pub(super) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file of the repository.
pub(super) fn text(path: &str) -> String {
    let whole = repository().join(path);
    std::fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{}: {error}", whole.display()))
}

/// The documents of a YAML file.
pub(super) fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one document of a YAML file.
pub(super) fn document(path: &str) -> Value {
    let [document] = <[Value; 1]>::try_from(documents(path)).expect("one document");
    document
}

/// The words of a list.
pub(super) fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The members of an object, as text.
pub(super) fn members(object: &Value) -> Settings {
    let object = object.as_object().unwrap_or_else(|| panic!("{object} has no members"));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    object.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// `NAME=value` lines.
pub(super) fn lines(text: &str) -> Settings {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let set = lines.filter_map(|line| line.split_once('='));
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The example of each setting, as `deploy/env.example` has it.
pub(super) fn examples() -> Settings {
    let text = text("deploy/env.example");
    let examples = text.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let settings: Settings = examples
        .filter(|(name, _)| !name.contains(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(settings.len() > 20, "{settings:?}");
    settings
}

/// All names that a setting may have, with those that libraries read.
pub(super) fn known(name: &str) -> bool {
    name.starts_with("AWS_") || examples().contains_key(name)
}

/// The names of the variables of a compose file, with what it says of those that have to be set.
pub(super) fn variables(text: &str) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    for part in text.split("${").skip(1) {
        let inside = part.split('}').next().unwrap();
        let end =
            inside.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(inside.len());
        let message = inside[end..].strip_prefix(":?").map(str::to_owned);
        let entry: &mut Option<String> = found.entry(inside[..end].to_owned()).or_default();
        *entry = entry.take().or(message);
    }
    found
}

/// A text of a compose file, with these values in place of its variables.
pub(super) fn interpolated(text: &str, values: &Settings) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let (inside, after) = rest.split_once('}').unwrap();
    let end = inside.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(inside.len());
    let set = values.get(&inside[..end]).filter(|value| !value.is_empty());
    let value = match (set, inside[end..].strip_prefix(":-")) {
        (Some(value), _) => value,
        (None, Some(default)) => default,
        (None, None) => panic!("{inside} is not set"),
    };
    format!("{before}{value}{}", interpolated(after, values))
}

/// The value of a key in a unit of systemd, every time that it stands there.
pub(super) fn of_unit(unit: &str, key: &str) -> Vec<String> {
    let text = text(&format!("deploy/{unit}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.map(str::to_owned).collect()
}

/// The headings of a page, as links name them.
pub(super) fn anchors(page: &str) -> BTreeSet<String> {
    let text = text(page);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}
