//! Holds that run out: over at once for everybody, and written down later.

use std::time::Duration;

use crate::harness::{Audit, Database, Instance, Pharmacy, Prescribed, Terms, World, eventually};

const SHORT: [(&str, &str); 1] = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];

/// A service whose holds last two seconds.
async fn opened() -> (Database, Instance, Pharmacy, Prescribed) {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start_with(&database, &SHORT).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    (database, instance, pharmacy, world.prescribed(Terms::InParts, 0))
}

async fn read_as_expired(pharmacy: &Pharmacy, id: uuid::Uuid) {
    eventually("a hold that has run out", Duration::from_mins(1), async || {
        let seen = pharmacy.look_at(id).await.expect(200);
        (seen.body["status"] == "EXPIRED").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_writes_down_what_nobody_came_back_for() {
    let (database, _instance, pharmacy, what) = opened().await;
    let held = pharmacy.dispense(&what, 60).await.expect(201);
    read_as_expired(&pharmacy, held.id()).await;
    pharmacy.cancel(held.id()).await.refused(409, "wrong-status");
    eventually("the sweep", Duration::from_mins(1), async || {
        let seen = pharmacy.look_at(held.id()).await.expect(200);
        (seen.header("etag") == Some("\"2-EXPIRED\"")).then_some(())
    })
    .await;
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Expired"]);
    database.followed().await;
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM open_holds")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(open, 0);
}

/// The follower is held back, so that the sweep learns of nothing, as one that lags would.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_ran_out_makes_room_before_it_is_written_down() {
    let (database, _instance, pharmacy, what) = opened().await;
    database.followed().await;
    let mut lease = database.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM followers FOR UPDATE").execute(&mut *lease).await.unwrap();

    let held = pharmacy.dispense(&what, 60).await.expect(201);
    read_as_expired(&pharmacy, held.id()).await;
    let seen = pharmacy.look_at(held.id()).await.expect(200);
    assert_eq!(seen.header("etag"), Some("\"1-EXPIRED\""), "read as expired before it is recorded");
    let balance = pharmacy.balance(&what).await.expect(200);
    assert_eq!((&balance.body["held"], &balance.body["available"]), (&0.into(), &60.into()));
    // A refusal records nothing.
    pharmacy.dispense(&what, 70).await.refused(422, "quantity-exceeds-available");
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated"]);

    pharmacy.dispense(&what, 60).await.expect(201);
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Expired", "HoldCreated"]);
    let events = audit.of_request(what.id);
    assert_eq!(events[1].transaction, events[2].transaction, "one commit");
    assert_eq!(events[1].position + 1, events[2].position);

    lease.rollback().await.unwrap();
    database.followed().await;
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM open_holds")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert!(open <= 1, "only the second hold may still be open");
}
