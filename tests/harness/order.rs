//! Commands that can be sent more than once, through either API.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use super::signing::in_base64;

/// What kind of command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Process,
    Cancel,
}

/// A command that can be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
}

/// A key that was never used.
fn new_key() -> String {
    static RUN: LazyLock<u32> = LazyLock::new(rand::random);
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("{:08x}-{}", *RUN, NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Order {
    /// An order with a key of its own.
    pub(super) fn new(kind: Kind, path: impl Into<String>, body: Value) -> Self {
        Self { kind, path: path.into(), key: new_key(), body }
    }

    /// An order to give a hold back.
    pub(crate) fn cancelling(dispense: Uuid) -> Self {
        let body = json!({"reason": "the patient comes back tomorrow"});
        Self::new(Kind::Cancel, format!("/api/v1/dispenses/{dispense}/cancel"), body)
    }

    /// An order to hand a hold over.
    pub(crate) fn processing(dispense: Uuid, container: &[u8]) -> Self {
        let body = json!({
            "signedContent": in_base64(container), "signedContentEncoding": "base64",
        });
        Self::new(Kind::Process, format!("/api/v1/dispenses/{dispense}/process"), body)
    }

    /// The same through the register's API: its body has other names, its key another header.
    pub(crate) fn rejecting(dispense: Uuid) -> Self {
        let path = format!("/api/medication_dispenses/{dispense}/actions/reject");
        Self::new(Kind::Cancel, path, json!({"payment_id": "12345"}))
    }

    /// As [`Self::processing`], through the register's API.
    pub(crate) fn processing_in_register(dispense: Uuid, container: &[u8]) -> Self {
        let path = format!("/api/medication_dispenses/{dispense}/actions/process");
        let body = json!({
            "signed_medication_dispense": in_base64(container),
            "signed_content_encoding": "base64",
        });
        Self::new(Kind::Process, path, body)
    }

    /// The same under the newer paths of the register's API.
    pub(crate) fn under_pharmacy(self) -> Self {
        let path = self.path.strip_prefix("/api/").expect("a path of the register's API");
        Self { path: format!("/api/pharmacy/{path}"), ..self }
    }

    fn is_of_platform(&self) -> bool {
        self.path.starts_with("/api/v1/")
    }

    /// The method that its API wants.
    pub(crate) fn method(&self) -> &'static str {
        match self.kind {
            Kind::Create => "POST",
            Kind::Process | Kind::Cancel if self.is_of_platform() => "POST",
            Kind::Process | Kind::Cancel => "PATCH",
        }
    }

    /// The header in which its API wants the key.
    pub(crate) fn key_header(&self) -> &'static str {
        if self.is_of_platform() { "idempotency-key" } else { "x-idempotency-key" }
    }
}
