//! Rule 16b and Q7, Q8: the care plan that a request follows from.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::case::{kyiv_today, yesterday};
use crate::harness::{Case, Opened, eventually};

/// How long the read models may lag behind the log here.
const FOLLOWED_WITHIN: Duration = Duration::from_mins(1);

/// A request that is based on an activity of a care plan.
fn based_on(plan: &Value, activity: &Value) -> Case {
    let case = Case::new().discount(50);
    let (plan_id, activity_id) = (case.id("plan"), case.id("activity"));
    let references = json!([
        {"type": "care_plan", "id": plan_id}, {"type": "activity", "id": activity_id}]);
    let whole = json!({"person_id": case.id("patient"), "status": "active"});
    let part = json!({"care_plan_id": plan_id, "kind": "medication_request",
        "status": "in_progress", "product_reference": case.id("dosage")});
    case.and("plan", "care_plan", whole)
        .and("activity", "care_plan_activity", part)
        .but("plan", plan)
        .but("activity", activity)
        .but("request", &json!({"based_on": references}))
}

async fn qualified(case: &Opened) -> crate::harness::Answer {
    case.qualify(&case.one, &json!({"programs": [{"id": case.id("program")}]})).await
}

#[tokio::test]
async fn what_a_care_plan_does_not_allow_is_not_dispensed() {
    let over = json!({"period": {"start": "2020-01-01", "end": yesterday()}});
    for (plan, activity, rule, text) in [
        (json!({"status": "cancelled"}), json!({}), "care-plan-status", "Invalid care plan status"),
        (over, json!({}), "care-plan-expired", "Care plan expired"),
        (json!({}), json!({"status": "completed"}), "activity-status", "Invalid activity status"),
    ] {
        let rules = [(rule, "$.prescriptionId")];
        let case = based_on(&plan, &activity).open().await;
        case.asks().refused(409, text, &rules).await;
        qualified(&case).await.said(409, "request_conflict", text);
        // Outside any program as well.
        let case = based_on(&plan, &activity).without_program().open().await;
        case.asks().refused(409, text, &rules).await;
    }
    let last_day = json!({"period": {"start": "2020-01-01", "end": kyiv_today()}});
    let case = based_on(&last_day, &json!({"status": "scheduled"})).open().await;
    assert_eq!(qualified(&case).await.expect(200).data()[0]["status"], "VALID");
    case.asks().held().await;
}

const NO_ROOM: &str = "The total amount of the dispensed medication quantity exceeds quantity in \
                       care plan activity";

/// The quantity of an activity is a budget for all its requests; its own parts do not count twice.
#[tokio::test]
async fn an_activity_has_room_for_what_was_handed_over_and_what_is_asked() {
    let once = json!({"skip_treatment_period": true, "multi_medication_dispense_allowed": true});
    let of = |quantity: u32| {
        let case = based_on(&json!({}), &json!({"quantity": quantity})).settings(&once);
        case.with_other_request(&json!({}))
    };
    let case = of(19).open().await;
    let held = case.asks().request(case.id("other request")).held().await;
    assert_eq!(qualified(&case).await.expect(200).data()[0]["status"], "VALID", "held is not gone");
    case.process(&held).await.expect(200);
    qualified(&case).await.said(409, "request_conflict", NO_ROOM);
    let text = "Medication request can not be dispensed. Invoke qualify medication request API to \
                get detailed info";
    case.asks().refused(409, text, &[("not-qualified", "$.prescriptionId")]).await;
    let platform = case.asks().ndp().await;
    assert_eq!(platform.body["errors"][0]["params"]["reason"], NO_ROOM);

    let case = of(20).open().await;
    let held = case.asks().request(case.id("other request")).held().await;
    case.process(&held).await.expect(200);
    assert_eq!(qualified(&case).await.expect(200).data()[0]["status"], "VALID");
    case.asks().held().await;
}

/// After a hand-over the activity is in progress, and has the dispense and what is left. Two holds
/// that are open at once both pass its quantity; that is counted.
#[tokio::test]
async fn a_hand_over_is_followed_up_on_its_activity() {
    let once = json!({"skip_treatment_period": true});
    let activity = json!({"quantity": 19, "status": "scheduled"});
    let case = based_on(&json!({}), &activity).settings(&once).with_other_request(&json!({}));
    let case = case.open().await;
    let outrun = r#"dispense_rule_overlaps_total{rule="activity-quantity"}"#;
    let before = case.one.figure(outrun).await;
    let first = case.asks().held().await;
    let second = case.asks().request(case.id("other request")).held().await;
    case.process(&first).await.expect(200);
    let expected = ("in_progress".to_owned(), "9".to_owned(), vec![first.id()]);
    followed_up(&case, expected).await;

    case.process(&second).await.expect(200);
    let expected = ("in_progress".to_owned(), "-1".to_owned(), vec![first.id(), second.id()]);
    followed_up(&case, expected).await;
    assert!(case.one.figure(outrun).await > before);
}

/// Waits until the activity has that status, so much left, and those dispenses.
async fn followed_up(case: &Opened, expected: (String, String, Vec<Uuid>)) {
    eventually("the activity is followed up", FOLLOWED_WITHIN, async || {
        let outcome: (String, String, Vec<Uuid>) = sqlx::query_as(
            "SELECT status, remaining_quantity::text, outcome_reference
             FROM care_plan_activity_outcomes WHERE activity_id = $1",
        )
        .bind(case.id("activity"))
        .fetch_one(&case.running().database.pool)
        .await
        .unwrap();
        (outcome == expected).then_some(())
    })
    .await;
}
