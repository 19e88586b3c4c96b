//! Rules 3 to 5 and 9: who asks.

use serde_json::{Value, json};

use crate::harness::{Case, OVER};

#[tokio::test]
async fn a_company_that_is_closed_or_reorganised_is_blamed() {
    for status in ["CLOSED", "REORGANIZED"] {
        let case = Case::new().but("company", &json!({"status": status})).open().await;
        let member = ["$.legal_entity_id", "invalid", "Legal entity is not active"];
        case.asks().blamed(&[member], &[("legal-entity-closed", "$"), OVER]).await;
    }
}

#[tokio::test]
async fn a_company_that_is_suspended_or_does_not_count_is_in_conflict() {
    for members in [json!({"status": "SUSPENDED"}), json!({"is_active": false})] {
        let case = Case::new().but("company", &members).open().await;
        let rules = [("legal-entity-not-active", "$"), OVER];
        case.asks().refused(409, "Legal entity is not active", &rules).await;
    }
}

#[tokio::test]
async fn only_companies_of_some_types_dispense() {
    for kind in ["MSP", "OUTPATIENT", "NHS"] {
        let case = Case::new().but("company", &json!({"type": kind})).open().await;
        let rules = [("legal-entity-type", "$"), OVER];
        case.asks().refused(409, "Invalid legal entity type", &rules).await;
    }
    let case = Case::new().but("company", &json!({"type": "MSP_PHARMACY"})).discount(50);
    let case = case.open().await;
    let asker = case.with_claim("client_type", "MSP_PHARMACY");
    case.asks().by(&asker).held().await;
}

const NO_JOB: (&str, &str) = ("employee-not-authorised", "$");

#[tokio::test]
async fn whoever_dispenses_has_an_approved_job_in_the_company() {
    let text = "Employee id doesn't match";
    let without = Case::new().without("job").open().await;
    without.asks().refused(403, text, &[NO_JOB, OVER]).await;
    for members in [
        json!({"status": "NEW"}),
        json!({"status": "DISMISSED"}),
        json!({"is_active": false}),
        json!({"legal_entity_id": Case::new().id("another company")}),
        json!({"party_id": Case::new().id("another party")}),
    ] {
        let case = Case::new().but("job", &members).open().await;
        case.asks().refused(403, text, &[NO_JOB, OVER]).await;
    }
    // Of whatever type, at whatever outlet.
    let owner = json!({"employee_type": "OWNER", "division_id": Value::Null});
    Case::new().but("job", &owner).discount(50).open().await.asks().held().await;
}

/// The request comes before the job, and the job before the division.
#[tokio::test]
async fn a_job_is_judged_between_request_and_division() {
    let case = Case::new().without("job").division_inactive().open().await;
    let division = ("division-not-active", "$.pharmacyId");
    case.asks().refused(403, "Employee id doesn't match", &[NO_JOB, division, OVER]).await;

    let plan = json!({"intent": "plan"});
    let case = Case::new().without("job").but("request", &plan).open().await;
    let text = "Medication request with intent PLAN cannot be dispensed";
    let rules = [("medication-request-is-plan", "$.prescriptionId"), NO_JOB, OVER];
    case.asks().refused(409, text, &rules).await;
}
