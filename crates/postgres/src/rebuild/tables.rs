//! Making a further version of a read model's tables, and dropping one.

use std::time::Duration;

use sqlx::{Executor, PgConnection, PgPool, Row};

use crate::follow::{ReadModel, Tables};

/// How often it is tried to drop a table that is in use, and how long is waited between.
const ATTEMPTS: usize = 10;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Makes empty tables for `model` like those of `live`: with their checks, their settings, their rights,
/// and those of their indexes that keep rows unique. [`finish`] makes the others, which is faster once
/// the rows are there.
///
/// # Errors
///
/// The database does not do it, because the tables are there, or `db` may not.
pub async fn make(
    db: &mut PgConnection,
    model: &dyn ReadModel,
    live: &Tables,
    new: &Tables,
) -> Result<(), sqlx::Error> {
    for table in model.tables() {
        let (from, to) = (live.name(table), new.name(table));
        // Statistics of a table that grows all the time are for nothing; `finish` takes them.
        let creating = format!(
            "CREATE TABLE {to} (LIKE {from} INCLUDING ALL EXCLUDING INDEXES)
             WITH (autovacuum_enabled = off)"
        );
        db.execute(&*creating).await?;
        if let Some(settings) = settings(db, &from).await? {
            db.execute(&*format!("ALTER TABLE {to} SET ({settings})")).await?;
        }
        for (role, right) in rights(db, &from).await? {
            db.execute(&*format!("GRANT {right} ON {to} TO {role}")).await?;
        }
        rename_checks(db, &from, &to).await?;
        for statement in indexes(db, &from, &to, Kind::Unique).await? {
            db.execute(&*statement).await?;
        }
    }
    Ok(())
}

/// Makes the indexes that [`make`] left out, each in a transaction of its own, and has the planner know
/// the tables.
///
/// # Errors
///
/// The database does not do it.
pub async fn finish(
    pool: &PgPool,
    model: &dyn ReadModel,
    live: &Tables,
    new: &Tables,
) -> Result<(), sqlx::Error> {
    let mut db = pool.acquire().await?;
    for table in model.tables() {
        let (from, to) = (live.name(table), new.name(table));
        for statement in indexes(&mut db, &from, &to, Kind::Other).await? {
            db.execute(&*statement).await?;
        }
        db.execute(&*format!("ALTER TABLE {to} RESET (autovacuum_enabled)")).await?;
        db.execute(&*format!("ANALYZE {to}")).await?;
    }
    Ok(())
}

/// Drops that version of the tables of `model`; those that are still in use, and stay.
pub async fn remove(pool: &PgPool, model: &dyn ReadModel, tables: &Tables) -> Vec<String> {
    let mut left = Vec::new();
    for table in model.tables() {
        let name = tables.name(table);
        let mut attempts = 0;
        while let Err(error) = pool.execute(&*format!("DROP TABLE IF EXISTS {name}")).await {
            attempts += 1;
            if attempts == ATTEMPTS {
                tracing::warn!(table = name, "a table of before stays: {error}");
                left.push(name);
                break;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
    left
}

/// Drops every version of the tables of `model` but the live one: what a rebuild left that was killed.
pub(super) async fn remove_others(
    db: &mut PgConnection,
    model: &dyn ReadModel,
    live: i32,
) -> Result<(), sqlx::Error> {
    for table in model.tables() {
        let others: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class c
             WHERE c.relkind = 'r' AND c.relnamespace = (
                       SELECT relnamespace FROM pg_class WHERE oid = $1::text::regclass)
                   AND c.relname ~ ('^' || $2::text || '_v[0-9]+$') AND c.relname <> $1::text",
        )
        .bind(Tables::of_version(live).name(table))
        .bind(table)
        .fetch_all(&mut *db)
        .await?;
        for other in others {
            db.execute(&*format!("DROP TABLE {other}")).await?;
        }
    }
    Ok(())
}

/// The settings of a table, as ALTER TABLE takes them.
async fn settings(db: &mut PgConnection, table: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = $1::text::regclass",
    )
    .bind(table)
    .fetch_one(db)
    .await
}

/// Who may do what with a table, beside its owner.
async fn rights(db: &mut PgConnection, table: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS role,
                acl.privilege_type::text AS privilege
         FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) acl
         WHERE c.oid = $1::text::regclass AND acl.grantee <> c.relowner",
    )
    .bind(table)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("role")?, row.try_get("privilege")?))).collect()
}

/// The name of a table without its schema: in a schema of its own it may be the same, and so may those of
/// its indexes.
fn bare(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

/// Names checks after the new table, as the server would have.
async fn rename_checks(db: &mut PgConnection, from: &str, to: &str) -> Result<(), sqlx::Error> {
    let checks: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(conname) FROM pg_constraint
         WHERE conrelid = $1::text::regclass AND contype = 'c'",
    )
    .bind(to)
    .fetch_all(&mut *db)
    .await?;
    for name in checks {
        let named = name.replace(bare(from), bare(to));
        if named != name {
            db.execute(&*format!("ALTER TABLE {to} RENAME CONSTRAINT {name} TO {named}")).await?;
        }
    }
    Ok(())
}

/// Which indexes of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those that keep rows unique: a model may look rows up by them while it is filled.
    Unique,
    /// Those that questions need.
    Other,
}

/// The statements that make the indexes of one table for another. Their names follow the table's; one
/// that does not bear it gets a name from the server.
async fn indexes(
    db: &mut PgConnection,
    from: &str,
    to: &str,
    kind: Kind,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition,
                c.contype::text AS kind, pg_get_constraintdef(c.oid) AS rule
         FROM pg_index i
         LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
         WHERE i.indrelid = $1::text::regclass AND i.indisunique = $2
         ORDER BY i.indisprimary DESC, i.indexrelid",
    )
    .bind(from)
    .bind(kind == Kind::Unique)
    .fetch_all(db)
    .await?;
    let mut statements = Vec::with_capacity(rows.len());
    for row in rows {
        let rule: Option<String> = row.try_get("rule")?;
        let (name, definition): (String, String) =
            (row.try_get("name")?, row.try_get("definition")?);
        let (is_named, named) = (name.contains(bare(from)), name.replace(bare(from), bare(to)));
        statements.push(match rule {
            Some(rule) if is_named => format!("ALTER TABLE {to} ADD CONSTRAINT {named} {rule}"),
            Some(rule) => format!("ALTER TABLE {to} ADD {rule}"),
            None => {
                let (before, rest) = definition.split_once(" USING ").unwrap_or_default();
                let unique =
                    if before.starts_with("CREATE UNIQUE") { "UNIQUE INDEX" } else { "INDEX" };
                let named = if is_named { named } else { String::new() };
                format!("CREATE {unique} {named} ON {to} USING {rest}")
            }
        });
    }
    Ok(statements)
}
