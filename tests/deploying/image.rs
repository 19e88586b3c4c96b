//! What the Dockerfile says of the image.

use serde_json::Value;

use super::written::{Settings, text, words};

/// An image, as its last stage has it.
pub(super) struct Image {
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) health: Vec<String>,
    pub(super) stop_signal: String,
    pub(super) user: String,
    pub(super) settings: Settings,
}

/// The instructions of the Dockerfile: word, and what follows it.
pub(super) fn instructions() -> Vec<(String, String)> {
    let text = text("deploy/Dockerfile").replace("\\\n", " ");
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parts = lines.filter_map(|line| line.split_once(' '));
    parts.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

impl Image {
    /// Reads it.
    pub(super) fn read() -> Self {
        let all = instructions();
        let last_stage = all.iter().rposition(|(word, _)| word == "FROM").unwrap();
        let one = |wanted: &str| {
            let found: Vec<_> =
                all[last_stage..].iter().filter(|(word, _)| word == wanted).collect();
            assert_eq!(found.len(), 1, "{wanted} in {found:?}");
            found[0].1.clone()
        };
        let list = |text: &str| {
            let list: Value = serde_json::from_str(text)
                .unwrap_or_else(|error| panic!("{text} is run by a shell: {error}"));
            words(&list)
        };
        let health = one("HEALTHCHECK");
        let (_, health) = health.split_once("CMD ").unwrap();
        let environment = one("ENV");
        let pairs = environment.split_whitespace().map(|pair| pair.split_once('=').unwrap());
        Self {
            entrypoint: list(&one("ENTRYPOINT")),
            command: list(&one("CMD")),
            health: list(health),
            stop_signal: one("STOPSIGNAL"),
            user: one("USER"),
            settings: pairs.map(|(name, value)| (name.into(), value.into())).collect(),
        }
    }
}
