//! Migrations of databases that are in use.

use dispense_postgres::migrate::MIGRATIONS;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::database::server;
use crate::sample::{ACTIVITY, CARE_PLAN};

/// What is found beside a record.
type FoundBy = (Option<Uuid>, Option<Uuid>, Option<String>, Option<String>);

const NOTHING: FoundBy = (None, None, None, None);

/// A database that no migration has seen yet.
async fn before_migrations(what: &str) -> (String, PgConnection) {
    let name = format!("dispense_migrating_{what}_{}", std::process::id());
    let mut admin = PgConnection::connect_with(&server()).await.unwrap();
    admin.execute(&*format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
    admin.execute(&*format!("CREATE DATABASE {name}")).await.unwrap();
    let mut db = PgConnection::connect_with(&server().database(&name)).await.unwrap();
    db.execute("CREATE TABLE _sqlx_migrations (version bigint)").await.unwrap();
    (name, db)
}

async fn drop_database(name: &str, db: PgConnection) {
    db.close().await.unwrap();
    let mut admin = PgConnection::connect_with(&server()).await.unwrap();
    admin.execute(&*format!("DROP DATABASE {name}")).await.unwrap();
}

async fn migrate(db: &mut PgConnection, versions: std::ops::RangeInclusive<i64>) {
    for migration in MIGRATIONS.iter().filter(|it| versions.contains(&it.version)) {
        let mut tx = db.begin().await.unwrap();
        tx.execute(&*migration.sql).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn coded(kind: &str, id: Uuid) -> Value {
    json!({"identifier": {"type": {"coding": [{"system": "eHealth/resources", "code": kind}]},
        "value": id}})
}

/// Records as they may stand there, with what they say.
fn records() -> Vec<(String, FoundBy)> {
    let both = (Some(CARE_PLAN), Some(ACTIVITY), None, None);
    let day = |day: &str| Some(day.to_owned());
    let based_on = |value: Value| json!({"based_on": value}).to_string();
    vec![
        (
            json!({"started_at": "2026-02-01", "ended_at": "2026-02-28",
                "based_on": [{"type": "activity", "id": ACTIVITY}, {"type": "care_plan",
                    "id": CARE_PLAN}]})
            .to_string(),
            (both.0, both.1, day("2026-02-01"), day("2026-02-28")),
        ),
        (based_on(json!([coded("care_plan", CARE_PLAN), coded("activity", ACTIVITY)])), both),
        (based_on(coded("activity", ACTIVITY)), (None, Some(ACTIVITY), None, None)),
        (
            based_on(json!([{"type": "activity", "id": "no id"}, {"type": "activity", "id": 7},
                coded("activity", ACTIVITY)])),
            (None, Some(ACTIVITY), None, None),
        ),
        (based_on(json!([[{"type": "care_plan"}], 7, null, {"identifier": null}])), NOTHING),
        (
            based_on(
                json!([{"identifier": {"type": {"coding": "care_plan"}, "value": CARE_PLAN}}]),
            ),
            NOTHING,
        ),
        (based_on(json!("care_plan")), NOTHING),
        (based_on(json!(null)), NOTHING),
        (based_on(json!({"type": {"coding": [7, {"code": ["care_plan"]}]}, "id": 1})), NOTHING),
        (
            json!({"started_at": "2026-02-30", "ended_at": "2026-02-28"}).to_string(),
            (None, None, None, day("2026-02-28")),
        ),
        (json!({"started_at": ["2026-02-01"], "ended_at": "infinity"}).to_string(), NOTHING),
        (r#"{"started_at": "2026-02-01", "note": "\u0000"}"#.to_owned(), NOTHING),
        (r#"["started_at", "based_on"]"#.to_owned(), NOTHING),
        (r#""ended_at""#.to_owned(), NOTHING),
        ("7".to_owned(), NOTHING),
        ("null".to_owned(), NOTHING),
        ("{}".to_owned(), NOTHING),
    ]
}

#[tokio::test]
async fn what_older_requests_are_found_by_is_read_out_of_their_records() {
    let (name, mut db) = before_migrations("records").await;
    migrate(&mut db, 1..=4).await;
    let records = records();
    for (n, (record, _)) in (1..).zip(&records) {
        sqlx::query(
            "INSERT INTO medication_requests (partition, id, person_id, data)
             VALUES (0, $1, $1, $2::json)",
        )
        .bind(Uuid::from_u128(n))
        .bind(record)
        .execute(&mut db)
        .await
        .unwrap();
    }
    migrate(&mut db, 5..=6).await;

    let found: Vec<FoundBy> = sqlx::query_as(
        "SELECT care_plan_id, activity_id, started_at::text, ended_at::text
         FROM medication_requests ORDER BY id",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    for ((record, expected), found) in records.iter().zip(&found) {
        assert_eq!(found, expected, "{record}");
    }
    assert_eq!(found.len(), records.len());
    drop_database(&name, db).await;
}

/// A table that grows without bound, with the strongest lock on it, and how often it was looked
/// through, by whoever asks in a transaction.
const LOCKED: &str = "
SELECT t.relname::text, t.seq_scan + coalesce(t.idx_scan, 0)
FROM pg_stat_xact_user_tables t
JOIN pg_locks l ON l.relation = t.relid AND l.pid = pg_backend_pid()
WHERE l.mode = 'AccessExclusiveLock'
      AND t.relname IN ('events', 'personal_bodies', 'medication_requests', 'persons', 'care_plans',
                        'care_plan_activities', 'registry_changes', 'dispenses_v1')";

/// While that lock is held nobody can read, and reading a whole table takes as long as it is large.
/// So a migration does one or the other.
#[tokio::test]
async fn nobody_waits_for_a_migration_that_looks_through_a_table() {
    let (name, mut db) = before_migrations("locks").await;
    migrate(&mut db, 1..=4).await;
    let mut locked = 0;
    for migration in MIGRATIONS.iter().filter(|it| it.version > 4) {
        // A new connection has not looked at anything.
        let mut own = PgConnection::connect_with(&server().database(&name)).await.unwrap();
        let mut tx = own.begin().await.unwrap();
        tx.execute(&*migration.sql).await.unwrap();
        let tables: Vec<(String, i64)> = sqlx::query_as(LOCKED).fetch_all(&mut *tx).await.unwrap();
        for (table, looked) in &tables {
            assert_eq!(*looked, 0, "{table} in migration {}", migration.version);
        }
        locked += tables.len();
        tx.commit().await.unwrap();
        own.close().await.unwrap();
    }
    assert!(locked >= 3, "some take that lock: {locked}");
    drop_database(&name, db).await;
}
