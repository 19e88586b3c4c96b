//! The chain of registry changes, recomputed from what its documentation says.

use chrono::{DateTime, Utc};
use dispense_domain::Digest;
use uuid::Uuid;

use super::{Database, import};
use crate::sample::{PARTY, PHARMACY, REQUEST, USER, all_kinds, party, request, with};

#[derive(sqlx::FromRow)]
struct Change {
    partition: i16,
    number: i64,
    kind: String,
    id: Uuid,
    version: i64,
    digest: Vec<u8>,
    by_user: Uuid,
    by_client: Option<Uuid>,
    at: DateTime<Utc>,
    hash: Vec<u8>,
    source: Option<String>,
    salt: Vec<u8>,
}

async fn changes(database: &Database) -> Vec<Change> {
    sqlx::query_as(
        "SELECT partition, number, kind, id, version, digest, by_user, by_client, at, hash, source,
                salt
         FROM registry_changes JOIN registry_salts USING (partition, number)
         ORDER BY partition, number",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap()
}

fn hash(previous: &[u8], change: &Change) -> Vec<u8> {
    let columns: [&[u8]; 9] = [
        &i64::from(change.partition).to_be_bytes(),
        &change.number.to_be_bytes(),
        change.kind.as_bytes(),
        change.id.as_bytes(),
        &change.version.to_be_bytes(),
        &change.digest,
        change.by_user.as_bytes(),
        change.by_client.as_ref().map_or(&[], |client| client.as_bytes()),
        &change.at.timestamp_micros().to_be_bytes(),
    ];
    let source = change.source.as_ref().map(String::as_bytes);
    let mut bytes = previous.to_vec();
    for column in columns.into_iter().chain(source) {
        bytes.extend(u32::try_from(column.len()).unwrap().to_be_bytes());
        bytes.extend(column);
    }
    Digest::of(&[&bytes]).bytes().to_vec()
}

/// Walks along every chain and returns how many changes there are.
pub(crate) async fn verify(database: &Database) -> usize {
    let changes = changes(database).await;
    let heads: Vec<(i16, i64, Vec<u8>)> =
        sqlx::query_as("SELECT partition, number, hash FROM registry_heads")
            .fetch_all(&database.admin)
            .await
            .unwrap();
    let mut seen = 0;
    for (partition, last, head) in heads {
        let chain = partition.to_be_bytes();
        let first = Digest::of(&[b"registry", database.log_id.as_bytes(), &chain]);
        let mut previous = first.bytes().to_vec();
        let mut number = 0;
        for change in changes.iter().filter(|change| change.partition == partition) {
            number += 1;
            assert_eq!(change.number, number, "partition {partition}");
            assert_eq!(change.hash, hash(&previous, change), "{partition}:{number}");
            previous.clone_from(&change.hash);
            seen += 1;
        }
        assert_eq!((last, head), (number, previous), "head of partition {partition}");
    }
    assert_eq!(seen, changes.len());
    seen
}

#[tokio::test]
async fn every_change_fits_the_one_before_it() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    import(&database, [party("Інша"), with(&request(REQUEST), "medication_qty", 31)]).await;
    import(&database, (0..40).map(|n| request(Uuid::from_u128(n)))).await;
    assert_eq!(verify(&database).await, 15 + 2 + 40);

    let changes = changes(&database).await;
    let of_party: Vec<_> = changes.iter().filter(|change| change.id == PARTY).collect();
    assert_eq!(of_party.iter().map(|it| it.version).collect::<Vec<_>>(), [1, 2]);
    assert!(of_party.iter().all(|it| it.partition == -1 && it.kind == "party"));
    assert!(of_party.iter().all(|it| (it.by_user, it.by_client) == (USER, Some(PHARMACY))));
    let partitions: std::collections::HashSet<_> = changes
        .iter()
        .filter(|change| change.kind == "medication_request")
        .map(|change| change.partition)
        .collect();
    assert_eq!(partitions, [0, 1, 2, 3].into());
}

#[tokio::test]
async fn the_digest_is_that_of_the_salt_and_the_record() {
    let database = Database::new().await;
    import(&database, [party("Коваль")]).await;
    let data: String = sqlx::query_scalar("SELECT data::text FROM registry_entries")
        .fetch_one(&database.admin)
        .await
        .unwrap();
    let changes = changes(&database).await;
    let [change] = &changes[..] else { panic!("one change") };
    assert_eq!(change.digest, Digest::of(&[&change.salt, data.as_bytes()]).bytes());
    assert_ne!(change.digest, Digest::of(&[data.as_bytes()]).bytes());
}

#[tokio::test]
async fn two_changes_to_the_same_record_have_salts_of_their_own() {
    let database = Database::new().await;
    for name in ["a", "b", "a"] {
        import(&database, [party(name)]).await;
    }
    let changes = changes(&database).await;
    assert_eq!(changes.len(), 3);
    assert_ne!(changes[0].digest, changes[2].digest);
}

#[tokio::test]
async fn what_was_recorded_cannot_be_rewritten() {
    let database = Database::new().await;
    import(&database, [party("Коваль")]).await;
    for statement in [
        "UPDATE registry_changes SET version = 7",
        "DELETE FROM registry_changes",
        "TRUNCATE registry_changes",
        "DELETE FROM registry_heads",
    ] {
        for pool in [&database.admin, &database.serving] {
            let refused = sqlx::query(statement).execute(pool).await;
            let code = refused
                .unwrap_err()
                .into_database_error()
                .and_then(|it| it.code().map(std::borrow::Cow::into_owned));
            assert_eq!(code.as_deref(), Some("42501"), "{statement}");
        }
    }
    // The service itself cannot take a salt away.
    assert!(sqlx::query("DELETE FROM registry_salts").execute(&database.serving).await.is_err());
    assert_eq!(database.changes().await, 1);
}
