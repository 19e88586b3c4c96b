//! What registries said, and when.

use dispensary::registry_changes::{
    Change, ChangePlace, Changed, ChangesAsked, Known, REST, RegistryChanges,
};
use dispense_domain::registry::RegistryKind;
use dispense_postgres::PgRegistryChanges;

use crate::database::Database;
use crate::sample::{PARTY, PERSON, REQUEST, all_kinds, importer, lines, partition_of, party};

async fn imported() -> (Database, PgRegistryChanges) {
    let database = Database::new().await;
    for lines in [lines(all_kinds()), lines([party("Шевчук")]), lines([party("Ткач")])] {
        assert_eq!(database.importer().import(lines, &importer()).await.unwrap(), []);
    }
    let changes = PgRegistryChanges::new(database.serving.clone());
    (database, changes)
}

fn of_party() -> ChangesAsked {
    let of = Changed::Record(RegistryKind::Party, PARTY);
    ChangesAsked { of, known: Known::Ever, after: None, limit: 300 }
}

fn chain(partition: i16) -> ChangesAsked {
    let of = Changed::Chain { partition, from: 1, to: i64::MAX };
    ChangesAsked { of, known: Known::Ever, after: None, limit: 300 }
}

fn versions(changes: &[Change]) -> Vec<i64> {
    changes.iter().map(|change| change.version).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_shows_each_of_its_changes_the_last_one_first() {
    let (database, changes) = imported().await;
    let found = changes.changes(&of_party()).await.unwrap();
    assert_eq!(versions(&found), [3, 2, 1]);
    assert!(found.iter().all(|it| it.id == PARTY && it.kind == "party"));
    assert!(found.iter().all(|it| it.place.partition == REST));
    assert_eq!(found[0].by_user, importer().user.uuid());
    assert_eq!(found[0].by_client, importer().client.map(Into::into));
    let digest: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(s.salt || convert_to(e.data::text, 'UTF8'))
         FROM registry_entries e, registry_salts s
         WHERE e.kind = 'party' AND s.partition = -1 AND s.number = $1",
    )
    .bind(found[0].place.number)
    .fetch_one(&database.admin)
    .await
    .unwrap();
    assert_eq!(found[0].digest.bytes()[..], digest, "whoever has record and salt can compare");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_to_a_version_or_at_an_instant_comes_first() {
    let (_database, changes) = imported().await;
    let all = changes.changes(&of_party()).await.unwrap();
    let known = async |known| {
        versions(&changes.changes(&ChangesAsked { known, ..of_party() }).await.unwrap())
    };
    assert_eq!(known(Known::AtVersion(2)).await, [2, 1]);
    assert_eq!(known(Known::AtVersion(0)).await, Vec::<i64>::new());
    assert_eq!(known(Known::At(all[1].at)).await, [2, 1]);
    assert_eq!(known(Known::At(all[0].at)).await, [3, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_walked_page_by_page() {
    let (database, changes) = imported().await;
    let whole = changes.changes(&chain(REST)).await.unwrap();
    let kinds = i64::try_from(all_kinds().len()).unwrap();
    let numbers: Vec<i64> = whole.iter().map(|it| it.place.number).collect();
    assert_eq!(numbers, (1..=kinds - 1 + 2).rev().collect::<Vec<_>>());
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = changes.changes(&ChangesAsked { after, limit: 4, ..chain(REST) }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place);
        pages.extend(page);
    }
    assert_eq!(pages, whole);
    let of = Changed::Chain { partition: REST, from: 2, to: 3 };
    let some = changes.changes(&ChangesAsked { of, ..chain(REST) }).await.unwrap();
    assert_eq!(some, whole[whole.len() - 3..whole.len() - 1]);

    let partition = partition_of(REQUEST).cast_signed();
    let requests = changes.changes(&chain(partition)).await.unwrap();
    assert_eq!(requests[0].place, ChangePlace { partition, number: 1 });
    assert_eq!(requests[0].id, REQUEST);
    let person = Changed::Record(RegistryKind::Person, PERSON);
    assert_eq!(changes.changes(&ChangesAsked { of: person, ..of_party() }).await.unwrap().len(), 1);
    assert_eq!(database.changes().await, i64::try_from(whole.len() + 1).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_question_looks_along_is_an_index() {
    let (database, changes) = imported().await;
    sqlx::raw_sql(
        "INSERT INTO registry_changes
             (partition, number, kind, id, version, digest, by_user, by_client, at, hash)
         SELECT -1, 1000 + n, 'medication', gen_random_uuid(), 3, h.hash, h.by_user, NULL, h.at,
                h.hash
         FROM generate_series(1, 40000) n
         CROSS JOIN (SELECT hash, by_user, at FROM registry_changes LIMIT 1) h;
         ANALYZE registry_changes",
    )
    .execute(&database.admin)
    .await
    .unwrap();
    let fetched = "SELECT coalesce(sum(idx_tup_fetch), 0)::bigint FROM pg_stat_user_tables
                   WHERE relname = 'registry_changes'";
    let before = database.number(fetched).await;
    // A session tells its figures when it is idle for a moment.
    let mut questions = 0;
    while database.number(fetched).await == before {
        for asked in [of_party(), ChangesAsked { limit: 10, ..chain(REST) }] {
            assert!(!changes.changes(&asked).await.unwrap().is_empty());
            questions += 1;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let rows = database.number(fetched).await - before;
    assert!(rows <= 10 * questions, "{rows} rows were read for {questions} questions");
}
