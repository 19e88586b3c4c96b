//! What is read about a medication request beside its own record.

use dispensary::Registry;
use dispense_domain::{DispenseEvent, RequestEvidence};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::Database;
use crate::sample::{
    ACTIVITY, CARE_PLAN, REQUEST, all_kinds, append, cancelled, held, importer, lines,
    partition_of, processed, request, with,
};

async fn import(database: &Database, texts: impl IntoIterator<Item = Value>) {
    let faulty = database.importer().import(lines(texts), &importer()).await.unwrap();
    assert_eq!(faulty, []);
}

/// A request of the same patient with these days of treatment, if it has them.
fn treated(id: Uuid, from: Option<&str>, until: Option<&str>) -> Value {
    let line = with(&request(id), "started_at", from);
    with(&line, "ended_at", until)
}

/// That a part of a request was handed over.
async fn hand_over(database: &Database, request: Uuid) {
    let dispense = Uuid::from_u128(request.as_u128() + 0xD000);
    let events = [held(request, dispense, "2026-01-31T08:10:00Z".parse().unwrap())];
    append(database, request, &events).await;
    append(database, request, &[processed(dispense)]).await;
}

/// A hold of those quantities, and how it ended.
fn dispensed(request: Uuid, dispense: Uuid, quantities: &[&str]) -> DispenseEvent {
    let hold = held(request, dispense, "2026-01-31T08:10:00Z".parse().unwrap());
    let mut hold = serde_json::to_value(hold).unwrap();
    let item = hold["items"][0].clone();
    let items = quantities.iter().map(|quantity| {
        let mut item = item.clone();
        item["quantity"] = json!(quantity);
        item
    });
    hold["items"] = items.collect();
    serde_json::from_value(hold).unwrap()
}

async fn evidence(database: &Database) -> RequestEvidence {
    let registry = database.registry();
    registry.refresh().await.unwrap();
    registry.request(REQUEST.into()).await.unwrap().unwrap()
}

fn others(evidence: &RequestEvidence) -> Vec<Uuid> {
    evidence.others.iter().map(|other| other.request.id.uuid()).collect()
}

/// Ids of requests, one in each partition.
fn one_in_each_partition() -> Vec<Uuid> {
    let ids = || (1..).map(Uuid::from_u128);
    (0..4).map(|partition| ids().find(|id| partition_of(*id) == partition).unwrap()).collect()
}

#[tokio::test]
async fn other_requests_of_the_patient_come_from_every_partition() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let mut ids = one_in_each_partition();
    import(&database, ids.iter().map(|id| request(*id))).await;
    for id in ids.iter().chain([&REQUEST]) {
        hand_over(&database, *id).await;
    }
    ids.sort_unstable();
    assert_eq!(others(&evidence(&database).await), ids, "in the order of their ids, itself aside");
}

#[tokio::test]
async fn only_requests_of_which_something_was_handed_over_come() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let [untouched, on_hold, given_back, handed_over, of_another] =
        [1, 2, 3, 4, 5].map(Uuid::from_u128);
    let ids = [untouched, on_hold, given_back, handed_over];
    import(&database, ids.map(request)).await;
    let stranger = with(&request(of_another), "person_id", Uuid::from_u128(9).to_string());
    import(&database, [stranger]).await;
    for id in [on_hold, given_back] {
        append(&database, id, &[held(id, id, "2026-01-31T08:10:00Z".parse().unwrap())]).await;
    }
    append(&database, given_back, &[cancelled(given_back)]).await;
    hand_over(&database, handed_over).await;
    hand_over(&database, of_another).await;
    assert_eq!(others(&evidence(&database).await), [handed_over]);
}

#[tokio::test]
async fn only_requests_with_a_day_of_treatment_in_common_come() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let [begin, end] = [Some("2026-02-01"), Some("2026-02-28")];
    import(&database, [treated(REQUEST, begin, end)]).await;
    let days = [
        // With a day in common.
        (Some("2026-01-01"), begin),
        (end, Some("2026-03-31")),
        (Some("2026-02-10"), Some("2026-02-11")),
        (Some("2026-01-01"), Some("2026-12-31")),
        // A day that is not said bounds nothing.
        (None, None),
        (None, begin),
        (end, None),
        // Without one.
        (Some("2026-01-01"), Some("2026-01-31")),
        (Some("2026-03-01"), Some("2026-03-31")),
        (None, Some("2026-01-31")),
        (Some("2026-03-01"), None),
    ];
    let ids: Vec<_> = (1..).map(Uuid::from_u128).take(days.len()).collect();
    let treated_then = |(id, (from, until)): (&Uuid, (_, _))| treated(*id, from, until);
    import(&database, ids.iter().zip(days).map(treated_then)).await;
    for id in &ids {
        hand_over(&database, *id).await;
    }
    assert_eq!(others(&evidence(&database).await), ids[..7]);

    for (days, expected) in [((None, None), 11), ((begin, None), 9), ((None, end), 9)] {
        import(&database, [treated(REQUEST, days.0, days.1)]).await;
        assert_eq!(others(&evidence(&database).await).len(), expected, "{days:?}");
    }
}

