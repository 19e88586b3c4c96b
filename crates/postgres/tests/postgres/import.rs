//! Lines of registry data: what is taken, what is refused, and what is left behind.

pub(crate) mod chain;
mod faulty;
mod in_use;
mod together;

use dispensary::FaultyLine;
use serde_json::{Value, json};
use sqlx::types::chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::database::Database;
use crate::sample::{
    ACTIVITY, CARE_PLAN, PARTICIPANT, PARTY, PERSON, REQUEST, all_kinds, importer, lines,
    partition_of, party, request, with,
};

/// Imports lines of which none may be faulty.
async fn import(database: &Database, texts: impl IntoIterator<Item = Value>) {
    assert_eq!(try_import(database, texts).await, []);
}

async fn try_import(
    database: &Database,
    texts: impl IntoIterator<Item = impl ToString>,
) -> Vec<FaultyLine> {
    database.importer().import(lines(texts), &importer()).await.unwrap()
}

/// The surname of the party, which tests change.
async fn last_name(database: &Database) -> String {
    sqlx::query_scalar("SELECT data ->> 'last_name' FROM registry_entries WHERE id = $1")
        .bind(PARTY)
        .fetch_one(&database.admin)
        .await
        .unwrap()
}

fn updated_at(line: &Value, time: &str) -> Value {
    with(line, "updated_at", time)
}

#[tokio::test]
async fn a_line_of_each_kind_is_kept_where_it_is_looked_for() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;

    assert_eq!(database.number("SELECT count(*) FROM registry_entries").await, 11);
    assert_eq!(database.changes().await, 15);
    assert_eq!(database.version().await, 1);
    let person: Uuid =
        sqlx::query_scalar("SELECT id FROM persons").fetch_one(&database.admin).await.unwrap();
    assert_eq!(person, PERSON);
    let plan: Uuid =
        sqlx::query_scalar("SELECT id FROM care_plans").fetch_one(&database.admin).await.unwrap();
    assert_eq!(plan, CARE_PLAN);
    let activity: (Uuid, Uuid) =
        sqlx::query_as("SELECT id, care_plan_id FROM care_plan_activities")
            .fetch_one(&database.admin)
            .await
            .unwrap();
    assert_eq!(activity, (ACTIVITY, CARE_PLAN));
    let request: (i16, Uuid, String, Uuid) =
        sqlx::query_as("SELECT partition, id, request_number, person_id FROM medication_requests")
            .fetch_one(&database.admin)
            .await
            .unwrap();
    let partition = partition_of(REQUEST).cast_signed();
    assert_eq!(request, (partition, REQUEST, "0000-243P-1X53-EH38".to_owned(), PERSON));
}

#[tokio::test]
async fn a_medication_request_is_found_by_its_days_its_care_plan_and_its_activity() {
    type FoundBy = (Option<Uuid>, Option<Uuid>, Option<String>, Option<String>);
    let database = Database::new().await;
    let line = request(REQUEST);
    let day = |day: &str| Some(day.to_owned());
    let references = |plan: Uuid, activity: Uuid| json!([{"type": "care_plan", "id": plan}, {"type": "activity", "id": activity}]);
    let full = with(&line, "started_at", "2026-02-01");
    let full = with(&full, "ended_at", "2026-02-28");
    let full = with(&full, "based_on", references(CARE_PLAN, ACTIVITY));
    let changed = with(&full, "ended_at", "2026-03-01");
    let changed = with(&changed, "based_on", references(ACTIVITY, CARE_PLAN));
    // Years that no calendar has are as good as the nearest that it has.
    let strange = with(&line, "started_at", "-5000-01-01");
    let strange = with(&strange, "ended_at", "+200000-01-01");
    for (line, expected) in [
        (full, (Some(CARE_PLAN), Some(ACTIVITY), day("2026-02-01"), day("2026-02-28"))),
        (changed, (Some(ACTIVITY), Some(CARE_PLAN), day("2026-02-01"), day("2026-03-01"))),
        (strange, (None, None, day("0001-01-01"), day("9999-12-31"))),
        (line, (None, None, None, None)),
    ] {
        import(&database, [line]).await;
        let found: FoundBy = sqlx::query_as(
            "SELECT care_plan_id, activity_id, started_at::text, ended_at::text
             FROM medication_requests",
        )
        .fetch_one(&database.admin)
        .await
        .unwrap();
        assert_eq!(found, expected);
    }
}

