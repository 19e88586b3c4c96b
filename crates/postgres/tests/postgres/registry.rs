//! The registries in memory, and what is read beside them.

use std::sync::Arc;
use std::time::Duration;

use dispensary::{ClientType, Registry};
use dispense_domain::{CodeTurn, CreateHold, Digest, DispenseDay, Prices, Stated};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::Database;
use crate::sample::{
    CONTRACT, DIVISION, DOSAGE, EMPLOYEE, PARTICIPANT, PARTY, PERSON, PHARMACY, PROGRAM, PROVISION,
    REQUEST, SERVICE, USER, all_kinds, importer, lines, party, request, with,
};

async fn import(database: &Database, texts: impl IntoIterator<Item = Value>) {
    let faulty = database.importer().import(lines(texts), &importer()).await.unwrap();
    assert_eq!(faulty, []);
}

fn surname(registry: &dispensary::Registries, party: Uuid) -> &str {
    registry.parties[&party.into()].last_name.as_str()
}

#[tokio::test]
async fn each_kind_is_found_under_its_id() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let now = database.registry().refresh().await.unwrap();

    assert_eq!(now.version, 1);
    assert_eq!(now.legal_entities[&PHARMACY.into()].name.as_str(), "Аптека № 1");
    assert_eq!(now.divisions[&DIVISION.into()].legal_entity_id, PHARMACY.into());
    assert_eq!(now.healthcare_services[&SERVICE].division_id, DIVISION.into());
    assert_eq!(surname(&now, PARTY), "Коваль");
    assert_eq!(now.party_users[&USER.into()].party_id, PARTY.into());
    assert_eq!(now.employees[&EMPLOYEE.into()].party_id, PARTY.into());
    assert_eq!(now.contracts[&CONTRACT].division_ids, [DIVISION.into()]);
    assert!(now.medical_programs[&PROGRAM.into()].medical_program_settings.multi_dispense());
    assert_eq!(now.provisions[&PROVISION].division_id, DIVISION.into());
    assert_eq!(now.medications[&DOSAGE.into()].id, DOSAGE.into());
    let participant = &now.program_medications[&PARTICIPANT];
    assert_eq!(participant.reimbursement.reimbursement_amount.to_string(), "16.56");
}

#[tokio::test]
async fn a_command_finds_the_job_of_its_user_and_the_participants_of_its_brands() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let now = database.registry().refresh().await.unwrap();
    let item = json!({"medication_id": DOSAGE, "quantity": "1"});
    let command = CreateHold {
        dispense_id: REQUEST.into(),
        medication_request_id: REQUEST.into(),
        user: USER.into(),
        client: PHARMACY.into(),
        division_id: DIVISION.into(),
        medical_program_id: Some(PROGRAM.into()),
        dispensed_on: "2026-01-31".parse().unwrap(),
        dispense_day: DispenseDay::Bounded,
        dispensed_by: None,
        verification_code: None,
        code_turn: CodeTurn::Last,
        items: vec![serde_json::from_value(item).unwrap()],
        prices: Prices::AsStated,
        note: None,
        payment_id: Stated::Absent,
        payment_amount: Stated::Absent,
        key_digest: Digest::of(&[b"key"]),
    };
    let evidence = now.evidence(&command, None, &Arc::default());
    assert_eq!(evidence.employees[0].id, EMPLOYEE.into());
    assert_eq!(evidence.participants[0][0].id, PARTICIPANT.into());
}

#[tokio::test]
async fn what_another_instance_imports_is_seen_after_a_refresh() {
    let database = Database::new().await;
    let here = database.registry();
    assert_eq!(here.refresh().await.unwrap().version, 0);
    import(&database, [party("Коваль")]).await;
    assert_eq!(here.current().version, 0, "nobody asks the database unasked");

    let first = here.refresh().await.unwrap();
    assert_eq!((first.version, surname(&first, PARTY)), (1, "Коваль"));
    assert!(Arc::ptr_eq(&first, &here.current()));
    let same = here.refresh().await.unwrap();
    assert!(Arc::ptr_eq(&first, &same), "nothing new, nothing copied");

    import(&database, [party("Бондар")]).await;
    let second = here.refresh().await.unwrap();
    assert_eq!((second.version, surname(&second, PARTY)), (2, "Бондар"));
    assert_eq!(surname(&first, PARTY), "Коваль", "a snapshot stays what it is");
}

