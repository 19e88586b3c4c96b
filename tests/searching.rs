//! Searching: a pharmacy looks for its dispenses, page by page, on the register's API.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Database, Instance, Pharmacy, Terms, World, eventually};

/// A service with a world, and its first two pharmacies.
async fn opened() -> (Database, Instance, World, Pharmacy, Pharmacy) {
    let database = Database::new().await;
    let world = World::new(2, 3);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    (database, instance, world, one, other)
}

/// The payer, who sees everybody's.
fn payer(of: &Pharmacy) -> Pharmacy {
    let token = of.token().with("client_type", "NHS").with("client_id", Uuid::nil().to_string());
    of.with_token(&token)
}

async fn search(pharmacy: &Pharmacy, query: &str) -> Answer {
    pharmacy.get(&format!("/api/medication_dispenses?{query}")).await.expect(200)
}

/// Ids of a page, and how many there are on all.
fn found(answer: &Answer) -> (Vec<Uuid>, u64) {
    let id = |it: &Value| it["id"].as_str().unwrap().parse().unwrap();
    let ids = answer.body["data"].as_array().unwrap().iter().map(id).collect();
    (ids, answer.body["paging"]["total_entries"].as_u64().unwrap())
}

/// Asserts that a question finds exactly these, in that order, on one page.
async fn assert_found(pharmacy: &Pharmacy, query: &str, expected: &[Uuid]) {
    let answer = search(pharmacy, query).await;
    let count = u64::try_from(expected.len()).unwrap();
    assert_eq!(found(&answer), (expected.to_vec(), count), "{query}: {answer:#?}");
}

