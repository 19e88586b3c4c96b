//! Whoever owns the database can change its rows. Each forgery is found in an export, by both checks,
//! and by `verify` of the dispense where it can be seen there.

use dispense_audit::chain::{self, Row as ChainRow};
use sqlx::Row;
use uuid::Uuid;

use super::{House, eventually};
use crate::harness::{Order, Pharmacy, Terms};

/// What was forged, and what is said of it.
struct Forgery {
    what: &'static str,
    statements: Vec<String>,
    /// The kind that both checks name.
    kind: &'static str,
    /// What `verify` of the dispense says is false; none where the dispense cannot be read any more.
    wrong: Option<&'static [&'static str]>,
}

/// A row of the partition that everything is about.
struct Stored {
    position: i64,
    dispense: Uuid,
    payload: String,
    row: sqlx::postgres::PgRow,
}

async fn rows(house: &House, partition: i16) -> Vec<Stored> {
    let rows = sqlx::query(
        "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, position,
                payload::text AS payload, metadata::text AS metadata, event_id, dispense_id,
                (extract(epoch FROM recorded_at) * 1000000)::bigint AS at, hash
         FROM events WHERE partition = $1 ORDER BY position",
    )
    .bind(partition)
    .fetch_all(&house.database.pool)
    .await
    .unwrap();
    let stored = |row: sqlx::postgres::PgRow| Stored {
        position: row.get("position"),
        dispense: row.get("dispense_id"),
        payload: row.get("payload"),
        row,
    };
    rows.into_iter().map(stored).collect()
}