/// While a version runs that does not know these columns, it leaves them as they were.
#[tokio::test]
async fn what_an_older_version_imported_is_found_once_it_is_imported_again() {
    let database = Database::new().await;
    let line = with(&request(REQUEST), "started_at", "2026-02-01");
    let line = with(&line, "based_on", json!([{"type": "activity", "id": ACTIVITY}]));
    let line = updated_at(&line, "2026-02-01T00:00:00Z");
    import(&database, [line.clone()]).await;
    let changes = database.changes().await;
    let forgotten = "UPDATE medication_requests SET activity_id = NULL, started_at = '2025-01-01'";
    sqlx::query(forgotten).execute(&database.admin).await.unwrap();

    import(&database, [line]).await;
    let found: (Option<Uuid>, String) =
        sqlx::query_as("SELECT activity_id, started_at::text FROM medication_requests")
            .fetch_one(&database.admin)
            .await
            .unwrap();
    assert_eq!(found, (Some(ACTIVITY), "2026-02-01".to_owned()));
    assert_eq!(database.changes().await, changes, "the record itself has not changed");
}

#[tokio::test]
async fn the_last_line_for_an_id_wins() {
    let database = Database::new().await;
    import(&database, [party("Перша"), party("Друга"), party("Третя")]).await;
    assert_eq!(last_name(&database).await, "Третя");
    assert_eq!(database.changes().await, 1, "what was never seen is no change");

    import(&database, [party("Четверта")]).await;
    assert_eq!(last_name(&database).await, "Четверта");

    let changed =
        [with(&request(REQUEST), "category", "a"), with(&request(REQUEST), "category", "b")];
    import(&database, changed).await;
    let category: String =
        sqlx::query_scalar("SELECT data ->> 'category' FROM medication_requests")
            .fetch_one(&database.admin)
            .await
            .unwrap();
    assert_eq!(category, "b");
}

#[tokio::test]
async fn a_line_that_is_older_than_what_is_kept_is_left_aside_and_not_faulty() {
    let database = Database::new().await;
    import(&database, [updated_at(&party("Нова"), "2026-01-02T00:00:00+02:00")]).await;
    // The same instant but for a second, in another zone, and without one.
    import(&database, [updated_at(&party("Стара"), "2026-01-01T21:59:59Z")]).await;
    import(&database, [updated_at(&party("Стара"), "2026-01-01T21:59:59.999999")]).await;
    assert_eq!(last_name(&database).await, "Нова");
    import(&database, [updated_at(&party("Рівна"), "2026-01-01T22:00:00")]).await;
    assert_eq!(last_name(&database).await, "Рівна");

    let both = [
        updated_at(&with(&request(REQUEST), "category", "new"), "2026-01-02T00:00:00Z"),
        updated_at(&with(&request(REQUEST), "category", "old"), "2026-01-01T00:00:00Z"),
    ];
    import(&database, both).await;
    let kept: (String, DateTime<Utc>) =
        sqlx::query_as("SELECT data ->> 'category', updated_at FROM medication_requests")
            .fetch_one(&database.admin)
            .await
            .unwrap();
    assert_eq!(kept, ("new".to_owned(), "2026-01-02T00:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn what_says_nothing_new_leaves_no_trace() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let (version, changes) = (database.version().await, database.changes().await);

    import(&database, all_kinds()).await;
    // Members in another order, a decimal written otherwise, and a null that may be left out.
    let same = r#"{"data":{"reimbursement":{"reimbursement_amount":1656e-2,"type":"FIXED"},
        "end_date":null,"medical_program_id":"00000000-0000-0000-0000-0000000000a7",
        "medication_id":"00000000-0000-0000-0000-0000000000A6",
        "id":"000000000000000000000000000000a8"},"kind":"program_medication"}"#;
    assert_eq!(try_import(&database, [same.replace('\n', "")]).await, []);
    assert_eq!(database.version().await, version);
    assert_eq!(database.changes().await, changes);

    // A newer time of the same record is remembered, and that is all.
    import(&database, [updated_at(&party("Коваль"), "2026-01-02T00:00:00Z")]).await;
    assert_eq!(database.version().await, version);
    assert_eq!(database.changes().await, changes);
    import(&database, [updated_at(&party("Інша"), "2026-01-01T00:00:00Z")]).await;
    assert_eq!(last_name(&database).await, "Коваль");

    // Large registries are read afresh for each decision, so they raise no version.
    let person = all_kinds().into_iter().find(|line| line["kind"] == "person").unwrap();
    import(&database, [with(&person, "last_name", "Інша")]).await;
    assert_eq!(database.version().await, version);
    assert_eq!(database.changes().await, changes + 1);
}

