//! The care plan that a medication request is based on. Registries write the reference in their own
//! ways, and it is carried as it came: what is not understood is no care plan, and never an error.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// What the model needs of a personal body.
#[derive(Deserialize)]
struct Body {
    medication_request: Request,
}

/// What the model needs of a medication request.
#[derive(Deserialize)]
struct Request {
    based_on: Value,
}

/// The care plan of the medication request in that body, if it names one.
pub(super) fn care_plan(body: &str) -> Option<Uuid> {
    let body: Body = serde_json::from_str(body).ok()?;
    match &body.medication_request.based_on {
        Value::Array(references) => references.iter().find_map(referred),
        one => referred(one),
    }
}

/// The care plan that one reference leads to: `{type, id}`, or `{identifier: {type, value}}` with a
/// type that is coded as FHIR does.
fn referred(reference: &Value) -> Option<Uuid> {
    let identifier = &reference["identifier"];
    let id = if is_care_plan(&reference["type"]) {
        &reference["id"]
    } else if is_care_plan(&identifier["type"]) {
        &identifier["value"]
    } else {
        return None;
    };
    id.as_str()?.parse().ok()
}

fn is_care_plan(kind: &Value) -> bool {
    let coded = || kind["coding"].as_array().into_iter().flatten();
    kind == "care_plan" || coded().any(|coding| coding["code"] == "care_plan")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAN: Uuid = Uuid::from_u128(0xB0);

    fn found_in(based_on: &Value) -> Option<Uuid> {
        care_plan(&json!({"medication_request": {"based_on": based_on}}).to_string())
    }

    fn identified(code: &str, id: Uuid) -> Value {
        json!({"identifier": {"type": {"coding": [{"system": "eHealth/resources", "code": code}]},
            "value": id}})
    }

    #[test]
    fn a_care_plan_is_found_however_it_is_referred_to() {
        let activity = Uuid::from_u128(0xB1);
        let coded = json!([identified("activity", activity), identified("care_plan", PLAN)]);
        assert_eq!(found_in(&coded), Some(PLAN));
        let plain =
            json!([{"type": "activity", "id": activity}, {"type": "care_plan", "id": PLAN}]);
        assert_eq!(found_in(&plain), Some(PLAN));
        assert_eq!(found_in(&identified("care_plan", PLAN)), Some(PLAN), "one that is no list");
    }

    #[test]
    fn what_is_not_understood_is_no_care_plan() {
        for strange in [
            json!(null),
            json!([]),
            json!("care_plan"),
            json!([{"type": "care_plan", "id": "no uuid"}]),
            json!([{"type": "activity", "id": PLAN}]),
            json!([{"identifier": {"type": {"coding": "care_plan"}, "value": PLAN}}]),
            json!([[{"type": "care_plan"}], 7, {"identifier": null}]),
        ] {
            assert_eq!(found_in(&strange), None, "{strange}");
        }
        assert_eq!(care_plan("{}"), None);
        assert_eq!(care_plan(r#"{"medication_request": {"note": "based_on"}}"#), None);
        assert_eq!(care_plan("no JSON"), None);
    }
}
