//! What a medication request is based on. Registries write the references in their own ways, and
//! they are carried as they came: what is not understood refers to nothing, and is never an error.

use serde_json::Value;
use uuid::Uuid;

/// The care plan and the activity that a medication request is based on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BasedOn {
    /// The care plan.
    pub care_plan: Option<Uuid>,
    /// The activity of it.
    pub activity: Option<Uuid>,
}

impl BasedOn {
    /// Reads `based_on`: a list of references, or one that is no list.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let references = match value {
            Value::Array(references) => references.as_slice(),
            one => std::slice::from_ref(one),
        };
        let referred = |kind| references.iter().find_map(|reference| referred(reference, kind));
        Self { care_plan: referred("care_plan"), activity: referred("activity") }
    }
}

/// Where one reference leads, if to a thing of that kind: `{type, id}`, or `{identifier: {type,
/// value}}` with a type that is coded as FHIR does.
fn referred(reference: &Value, kind: &str) -> Option<Uuid> {
    let identifier = &reference["identifier"];
    let id = if is_of(&reference["type"], kind) {
        &reference["id"]
    } else if is_of(&identifier["type"], kind) {
        &identifier["value"]
    } else {
        return None;
    };
    id.as_str()?.parse().ok()
}

fn is_of(coded: &Value, kind: &str) -> bool {
    let codings = || coded["coding"].as_array().into_iter().flatten();
    coded == kind || codings().any(|coding| coding["code"] == kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAN: Uuid = Uuid::from_u128(0xB0);
    const ACTIVITY: Uuid = Uuid::from_u128(0xB1);
    const BOTH: BasedOn = BasedOn { care_plan: Some(PLAN), activity: Some(ACTIVITY) };

    fn identified(code: &str, id: Uuid) -> Value {
        json!({"identifier": {"type": {"coding": [{"system": "eHealth/resources", "code": code}]},
            "value": id}})
    }

    #[test]
    fn plan_and_activity_are_found_however_they_are_referred_to() {
        let coded = json!([identified("activity", ACTIVITY), identified("care_plan", PLAN)]);
        assert_eq!(BasedOn::read(&coded), BOTH);
        let plain =
            json!([{"type": "activity", "id": ACTIVITY}, {"type": "care_plan", "id": PLAN}]);
        assert_eq!(BasedOn::read(&plain), BOTH);
        let one = BasedOn::read(&identified("care_plan", PLAN));
        assert_eq!(one, BasedOn { activity: None, ..BOTH }, "one that is no list");
    }

    #[test]
    fn what_is_not_understood_refers_to_nothing() {
        for strange in [
            json!(null),
            json!([]),
            json!("care_plan"),
            json!([{"type": "care_plan", "id": "no uuid"}]),
            json!([{"type": "device", "id": PLAN}]),
            json!([{"identifier": {"type": {"coding": "care_plan"}, "value": PLAN}}]),
            json!([[{"type": "care_plan"}], 7, {"identifier": null}]),
        ] {
            assert_eq!(BasedOn::read(&strange), BasedOn::default(), "{strange}");
        }
    }
}
