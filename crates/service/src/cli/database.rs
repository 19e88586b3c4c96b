//! Which database a command looks at.

use std::path::Path;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;

use crate::config::Reader;
use crate::dev::DATABASE_URL;

/// The database that is set, else the one of a `dispense dev` that runs.
pub(super) fn of(mut reader: Reader, home: &Path) -> anyhow::Result<PgConnectOptions> {
    let set = reader.optional("DATABASE_URL", |url| url.parse().ok());
    match (set, reader.mistakes()) {
        (Some(set), None) => return Ok(set),
        (None, None) => {}
        (_, Some(mistakes)) => return Err(mistakes.into()),
    }
    let path = home.join(DATABASE_URL);
    let url = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "DATABASE_URL is not set, and there is no {}; start `dispense dev`, or set \
             DISPENSE_HOME to where it runs",
            path.display()
        )
    })?;
    Ok(url.trim().parse()?)
}