#[tokio::test]
async fn a_version_that_is_held_already_needs_no_look() {
    let database = Database::new().await;
    let here = database.registry();
    import(&database, [party("Коваль")]).await;
    let held = here.at_least(1).await.unwrap();
    assert_eq!(held.version, 1);
    import(&database, [party("Бондар")]).await;
    assert!(Arc::ptr_eq(&held, &here.at_least(1).await.unwrap()));
    assert_eq!(surname(&here.at_least(2).await.unwrap(), PARTY), "Бондар");
    // One that is not there yet is answered with what is.
    assert_eq!(here.at_least(9).await.unwrap().version, 2);
}

#[tokio::test]
async fn an_import_through_the_registry_is_seen_at_once() {
    let database = Database::new().await;
    let here = database.registry();
    let faulty = here.import(lines(all_kinds()), &importer()).await.unwrap();
    assert_eq!(faulty, []);
    assert_eq!(here.current().version, 1);
    assert_eq!(here.client_type(PHARMACY.into()), Some(ClientType::Pharmacy));
    assert_eq!(here.client_type(DIVISION.into()), None);
}

#[tokio::test]
async fn a_request_comes_with_what_it_points_at() {
    let database = Database::new().await;
    let here = database.registry();
    assert!(here.request(REQUEST.into()).await.unwrap().is_none());

    import(&database, all_kinds()).await;
    here.refresh().await.unwrap();
    let found = here.request(REQUEST.into()).await.unwrap().unwrap();
    assert_eq!(found.request.id, REQUEST.into());
    assert_eq!(found.person.unwrap().id, PERSON.into());
    assert_eq!(found.employee.unwrap().id, EMPLOYEE.into());
    assert_eq!(found.doctor.unwrap().id, PARTY.into());
    assert_eq!(found.legal_entity.unwrap().id, PHARMACY.into());
    assert_eq!(found.division.unwrap().id, DIVISION.into());
    assert_eq!(found.medication.unwrap().id, DOSAGE.into());
    assert_eq!(found.program.unwrap().id, PROGRAM.into());

    // What it points at may come later.
    let stranger = Uuid::from_u128(1);
    import(&database, [with(&request(stranger), "person_id", stranger.to_string())]).await;
    let found = here.request(stranger.into()).await.unwrap().unwrap();
    assert!(found.person.is_none());
}

#[tokio::test]
async fn a_number_names_the_request_that_has_it_alone() {
    let database = Database::new().await;
    let here = database.registry();
    let number = "0000-243P-1X53-EH38".try_into().unwrap();
    assert_eq!(here.request_by_number(&number).await.unwrap(), None);

    import(&database, [request(REQUEST)]).await;
    assert_eq!(here.request_by_number(&number).await.unwrap(), Some(REQUEST.into()));
    let small = "0000-243p-1x53-eh38".try_into().unwrap();
    assert_eq!(here.request_by_number(&small).await.unwrap(), None);

    // A registry that gave a number twice has told nobody which of them it means.
    import(&database, [request(Uuid::from_u128(1))]).await;
    assert_eq!(here.request_by_number(&number).await.unwrap(), None);
}

