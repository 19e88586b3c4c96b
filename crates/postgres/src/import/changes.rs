//! The chains of registry changes.

use chrono::{DateTime, Utc};
use dispense_audit::chain::{Columns, Hash};
use dispense_domain::{Digest, Salt};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Part;
use super::bringer::Bringer;
use super::fault::Stopped;
use super::merge::Written;

/// The locked end of a chain.
#[derive(Debug)]
pub(super) struct ChainHead {
    chain: i16,
    number: i64,
    hash: Hash,
}

/// When something changes, and with which version it can be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The version.
    pub version: i64,
    /// The instant.
    pub at: DateTime<Utc>,
}

/// A row of `registry_changes`, but for its hash.
#[derive(Debug)]
struct Change<'a> {
    chain: i16,
    number: i64,
    kind: &'a str,
    id: Uuid,
    digest: Digest,
    moment: Moment,
    by: Bringer<'a>,
    source: Option<&'a str>,
}

/// Columns of the rows to insert.
#[derive(Debug, Default)]
struct Rows {
    numbers: Vec<i64>,
    kinds: Vec<&'static str>,
    ids: Vec<Uuid>,
    digests: Vec<Hash>,
    hashes: Vec<Hash>,
    salts: Vec<Hash>,
    sources: Vec<Option<String>>,
}

impl ChainHead {
    /// Locks the end of the chain, and makes it if this is the first change of its part.
    pub(super) async fn lock(
        db: &mut PgConnection,
        part: Part,
        log_id: Uuid,
    ) -> Result<Self, Stopped> {
        let chain = part.chain();
        if let Some(head) = Self::locked(db, chain).await? {
            return Ok(head);
        }
        sqlx::query(
            "INSERT INTO registry_heads (partition, number, hash) VALUES ($1, 0, $2)
             ON CONFLICT (partition) DO NOTHING",
        )
        .bind(chain)
        .bind(&first(log_id, chain)[..])
        .execute(&mut *db)
        .await
        .map_err(Stopped::waiting)?;
        let head = Self::locked(db, chain).await?;
        head.ok_or(Stopped::Database(sqlx::Error::RowNotFound))
    }

    async fn locked(db: &mut PgConnection, chain: i16) -> Result<Option<Self>, Stopped> {
        let head: Option<(i64, Hash)> = sqlx::query_as(
            "SELECT number, hash FROM registry_heads WHERE partition = $1 FOR UPDATE",
        )
        .bind(chain)
        .fetch_optional(db)
        .await
        .map_err(Stopped::waiting)?;
        Ok(head.map(|(number, hash)| Self { chain, number, hash }))
    }

    /// Adds a row for each record that changes.
    pub(super) async fn append(
        mut self,
        db: &mut PgConnection,
        written: &[Written<'_>],
        moment: Moment,
        by: Bringer<'_>,
    ) -> Result<(), Stopped> {
        let mut seed: Salt = [0; 32];
        getrandom::fill(&mut seed).map_err(Stopped::Random)?;
        let mut rows = Rows::default();
        for record in written.iter().filter(|record| record.stays_at.is_none()) {
            let entry = record.entry;
            let (chain, number, kind) = (self.chain, self.number + 1, entry.kind.as_str());
            let salt = Digest::of(&[&seed, &number.to_be_bytes()]);
            let digest = Digest::of(&[salt.bytes(), entry.data.as_bytes()]);
            let source = by.source(entry.line);
            let of = source.as_deref();
            let change =
                Change { chain, number, kind, id: entry.id, digest, moment, by, source: of };
            self.hash = Self::next(&self.hash, &change);
            self.number = number;
            rows.numbers.push(number);
            rows.kinds.push(kind);
            rows.ids.push(entry.id);
            rows.digests.push(*digest.bytes());
            rows.hashes.push(self.hash);
            rows.salts.push(*salt.bytes());
            rows.sources.push(source);
        }
        if rows.numbers.is_empty() {
            return Ok(());
        }
        self.insert(db, &rows, moment, by).await?;
        sqlx::query("UPDATE registry_heads SET number = $2, hash = $3 WHERE partition = $1")
            .bind(self.chain)
            .bind(self.number)
            .bind(&self.hash[..])
            .execute(db)
            .await?;
        Ok(())
    }

    async fn insert(
        &self,
        db: &mut PgConnection,
        rows: &Rows,
        moment: Moment,
        by: Bringer<'_>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO registry_changes
                 (partition, number, kind, id, version, digest, by_user, by_client, at, hash,
                  source)
             SELECT head.partition, change.number, change.kind, change.id, $6, change.digest,
                    $7, $8, $9, change.hash, change.source
             FROM registry_heads head
             CROSS JOIN UNNEST($2::bigint[], $3::text[], $4::uuid[], $5::bytea[], $10::bytea[],
                               $11::text[])
                 AS change (number, kind, id, digest, hash, source)
             WHERE head.partition = $1",
        )
        .bind(self.chain)
        .bind(&rows.numbers)
        .bind(&rows.kinds)
        .bind(&rows.ids)
        .bind(&rows.digests)
        .bind(moment.version)
        .bind(by.user)
        .bind(by.client)
        .bind(moment.at)
        .bind(&rows.hashes)
        .bind(&rows.sources)
        .execute(&mut *db)
        .await?;
        sqlx::query(
            "INSERT INTO registry_salts (partition, number, salt)
             SELECT head.partition, change.number, change.salt
             FROM registry_heads head
             CROSS JOIN UNNEST($2::bigint[], $3::bytea[]) AS change (number, salt)
             WHERE head.partition = $1",
        )
        .bind(self.chain)
        .bind(&rows.numbers)
        .bind(&rows.salts)
        .execute(db)
        .await?;
        Ok(())
    }

    /// The hash of a change: SHA-256(previous ‖ columns), each column as its length (four bytes,
    /// most significant first) and its own bytes, in this order:
    ///
    /// | column | bytes |
    /// | --- | --- |
    /// | partition, number | signed 64-bit integers, most significant byte first |
    /// | kind | UTF-8 |
    /// | id | 16 |
    /// | version | as number |
    /// | digest | 32: SHA-256(salt ‖ data) |
    /// | `by_user` | 16 |
    /// | `by_client` | 16, or none at all where it is null |
    /// | at | microseconds since 1970-01-01T00:00:00Z, as number |
    /// | source | UTF-8; where it is null, no column at all: rows of before it have none |
    fn next(previous: &Hash, change: &Change<'_>) -> Hash {
        let mut columns = Columns::after(previous);
        columns.number(change.chain.into());
        columns.number(change.number);
        columns.text(change.kind);
        columns.id(change.id);
        columns.number(change.moment.version);
        columns.bytes(change.digest.bytes());
        columns.id(change.by.user);
        match change.by.client {
            Some(client) => columns.id(client),
            None => columns.bytes(&[]),
        }
        columns.number(change.moment.at.timestamp_micros());
        if let Some(source) = change.source {
            columns.text(source);
        }
        columns.hash()
    }
}

/// The hash before the first change of a chain: SHA-256("registry" ‖ log id, 16 bytes ‖ partition,
/// two bytes, most significant first; -1 is `ff ff`).
fn first(log_id: Uuid, chain: i16) -> Hash {
    *Digest::of(&[b"registry", log_id.as_bytes(), &chain.to_be_bytes()]).bytes()
}
