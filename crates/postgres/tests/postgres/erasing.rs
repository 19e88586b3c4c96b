//! Erasing: what goes, what stays and why, and the chain of records.

mod containers;
mod refused;
mod sight;

use dispense_audit::erasure::{self, Erasure};
use dispense_domain::{PartyId, PersonId};
use dispense_postgres::erase::{Earnest, Erased, Order, Place, Report, Signed};
use serde_json::json;
use sqlx::Connection;
use uuid::Uuid;

use crate::world::World;
use sight::Sight;

/// A record of an erasure.
type Row = (i64, String, Uuid, String, String, i64, String, Vec<u8>);

/// The places of one table that were emptied.
fn emptied<'a>(report: &'a Report, table: &str) -> Vec<&'a Place> {
    report.places.iter().filter(|it| it.place == table && it.kept.is_none()).collect()
}

/// Why something of that table was kept.
fn kept<'a>(report: &'a Report, table: &str) -> Vec<&'a str> {
    let of_table = report.places.iter().filter(|it| it.place == table);
    of_table.filter_map(|it| it.kept.as_deref()).collect()
}

fn order(whom: Erased) -> Order {
    Order {
        whom,
        reason: "asked for in letter 17".to_owned(),
        signed: Signed::Removed,
        earnest: Earnest::Done,
    }
}

fn person(id: Uuid) -> Order {
    order(Erased::Person(PersonId::from(id)))
}

