//! Rule 11: what the outlet is licensed to do.

use serde_json::{Value, json};

use crate::harness::Case;

/// A healthcare service of the outlet; null members take the place of others.
fn service(case: &Case, members: &Value) -> Value {
    let mut service = json!({
        "legal_entity_id": case.id("company"), "division_id": case.id("division"),
        "status": "ACTIVE", "type": "SALE", "license_type": "PHARMACY",
        "licensed_healthcare_service": {"status": "ACTIVE"},
    });
    service.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    service
}

/// A case whose outlet has such a service.
fn with_service(case: Case, members: &Value) -> Case {
    let service = service(&case, members);
    case.and("service", "healthcare_service", service)
}

/// A program that asks for pharmacies.
fn asks_for_licence() -> Case {
    let types = json!({"license_types_allowed": ["PHARMACY", "PHARMACY_DRUGS"]});
    Case::new().settings(&types).discount(50)
}

#[tokio::test]
async fn a_program_may_ask_for_a_sale_service_under_a_licence_of_some_type() {
    let text = "Division must have active licenses to dispense medication request";
    let rules = [("licence-missing", "$.pharmacyId")];
    asks_for_licence().open().await.asks().refused(409, text, &rules).await;
    for members in [
        json!({"status": "INACTIVE"}),
        json!({"is_active": false}),
        json!({"type": "PRODUCTION"}),
        json!({"license_type": "CLINIC"}),
        json!({"licensed_healthcare_service": {"status": "SUSPENDED"}}),
        json!({"licensed_healthcare_service": null}),
        json!({"division_id": Case::new().id("another division")}),
    ] {
        let case = with_service(asks_for_licence(), &members).open().await;
        case.asks().refused(409, text, &rules).await;
    }
    for licence in ["PHARMACY", "PHARMACY_DRUGS"] {
        let case = with_service(asks_for_licence(), &json!({"license_type": licence}));
        case.open().await.asks().held().await;
    }
    let none = json!({"license_types_allowed": []});
    Case::new().settings(&none).discount(50).open().await.asks().held().await;
}

/// What a pharmacy makes itself is a dosage, not a brand.
#[tokio::test]
async fn whoever_dispenses_what_it_makes_has_a_production_service() {
    let made_here = || Case::new().without_program();
    let text = "Division does not have active license to produce medication";
    let rules = [("production-licence-missing", "$.items.[0].medicineCode")];
    for case in [
        made_here(),
        with_service(made_here(), &json!({"type": "SALE"})),
        with_service(made_here(), &json!({"type": "PRODUCTION", "status": "INACTIVE"})),
    ] {
        let case = case.open().await;
        case.asks().medication(case.id("dosage")).refused(409, text, &rules).await;
        // A brand needs none.
        case.asks().held().await;
    }
    let case = with_service(made_here(), &json!({"type": "PRODUCTION"})).open().await;
    let held = case.asks().medication(case.id("dosage")).held().await;
    assert_eq!(held.data()["details"][0]["medication"]["id"], json!(case.id("dosage")));
}
