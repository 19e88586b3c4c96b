//! The description of the streams, as a test looks at it: every member that it does not describe counts
//! as wrong. Consumers are told to ignore such members; we are to notice those that we forgot.

use std::fs;
use std::path::PathBuf;

use boon::{Compiler, Draft, Schemas};
use serde_json::{Map, Value, json};

/// How the document is called among schemas; nothing is looked for there.
const NAME: &str = "file:///asyncapi.json";

/// The description of the streams.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// As it is written.
    pub(crate) value: Value,
    /// In which no object may have more members than are described.
    strict: Value,
}

impl Document {
    /// Where it stands.
    pub(crate) fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/asyncapi.yaml")
    }

    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(Self::path()).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let mut strict = value.clone();
        for part in ["schemas", "messages"] {
            close(&mut strict["components"][part]);
        }
        Self { value, strict }
    }

    /// The channel with that address, without prefix.
    pub(crate) fn channel(&self, topic: &str) -> &Value {
        let channels = self.value["channels"].as_object().unwrap();
        let found = channels.values().find(|channel| channel["address"] == topic);
        found.unwrap_or_else(|| panic!("docs/asyncapi.yaml has no channel for {topic}"))
    }

    /// The name of the one message of a topic.
    pub(crate) fn message_of(&self, topic: &str) -> &str {
        let messages = self.channel(topic)["messages"].as_object().unwrap();
        assert_eq!(messages.len(), 1, "{topic}");
        let reference = messages.values().next().unwrap()["$ref"].as_str().unwrap();
        reference.strip_prefix("#/components/messages/").unwrap()
    }

    /// What is wrong with the headers of a message, and with its payload.
    pub(crate) fn objections(
        &self,
        message: &str,
        headers: &Value,
        payload: &Value,
    ) -> Vec<String> {
        let mut objections = self.against(message, "headers", headers);
        objections.extend(self.against(message, "payload", payload));
        objections
    }

    /// What is wrong with that part of a message.
    pub(crate) fn against(&self, message: &str, part: &str, value: &Value) -> Vec<String> {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V7);
        compiler.enable_format_assertions();
        compiler.add_resource(NAME, self.strict.clone()).unwrap();
        let mut schemas = Schemas::new();
        let place = format!("{NAME}#/components/messages/{message}/{part}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        match schemas.validate(value, schema) {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!("{message}: {part}: {error} in {value}")],
        }
    }
}

/// Forbids what is not described, in every schema that describes members and does not say otherwise.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if describes_members(members) && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A member of a message could be called `properties`; it would not say that it is an object.
fn describes_members(schema: &Map<String, Value>) -> bool {
    schema.get("type") == Some(&json!("object")) && schema.contains_key("properties")
}
