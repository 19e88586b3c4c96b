//! Who may ask at all, and in which form.

use serde_json::{Value, json};

use crate::harness::{Answer, Case, Opened};

#[tokio::test]
async fn x_34_a_token_without_the_scope_is_refused_everywhere() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await.id();
    let request = case.id("request");
    let powerless = case.with_claim("scope", "audit:read");
    let of_dispense = |action: &str| format!("/api/medication_dispenses/{held}{action}");
    let of_request = |what: &str| format!("/api/medication_requests/{request}{what}");
    for (method, path, scope) in [
        ("POST", "/api/medication_dispenses".to_owned(), "medication_dispense:write"),
        ("PATCH", of_dispense("/actions/process"), "medication_dispense:process"),
        ("PATCH", of_dispense("/actions/reject"), "medication_dispense:reject"),
        ("GET", of_dispense(""), "medication_dispense:read"),
        ("GET", "/api/medication_dispenses".to_owned(), "medication_dispense:read"),
        ("GET", of_request("/dispenses"), "medication_dispense:read"),
        ("GET", of_request(""), "medication_request:details"),
        ("POST", of_request("/actions/qualify"), "medication_request:details"),
    ] {
        let text = format!(
            "Your scope does not allow to access this resource. Missing allowances: {scope}"
        );
        for path in [path.clone(), path.replace("/api/", "/api/pharmacy/")] {
            let asked = Answer::to(powerless.request(method, &path)).await.unwrap();
            asked.said(403, "forbidden", &text);
        }
    }
    let refused = case.asks().by(&powerless).ndp().await.refused(403, "missing-scope");
    assert_eq!(refused.body["errors"][0]["params"]["scope"], "medication_dispense:write");
    let newer = case.with_claim("scope", "medication_dispense:create");
    let held = case.asks().by(&newer).ehealth().await;
    held.said(403, "forbidden", "Active medication dispense already exists");
}

/// Sends a body whose dispense has that member set.
async fn with(case: &Opened, pointer: &str, value: Value) -> Answer {
    let mut order = case.asks().order();
    let dispense = &mut order.body["medication_dispense"];
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    dispense.pointer_mut(parent).unwrap()[name] = value;
    case.one.send(&order).await
}

/// what the schema does not allow is blamed with the wrapper of the body.
#[tokio::test]
async fn x_47_each_member_has_its_type_and_its_bounds() {
    let case = Case::new().open().await;
    let uuid = "string does not match pattern \
                \"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"";
    let positive = "expected the value to be > 0";
    let number = "type mismatch. Expected number but got string";
    let unknown = "schema does not allow additional properties";
    let few = "expected a minimum of 1 items but got 0";
    for (pointer, value, rule, text) in [
        ("/dispense_details/0/medication_qty", json!(0), "number", positive),
        ("/dispense_details/0/medication_qty", json!(-1), "number", positive),
        ("/dispense_details/0/medication_qty", json!("1"), "cast", number),
        ("/dispense_details", json!([]), "length", few),
        ("/shoe_size", json!(42), "schema", unknown),
        ("/dispense_details/0/shoe_size", json!(42), "schema", unknown),
        ("/division_id", json!("malformed"), "format", uuid),
        ("/dispense_details/0/medication_id", json!("malformed"), "format", uuid),
    ] {
        let path = pointer.replace("/0", "/[0]").replace('/', ".");
        let path = format!("$.medication_dispense{path}");
        with(&case, pointer, value).await.blames(&[[&path, rule, text]]);
    }
    let all = json!([{"medication_id": "malformed", "medication_qty": 0}]);
    with(&case, "/dispense_details", all).await.blames(&[
        ["$.medication_dispense.dispense_details.[0].medication_id", "format", uuid],
        ["$.medication_dispense.dispense_details.[0].medication_qty", "number", positive],
    ]);
    // Beside the dispense, what is not known does not matter.
    let mut order = case.asks().discount(50).order();
    order.body["shoe_size"] = json!(42);
    case.one.send(&order).await.expect(201);
}

/// X-47 on the platform's API, which has no wrapper.
#[tokio::test]
async fn x_47_on_the_platform_each_member_has_its_type_and_its_bounds() {
    let case = Case::new().open().await;
    let mut order = case.asks().platform_order();
    order.body["items"][0]["quantityDispensed"] = json!(0);
    order.body["items"][0]["shoeSize"] = json!(42);
    order.body["pharmacyId"] = json!("malformed");
    let refused = case.one.send(&order).await.refused(422, "schema");
    let paths: Vec<&Value> =
        refused.body["errors"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    let expected = ["$.pharmacyId", "$.items.[0].quantityDispensed", "$.items.[0].shoeSize"];
    assert_eq!(paths, expected);
}
