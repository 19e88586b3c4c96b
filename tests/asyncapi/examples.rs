//! The examples of the description are messages as they travel, and stand there as readable YAML.

use std::collections::BTreeMap;
use std::fs;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{Document, Golden, registry};

/// JSON with its members in their order.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum Ordered {
    Members(IndexMap<String, Ordered>),
    Items(Vec<Ordered>),
    Single(Value),
}

impl Ordered {
    fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap()
    }

    /// Lines of YAML; the first one goes on where something stands already.
    fn lines(&self, indent: usize) -> String {
        let pad = " ".repeat(indent);
        match self {
            Self::Members(members) if !members.is_empty() => {
                let member = |(name, value): (&String, &Self)| {
                    let gap = if value.is_nested() { "" } else { " " };
                    format!("\n{pad}{name}:{gap}{}", value.lines(indent + 2))
                };
                members.iter().map(member).collect()
            }
            Self::Items(items) if !items.is_empty() => {
                let item = |value: &Self| {
                    let lines = value.lines(indent + 2);
                    format!("\n{pad}- {}", lines.trim_start())
                };
                items.iter().map(item).collect()
            }
            Self::Members(_) => "{}".to_owned(),
            Self::Items(_) => "[]".to_owned(),
            Self::Single(value) => value.to_string(),
        }
    }

    fn is_nested(&self) -> bool {
        match self {
            Self::Members(members) => !members.is_empty(),
            Self::Items(items) => !items.is_empty(),
            Self::Single(_) => false,
        }
    }
}

/// An example of a message.
struct Example {
    name: String,
    headers: Option<Value>,
    payload: String,
}

impl Example {
    fn written(&self) -> String {
        let mut written = format!("        - name: {}\n", self.name);
        let mut part = |name: &str, json: &str| {
            written.extend(["          ", name, ":", &Ordered::read(json).lines(12), "\n"]);
        };
        if let Some(headers) = &self.headers {
            part("headers", &headers.to_string());
        }
        part("payload", &self.payload);
        written
    }
}

/// Every example, by the name of its message.
fn examples(document: &Document) -> BTreeMap<String, Vec<Example>> {
    let mut examples: BTreeMap<String, Vec<Example>> = BTreeMap::new();
    for golden in Golden::all() {
        let message = document.message_of(&golden.topic).to_owned();
        let Golden { name, headers, payload, .. } = golden;
        let example = Example { name, headers: Some(headers), payload };
        examples.entry(message).or_default().push(example);
    }
    for (kind, line) in registry::first_lines() {
        let message = document.message_of(&format!("ndp.registry.{kind}")).to_owned();
        let example = Example { name: kind.to_owned(), headers: None, payload: line };
        examples.insert(message, vec![example]);
    }
    examples
}

/// The document with those examples in the place of those that it has.
fn with_examples(text: &str, examples: &BTreeMap<String, Vec<Example>>) -> String {
    let mut written = String::new();
    let mut message = None;
    let mut skips = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if indent == 4 {
            message = examples.get(line.trim_start().trim_end_matches(':'));
        }
        skips &= indent > 6;
        if skips {
            continue;
        }
        match message {
            Some(examples) if line.starts_with("      examples:") => {
                skips = true;
                written.push_str("      examples:\n");
                written.extend(examples.iter().map(Example::written));
            }
            Some(_) | None => written.extend([line, "\n"]),
        }
    }
    written
}

#[test]
fn the_examples_are_messages_as_they_travel() {
    let document = Document::read();
    let text = fs::read_to_string(Document::path()).unwrap();
    let written = with_examples(&text, &examples(&document));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Document::path(), &written).unwrap();
        return;
    }
    assert!(
        text == written,
        "docs/asyncapi.yaml has other examples than there are golden messages and lines of the demo; \
         write them with `UPDATE_DOCS=1 cargo test -p dispense-tests asyncapi`"
    );
}

/// Whatever the writer of YAML makes of a message, a reader of YAML finds the message in it.
#[test]
fn every_example_is_read_as_it_was_meant() {
    let document = Document::read();
    for (message, examples) in examples(&document) {
        let read = &document.value["components"]["messages"][&message]["examples"];
        assert_eq!(read.as_array().unwrap().len(), examples.len(), "{message}");
        for (read, example) in read.as_array().unwrap().iter().zip(&examples) {
            let payload: Value = serde_json::from_str(&example.payload).unwrap();
            assert_eq!(read["payload"], payload, "{message} {}", example.name);
            assert_eq!(read["headers"], json!(example.headers), "{message} {}", example.name);
        }
    }
}
