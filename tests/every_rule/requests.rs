//! Rules 6 to 8: the medication request.

use chrono::Days;
use serde_json::json;

use crate::harness::case::{kyiv_today, tomorrow, yesterday};
use crate::harness::{Case, OVER};

#[tokio::test]
async fn only_an_active_request_is_dispensed() {
    for members in [
        json!({"status": "COMPLETED"}),
        json!({"status": "REJECTED"}),
        json!({"status": "EXPIRED"}),
        json!({"is_active": false}),
    ] {
        let case = Case::new().but("request", &members).open().await;
        let rules = [("medication-request-not-active", "$.prescriptionId"), OVER];
        case.asks().refused(409, "Medication request is not active", &rules).await;
    }
}

#[tokio::test]
async fn the_last_day_of_dispensing_counts_and_the_day_after_does_not() {
    let over = json!({"dispense_valid_to": yesterday()});
    let case = Case::new().but("request", &over).open().await;
    let rules = [("outside-dispense-period", "$.prescriptionId"), OVER];
    case.asks().refused(409, "Invalid dispense period", &rules).await;

    let today = json!({"dispense_valid_from": kyiv_today(), "dispense_valid_to": kyiv_today()});
    Case::new().but("request", &today).discount(50).open().await.asks().held().await;
}

/// The days of treatment are not those of dispensing.
#[tokio::test]
async fn what_is_to_be_taken_later_or_earlier_is_dispensed_all_the_same() {
    for days in [
        json!({"started_at": tomorrow(), "ended_at": tomorrow()}),
        json!({"started_at": yesterday() - Days::new(9), "ended_at": yesterday()}),
    ] {
        Case::new().but("request", &days).discount(50).open().await.asks().held().await;
    }
}

#[tokio::test]
async fn everything_that_a_request_points_at_has_to_be_there() {
    for name in ["doctor's job", "doctor", "site", "clinic", "dosage", "patient"] {
        let case = Case::new().without(name).discount(50).open().await;
        let text = "Medication request is not valid";
        let member = ["$.medication_request_id", "required", text];
        let rules = [("medication-request-invalid", "$.prescriptionId")];
        case.asks().blamed(&[member], &rules).await;
    }
}

#[tokio::test]
async fn a_block_ends_with_its_last_day_and_never_holds_back_whoever_blocked() {
    let text = "Medication request is blocked";
    let rules = [("medication-request-blocked", "$.prescriptionId"), OVER];
    for end in [json!(null), json!(kyiv_today()), json!("some day")] {
        let blocked = json!({"is_blocked": true, "blocked_to": end});
        let case = Case::new().but("request", &blocked).open().await;
        let refused = case.asks().refused(422, text, &rules).await;
        let whole = json!([{"entry_type": "request", "rules": [{"rule": "json"}]}]);
        assert_eq!(refused.body["error"]["invalid"], whole);
    }
    let over = json!({"is_blocked": true, "blocked_to": yesterday()});
    Case::new().but("request", &over).discount(50).open().await.asks().held().await;

    let case = Case::new().discount(50);
    let own = json!({"is_blocked": true, "blocked_by_legal_entity_id": case.id("company")});
    let case = case.but("request", &own).open().await;
    case.other_asks().refused(422, text, &rules[..1]).await;
    case.asks().held().await;
}
