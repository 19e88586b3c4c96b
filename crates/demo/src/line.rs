//! One line of a registry.

use serde_json::Value;

/// Writes one record as a line; members that say nothing are left out.
pub(crate) fn line(kind: &str, mut record: Value) -> String {
    if let Value::Object(members) = &mut record {
        members.retain(|_, value| !value.is_null());
    }
    format!(r#"{{"kind":"{kind}","data":{record}}}"#)
}