#[tokio::test]
async fn members_of_the_register_itself_are_taken_on_every_kind() {
    let database = Database::new().await;
    let stamped = all_kinds().into_iter().map(|line| {
        let line = with(&line, "inserted_at", "2026-01-01T00:00:00Z");
        let line = with(&line, "inserted_by", "00000000-0000-0000-0000-000000000001");
        let line = with(&line, "updated_at", "2026-01-02T00:00:00.123456Z");
        with(&line, "updated_by", Value::Null)
    });
    import(&database, stamped).await;
    let kept: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT data::text, updated_at FROM registry_entries
         UNION ALL SELECT data::text, updated_at FROM persons
         UNION ALL SELECT data::text, updated_at FROM care_plans
         UNION ALL SELECT data::text, updated_at FROM care_plan_activities
         UNION ALL SELECT data::text, updated_at FROM medication_requests",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap();
    assert_eq!(kept.len(), 15);
    for (data, updated_at) in kept {
        assert!(!data.contains("inserted_") && !data.contains("updated_"), "{data}");
        assert_eq!(updated_at, "2026-01-02T00:00:00.123456Z".parse::<DateTime<Utc>>().unwrap());
    }
}

#[tokio::test]
async fn decimals_are_kept_to_the_last_digit() {
    let database = Database::new().await;
    for (text, kept) in [
        ("0.1", "0.1"),
        ("16.56", "16.56"),
        ("9999999.9999", "9999999.9999"),
        ("1e1", "10"),
        ("7.1000", "7.1"),
        ("0.0001", "0.0001"),
    ] {
        let line = with(&request(REQUEST), "medication_qty", json!(4711)).to_string();
        let line = line.replace("4711", text);
        assert_eq!(try_import(&database, [line]).await, []);
        let is: String =
            sqlx::query_scalar("SELECT data ->> 'medication_qty' FROM medication_requests")
                .fetch_one(&database.admin)
                .await
                .unwrap();
        assert_eq!(is, kept);
    }
    let participant = all_kinds().into_iter().find(|line| line["kind"] == "program_medication");
    let line = participant.unwrap().to_string().replace("16.56", "999999999.9999");
    assert_eq!(try_import(&database, [line]).await, []);
    let is: String = sqlx::query_scalar(
        "SELECT data -> 'reimbursement' ->> 'reimbursement_amount' FROM registry_entries
         WHERE id = $1",
    )
    .bind(PARTICIPANT)
    .fetch_one(&database.admin)
    .await
    .unwrap();
    assert_eq!(is, "999999999.9999");
}

#[tokio::test]
async fn strings_are_kept_in_one_form_and_secrets_of_documents_not_at_all() {
    let database = Database::new().await;
    // й as и and a breve of its own, and as one letter.
    import(&database, [party("Заи\u{306}ка")]).await;
    assert_eq!(last_name(&database).await, "За\u{439}ка");
    import(&database, [party("За\u{439}ка")]).await;
    assert_eq!(database.changes().await, 1);
    let data: String = sqlx::query_scalar("SELECT data::text FROM registry_entries")
        .fetch_one(&database.admin)
        .await
        .unwrap();
    assert!(!data.contains("PASSPORT"), "{data}");
}

#[tokio::test]
async fn a_dry_run_finds_what_an_import_would_and_writes_nothing() {
    let database = Database::new().await;
    let mut texts: Vec<String> = all_kinds().iter().map(Value::to_string).collect();
    texts.push("{".to_owned());
    let faulty = database.importer().dry_run(lines(texts)).await.unwrap();
    assert_eq!(faulty.iter().map(|it| (it.line, it.code)).collect::<Vec<_>>(), [(16, "not-json")]);
    assert_eq!(database.version().await, 0);
    assert_eq!(database.changes().await, 0);
    assert_eq!(database.number("SELECT count(*) FROM medication_requests").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM registry_heads").await, 0);
}

#[tokio::test]
async fn the_demo_registry_has_no_faulty_line() {
    let database = Database::new().await;
    let demo = dispense_demo::Demo::new("2026-01-31".parse().unwrap()).with_requests(1_500);
    let texts: Vec<String> = demo.lines().collect();
    assert_eq!(try_import(&database, &texts).await, []);
    let kept = database
        .number(
            "SELECT (SELECT count(*) FROM registry_entries) + (SELECT count(*) FROM persons)
                  + (SELECT count(*) FROM care_plans) + (SELECT count(*) FROM care_plan_activities)
                  + (SELECT count(*) FROM medication_requests)",
        )
        .await;
    assert_eq!(kept, i64::try_from(texts.len()).unwrap());

    // All of it once more says nothing new.
    let changes = database.changes().await;
    assert_eq!(try_import(&database, &texts).await, []);
    assert_eq!(database.changes().await, changes);
}
