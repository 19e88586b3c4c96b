//! A report of very many dispenses, as the payer takes it once a year.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::harness::{Database, Instance, Pharmacy, Terms, World, eventually, today};

/// How many dispenses there are.
const DISPENSES: i64 = 100_000;

/// How much more memory the service may use than it does for small answers, in MiB. The report has some
/// twenty, and what it is made from some six hundred.
const MORE_MEMORY: u64 = 24;

const DOWNLOAD: &str = "reimbursement_report:download";

/// A service with very many dispenses, and the payer. They all have the events of one that is real.
async fn opened() -> (Database, Instance, Pharmacy) {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let one = world.pharmacies[0].at(&instance);
    let id = one.dispense(&world.prescribed(Terms::WholeAtOnce, 0), 60).await.expect(201).id();
    eventually("the first dispense", Duration::from_mins(1), async || {
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM dispenses WHERE dispense_id = $1")
                .bind(id)
                .fetch_one(&database.pool)
                .await
                .unwrap();
        (found == 1).then_some(())
    })
    .await;
    sqlx::query(
        "INSERT INTO dispenses_v1
         SELECT (jsonb_populate_record(d, jsonb_build_object(
             'dispense_id', gen_random_uuid(),
             'dispensed_on', d.dispensed_on - (n % 365)::int,
             'inserted_at', d.inserted_at - (n / 100) * interval '1 second'))).*
         FROM dispenses_v1 d CROSS JOIN generate_series(2, $1) n WHERE d.dispense_id = $2",
    )
    .bind(DISPENSES)
    .bind(id)
    .execute(&database.pool)
    .await
    .unwrap();
    sqlx::query("ANALYZE dispenses_v1").execute(&database.pool).await.unwrap();
    let token = one.token().with("scope", DOWNLOAD).with("client_type", "NHS");
    let payer =
        one.with_token(&token.with("client_id", Uuid::from_u128(rand::random()).to_string()));
    (database, instance, payer)
}

fn path() -> String {
    let (first, last) = (today() - chrono::Days::new(370), today() + chrono::Days::new(1));
    format!("/api/reimbursement_report_download?date_from_dispense={first}&date_to_dispense={last}")
}

/// How often personal bodies were looked up so far.
async fn looked_up(database: &Database) -> i64 {
    sqlx::query_scalar(
        "SELECT idx_scan::bigint FROM pg_stat_user_tables WHERE relname = 'personal_bodies'",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap()
}

/// Waits until nobody reads the report any more. The server tells its counts once a second.
async fn comes_to_rest(database: &Database) -> i64 {
    let mut last = -1;
    let mut same = 0;
    eventually("a report that rests", Duration::from_mins(1), async || {
        let now = looked_up(database).await;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        (same > 100).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_a_country_is_sent_at_the_pace_of_its_reader_in_little_memory() {
    let (database, instance, payer) = opened().await;
    let small = format!(
        "/api/reimbursement_report_download?date_from_dispense={0}&date_to_dispense={0}",
        today() - chrono::Days::new(100)
    );
    let answer = payer.request("GET", &small).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap().lines().count(), 275, "a day of it, and the headers");
    let before = instance.memory();

    // All of it.
    let mut answer =
        payer.request("GET", &path()).timeout(Duration::from_mins(5)).send().await.unwrap();
    let (mut lines, mut bytes) = (0, 0);
    while let Some(piece) = answer.chunk().await.unwrap() {
        bytes += piece.len();
        lines += piece.split(|byte| *byte == b'\n').count() - 1;
    }
    assert_eq!(i64::try_from(lines).unwrap(), DISPENSES + 1, "and the headers");
    assert!(bytes > 15_000_000, "{bytes}");
    let after = instance.memory();
    assert!(after <= before + MORE_MEMORY, "{before} MiB, then {after} MiB");

    // A reader that stops holds up nothing, and has nothing kept for it.
    let read_so_far = comes_to_rest(&database).await;
    let mut slow = begun(&instance, &payer).await;
    let held_up = comes_to_rest(&database).await - read_so_far;
    assert!(held_up < DISPENSES, "two look-ups for each dispense: {held_up}");
    assert!(instance.memory() <= before + MORE_MEMORY, "{} MiB", instance.memory());
    let mut some = vec![0; 1 << 20];
    slow.read_exact(&mut some).await.unwrap();

    // One that goes away ends it.
    drop(slow);
    let read = comes_to_rest(&database).await - read_so_far;
    assert!(read < 3 * DISPENSES / 2, "it was not read to its end: {read}");
}

/// A reader that has asked, and read nothing.
async fn begun(instance: &Instance, payer: &Pharmacy) -> TcpStream {
    let request = payer.request("GET", &path()).build().unwrap();
    let token = request.headers()["authorization"].to_str().unwrap();
    let address = instance.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET {} HTTP/1.1\r\nhost: {address}\r\nauthorization: {token}\r\n\r\n", path());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}
