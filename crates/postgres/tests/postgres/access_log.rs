//! Who looked: kept before it is shown, and found again by patient and by user.

use std::time::Duration;

use dispensary::access::{
    Access, AccessLog, Look, Looked, LooksAsked, Named, Unusual, UnusualAsked, Whose,
};
use dispensary::asker::ClientType;
use dispense_domain::{PersonId, UserId};
use dispense_postgres::PgAccessLog;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::Database;
use crate::sample::{PERSON, PHARMACY, REQUEST, USER};

/// An access log that is written.
struct Kept {
    database: Database,
    log: PgAccessLog,
    stop: CancellationToken,
    writing: tokio::task::JoinHandle<()>,
}

impl Kept {
    async fn new() -> Self {
        let database = Database::new().await;
        let stop = CancellationToken::new();
        let (log, writing) = PgAccessLog::new(&database.serving_options, stop.clone());
        Self { database, log, stop, writing: tokio::spawn(writing) }
    }

    async fn rows(&self) -> i64 {
        self.database.number("SELECT count(*) FROM access_log").await
    }

    /// Puts looks there that took place some minutes ago.
    async fn looked(&self, minutes_ago: i32, user: Uuid, patients: Vec<Uuid>) {
        sqlx::query(
            "INSERT INTO access_log (at, user_id, client_id, client_type, request_id, looked,
                 patients, medication_requests, dispenses, beyond)
             VALUES (date_trunc('hour', clock_timestamp()) - make_interval(mins => $1), $2, $3,
                     'PHARMACY', 'r', 'dispense', $4, '{}', '{}', 0)",
        )
        .bind(minutes_ago)
        .bind(user)
        .bind(PHARMACY)
        .bind(patients)
        .execute(&self.database.admin)
        .await
        .unwrap();
    }

    async fn looks(&self, whose: Whose) -> Vec<Look> {
        self.log.looks(&all(whose)).await.unwrap()
    }

    async fn unusual(&self, minutes: u32, patients: u32) -> Vec<Unusual> {
        let asked = UnusualAsked { to: None, hours: 24, minutes, patients, limit: 50 };
        self.log.unusual(&asked).await.unwrap()
    }
}

fn all(whose: Whose) -> LooksAsked {
    LooksAsked { whose, from: None, to: None, after: None, limit: 300 }
}

fn patient(n: u128) -> PersonId {
    Uuid::from_u128(0xFACE_0000 + n).into()
}

fn by(user: Uuid) -> Whose {
    Whose::By(UserId::from(user))
}

