//! The audit: whether a log is what it has to be, judged from its rows alone, and from the store of
//! what was signed.
//!
//! Nothing here asks the code under test for a sum or a state: amounts are read from the JSON of the
//! events and added up by hand. Only the hash of a row is taken from the crate that specifies it.

mod chain;
mod contents;
mod entry;
mod erasures;
mod requests;

use std::collections::{BTreeSet, HashMap};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::Database;

pub(crate) use entry::Entry;
use entry::{entries, heads};
use erasures::Erased;

/// A log that was found to be in order.
pub(crate) struct Audit {
    /// Every event, by partition and position.
    pub(crate) entries: Vec<Entry>,
    /// Places in `entries`, by the digest of client and key.
    keys: HashMap<String, Vec<usize>>,
}

impl Audit {
    /// Reads the log and looks at everything that must hold at any time.
    ///
    /// # Panics
    ///
    /// Something does not hold.
    pub(crate) async fn of(database: &Database) -> Self {
        // One snapshot for all that is read, so that rows and heads fit while others write.
        let mut tx =
            database.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
        let entries = entries(&mut tx).await;
        let heads = heads(&mut tx).await;
        let erased = erasures::read(&mut tx).await;
        personal_bodies(&mut tx, &erased).await;
        tx.rollback().await.unwrap();

        chain::check(&entries, &heads);
        event_ids_are_unique(&entries);
        requests::check(&entries);
        contents::check(&entries, &database.contents, &erased);
        let mut keys: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(digest) = entry.payload["key_digest"].as_str() {
                keys.entry(digest.to_owned()).or_default().push(index);
            }
        }
        Self { entries, keys }
    }

    /// The events of one medication request, in order.
    pub(crate) fn of_request(&self, request: Uuid) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.request == request).collect()
    }

    /// The kinds of the events of one medication request, in order.
    pub(crate) fn kinds(&self, request: Uuid) -> Vec<&str> {
        self.of_request(request).into_iter().map(|entry| &*entry.kind).collect()
    }

    /// How many events there are of this kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.entries.iter().filter(|entry| entry.kind == kind).count()
    }

    /// The events that say that a command with this digest of client and key brought them about.
    pub(crate) fn by_key(&self, digest: &str) -> Vec<&Entry> {
        let places = self.keys.get(digest).into_iter().flatten();
        places.map(|place| &self.entries[*place]).collect()
    }

    /// The digests of all commands that brought something about.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }
}

fn event_ids_are_unique(entries: &[Entry]) {
    let mut seen = BTreeSet::new();
    for entry in entries {
        assert!(seen.insert(entry.event_id), "an event id comes twice: {entry:#?}");
    }
}

/// Every personal body has the digest that its event names, each such event has one unless a record
/// says that it was erased, and no other has. The database does the sums.
async fn personal_bodies(db: &mut PgConnection, erased: &Erased) {
    let wrong = sqlx::query(
        "SELECT e.partition::bigint, e.position, e.payload->>'personal' AS named,
                encode(sha256(convert_to(b.body::text, 'UTF8')), 'hex') AS found
         FROM events e FULL JOIN personal_bodies b USING (partition, position)
         WHERE e.payload->>'personal'
               IS DISTINCT FROM encode(sha256(convert_to(b.body::text, 'UTF8')), 'hex')",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let was_erased = |row: &PgRow| {
        let place = (row.get::<Option<i64>, _>("partition"), row.get::<Option<i64>, _>("position"));
        let is_named = place.0.zip(place.1).is_some_and(|place| erased.bodies.contains(&place));
        is_named && row.get::<Option<String>, _>("found").is_none()
    };
    let wrong: Vec<_> = wrong
        .iter()
        .filter(|row| !was_erased(row))
        .map(|row| (row.get::<Option<i64>, _>("position"), row.get::<Option<String>, _>("named")))
        .collect();
    assert!(wrong.is_empty(), "personal bodies and digests that do not fit: {wrong:?}");
}