fn party(id: Uuid) -> Order {
    order(Erased::Party(PartyId::from(id)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_gone_from_every_place() {
    let sight = Sight::new().await;
    let (patient, request) = (sight.patient(), sight.request());
    sight.annotate(&json!({
        "dosage_instruction": [{"text": "one in the morning"}], "note": "call her daughter",
        "inform_with": {"auth_method_id": "380501112233"},
    }));
    sight.world.change(request, &sight.annotations()).await;
    sight.give_back(&sight.held("key").await).await;
    assert_eq!(sight.count("personal_bodies", "").await, 2, "a hold and its end");

    let report = sight.erase(&person(patient)).await.unwrap();
    assert_eq!(report.records, [1]);
    assert_eq!(emptied(&report, "personal_bodies").len(), 2);
    assert_eq!(sight.count("personal_bodies", "").await, 0);
    assert_eq!(sight.count("persons", &format!("WHERE id = '{patient}'")).await, 0);
    assert_eq!(emptied(&report, "persons").len(), 1);
    assert_eq!(emptied(&report, "registry_salts").len(), 3, "the person, and the request twice");
    let record = sight.record_of_request().await;
    for silent in ["dosage_instruction", "note", "inform_with"] {
        assert_eq!(record.get(silent), None);
    }
    assert_eq!(record["person_id"], json!(patient), "an id names nobody");
    for table in ["events", "access_log", "registry_changes", "medication_requests", "care_plans"] {
        assert!(!kept(&report, table).is_empty(), "{table} says nothing");
    }
    let changes = format!("WHERE id = '{patient}' AND kind = 'person'");
    assert_eq!(sight.count("registry_changes", &changes).await, 2, "it came, and it went");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing_more() {
    let sight = Sight::new().await;
    sight.give_back(&sight.held("key").await).await;
    let first = sight.erase(&person(sight.patient())).await.unwrap();
    let (changes, version) =
        (sight.world.database.changes().await, sight.world.database.version().await);
    let second = sight.erase(&person(sight.patient())).await.unwrap();
    assert_eq!((first.records, second.records), (vec![1], vec![]));
    assert_eq!(second.places.iter().filter(|it| it.kept.is_none()).count(), 0);
    assert_eq!(sight.world.database.changes().await, changes);
    assert_eq!(sight.world.database.version().await, version);
    assert_eq!(sight.count("erasures", "").await, 1);
}

/// It announces what no personal body has a part in, and its lease must not be over meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_the_relay_or_has_it_wait() {
    let sight = Sight::new().await;
    sight.give_back(&sight.held("key").await).await;
    let admin = &sight.world.database.admin;
    sqlx::query(
        "INSERT INTO followers (name, partition, position, hash) VALUES ('relay', 0, 0, '')",
    )
    .execute(admin)
    .await
    .unwrap();
    let mut db = admin.acquire().await.unwrap();
    let mut renewing = db.begin().await.unwrap();
    sqlx::query("UPDATE followers SET leased_until = clock_timestamp() WHERE name = 'relay'")
        .execute(&mut *renewing)
        .await
        .unwrap();
    let report = sight.erase(&person(sight.patient())).await.unwrap();
    assert_eq!(report.records, [1]);
    renewing.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_told_is_not_done() {
    let sight = Sight::new().await;
    sight.give_back(&sight.held("key").await).await;
    let told =
        sight.erase(&Order { earnest: Earnest::Told, ..person(sight.patient()) }).await.unwrap();
    assert_eq!(told.records, Vec::<i64>::new());
    assert_eq!(emptied(&told, "personal_bodies").len(), 2);
    assert_eq!(sight.count("personal_bodies", "").await, 2);
    assert_eq!(sight.count("erasures", "").await, 0);
    let done = sight.erase(&person(sight.patient())).await.unwrap();
    assert_eq!(done.places, told.places);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacist_is_gone_and_the_jobs_stay() {
    let sight = Sight::new().await;
    let pharmacy = sight.world.pharmacy(0);
    sight.give_back(&sight.held("key").await).await;
    let (version, registries) = (sight.world.database.version().await, sight.registries());
    registries.refresh().await.unwrap();
    assert!(registries.current().parties.contains_key(&pharmacy.party_id.into()));

    let report = sight.erase(&party(pharmacy.party_id)).await.unwrap();
    assert_eq!(emptied(&report, "personal_bodies").len(), 2);
    let kinds: Vec<_> = emptied(&report, "registry_entries")
        .iter()
        .map(|it| it.kind.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(kinds, ["party", "party_user"]);
    assert!(kept(&report, "registry_entries")[0].contains("medication requests point at it"));
    assert!(sight.world.database.version().await > version);
    let names =
        format!("WHERE data::text LIKE '%{}%'", pharmacy.party_name.split(' ').next().unwrap());
    let names = format!("{names} AND id = '{}'", pharmacy.party_id);
    assert_eq!(sight.count("registry_entries", &names).await, 0);

    // Whoever holds the registries in memory hears of it.
    let held = registries.refresh().await.unwrap();
    assert!(!held.parties.contains_key(&pharmacy.party_id.into()));
    assert!(!held.party_users.contains_key(&pharmacy.user_id.into()));
    assert!(held.employees.values().any(|job| job.party_id == pharmacy.party_id.into()));
    assert_eq!(sight.registries().refresh().await.unwrap().parties.len(), held.parties.len());
    assert_eq!(sight.refused("next").await, ["party-not-found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_stays_while_prescriptions_need_the_name() {
    let sight = Sight::new().await;
    sight.give_back(&sight.held("key").await).await;
    let doctor = sight.doctor().await;
    let report = sight.erase(&party(doctor)).await.unwrap();
    assert_eq!(emptied(&report, "personal_bodies").len(), 2, "all that stood beside the dispense");
    let why = kept(&report, "registry_entries");
    assert!(why.iter().any(|why| why.contains("could not be dispensed")), "{why:?}");
    assert!(sight.held_by("next").await, "patients get their medicines");

    sight.give_back(&sight.latest().await).await;
    sight.prescriptions_are_over(doctor).await;
    let report = sight.erase(&party(doctor)).await.unwrap();
    let parties = emptied(&report, "registry_entries");
    assert_eq!(parties.iter().map(|it| it.id).collect::<Vec<_>>(), [Some(doctor)]);
    assert_eq!(sight.erase(&party(doctor)).await.unwrap().records, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_covers_the_one_before() {
    let sight = Sight::new().await;
    sight.give_back(&sight.held("key").await).await;
    sight.erase(&party(sight.world.pharmacy(0).party_id)).await.unwrap();
    sight.erase(&person(sight.patient())).await.unwrap();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, kind, id, reason, by_user,
                (extract(epoch FROM at) * 1000000)::bigint, places::text, hash
         FROM erasures ORDER BY number",
    )
    .fetch_all(&sight.world.database.serving)
    .await
    .unwrap();
    let mut previous = erasure::first(sight.world.database.log_id);
    for (expected, row) in (1..).zip(&rows) {
        let (number, kind, id, reason, by_user, at, places, hash) = row;
        let record = Erasure { number: *number, kind, id: *id, reason, by_user, at: *at, places };
        previous = erasure::next(&previous, &record);
        assert_eq!((*number, &hash[..]), (expected, &previous[..]));
    }
    assert_eq!(rows.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_brings_a_person_back_and_another_run_erases_again() {
    let sight = Sight::new().await;
    sight.erase(&person(sight.patient())).await.unwrap();
    assert_eq!(sight.refused("key").await, ["medication-request-invalid"]);
    sight.import_person().await;
    let held = sight.held("key").await;
    sight.give_back(&held).await;
    let again = sight.erase(&person(sight.patient())).await.unwrap();
    assert_eq!(again.records, [2]);
    assert_eq!(emptied(&again, "personal_bodies").len(), 2);
    assert_eq!(sight.count("personal_bodies", "").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_rewrites_a_record_and_the_service_writes_none() {
    let sight = Sight::new().await;
    sight.erase(&person(sight.patient())).await.unwrap();
    let World { database, .. } = &sight.world;
    for forged in ["UPDATE erasures SET reason = 'x'", "DELETE FROM erasures", "TRUNCATE erasures"]
    {
        let error = sqlx::query(forged).execute(&database.admin).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    for more in ["INSERT INTO erasures SELECT * FROM erasures", "DELETE FROM personal_bodies"] {
        let error = sqlx::query(more).execute(&database.serving).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
    }
}
