//! What was erased: a chain of records of its own, which names each place.

use std::collections::BTreeSet;

use dispense_audit::erasure::{self, Erasure};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// The places that records say are empty.
#[derive(Default)]
pub(super) struct Erased {
    /// Personal bodies, by partition and position.
    pub(super) bodies: BTreeSet<(i64, i64)>,
    /// Keys of containers.
    pub(super) contents: BTreeSet<String>,
}

/// Reads the records, and looks whether each covers the one before.
pub(super) async fn read(db: &mut PgConnection) -> Erased {
    type Row = (i64, String, Uuid, String, String, i64, String, Vec<u8>);
    let log_id = sqlx::query_scalar("SELECT log_id FROM log_settings").fetch_one(&mut *db);
    let mut previous = erasure::first(log_id.await.unwrap());
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, kind, id, reason, by_user, (extract(epoch FROM at) * 1000000)::bigint,
                places::text, hash
         FROM erasures ORDER BY number",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let mut erased = Erased::default();
    for (expected, (number, kind, id, reason, by_user, at, places, hash)) in (1..).zip(&rows) {
        assert_eq!(*number, expected, "a record of an erasure is missing");
        let record = Erasure { number: *number, kind, id: *id, reason, by_user, at: *at, places };
        previous = erasure::next(&previous, &record);
        assert_eq!(previous[..], hash[..], "the record of erasure {number} was changed");
        let places: Vec<Value> = serde_json::from_str(places).unwrap();
        for place in places.iter().filter(|place| place.get("kept").is_none()) {
            match place["place"].as_str().unwrap() {
                "personal_bodies" => {
                    let number = |member: &str| place[member].as_i64().unwrap();
                    erased.bodies.insert((number("partition"), number("position")));
                }
                "contents" => {
                    erased.contents.insert(place["key"].as_str().unwrap().to_owned());
                }
                _ => {}
            }
        }
    }
    erased
}
