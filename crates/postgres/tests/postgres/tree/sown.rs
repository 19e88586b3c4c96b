//! A partition with as many rows as a test wants, chained as the writer chains them.

use std::sync::Arc;

use dispense_audit::chain::{self, Hash, Row};
use dispense_audit::tree::Frontier;
use dispense_postgres::follow::{Place, ReadModel, Tables};
use dispense_postgres::{LogSettings, LogTree, PgTree, rebuild};
use uuid::Uuid;

use crate::database::{Database, PARTITIONS, partitions};

/// The partition in which everything happens.
pub(crate) const PARTITION: u16 = 2;

const PAYLOAD: &str = r#"{"type":"Expired"}"#;
const METADATA: &str = "{}";
const BEGINNING: i64 = 1_700_000_000_000_000;

/// A log whose rows are sown by a test.
pub(crate) struct Sown {
    pub(crate) database: Database,
    pub(crate) hashes: Vec<Hash>,
    place: Place,
}

impl Sown {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        let first = chain::first(database.log_id, PARTITION, PARTITIONS);
        Self { database, hashes: Vec::new(), place: Place { position: 0, hash: first } }
    }

    pub(crate) fn settings(&self) -> LogSettings {
        LogSettings { log_id: self.database.log_id, partitions: partitions(), epoch: 1 }
    }

    pub(crate) fn tree(&self) -> PgTree {
        PgTree::new(self.database.serving.clone())
    }

    /// The row at that place, whose payload is that one.
    pub(crate) fn row<'a>(position: i64, payload: &'a str, stream: &'a str) -> Row<'a> {
        Row {
            aggregate_type: "dispense",
            aggregate_id: stream,
            sequence: position,
            event_type: "Expired",
            event_version: "1.0",
            payload,
            metadata: METADATA,
            partition: PARTITION,
            position,
            event_id: Uuid::from_u128(position.cast_unsigned().into()),
            dispense_id: Uuid::from_u128(7),
            recorded_at: BEGINNING + position,
        }
    }

    /// Sows rows until there are so many.
    pub(crate) async fn grow(&mut self, size: usize) {
        let begin = self.hashes.len();
        let stream = Uuid::from_u128(1).to_string();
        let mut previous = match self.hashes.last() {
            Some(last) => *last,
            None => chain::first(self.database.log_id, PARTITION, PARTITIONS),
        };
        for position in begin + 1..=size {
            let position = i64::try_from(position).unwrap();
            previous = chain::next(&previous, &Self::row(position, PAYLOAD, &stream));
            self.hashes.push(previous);
        }
        let hashes: Vec<Vec<u8>> = self.hashes[begin..].iter().map(|it| it.to_vec()).collect();
        sqlx::query(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
                 payload, metadata, partition, position, event_id, dispense_id, recorded_at, hash)
             SELECT 'dispense', $1, $2 + n, 'Expired', '1.0', $3::json, $4::json, $5, $2 + n,
                    lpad(to_hex($2 + n), 32, '0')::uuid, lpad('7', 32, '0')::uuid,
                    'epoch'::timestamptz + ($6 + $2 + n) * interval '1 microsecond', hash
             FROM UNNEST($7::bytea[]) WITH ORDINALITY AS u (hash, n)",
        )
        .bind(&stream)
        .bind(i64::try_from(begin).unwrap())
        .bind(PAYLOAD)
        .bind(METADATA)
        .bind(PARTITION.cast_signed())
        .bind(BEGINNING)
        .bind(hashes)
        .execute(&self.database.admin)
        .await
        .unwrap();
        self.run(&format!(
            "UPDATE log_head SET position = {size}, hash = '\\x{}' WHERE partition = {PARTITION}",
            hex::encode(previous)
        ))
        .await;
    }

    /// Sows rows, and has the tree follow.
    pub(crate) async fn grow_with_tree(&mut self, size: usize) {
        self.grow(size).await;
        self.follow(size).await;
    }

    /// Has the tree follow as far as that.
    pub(crate) async fn follow(&mut self, upto: usize) {
        let models: [Arc<dyn ReadModel>; 1] = [Arc::new(LogTree)];
        let place = rebuild::fill(
            &self.database.serving,
            &models,
            &|_| Tables::of_version(1),
            PARTITION,
            self.place,
            i64::try_from(upto).unwrap(),
            &|_| (),
        );
        self.place = place.await.unwrap();
    }

    /// Fills other tables from the beginning.
    pub(crate) async fn again(&self, version: i32) {
        let models: [Arc<dyn ReadModel>; 1] = [Arc::new(LogTree)];
        let beginning = rebuild::beginning(self.settings(), PARTITION);
        let (pool, tables) =
            (&self.database.serving, |_: &dyn ReadModel| Tables::of_version(version));
        rebuild::fill(pool, &models, &tables, PARTITION, beginning, i64::MAX, &|_| ())
            .await
            .unwrap();
    }

    /// The root over the first rows, as whoever has all of them works it out.
    pub(crate) fn root(&self, size: usize) -> Hash {
        let mut frontier = Frontier::default();
        for hash in &self.hashes[..size] {
            frontier.append(hash, |_, _| ());
        }
        frontier.root()
    }

    /// What only the owner of the tables can do, and only with the triggers off.
    pub(crate) async fn forge(&self, statements: &[&str]) {
        let mut tx = self.database.admin.begin().await.unwrap();
        sqlx::query("SET LOCAL session_replication_role = replica")
            .execute(&mut *tx)
            .await
            .unwrap();
        for statement in statements {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(crate) async fn run(&self, statement: &str) {
        sqlx::query(statement).execute(&self.database.admin).await.unwrap();
    }
}
