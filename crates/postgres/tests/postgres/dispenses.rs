//! The read model `dispenses`: what becomes of events, however they are cut into batches.

mod items;
mod listing;
mod losing;
mod outcomes;
mod searching;
pub(crate) mod told;

use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sample::{CARE_PLAN, DIVISION, PARTY, PERSON, PHARMACY, PROGRAM, partition_of};
use told::{BEGINNING, Log, Told};

/// Stage and positions of a row.
fn stage(row: &Value) -> (&str, i64, Option<i64>) {
    let position = |name: &str| row[name].as_i64();
    (
        row["stage"].as_str().unwrap(),
        position("opened_position").unwrap(),
        position("closed_position"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_what_the_hold_said() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let id = log.held(&told).await;
    log.followed().await;
    assert_eq!(
        log.row(id).await,
        json!({
            "partition": partition_of(told.request), "dispense_id": id,
            "medication_request_id": told.request, "legal_entity_id": PHARMACY,
            "division_id": DIVISION, "person_id": PERSON, "party_id": PARTY,
            "medical_program_id": PROGRAM, "care_plan_id": null, "dispensed_on": "2026-01-31",
            "inserted_at": "2026-01-31T08:00:00+00:00", "updated_at": "2026-01-31T08:00:00+00:00",
            "stage": "held", "expires_at": "2026-01-31T08:10:00+00:00", "opened_position": 1,
            "closed_position": null, "activity_id": null, "quantity": null, "requester_legal_entity_id": PHARMACY, "requested_on": null,
        }),
        "begun at {BEGINNING}"
    );
}

/// A registry may say what no calendar knows; a follower that stops at that would stop for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_beyond_the_calendar_is_found_at_its_end() {
    let mut log = Log::new().await;
    for (day, found) in [(NaiveDate::MIN, "0001-01-01"), (NaiveDate::MAX, "9999-12-31")] {
        let told = Told { requested_on: Some(day), ..Told::on(1) };
        let id = log.held(&told).await;
        log.followed().await;
        assert_eq!(log.row(id).await["requested_on"], found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_batch_opened_and_ended_is_kept_as_it_ended() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let mut ids = Vec::new();
    for how in ["Processed", "Cancelled", "Expired"] {
        ids.push(log.dispensed(&told, how).await);
    }
    ids.push(log.held(&told).await);
    log.followed().await;
    let expected = [
        ("processed", 1, Some(2)),
        ("cancelled", 3, Some(4)),
        ("expired", 5, Some(6)),
        ("held", 7, None),
    ];
    for (id, expected) in ids.iter().zip(expected) {
        let row = log.row(*id).await;
        assert_eq!(stage(&row), expected);
        let is_held = expected.2.is_none();
        assert_eq!(row["updated_at"] == row["inserted_at"], is_held, "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_kept_by_whichever_follower_reads_it() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let (one, other) = (log.held(&told).await, log.held(&told).await);
    log.followed().await;
    assert_eq!(stage(&log.row(one).await), ("held", 1, None));

    log.tick();
    log.ended(&told, other, "Expired").await;
    log.ended(&told, one, "Processed").await;
    log.followed().await;
    assert_eq!(stage(&log.row(one).await), ("processed", 1, Some(4)));
    assert_eq!(stage(&log.row(other).await), ("expired", 2, Some(3)));
    assert_eq!(log.row(one).await["updated_at"], "2026-01-31T08:00:01+00:00");
    assert_eq!(log.row(one).await["inserted_at"], "2026-01-31T08:00:00+00:00");
}

/// The two events of a commit may stand in two batches of the follower.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_processed_at_once_is_never_kept_as_held() {
    let mut log = Log::new().await;
    let told = Told { at_once: true, ..Told::on(1) };
    let id = log.held(&told).await;
    log.followed().await;
    let between = log.row(id).await;
    assert_eq!(stage(&between), ("processed", 1, Some(2)));
    log.ended(&told, id, "Processed").await;
    log.followed().await;
    assert_eq!(log.row(id).await, between);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_care_plan_is_found_in_the_personal_body_and_never_missed() {
    let mut log = Log::new().await;
    let based_on = |references: Value| Told { based_on: Some(references), ..Told::on(1) };
    let plan = based_on(json!([{"type": "care_plan", "id": CARE_PLAN}]));
    let without = log.held(&Told::on(1)).await;
    let with = log.held(&plan).await;
    let strange = log.held(&based_on(json!({"type": "care_plan", "id": 7}))).await;
    let erased = log.held(&plan).await;
    sqlx::query("UPDATE personal_bodies SET body = '{}' WHERE position = 4")
        .execute(&log.database.admin)
        .await
        .unwrap();
    log.followed().await;
    let plan_of = async |id: Uuid| log.row(id).await["care_plan_id"].clone();
    assert_eq!(plan_of(with).await, json!(CARE_PLAN));
    for id in [without, strange, erased] {
        assert_eq!(plan_of(id).await, Value::Null);
    }
}

/// Enough for several pages of the log, with ends near and far from their beginnings.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_again_equals_what_was_kept() {
    const DISPENSES: u128 = 700;
    let mut log = Log::new().await;
    let mut open = Vec::new();
    for n in 0..DISPENSES {
        let told = Told::on(n % 5);
        let id = log.held(&told).await;
        match n % 4 {
            0 => log.ended(&told, id, "Processed").await,
            1 => open.push((told, id)),
            2 => {
                let (told, id) = open.pop().unwrap();
                log.tick();
                log.ended(&told, id, "Cancelled").await;
            }
            _ => {}
        }
        if n % 250 == 0 {
            log.followed().await;
        }
    }
    log.followed().await;
    let kept = log.kept().await;
    assert_eq!(kept.len(), usize::try_from(DISPENSES).unwrap());
    log.forgotten().await;
    log.followed().await;
    assert!(log.kept().await == kept, "read again, it is something else");
    let held = "SELECT count(*) FROM dispenses WHERE stage = 'held'";
    assert_eq!(log.database.number(held).await, 350, "half of them ended");
}