/// Writes as many parties as several pages hold, all with the version that follows.
async fn many_parties(database: &Database, count: i32) {
    sqlx::query("UPDATE registry_version SET version = version + 1")
        .execute(&database.admin)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO registry_entries (kind, id, data, version)
         SELECT 'party', id,
                json_build_object('id', id, 'first_name', 'І', 'last_name', 'x0'), version
         FROM registry_version,
              LATERAL (SELECT lpad(to_hex(65536 + n), 32, '0')::uuid AS id
                       FROM generate_series(1, $1) n) ids",
    )
    .bind(count)
    .execute(&database.admin)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_registry_of_many_pages_is_read_to_its_end() {
    let database = Database::new().await;
    many_parties(&database, 4_000).await;
    let now = database.registry().refresh().await.unwrap();
    assert_eq!((now.version, now.parties.len()), (1, 4_000), "two pages, and none is left");
    import(&database, all_kinds()).await;
    let now = database.registry().refresh().await.unwrap();
    assert_eq!((now.version, now.parties.len(), now.employees.len()), (2, 4_001, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn version_and_records_agree_while_others_import() {
    let database = Database::new().await;
    many_parties(&database, 4_500).await;
    let (first, last) = (Uuid::from_u128(0x1_0001), Uuid::from_u128(0x1_0000 + 4_500));
    let both =
        move |n: i64| [first, last].map(|id| with(&party(&format!("x{n}")), "id", id.to_string()));
    let instance = database.importer();
    let enough = CancellationToken::new();
    let until = enough.clone();
    let importing = tokio::spawn(async move {
        let mut imported = 0;
        while !until.is_cancelled() {
            imported += 1;
            let faulty = instance.import(lines(both(imported)), &importer()).await.unwrap();
            assert_eq!(faulty, []);
        }
        imported
    });
    let mut seen = std::collections::BTreeSet::new();
    let kept = database.registry();
    while seen.len() < 20 {
        for now in [database.registry().refresh().await, kept.refresh().await] {
            let now = now.unwrap();
            let expected = format!("x{}", now.version - 1);
            assert_eq!((surname(&now, first), surname(&now, last)), (&*expected, &*expected));
            assert_eq!(now.parties.len(), 4_500);
            seen.insert(now.version);
        }
    }
    enough.cancel();
    let imported = importing.await.unwrap();
    assert_eq!(kept.refresh().await.unwrap().version, imported + 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_out_and_the_others_are_not() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let here = database.registry();
    here.refresh().await.unwrap();
    sqlx::query("UPDATE registry_version SET version = 2").execute(&database.admin).await.unwrap();
    sqlx::query(
        "UPDATE registry_entries SET version = 2,
             data = CASE kind WHEN 'party' THEN '{\"name\": \"of another time\"}' ELSE data END
         WHERE kind IN ('party', 'division')",
    )
    .execute(&database.admin)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO registry_entries (kind, id, data, version)
         VALUES ('starship', gen_random_uuid(), '{}', 2)",
    )
    .execute(&database.admin)
    .await
    .unwrap();

    let now = here.refresh().await.unwrap();
    assert_eq!(now.version, 2);
    assert!(!now.parties.contains_key(&PARTY.into()), "what it was is not what it is");
    assert!(now.divisions.contains_key(&DIVISION.into()));
    assert!(now.legal_entities.contains_key(&PHARMACY.into()));
}

#[tokio::test]
async fn a_database_that_was_restored_is_read_from_the_beginning() {
    let database = Database::new().await;
    import(&database, all_kinds()).await;
    let here = database.registry();
    import(&database, [party("Бондар")]).await;
    assert_eq!(here.refresh().await.unwrap().version, 2);

    sqlx::query("UPDATE registry_version SET version = 1").execute(&database.admin).await.unwrap();
    sqlx::query("DELETE FROM registry_entries WHERE version = 2")
        .execute(&database.admin)
        .await
        .unwrap();
    let now = here.refresh().await.unwrap();
    assert_eq!((now.version, now.parties.len(), now.divisions.len()), (1, 0, 1));
}

#[tokio::test]
async fn registries_are_kept_fresh_until_told_to_stop() {
    let database = Database::new().await;
    let here = Arc::new(database.registry());
    let stop = CancellationToken::new();
    let keeping = here.clone().keep_fresh(Duration::from_millis(5), stop.clone());
    let keeping = tokio::spawn(keeping);
    import(&database, [party("Коваль")]).await;
    let seen = tokio::time::timeout(Duration::from_mins(1), async {
        while here.current().version < 1 {
            tokio::task::yield_now().await;
        }
    });
    seen.await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_mins(1), keeping).await.unwrap().unwrap();
}