/// The hashes from that row on, as a forger works them out who changed its payload.
fn rechained(partition: u16, rows: &[Stored], at: usize, payload: &str) -> Vec<(i64, String)> {
    let mut previous: [u8; 32] = rows[at - 1].row.get::<&[u8], _>("hash").try_into().unwrap();
    let rest = rows[at..].iter().enumerate();
    let hashes = rest.map(|(n, stored)| {
        let row = &stored.row;
        previous = chain::next(
            &previous,
            &ChainRow {
                aggregate_type: row.get("aggregate_type"),
                aggregate_id: row.get("aggregate_id"),
                sequence: row.get("sequence"),
                event_type: row.get("event_type"),
                event_version: row.get("event_version"),
                payload: if n == 0 { payload } else { &stored.payload },
                metadata: row.get("metadata"),
                partition,
                position: stored.position,
                event_id: row.get("event_id"),
                dispense_id: row.get("dispense_id"),
                recorded_at: row.get("at"),
            },
        );
        (stored.position, hex::encode(previous))
    });
    hashes.collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The forgeries of a hold in the middle of the log.
fn forgeries(partition: i16, rows: &[Stored]) -> (Uuid, Vec<Forgery>) {
    let holds: Vec<usize> =
        (1..rows.len() - 2).filter(|n| rows[*n].payload.contains("HoldCreated")).collect();
    let at = holds[holds.len() / 2];
    let (row, next, last) = (&rows[at], &rows[at + 1], &rows[rows.len() - 1]);
    let set = |position: i64, payload: &str| {
        let payload = quoted(payload);
        format!(
            "UPDATE events SET payload = {payload}::json \
             WHERE partition = {partition} AND position = {position}"
        )
    };
    let moved = |from: i64, to: i64| {
        format!(
            "UPDATE events SET position = {to} WHERE partition = {partition} AND position = {from}"
        )
    };
    let other = row.payload.replace("UA00471", "UA00472");
    let less = row.payload.replacen("\"quantity\":\"10\"", "\"quantity\":\"9\"", 1);
    assert!(other != row.payload && less != row.payload, "{}", row.payload);
    let partition_number = partition.cast_unsigned();
    let mut anew = vec![set(row.position, &other)];
    let hashes = rechained(partition_number, rows, at, &other);
    anew.extend(hashes.iter().map(|(position, hash)| {
        format!(
            "UPDATE events SET hash = '\\x{hash}' \
             WHERE partition = {partition} AND position = {position}"
        )
    }));
    let head = &hashes[hashes.len() - 1].1;
    anew.push(format!("UPDATE log_head SET hash = '\\x{head}' WHERE partition = {partition}"));
    let deleted = |position: i64| {
        format!("DELETE FROM events WHERE partition = {partition} AND position = {position}")
    };
    let all = vec![
        Forgery {
            what: "a changed payload",
            statements: vec![set(row.position, &other)],
            kind: "hash",
            wrong: Some(&["hash_chain", "inclusion"]),
        },
        Forgery {
            what: "a changed amount",
            statements: vec![set(row.position, &less)],
            kind: "hash",
            wrong: Some(&["hash_chain", "inclusion"]),
        },
        Forgery {
            what: "two swapped rows",
            statements: vec![
                moved(row.position, 1_000_000),
                moved(next.position, row.position),
                moved(1_000_000, next.position),
            ],
            kind: "hash",
            wrong: Some(&["hash_chain", "inclusion"]),
        },
        Forgery {
            what: "a deleted row",
            statements: vec![deleted(row.position)],
            kind: "position",
            wrong: None,
        },
        Forgery {
            what: "a truncated tail",
            statements: vec![
                deleted(last.position),
                format!(
                    "UPDATE log_head SET position = {} WHERE partition = {partition}",
                    last.position - 1
                ),
            ],
            kind: "tail",
            wrong: Some(&["inclusion"]),
        },
        Forgery {
            what: "a chain that was worked out anew",
            statements: anew,
            kind: "root",
            wrong: Some(&["inclusion"]),
        },
    ];
    (row.dispense, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_forgery_in_the_database_is_found_and_named() {
    let house = House::new(2, 12).await;
    let mut instance = house.instance().await;
    let pharmacy = house.world.pharmacies[0].at(&instance);
    for what in house.world.all(Terms::InPartsAtOnce).into_iter().take(8) {
        for _ in 0..2 {
            pharmacy.dispense(&what, 10).await.expect(201);
        }
    }
    let partition: i16 = sqlx::query_scalar(
        "SELECT partition FROM events GROUP BY partition ORDER BY count(*) DESC LIMIT 1",
    )
    .fetch_one(&house.database.pool)
    .await
    .unwrap();
    let covered = format!(
        "SELECT 1 FROM checkpoints c JOIN log_head h ON h.partition = c.partition
         AND h.position = c.size WHERE c.partition = {partition}"
    );
    eventually("a checkpoint of all", std::time::Duration::from_mins(1), async || {
        sqlx::query(&covered).fetch_optional(&house.database.pool).await.unwrap()
    })
    .await;
    // Nobody signs any more: what is forged now was covered before.
    instance.kill();
    let instance = crate::harness::Instance::start_with(
        &house.database,
        &[("CHECKPOINT_KEY", &*house.key()), ("CHECKPOINT_EVERY", "24h")],
    )
    .await;
    let pharmacy = house.world.pharmacies[0].at(&instance);
    let rows = rows(&house, partition).await;
    let (dispense, forgeries) = forgeries(partition, &rows);
    assert_eq!(wrong(&pharmacy, dispense).await, [""; 0]);
    forge(&house, &["CREATE TABLE aside AS SELECT * FROM events".to_owned()]).await;
    forge(&house, &["CREATE TABLE head_aside AS SELECT * FROM log_head".to_owned()]).await;
    for (n, forgery) in forgeries.iter().enumerate() {
        let what = forgery.what;
        forge(&house, &forgery.statements).await;
        let export = house.out(&format!("export-{n}"));
        let (code, said) = house.run(&["log", "export", &export.display().to_string()], &[]);
        // A tail that a checkpoint covers is missed by whoever exports already.
        let is_cut = forgery.kind == "tail";
        assert_eq!(code, i32::from(is_cut), "{what}: {said}");
        assert_eq!(said.contains("log-diverged"), is_cut, "{what}: {said}");
        for (code, said) in [house.verify(&export), house.verify_otherwise(&export)] {
            assert_eq!(code, 1, "{what}: {said}");
            let named = said.contains("BROKEN") && said.contains(&format!(": {}: ", forgery.kind));
            assert!(named, "{what}: {said}");
        }
        if let Some(expected) = forgery.wrong {
            let seen = if what.contains("tail") { rows[rows.len() - 2].dispense } else { dispense };
            let found = wrong(&pharmacy, seen).await;
            assert!(
                expected.iter().all(|it| found.contains(&(*it).to_owned())),
                "{what}: {found:?}"
            );
        }
        undo(&house).await;
    }
    assert_eq!(wrong(&pharmacy, dispense).await, [""; 0]);
}

/// What `verify` says is false.
async fn wrong(pharmacy: &Pharmacy, dispense: Uuid) -> Vec<String> {
    let order = Order::cancelling(dispense);
    let path = order.path.replace("/cancel", "/verify");
    let answer = crate::harness::Answer::to(pharmacy.request("POST", &path)).await.unwrap();
    let body = answer.expect(200).body;
    let checks = body["checks"].as_array().unwrap().iter();
    let wrong: Vec<String> = checks
        .filter(|check| check["ok"] == false)
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(body["valid"], wrong.is_empty(), "{body}");
    wrong
}

/// What only a superuser can do: the triggers do not see it.
async fn forge(house: &House, statements: &[String]) {
    let mut tx = house.database.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    for statement in statements {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn undo(house: &House) {
    let undone = [
        "DELETE FROM events",
        "INSERT INTO events SELECT * FROM aside",
        "UPDATE log_head h SET position = a.position, hash = a.hash FROM head_aside a
         WHERE a.partition = h.partition",
    ];
    forge(house, &undone.map(str::to_owned)).await;
}
