//! How much room a log takes as it grows.

use crate::database::{DISPENSE, Database};

/// The room that tables take with their indexes, and for how many events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Growth {
    pub(crate) events: f64,
    /// Name and bytes, the largest first.
    pub(crate) tables: Vec<(String, f64)>,
}

impl Growth {
    /// Of every table that grows with the log.
    pub(super) fn of(database: &Database) -> anyhow::Result<Self> {
        let events = database.ask(DISPENSE, "SELECT sum(position) FROM log_head")?;
        let tables = database.ask(
            DISPENSE,
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                   AND (relname IN ('events', 'personal_bodies') OR relname ~ '_v[0-9]+$')
             ORDER BY 2 DESC, 1",
        )?;
        Ok(Self { events: events.trim().parse()?, tables: read(&tables)? })
    }

    /// The gigabytes of each table at a hundred million events.
    pub(crate) fn at_hundred_million(&self) -> impl Iterator<Item = (&str, f64)> {
        let factor = 1e8 / self.events.max(1.0) / 1e9;
        self.tables.iter().map(move |(name, bytes)| (name.as_str(), bytes * factor))
    }
}

/// Lines of a name and a number, as psql writes them.
fn read(lines: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let line = |line: &str| {
        let (name, bytes) = line.split_once('|').unwrap_or_default();
        Ok((name.to_owned(), bytes.parse()?))
    };
    lines.lines().filter(|it| !it.is_empty()).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_for_a_hundred_million_events() {
        let tables = read("events|2000000\ndispenses_v1|500000\n").unwrap();
        let growth = Growth { events: 1_000.0, tables };
        let told: Vec<_> = growth.at_hundred_million().collect();
        assert_eq!(told, [("events", 200.0), ("dispenses_v1", 50.0)]);
        assert!(read("events").is_err());
    }
}
