//! What the log keeps beside itself of some dispenses: personal bodies, containers, and what read
//! models took from the bodies.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::Signed;
use super::finding::Hold;
use super::places::{Ledger, Place};

/// The events of some dispenses, stream by stream.
const EVENTS: &str = "
SELECT e.position, e.payload -> 'content' ->> 'key' AS container
FROM UNNEST($2::text[], $3::uuid[]) AS k (request, dispense)
CROSS JOIN LATERAL (
    SELECT v.position, v.dispense_id, v.payload FROM events v
    WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = k.request AND v.partition = $1
    ORDER BY v.sequence
) e
WHERE e.dispense_id = k.dispense
ORDER BY e.position";

const BODIES: &str = "
DELETE FROM personal_bodies
WHERE partition = $1 AND position = ANY($2)
RETURNING position";

/// Empties what is kept of those dispenses.
pub(super) async fn empty(
    db: &mut PgConnection,
    holds: &[Hold],
    signed: &Signed,
    ledger: &mut Ledger,
) -> Result<(), sqlx::Error> {
    let mut partitions: BTreeMap<i16, Vec<&Hold>> = BTreeMap::new();
    for hold in holds {
        partitions.entry(hold.partition).or_default().push(hold);
    }
    for (partition, holds) in partitions {
        let requests: Vec<&str> = holds.iter().map(|hold| hold.request.as_str()).collect();
        let dispenses: Vec<Uuid> = holds.iter().map(|hold| hold.dispense).collect();
        let rows = sqlx::query(EVENTS)
            .bind(partition)
            .bind(requests)
            .bind(&dispenses)
            .fetch_all(&mut *db)
            .await?;
        let mut positions: Vec<i64> = Vec::with_capacity(rows.len());
        for row in &rows {
            positions.push(row.try_get("position")?);
            if let Some(key) = row.try_get::<Option<String>, _>("container")? {
                match signed {
                    Signed::Removed => ledger.remove_container(key),
                    Signed::Kept(why) => ledger.keep_container(key, why),
                }
            }
        }
        let mut emptied: Vec<i64> =
            sqlx::query_scalar(BODIES).bind(partition).bind(positions).fetch_all(&mut *db).await?;
        emptied.sort_unstable();
        for position in emptied {
            ledger.emptied(Place::body(partition, position));
        }
        forget(db, partition, &dispenses, ledger).await?;
    }
    Ok(())
}

/// The tables of the read model of dispenses: the one that is looked at, and any that is being built
/// beside it.
const TABLES: &str = "
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind = 'r' AND c.relname ~ '^dispenses_v[0-9]+$' ORDER BY c.relname";

/// What a rebuild would not find any more: care plan and activity stand in the body.
async fn forget(
    db: &mut PgConnection,
    partition: i16,
    dispenses: &[Uuid],
    ledger: &mut Ledger,
) -> Result<(), sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *db).await?;
    for table in tables {
        let forgotten: Vec<Uuid> = sqlx::query_scalar(&format!(
            "UPDATE {table} SET care_plan_id = NULL, activity_id = NULL, quantity = NULL
             WHERE partition = $1 AND dispense_id = ANY($2)
                   AND (care_plan_id IS NOT NULL OR activity_id IS NOT NULL)
             RETURNING dispense_id"
        ))
        .bind(partition)
        .bind(dispenses)
        .fetch_all(&mut *db)
        .await?;
        for id in forgotten {
            ledger.emptied(Place::record(&table, id));
        }
    }
    Ok(())
}