fn access(patients: impl IntoIterator<Item = PersonId>) -> Access {
    let mut of = Named::default();
    patients.into_iter().for_each(|id| of.add(id));
    let mut requests = Named::default();
    requests.add(REQUEST.into());
    Access {
        user: USER.into(),
        client: PHARMACY.into(),
        client_type: ClientType::Pharmacy,
        request_id: "r-1".into(),
        purpose: Some("TREAT".into()),
        looked: Looked::DispenseList,
        patients: of,
        medication_requests: requests,
        dispenses: Named::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_finds_it_there() {
    let kept = Kept::new().await;
    kept.log.record(access([PERSON.into()])).await.unwrap();
    let looks = kept.looks(Whose::At(PERSON.into())).await;
    let [look] = looks.as_slice() else { panic!("{looks:?}") };
    assert_eq!((look.user.uuid(), look.client.uuid()), (USER, PHARMACY));
    assert_eq!((&*look.client_type, &*look.request_id), ("PHARMACY", "r-1"));
    assert_eq!((look.purpose.as_deref(), &*look.looked), (Some("TREAT"), "dispense_list"));
    assert_eq!(look.patients, [PersonId::from(PERSON)]);
    assert_eq!(look.medication_requests, [REQUEST.into()]);
    assert_eq!((look.dispenses.len(), look.beyond), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_written_together() {
    let kept = Kept::new().await;
    let looks = (0..400).map(|n| kept.log.record(access([patient(n)])));
    for told in futures::future::join_all(looks).await {
        told.unwrap();
    }
    assert_eq!(kept.rows().await, 400);
    let batches = kept.database.number("SELECT count(DISTINCT at) FROM access_log").await;
    assert!(batches < 100, "{batches} commits");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_counted() {
    let kept = Kept::new().await;
    kept.log.record(access((0..510).map(patient))).await.unwrap();
    let look = &kept.looks(by(USER)).await[0];
    assert_eq!((look.patients.len(), look.beyond), (500, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_while_nothing_can_be_written() {
    let kept = Kept::new().await;
    let mut locked = kept.database.admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE access_log").execute(&mut *locked).await.unwrap();
    // More than can wait: some find no room, the others no answer.
    let looks = (0..1_400).map(|n| kept.log.record(access([patient(n)])));
    for told in futures::future::join_all(looks).await {
        assert_eq!(told.unwrap_err().what, "the access log");
    }
    locked.rollback().await.unwrap();
    kept.log.record(access([PERSON.into()])).await.unwrap();
    assert_eq!(kept.looks(Whose::At(PERSON.into())).await.len(), 1, "it goes on by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_written_before_it_stops() {
    let kept = Kept::new().await;
    let mut locked = kept.database.admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE access_log").execute(&mut *locked).await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let log = kept.log.clone();
            tokio::spawn(async move { log.record(access([patient(n)])).await })
        })
        .collect();
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE application_name = 'dispense access log' AND wait_event_type = 'Lock'
                       AND datname = current_database()";
    while kept.database.number(waits).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    kept.stop.cancel();
    locked.rollback().await.unwrap();
    kept.writing.await.unwrap();
    let told = futures::future::join_all(waiting).await;
    let written = told.iter().filter(|told| told.as_ref().unwrap().is_ok()).count();
    let rows = kept.database.number("SELECT count(*) FROM access_log").await;
    assert_eq!(rows, i64::try_from(written).unwrap());
    assert!(rows > 0, "at least the batch that was on its way");
    assert!(kept.log.record(access([PERSON.into()])).await.is_err(), "nobody writes any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_costs_nobody_an_answer() {
    let kept = Kept::new().await;
    for n in 0..3 {
        kept.log.record(access([patient(n)])).await.unwrap();
        kept.database
            .number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE application_name = 'dispense access log' AND datname = current_database()",
            )
            .await;
    }
    kept.log.record(access([patient(3)])).await.unwrap();
    assert_eq!(kept.rows().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_rewrites_who_looked() {
    let kept = Kept::new().await;
    kept.log.record(access([PERSON.into()])).await.unwrap();
    for forged in
        ["UPDATE access_log SET purpose = 'x'", "DELETE FROM access_log", "TRUNCATE access_log"]
    {
        let error = sqlx::query(forged).execute(&kept.database.admin).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
        let error = sqlx::query(forged).execute(&kept.database.serving).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_are_found_by_patient_user_and_time_the_last_one_first() {
    let kept = Kept::new().await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (ill, well) = (patient(1).uuid(), patient(2).uuid());
    for (minutes_ago, user, patients) in [
        (50, one, vec![ill]),
        (40, other, vec![ill, well]),
        (30, one, vec![well]),
        (20, one, vec![ill]),
    ] {
        kept.looked(minutes_ago, user, patients).await;
    }
    let users = |looks: &[Look]| looks.iter().map(|it| it.user.uuid()).collect::<Vec<_>>();
    let at_ill = kept.looks(Whose::At(ill.into())).await;
    assert_eq!(users(&at_ill), [one, other, one]);
    assert_eq!(kept.looks(by(one)).await.len(), 3);
    assert_eq!(kept.looks(Whose::ByAt(one.into(), ill.into())).await.len(), 2);
    assert_eq!(kept.looks(Whose::ByAt(other.into(), ill.into())).await.len(), 1);

    // Both ends count.
    let (from, to) = (Some(at_ill[1].place.at), Some(at_ill[1].place.at));
    let then = LooksAsked { from, to, ..all(Whose::At(ill.into())) };
    assert_eq!(kept.log.looks(&then).await.unwrap(), at_ill[1..2]);

    for whose in [Whose::At(ill.into()), by(one)] {
        let whole = kept.looks(whose).await;
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let asked = LooksAsked { after, limit: 1, ..all(whose) };
            let page = kept.log.looks(&asked).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            pages.extend(page);
        }
        assert_eq!(pages, whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looked_at_many_patients_in_a_short_time_is_named() {
    let kept = Kept::new().await;
    let [curious, busy, calm] = [1, 2, 3].map(Uuid::from_u128);
    for n in 0..5 {
        kept.looked(70, curious, vec![patient(n).uuid()]).await;
        kept.looked(90 + i32::try_from(n).unwrap() * 60, busy, vec![patient(n).uuid()]).await;
        kept.looked(70, calm, vec![patient(0).uuid()]).await;
    }
    let found = kept.unusual(60, 5).await;
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.user.uuid(), one.patients, one.looks), (curious, 5, 5));
    assert_eq!(one.client.uuid(), PHARMACY);
    assert_eq!((one.to - one.from).num_minutes(), 60);
    assert_eq!(kept.unusual(60, 6).await, []);
    let found = kept.unusual(720, 5).await;
    let users: Vec<Uuid> = found.iter().map(|it| it.user.uuid()).collect();
    assert_eq!(users, [curious, busy]);
    let before = UnusualAsked {
        to: Some(one.from - chrono::TimeDelta::hours(1)),
        hours: 1,
        minutes: 60,
        patients: 2,
        limit: 50,
    };
    assert_eq!(kept.log.unusual(&before).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_walks_along_its_index() {
    let kept = Kept::new().await;
    // Many looks of many at many, and one patient whom few looked at.
    sqlx::raw_sql(
        "INSERT INTO access_log (at, user_id, client_id, client_type, request_id, looked, patients,
             medication_requests, dispenses, beyond)
         SELECT clock_timestamp() - make_interval(secs => n),
                ('00000000-0000-0000-0000-' || lpad((n % 97)::text, 12, '0'))::uuid,
                '00000000-0000-0000-0000-0000000000a1', 'PHARMACY', 'r', 'dispense',
                ARRAY[('00000000-0000-0000-0001-' || lpad((n % 20011)::text, 12, '0'))::uuid],
                '{}', '{}', 0
         FROM generate_series(1, 40000) n;
         ANALYZE access_log",
    )
    .execute(&kept.database.admin)
    .await
    .unwrap();
    let rare: Uuid = "00000000-0000-0000-0001-000000000007".parse().unwrap();
    let user: Uuid = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    assert_eq!(kept.looks(Whose::At(rare.into())).await.len(), 2);
    assert_eq!(kept.looks(by(user)).await.len(), 300);
    // A session tells its figures when it is idle for a moment.
    let index = |name: &str| {
        format!("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{name}'")
    };
    for name in ["access_log_patients", "access_log_user"] {
        while kept.database.number(&index(name)).await == 0 {
            kept.looks(Whose::At(rare.into())).await;
            kept.looks(by(user)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let read = "SELECT (seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_user_tables
                WHERE relname = 'access_log'";
    let asked = "SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes
                 WHERE relname = 'access_log'";
    let rows_each = kept.database.number(read).await / kept.database.number(asked).await;
    assert!(rows_each <= 300, "{rows_each} rows were read for each question");
}
