//! What PostgreSQL can do at best: the smallest hold that could be called one.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};

use crate::database::{Database, PGBENCH, said};

/// Medication requests that pgbench draws from: so many that two clients hardly ever meet.
const REQUESTS: u32 = 100_000;

/// pgbench with its tables and its script.
#[derive(Debug)]
pub(crate) struct Pgbench {
    script: PathBuf,
}

impl Pgbench {
    /// Makes the tables: half of each page stays free, so that an update finds room on its own.
    pub(crate) fn prepare(database: &Database) -> anyhow::Result<Self> {
        for statement in [
            "CREATE TABLE request (id int PRIMARY KEY, taken int NOT NULL) WITH (fillfactor = 50)",
            "CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                                 request int NOT NULL, payload text NOT NULL)",
            &format!("INSERT INTO request SELECT n, 0 FROM generate_series(1, {REQUESTS}) n"),
            "VACUUM ANALYZE",
        ] {
            database.tell(PGBENCH, statement)?;
        }
        let path = database.folder().join("smallest-hold.sql");
        fs::write(&path, script()).with_context(|| format!("{} not written", path.display()))?;
        Ok(Self { script: path })
    }

    /// Holds per second, by so many clients for so long.
    pub(crate) fn run(
        &self,
        database: &Database,
        clients: u32,
        time: Duration,
    ) -> anyhow::Result<f64> {
        let mut pgbench = database.tool("pgbench")?;
        pgbench.args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2"]);
        pgbench.args(["--client", &clients.to_string(), "--time", &time.as_secs().to_string()]);
        pgbench.arg("--file").arg(&self.script).arg(database.admin_url(PGBENCH));
        let answer = said(&mut pgbench)?;
        transactions_per_second(&answer)
            .ok_or_else(|| anyhow!("pgbench did not say how many transactions it did: {answer}"))
    }
}

/// The smallest hold: lock one row, update it, insert one event of about a hundred bytes, commit.
fn script() -> String {
    let payload = "x".repeat(100);
    format!(
        "\\set id random(1, {REQUESTS})\n\
         BEGIN;\n\
         SELECT taken FROM request WHERE id = :id FOR UPDATE;\n\
         UPDATE request SET taken = taken + 1 WHERE id = :id;\n\
         INSERT INTO event (request, payload) VALUES (:id, '{payload}');\n\
         COMMIT;\n"
    )
}

/// Reads 4812.5 out of `tps = 4812.5 (without initial connection time)`.
fn transactions_per_second(answer: &str) -> Option<f64> {
    let line = answer.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let answer = "number of failed transactions: 0 (0.000%)\nlatency average = 6.6 ms\n\
                      tps = 4812.5 (without initial connection time)\n";
        assert_eq!(transactions_per_second(answer), Some(4_812.5));
        assert_eq!(transactions_per_second("pgbench: error"), None);
    }
}