fn based_on(line: &Value, references: &[(&str, Uuid)]) -> Value {
    let references: Vec<_> =
        references.iter().map(|(kind, id)| json!({"type": kind, "id": id})).collect();
    with(line, "based_on", references)
}

#[tokio::test]
async fn a_request_comes_with_its_care_plan_and_activity() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    assert!(evidence(&database).await.care.is_none());
    let line = request(REQUEST);

    import(&database, [based_on(&line, &[("care_plan", CARE_PLAN)])]).await;
    assert!(evidence(&database).await.care.is_none(), "it follows an activity, or nothing");

    let both = [("care_plan", CARE_PLAN), ("activity", ACTIVITY)];
    for references in [&both[..], &both[1..]] {
        import(&database, [based_on(&line, references)]).await;
        let care = evidence(&database).await.care.unwrap();
        assert_eq!(care.plan.unwrap().id, CARE_PLAN, "{references:?}");
        assert_eq!(care.activity.unwrap().id, ACTIVITY);
        assert_eq!(care.processed, Decimal::ZERO);
    }

    import(&database, [based_on(&line, &[("care_plan", CARE_PLAN), ("activity", REQUEST)])]).await;
    let care = evidence(&database).await.care.unwrap();
    assert_eq!(care.plan.unwrap().id, CARE_PLAN);
    assert!(care.activity.is_none(), "what is not known is not there, but asked for");
}

#[tokio::test]
async fn what_was_handed_over_on_an_activity_is_added_up_over_all_partitions() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let activity = [("activity", ACTIVITY)];
    let ids = one_in_each_partition();
    let of_activity = ids.iter().chain([&REQUEST]).map(|id| based_on(&request(*id), &activity));
    import(&database, of_activity).await;
    let elsewhere = Uuid::from_u128(0xE1);
    import(&database, [based_on(&request(elsewhere), &[("activity", elsewhere)])]).await;

    let mut next = (0x100..).map(Uuid::from_u128);
    let mut quantities = [&["0.1", "0.2"][..], &["30"], &["1000000.0001"], &["5"]].into_iter();
    for request in ids.iter().chain([&REQUEST, &elsewhere]) {
        let quantities = quantities.next().unwrap_or(&["7"]);
        let [handed_over, given_back, on_hold] = [(); 3].map(|()| next.next().unwrap());
        for (dispense, ended) in [
            (handed_over, Some(processed(handed_over))),
            (given_back, Some(cancelled(given_back))),
            (on_hold, None),
        ] {
            append(&database, *request, &[dispensed(*request, dispense, quantities)]).await;
            append(&database, *request, ended.as_slice()).await;
        }
    }
    let care = evidence(&database).await.care.unwrap();
    assert_eq!(care.processed, "1000035.3001".parse().unwrap());
}

#[tokio::test]
async fn a_record_beside_it_that_cannot_be_read_counts_as_not_found() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let other = Uuid::from_u128(1);
    let lines = [other, REQUEST].map(|id| based_on(&request(id), &[("activity", ACTIVITY)]));
    import(&database, lines).await;
    hand_over(&database, other).await;
    assert_eq!(others(&evidence(&database).await), [other]);
    for statement in [
        format!("UPDATE medication_requests SET data = '{{}}' WHERE id = '{other}'"),
        "UPDATE persons SET data = '{}'".to_owned(),
        "UPDATE care_plans SET data = '{}'".to_owned(),
        "UPDATE care_plan_activities SET data = '{}'".to_owned(),
    ] {
        sqlx::query(&statement).execute(&database.admin).await.unwrap();
    }
    let found = evidence(&database).await;
    assert!(found.others.is_empty());
    assert!(found.person.is_none());
    let care = found.care.unwrap();
    assert!(care.plan.is_none() && care.activity.is_none());

    let broken = format!("UPDATE medication_requests SET data = '[]' WHERE id = '{REQUEST}'");
    sqlx::query(&broken).execute(&database.admin).await.unwrap();
    let registry = database.registry();
    assert!(registry.request(REQUEST.into()).await.unwrap().is_none());
}
