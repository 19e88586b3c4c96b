//! Medication requests that dispenses rely on.

use chrono::{DateTime, Duration, Utc};
use dispensary::FaultyLine;
use dispense_domain::DispenseEvent;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Database, import, try_import};
use crate::sample::{
    PARTY, REQUEST, append, cancelled, held, lines, partition_of, processed, request, with,
};

const DISPENSE: Uuid = Uuid::from_u128(0xD1);

/// A database with the request and these events of it.
async fn with_events(events: impl Fn(DateTime<Utc>) -> Vec<DispenseEvent>) -> Database {
    let database = Database::new().await;
    import(&database, [request(REQUEST)]).await;
    let now: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.admin).await.unwrap();
    append(&database, REQUEST, &events(now)).await;
    database
}

fn live(now: DateTime<Utc>) -> Vec<DispenseEvent> {
    vec![held(REQUEST, DISPENSE, now + Duration::minutes(10))]
}

fn lapsed(now: DateTime<Utc>) -> Vec<DispenseEvent> {
    vec![held(REQUEST, DISPENSE, now - Duration::seconds(1))]
}

/// The message of the one faulty line.
fn in_use(faulty: &[FaultyLine]) -> &str {
    let [faulty] = faulty else { panic!("expected one faulty line but found {faulty:?}") };
    assert_eq!(faulty.code, "medication-request-in-use");
    &faulty.message
}

fn rejected() -> Value {
    with(&request(REQUEST), "status", "REJECTED")
}

async fn member(database: &Database, name: &str) -> String {
    sqlx::query_scalar("SELECT data ->> $1 FROM medication_requests")
        .bind(name)
        .fetch_one(&database.admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_dispenses_rely_on_stays_and_the_rest_may_change() {
    // Even a dispense that was given back was decided on these members.
    let events = |now| [live(now), vec![cancelled(DISPENSE)]].concat();
    let database = with_events(events).await;
    for (name, value) in [
        ("medication_qty", json!(31)),
        ("medication_id", json!(PARTY)),
        ("person_id", json!(PARTY)),
    ] {
        let faulty = try_import(&database, [with(&request(REQUEST), name, value)]).await;
        let message = in_use(&faulty);
        assert!(message.starts_with(&format!("data.{name}: expected ")), "{message}");
    }
    assert_eq!(member(&database, "medication_qty").await, "30");

    let blocked = with(&with(&request(REQUEST), "is_blocked", true), "medication_qty", 30.0);
    import(&database, [blocked]).await;
    assert_eq!(member(&database, "is_blocked").await, "true");
}

#[tokio::test]
async fn a_request_without_dispenses_may_change_in_every_way() {
    let database = with_events(|_| Vec::new()).await;
    import(&database, [with(&rejected(), "medication_qty", 31)]).await;
    assert_eq!(member(&database, "medication_qty").await, "31");
    assert_eq!(member(&database, "status").await, "REJECTED");
}

#[tokio::test]
async fn a_request_is_not_rejected_while_a_dispense_is_held() {
    let database = with_events(live).await;
    let faulty = try_import(&database, [rejected()]).await;
    let message = in_use(&faulty);
    assert!(message.contains("held"), "{message}");
    assert!(message.contains(&DISPENSE.to_string()), "{message}");
    assert_eq!(member(&database, "status").await, "ACTIVE");
}

#[tokio::test]
async fn a_request_is_not_rejected_after_a_dispense() {
    let events = |now| [live(now), vec![processed(DISPENSE)]].concat();
    let database = with_events(events).await;
    let faulty = try_import(&database, [rejected()]).await;
    let message = in_use(&faulty);
    assert!(message.contains("10 was dispensed"), "{message}");
    assert_eq!(member(&database, "status").await, "ACTIVE");
}

#[tokio::test]
async fn a_hold_that_lapsed_or_was_given_back_stands_in_nobodys_way() {
    for events in [lapsed, |now| [live(now), vec![cancelled(DISPENSE)]].concat()] {
        let database = with_events(events).await;
        import(&database, [rejected()]).await;
        assert_eq!(member(&database, "status").await, "REJECTED");
    }
}

#[tokio::test]
async fn time_never_goes_below_the_last_event_of_the_partition() {
    // The hold has lapsed by the log's clock, though not yet by the server's.
    let database = with_events(live).await;
    sqlx::query(
        "UPDATE log_head SET recorded_at = clock_timestamp() + '11 min' WHERE partition = $1",
    )
    .bind(partition_of(REQUEST).cast_signed())
    .execute(&database.admin)
    .await
    .unwrap();
    import(&database, [rejected()]).await;
    assert_eq!(member(&database, "status").await, "REJECTED");
}

#[tokio::test]
async fn a_forbidden_line_does_not_take_others_with_it() {
    let database = with_events(live).await;
    let other = (1..100)
        .map(|n| Uuid::from_u128(0xE0_0000 + n))
        .find(|id| partition_of(*id) == partition_of(REQUEST))
        .unwrap();
    let texts = [
        with(&request(REQUEST), "category", "first"),
        with(&request(REQUEST), "medication_qty", 20),
        request(other),
        with(&request(REQUEST), "updated_at", "2020-01-01T00:00:00Z"),
    ];
    let faulty = try_import(&database, &texts).await;
    assert_eq!(in_use(&faulty).find("medication_qty"), Some("data.".len()));
    assert_eq!(faulty[0].line, 2);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 2);
}

#[tokio::test]
async fn an_older_line_is_left_aside_before_it_is_judged() {
    let database = with_events(live).await;
    let newer = with(&request(REQUEST), "updated_at", "2026-01-02T00:00:00Z");
    import(&database, [newer]).await;
    import(&database, [with(&rejected(), "updated_at", "2026-01-01T00:00:00Z")]).await;
    assert_eq!(member(&database, "status").await, "ACTIVE");
}

#[tokio::test]
async fn a_dry_run_finds_what_is_in_use() {
    let database = with_events(live).await;
    let faulty = database.importer().dry_run(lines([rejected()])).await.unwrap();
    in_use(&faulty);
}
