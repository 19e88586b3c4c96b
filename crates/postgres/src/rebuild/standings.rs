//! How far the read models are, for whoever asks from the command line.

use sqlx::{PgPool, Row};

use crate::relay;

/// How far a read model has read one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The read model.
    pub name: String,
    /// Which version of its tables is read.
    pub version: i32,
    /// The partition.
    pub partition: u16,
    /// The last event that it has.
    pub position: i64,
    /// How many events it does not have.
    pub behind: i64,
    /// How many seconds ago the first of them was recorded.
    pub seconds: f64,
}

const STANDINGS: &str = "
SELECT f.name, f.version, f.partition, f.position, h.position - f.position AS behind,
       coalesce((
           SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8 FROM events e
           WHERE e.partition = f.partition AND e.position = f.position + 1
       ), 0) AS seconds
FROM followers f JOIN log_head h ON h.partition = f.partition WHERE f.name <> $1
ORDER BY f.name, f.partition";

/// How far each read model has read each partition.
///
/// # Errors
///
/// The database does not answer, or is not prepared.
pub async fn standings(pool: &PgPool) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query(STANDINGS).bind(relay::NAME).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                name: row.try_get("name")?,
                version: row.try_get("version")?,
                partition: row.try_get::<i16, _>("partition")?.cast_unsigned(),
                position: row.try_get("position")?,
                behind: row.try_get("behind")?,
                seconds: row.try_get::<f64, _>("seconds")?.max(0.0),
            })
        })
        .collect()
}
