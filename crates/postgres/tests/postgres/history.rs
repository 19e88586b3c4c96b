//! The read model `history`, and what is listed of it.

use chrono::{DateTime, Utc};
use dispensary::cursor::ListError;
use dispensary::patient_history::{Happening, HappeningsAsked, Histories, HistoryCursor};
use dispensary::search::PageSize;
use dispense_domain::Status;
use dispense_postgres::{PgHistories, PgLog};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dispenses::told::{BEGINNING, Log, Told};
use crate::sample::{PERSON, PHARMACY, partition_of};

const OTHER: Uuid = Uuid::from_u128(0xEE);
const KEPT: &str = "SELECT to_jsonb(h) AS row FROM history h ORDER BY partition, position";

async fn histories(log: &Log) -> PgHistories {
    let pool = log.database.serving.clone();
    let settings = PgLog::settings(&pool, None).await.unwrap();
    PgHistories::new(pool.clone(), &PgLog::to_read(pool, settings))
}

fn of(person: Uuid) -> HappeningsAsked {
    HappeningsAsked { person: person.into(), legal_entity: None, from: None, before: None }
}

fn size(size: u32) -> PageSize {
    PageSize::new(size).unwrap()
}

/// What is shown of each: the dispense, where it stood then, and when.
fn told(happenings: &[Happening]) -> Vec<(Uuid, Status, DateTime<Utc>)> {
    let each = happenings.iter();
    each.map(|it| (it.hold.dispense_id.uuid(), it.status(), it.recorded.recorded_at)).collect()
}

/// Everything, by pages of that size.
async fn walked(histories: &PgHistories, asked: &HappeningsAsked, by: u32) -> Vec<Happening> {
    let (mut all, mut next): (_, Option<HistoryCursor>) = (Vec::new(), None);
    loop {
        let page = histories.happenings(asked, next.as_ref(), size(by)).await.unwrap();
        all.extend(page.happenings);
        next = page.next;
        if next.is_none() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_kept_with_its_patient_however_they_are_cut_into_batches() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let one = log.held(&told).await;
    log.followed().await;
    log.tick();
    log.ended(&told, one, "Processed").await;
    let other = log.dispensed(&Told { person: OTHER, ..told.clone() }, "Cancelled").await;
    log.followed().await;
    let row = |dispense: Uuid, position: i64, opened: i64, person: Uuid, second: u32| {
        json!({
            "partition": partition_of(told.request), "dispense_id": dispense, "position": position,
            "opened_position": opened, "person_id": person, "legal_entity_id": PHARMACY,
            "recorded_at": format!("2026-01-31T08:00:0{second}+00:00"),
        })
    };
    let kept = log.rows(KEPT).await;
    assert_eq!(
        kept,
        [
            row(one, 1, 1, PERSON, 0),
            row(one, 2, 1, PERSON, 1),
            row(other, 3, 3, OTHER, 1),
            row(other, 4, 3, OTHER, 2),
        ]
    );
    log.forgotten().await;
    log.followed().await;
    assert_eq!(log.rows(KEPT).await, kept, "read again, it is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_last_comes_first() {
    let mut log = Log::new().await;
    let first = log.dispensed(&Told::on(1), "Processed").await;
    let second = log.dispensed(&Told { at_once: true, ..Told::on(2) }, "Processed").await;
    let third = log.dispensed(&Told::on(3), "Expired").await;
    log.dispensed(&Told { person: OTHER, ..Told::on(4) }, "Cancelled").await;
    log.followed().await;
    let histories = histories(&log).await;
    let beginning: DateTime<Utc> = BEGINNING.parse().unwrap();
    let at = |second: i64| beginning + chrono::TimeDelta::seconds(second);
    let expected = [
        (third, Status::Expired, at(5)),
        (third, Status::Held, at(4)),
        (second, Status::Processed, at(3)),
        (second, Status::Processed, at(2)),
        (first, Status::Processed, at(1)),
        (first, Status::Held, at(0)),
    ];
    for by in [1, 2, 6, 300] {
        let all = walked(&histories, &of(PERSON), by).await;
        assert_eq!(told(&all), expected, "by pages of {by}");
    }
    let asked = HappeningsAsked { from: Some(at(1)), before: Some(at(4)), ..of(PERSON) };
    let all = walked(&histories, &asked, 300).await;
    assert_eq!(told(&all), expected[2..5], "from the first instant to before the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_company_its_own_events_are_shown() {
    let mut log = Log::new().await;
    let own = log.dispensed(&Told::on(1).by(OTHER), "Cancelled").await;
    log.dispensed(&Told::on(2), "Processed").await;
    log.followed().await;
    let histories = histories(&log).await;
    let asked = HappeningsAsked { legal_entity: Some(OTHER.into()), ..of(PERSON) };
    for by in [1, 300] {
        let all = walked(&histories, &asked, by).await;
        let ids: Vec<_> = all.iter().map(|it| it.hold.dispense_id.uuid()).collect();
        assert_eq!(ids, [own, own], "by pages of {by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_ends_with_what_was_there_when_it_began() {
    let mut log = Log::new().await;
    let mut open = Vec::new();
    for n in 0..8 {
        let told = Told::on(n);
        open.push((log.held(&told).await, told));
        if n % 3 == 0 {
            log.tick();
        }
    }
    log.followed().await;
    let histories = histories(&log).await;
    let first = histories.happenings(&of(PERSON), None, size(3)).await.unwrap();
    // Recorded in the second in which the walk began, before and behind where it stands.
    for (id, told) in &open {
        log.ended(told, *id, "Processed").await;
    }
    log.held(&Told::on(9)).await;
    log.followed().await;
    let mut all = first.happenings;
    let mut next = first.next;
    while let Some(cursor) = next {
        let page = histories.happenings(&of(PERSON), Some(&cursor), size(3)).await.unwrap();
        assert_eq!(page.positions, first.positions);
        all.extend(page.happenings);
        next = page.next;
    }
    let mut ids: Vec<_> = all.iter().map(|it| it.hold.dispense_id.uuid()).collect();
    ids.sort_unstable();
    let mut expected: Vec<_> = open.iter().map(|(id, _)| *id).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected, "each once, and no end of any");
    assert!(all.iter().all(|it| it.status() == Status::Held));

    let begun = histories.happenings(&of(PERSON), None, size(3)).await.unwrap().next.unwrap();
    sqlx::query("UPDATE followers SET version = 2 WHERE name = 'history'")
        .execute(&log.database.admin)
        .await
        .unwrap();
    let gone = histories.happenings(&of(PERSON), Some(&begun), size(3)).await;
    assert!(matches!(gone, Err(ListError::Gone)), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_known_to_a_registry_or_to_the_log() {
    let mut log = Log::new().await;
    let registered = Uuid::from_u128(0xAB);
    let line: Value = json!({"kind": "person", "data": {"id": registered, "first_name": "Олена",
        "last_name": "Шевченко", "second_name": null, "birth_date": "1980-05-01"}});
    let importer = log.database.importer();
    importer.import(crate::sample::lines([line]), &crate::sample::importer()).await.unwrap();
    log.held(&Told { person: OTHER, ..Told::on(1) }).await;
    log.followed().await;
    let histories = histories(&log).await;
    for (person, known) in [(registered, true), (OTHER, true), (Uuid::nil(), false)] {
        assert_eq!(histories.knows(person.into()).await.unwrap(), known, "{person}");
        let found = histories.happenings(&of(person), None, size(3)).await.unwrap();
        assert_eq!(found.happenings.is_empty(), person != OTHER);
        assert!(found.next.is_none());
    }
}