/// Holds it, and gives it back.
async fn rejected(pharmacy: &Pharmacy, what: &crate::harness::Prescribed) -> Uuid {
    let id = pharmacy.dispense(what, 20).await.expect(201).id();
    pharmacy.cancel(id).await.expect(200);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn g_03_two_dispenses_of_its_own_are_listed_with_paging() {
    let (_database, _instance, world, one, other) = opened().await;
    let first = one.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201).id();
    other.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201);
    let second = one.dispense(&world.prescribed(Terms::InPartsAtOnce, 0), 20).await.expect(201);
    let second = second.id();

    for prefix in ["/api", "/api/pharmacy"] {
        let listed = one.get(&format!("{prefix}/medication_dispenses")).await.expect(200);
        assert_eq!(found(&listed), (vec![second, first], 2));
        assert_eq!(listed.body["meta"]["type"], "list");
        let paging =
            json!({"page_number": 1, "page_size": 50, "total_entries": 2, "total_pages": 1});
        assert_eq!(listed.body["paging"], paging);
        for (place, id) in [second, first].into_iter().enumerate() {
            let alone = one.get(&format!("{prefix}/medication_dispenses/{id}")).await.expect(200);
            assert_eq!(listed.body["data"][place], alone.body["data"], "as by id");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_01_s_02_s_04_one_thing_that_is_known_finds_what_belongs_to_it() {
    let (_database, _instance, world, one, other) = opened().await;
    let (what, else_) = (world.prescribed(Terms::InParts, 0), world.prescribed(Terms::InParts, 1));
    let first = rejected(&one, &what).await;
    let elsewhere = one.dispense(&else_, 20).await.expect(201).id();
    let second = one.dispense(&what, 20).await.expect(201).id();
    let theirs = rejected(&other, &world.prescribed(Terms::InParts, 2)).await;

    // S-01: by id, its own alone.
    assert_found(&one, &format!("id={first}"), &[first]).await;
    assert_found(&one, &format!("id={theirs}"), &[]).await;
    // S-02: by medication request.
    assert_found(&one, &format!("medication_request_id={}", what.id), &[second, first]).await;
    assert_found(&one, &format!("medication_request_id={}", else_.id), &[elsewhere]).await;
    // S-04: by division.
    let payer = payer(&one);
    let by_division = format!("division_id={}", one.division);
    assert_found(&payer, &by_division, &[second, elsewhere, first]).await;
    assert_found(&payer, &format!("division_id={}", other.division), &[theirs]).await;
    assert_found(&one, &format!("division_id={}", other.division), &[]).await;
    // All of them, and those of a company.
    assert_found(&payer, "", &[theirs, second, elsewhere, first]).await;
    assert_found(&payer, &format!("legal_entity_id={}", other.legal_entity), &[theirs]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_05_by_status_those_are_found_that_stand_there_now() {
    let database = Database::new().await;
    let world = World::new(1, 3);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "3s")];
    let instance = Instance::start_with(&database, &short).await;
    let one = world.pharmacies[0].at(&instance);

    let expired = one.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201).id();
    let given_back = rejected(&one, &world.prescribed(Terms::InParts, 1)).await;
    let at_once = world.prescribed(Terms::InPartsAtOnce, 0);
    let processed = one.dispense(&at_once, 20).await.expect(201).id();
    assert_found(&one, "status=PROCESSED", &[processed]).await;
    assert_found(&one, "status=REJECTED", &[given_back]).await;
    assert_found(&one, "status=REJECTED,PROCESSED", &[processed, given_back]).await;
    eventually("a hold that has run out", Duration::from_mins(1), async || {
        (found(&search(&one, "status=EXPIRED").await).0 == [expired]).then_some(())
    })
    .await;
    assert_found(&one, "status=NEW", &[]).await;
    let held = one.dispense(&world.prescribed(Terms::InParts, 2), 20).await.expect(201).id();
    let new = search(&one, "status=NEW,PROCESSED").await;
    assert!(found(&new).0.contains(&processed) && !found(&new).0.contains(&expired));
    assert_found(&one, "status=NEW,EXPIRED", &[held, expired]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_07_all_criteria_hold_at_once() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let wanted = rejected(&one, &what).await;
    rejected(&one, &what).await;
    rejected(&one, &world.prescribed(Terms::InParts, 1)).await;
    let day = one.look_at(wanted).await.expect(200).body["dispensedAt"].as_str().unwrap()[..10]
        .to_owned();
    let all = format!(
        "id={wanted}&medication_request_id={}&legal_entity_id={}&division_id={}&status=REJECTED\
         &dispensed_from={day}&dispensed_to={day}&page=1&page_size=10&colour=green",
        what.id, one.legal_entity, one.division
    );
    assert_found(&one, &all, &[wanted]).await;
    assert_found(&one, &all.replace("REJECTED", "NEW"), &[]).await;
    assert_found(&one, &format!("{all}&care_plan_id={}", Uuid::nil()), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_08_the_third_page_has_the_last_row() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let mut ids = Vec::new();
    for _ in 0..21 {
        ids.push(rejected(&one, &what).await);
    }
    ids.reverse();
    for (page, expected) in [(1, &ids[..10]), (2, &ids[10..20]), (3, &ids[20..]), (4, &[])] {
        let answer = search(&one, &format!("page_size=10&page={page}")).await;
        assert_eq!(found(&answer), (expected.to_vec(), 21), "page {page}");
        let paging =
            json!({"page_number": page, "page_size": 10, "total_entries": 21, "total_pages": 3});
        assert_eq!(answer.body["paging"], paging);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x_33_who_asks_for_another_company_finds_nothing() {
    let (_database, _instance, world, one, other) = opened().await;
    rejected(&other, &world.prescribed(Terms::InParts, 0)).await;
    rejected(&one, &world.prescribed(Terms::InParts, 1)).await;
    let query = format!("legal_entity_id={}&page=3&page_size=10", other.legal_entity);
    let answer = search(&one, &query).await;
    assert_eq!(answer.body["data"], json!([]));
    let paging = json!({"page_number": 1, "page_size": 50, "total_entries": 0, "total_pages": 1});
    assert_eq!(answer.body["paging"], paging);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_found_at_once() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    for _ in 0..40 {
        let id = one.dispense(&what, 20).await.expect(201).id();
        assert_found(&one, &format!("id={id}&status=NEW"), &[id]).await;
        one.cancel(id).await.expect(200);
        assert_found(&one, &format!("id={id}&status=REJECTED"), &[id]).await;
    }
}

/// The follower is held back, as one that lags would be: a search answers anyway.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_waits_for_its_follower_and_not_for_ever() {
    let (database, _instance, world, one, _other) = opened().await;
    let before = rejected(&one, &world.prescribed(Terms::InParts, 0)).await;
    database.followed().await;
    let mut lease = database.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM followers FOR UPDATE").execute(&mut *lease).await.unwrap();
    let held = one.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201).id();
    assert_found(&one, "", &[before]).await;
    lease.rollback().await.unwrap();
    database.followed().await;
    assert_found(&one, "", &[held, before]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_rebuild_change_nothing_that_is_found() {
    let (database, mut instance, world, one, _other) = opened().await;
    for n in 0..3 {
        rejected(&one, &world.prescribed(Terms::InParts, n)).await;
        one.dispense(&world.prescribed(Terms::InParts, n), 20).await.expect(201);
        one.dispense(&world.prescribed(Terms::InPartsAtOnce, n), 20).await.expect(201);
    }
    let kept = search(&one, "page_size=300").await;
    assert_eq!(found(&kept).1, 9);
    instance.start_again().await;
    let again = search(&one, "page_size=300").await;
    assert_eq!(again.body["data"], kept.body["data"], "after a crash");

    database
        .execute("DELETE FROM followers WHERE name = 'dispenses'; TRUNCATE dispenses_v1, dispense_items_v1;")
        .await;
    let rebuilt = eventually("a model that is read again", Duration::from_mins(1), async || {
        Some(search(&one, "page_size=300").await).filter(|answer| found(answer).1 == 9)
    })
    .await;
    assert_eq!(rebuilt.body["data"], kept.body["data"]);
}
