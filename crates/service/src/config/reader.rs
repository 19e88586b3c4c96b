//! Reads settings one by one, and notes what is wrong with each.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::names::{is_setting, misspelt, unknown};
use super::table::{Setting, TABLE};

/// What a text has that is a private key: as signed notes write it, and as PEM does.
const PRIVATE: [&str; 2] = ["PRIVATE+KEY", "PRIVATE KEY"];

/// Where settings come from: the environment first, then the file.
#[derive(Default)]
pub(crate) struct Reader {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// Names in the environment that are nearly settings, and those settings.
    misspelt: Vec<(String, &'static str)>,
    wrong: Vec<String>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Default, thiserror::Error)]
#[error("the settings are wrong; nothing was started:\n  {}", .0.join("\n  "))]
pub(crate) struct Mistakes(Vec<String>);

impl Reader {
    /// Settings from the environment, and from a file of `NAME=value` lines if there is one.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        // What is not UTF-8 is a wrong value, and not one that is not set.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()));
        let mut reader = Self::of(environment);
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings in {}", path.display()))?;
            reader.add(path, &text);
        }
        Ok(reader)
    }

    /// Settings from that environment. What is not about this service is left there.
    pub(super) fn of(environment: impl Iterator<Item = (String, String)>) -> Self {
        let mut reader = Self::default();
        for (name, value) in environment {
            if is_setting(&name) {
                reader.environment.insert(name, value);
            } else if let Some(meant) = misspelt(&name) {
                reader.misspelt.push((name, meant));
            }
        }
        reader
    }

    /// Adds those of a file. Everything in it is meant for somebody, so a name that nobody knows is
    /// a mistake.
    fn add(&mut self, path: &Path, text: &str) {
        for (line, number) in text.lines().zip(1_u64..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}, line {number}", path.display());
            let Some((name, value)) = line.split_once('=') else {
                let expected = "expected NAME=value, such as TIME_ZONE=Europe/Kyiv";
                self.wrong.push(format!("{place}: {expected}"));
                continue;
            };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            match unknown(name) {
                Some(unknown) => self.wrong.push(format!("{place}: {unknown}")),
                None => {
                    self.file.insert(name.to_owned(), value.to_owned());
                }
            }
        }
    }

    /// Logs which names in the environment were probably meant to be settings.
    pub(crate) fn warn(&self) {
        for (name, meant) in &self.misspelt {
            tracing::warn!(
                "{name} in the environment is no setting and is overlooked; {meant} is one"
            );
        }
    }

    /// The text of a setting, where it is set. An empty one counts as not set, in either place.
    fn text(&self, name: &str) -> Option<String> {
        let set = |text: &&String| !text.is_empty();
        let text = self.environment.get(name).filter(set);
        text.or_else(|| self.file.get(name).filter(set)).cloned()
    }

    /// Whether a setting is set, to whatever.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// Lets a setting be as if it were not set.
    pub(super) fn forget(&mut self, name: &str) {
        self.environment.remove(name);
        self.file.remove(name);
    }

    /// A setting that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if let Some(text) = self.text(name) {
            self.parsed(name, &text, parse)
        } else {
            self.complain(name, "it is not set");
            None
        }
    }

    /// A setting that may be there.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.parsed(name, &text, parse)
    }

    /// A setting with a default. `None` only if what is set is wrong.
    pub(crate) fn value<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let default = entry(name).and_then(|setting| setting.default);
        let text = self.text(name).or_else(|| default.map(str::to_owned))?;
        self.parsed(name, &text, parse)
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        text: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(text);
        if value.is_none() {
            // Some put the key where the name of its file belongs.
            let hidden = entry(name).is_some_and(|setting| setting.secret)
                || PRIVATE.iter().any(|mark| text.contains(mark));
            let found = if hidden {
                "found a value that is not (and is not shown here)".to_owned()
            } else {
                format!("found `{text}`")
            };
            self.complain(name, &found);
        }
        value
    }

    /// Notes that a setting, right as it may be, does not go with what was asked for.
    pub(crate) fn refuse(&mut self, name: &'static str, why: &str) {
        self.wrong.push(format!("{name}: {why}"));
    }

    fn complain(&mut self, name: &str, found: &str) {
        let (expected, example) =
            entry(name).map_or(("a value", ""), |setting| (setting.expected, setting.example));
        self.wrong.push(format!("{name}: expected {expected}, such as {example}, but {found}"));
    }

    /// What was wrong so far, if anything was.
    pub(crate) fn mistakes(&mut self) -> Option<Mistakes> {
        (!self.wrong.is_empty()).then(|| Mistakes(std::mem::take(&mut self.wrong)))
    }
}

fn entry(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is set by that environment and a file of these lines.
    fn reader(environment: &[(&str, &str)], file: &str) -> Reader {
        let owned = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut reader = Reader::of(owned);
        reader.add(Path::new("/etc/dispense/env"), file);
        reader
    }

    /// The text of `DEVIATION`, or its default.
    fn deviation(environment: &[(&str, &str)], file: &str) -> Option<String> {
        reader(environment, file).value("DEVIATION", |text| Some(text.to_owned()))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_an_empty_value_is_none() {
        let of = |environment, file| deviation(environment, file).unwrap();
        assert_eq!(of(&[], ""), "0.1");
        assert_eq!(of(&[], "DEVIATION=0.2"), "0.2");
        assert_eq!(of(&[("DEVIATION", "0.3")], "DEVIATION=0.2"), "0.3");
        assert_eq!(of(&[("DEVIATION", "")], "DEVIATION=0.2"), "0.2");
        assert_eq!(of(&[("DEVIATION", "0.3")], "DEVIATION="), "0.3");
        assert_eq!(of(&[("DEVIATION", "")], "DEVIATION=\"\""), "0.1");
    }

    #[test]
    fn a_name_that_nobody_knows_is_told_with_its_line_beside_wrong_values() {
        let mut reader = reader(&[("TOLERANCE", "much")], "# money\nDEVIATON=0.05\nSHOE_SIZE=42\n");
        assert_eq!(reader.value("TOLERANCE", |text| text.parse::<u8>().ok()), None);
        let told = reader.mistakes().unwrap().to_string();
        let lines: Vec<&str> = told.lines().map(str::trim).collect();
        assert!(
            lines[1]
                .starts_with("/etc/dispense/env, line 2: DEVIATON is no setting; did you mean D"),
            "{told}"
        );
        assert!(
            lines[2].starts_with("/etc/dispense/env, line 3: SHOE_SIZE is no setting"),
            "{told}"
        );
        assert!(lines[3].starts_with("TOLERANCE: expected "), "{told}");
    }

    #[test]
    fn a_key_in_place_of_its_file_is_not_shown() {
        for key in ["PRIVATE+KEY+n+00+c2VlZA==", "-----BEGIN PRIVATE KEY-----c2VlZA=="] {
            let mut reader = reader(&[("CHECKPOINT_KEY", key)], "");
            assert_eq!(reader.optional("CHECKPOINT_KEY", |_| None::<u8>), None);
            let told = reader.mistakes().unwrap().to_string();
            assert!(
                told.contains("CHECKPOINT_KEY: expected") && !told.contains("c2VlZA"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_misspelt_name_in_the_environment_stops_nothing() {
        let mut reader = reader(&[("DEVIATON", "0.05"), ("SHELL", "/bin/sh")], "");
        assert_eq!(reader.misspelt, [("DEVIATON".to_owned(), "DEVIATION")]);
        assert!(reader.mistakes().is_none());
    }
}
