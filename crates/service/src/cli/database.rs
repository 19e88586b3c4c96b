//! Which database a command looks at, and under which role.

use std::path::Path;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;

use crate::config::Reader;
use crate::dev::{DATABASE_ADMIN_URL, DATABASE_URL};

/// The database that is set, else the one of a `dispense dev` that runs.
pub(super) fn of(reader: Reader, home: &Path) -> anyhow::Result<PgConnectOptions> {
    set_or_kept(reader, "DATABASE_URL", &home.join(DATABASE_URL))
}

/// The same database under the role that owns its tables, for commands that do what the role that
/// serves may not.
pub(super) fn admin(reader: Reader, home: &Path) -> anyhow::Result<PgConnectOptions> {
    set_or_kept(reader, "DATABASE_ADMIN_URL", &home.join(DATABASE_ADMIN_URL))
}

fn set_or_kept(
    mut reader: Reader,
    setting: &'static str,
    kept: &Path,
) -> anyhow::Result<PgConnectOptions> {
    let set = reader.optional(setting, |url| url.parse().ok());
    match (set, reader.mistakes()) {
        (Some(set), None) => return Ok(set),
        (None, None) => {}
        (_, Some(mistakes)) => return Err(mistakes.into()),
    }
    let url = std::fs::read_to_string(kept).with_context(|| {
        format!(
            "{setting} is not set, and there is no {}; start `dispense dev`, or set \
             DISPENSE_HOME to where it runs",
            kept.display()
        )
    })?;
    Ok(url.trim().parse()?)
}
