//! Reads settings one by one, and notes what is wrong with each.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::table::{Setting, TABLE};

/// Where settings come from: the environment first, then the file.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    file: BTreeMap<String, String>,
    wrong: Vec<String>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Default, thiserror::Error)]
#[error("the settings are wrong; nothing was started:\n  {}", .0.join("\n  "))]
pub(crate) struct Mistakes(Vec<String>);

impl Reader {
    /// Settings from the environment, and from a file of `NAME=value` lines if there is one.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the settings in {}", path.display()))?;
        let (mut file, mut wrong) = (BTreeMap::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((name, value)) => {
                    let value = value.trim().trim_matches('"');
                    file.insert(name.trim().to_owned(), value.to_owned());
                }
                None => wrong.push(format!(
                    "{}, line {}: expected NAME=value, such as TIME_ZONE=Europe/Kyiv",
                    path.display(),
                    number + 1
                )),
            }
        }
        Ok(Self { file, wrong })
    }

    /// The text of a setting, where it is set. An empty one counts as not set.
    fn text(&self, name: &str) -> Option<String> {
        let text = std::env::var(name).ok().or_else(|| self.file.get(name).cloned());
        text.filter(|text| !text.is_empty())
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
            let hidden = entry(name).is_some_and(|setting| setting.secret);
            let found = if hidden {
                "found a value that is not (and is not shown here)".to_owned()
            } else {
                format!("found `{text}`")
            };
            self.complain(name, &found);
        }
        value
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
