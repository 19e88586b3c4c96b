//! Rule 14: the outlet provides the program, where that is asked for. The texts are told by a
//! create, and are the reasons of a qualification.

use serde_json::json;

use crate::harness::case::{tomorrow, yesterday};
use crate::harness::{Case, Opened, Switches};

/// Both APIs refuse, and the program is told to be invalid for the same reason.
async fn refused(case: Case, text: &str, rule: &str, path: &str) {
    let case: Opened = case.discount(50).open_with(Switches::Provisions).await;
    case.asks().refused(409, text, &[(rule, path)]).await;
    let programs = json!([{"id": case.id("program")}]);
    let body = json!({"programs": programs, "division_id": case.id("division")});
    let qualified = case.qualify(&case.one, &body).await.expect(200);
    let found = &qualified.data()[0];
    assert_eq!(found["status"], "INVALID");
    assert_eq!(found["rejection_reason"], text);
    assert_eq!(found["participants"], json!([]));
}

/// A contract beside the one in force; the provision is under it.
fn under_second_contract(members: &serde_json::Value) -> Case {
    let case = Case::new();
    let number = json!({"contract_number": case.id("second contract")});
    let case = case.with("second contract", "contract", &number);
    case.but("second contract", members).but("provision", &number)
}

#[tokio::test]
async fn an_outlet_without_an_active_provision_does_not_provide_the_program() {
    let text = "Division does not provide the medical program";
    for case in [
        Case::new().but("provision", &json!({"is_active": false})),
        Case::new().but("provision", &json!({"division_id": Case::new().id("another")})),
        Case::new().but("provision", &json!({"medical_program_id": Case::new().id("another")})),
    ] {
        refused(case, text, "provision-missing", "$.pharmacyId").await;
    }
}

#[tokio::test]
async fn a_provision_needs_a_contract_that_is_in_force_today() {
    let text = "Medical program provision is not related to any actual contract for the current \
                date";
    let unknown = Case::new().but("provision", &json!({"contract_number": "unknown"}));
    refused(unknown, text, "provision-without-contract", "$.programId").await;
    for members in [
        json!({"end_date": yesterday()}),
        json!({"start_date": tomorrow()}),
        json!({"status": "TERMINATED"}),
        json!({"is_active": false}),
    ] {
        let case = under_second_contract(&members);
        refused(case, text, "provision-without-contract", "$.programId").await;
    }
}

#[tokio::test]
async fn a_suspended_contract_of_a_provision_is_named() {
    let case = under_second_contract(&json!({"is_suspended": true}));
    let text = format!("Contract with number {} is suspended", case.id("second contract"));
    refused(case, &text, "provision-contract-suspended", "$.programId").await;
}

#[tokio::test]
async fn a_program_that_is_funded_by_nobody_known_is_misconfigured() {
    let case = Case::new().but("program", &json!({"funding_source": "SPONSOR"}));
    let text = "Program was configured incorrectly. Either incorrect source of funding or option \
                skip_contract_provision_verify";
    refused(case, text, "program-misconfigured", "$.programId").await;
}

#[tokio::test]
async fn what_is_provided_is_held() {
    let locally = Case::new().but("program", &json!({"funding_source": "LOCAL"}));
    for case in [
        Case::new(),
        under_second_contract(&json!({})),
        locally.but("provision", &json!({"contract_number": null})),
        Case::new().settings(&json!({"skip_contract_provision_verify": true})).without("provision"),
        Case::new().without_program().without("provision"),
    ] {
        case.discount(50).open_with(Switches::Provisions).await.asks().held().await;
    }
}
