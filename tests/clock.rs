//! The database's clock is stepped, forward and back.

use std::time::Duration;

use crate::harness::{
    Audit, Database, Instance, OwnServer, Pharmacy, Prescribed, Terms, World, eventually,
};

const HOUR: i64 = 3_600;

/// A service on a server whose clock can be stepped.
struct Stepped {
    server: OwnServer,
    database: Database,
    instance: Instance,
    pharmacy: Pharmacy,
    what: Prescribed,
}

/// None without libfaketime: `scripts/install test` brings it, and `make test` runs that.
async fn opened() -> Option<Stepped> {
    let server = match OwnServer::built(dispense_embedded::Builder::stepped_clock).await {
        Ok(server) => server,
        Err(missing @ dispense_embedded::Error::NotInstalled { .. }) => {
            println!("NOT TESTED, because the clock cannot be stepped: {missing}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let database = Database::on(server.url()).await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let what = world.prescribed(Terms::InParts, 0);
    Some(Stepped { server, database, instance, pharmacy, what })
}

impl Stepped {
    /// Whatever is asked, nothing is written.
    async fn refuses_to_write(&self) {
        let before = Audit::of(&self.database).await.entries.len();
        self.pharmacy.dispense(&self.what, 10).await.refused(503, "clock-unsound");
        self.pharmacy.balance(&self.what).await.expect(200);
        let after = Audit::of(&self.database).await.entries.len();
        assert_eq!(after, before);
    }
}

/// A step forward would end every hold. It ends none: nothing is written, and when the clock is set
/// right, the hold still lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_forward_ends_no_hold() {
    let Some(stepped) = opened().await else { return };
    let Stepped { server, database, instance, pharmacy, what } = &stepped;
    let held = pharmacy.dispense(what, 20).await.expect(201);
    database.followed().await;

    server.step_clock(HOUR);
    pharmacy.cancel(held.id()).await.refused(503, "clock-unsound");
    stepped.refuses_to_write().await;
    // Reading is by the database's clock, and harmless.
    assert_eq!(pharmacy.look_at(held.id()).await.expect(200).body["status"], "EXPIRED");
    eventually("a sweep that wanted to end the hold", Duration::from_mins(1), async || {
        instance.said().contains("not ended yet").then_some(())
    })
    .await;
    assert_eq!(Audit::of(database).await.kinds(what.id), ["HoldCreated"]);

    server.step_clock(0);
    assert_eq!(pharmacy.look_at(held.id()).await.expect(200).body["status"], "HELD");
    pharmacy.dispense(what, 20).await.refused(403, "already-held");
    pharmacy.cancel(held.id()).await.expect(200);
    assert_eq!(Audit::of(database).await.kinds(what.id), ["HoldCreated", "Cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_back_is_refused_and_a_small_one_does_not_turn_time_back() {
    let Some(mut stepped) = opened().await else { return };
    let held = stepped.pharmacy.dispense(&stepped.what, 20).await.expect(201);
    stepped.server.step_clock(-HOUR);
    stepped.refuses_to_write().await;
    // A new process has no clock of its own to compare with, but the log.
    stepped.instance.start_again().await;
    stepped.refuses_to_write().await;
    let seen = stepped.pharmacy.look_at(held.id()).await.expect(200);
    assert_eq!(seen.body["status"], "HELD", "reads never go below the log's time");

    stepped.server.step_clock(0);
    stepped.pharmacy.cancel(held.id()).await.expect(200);
    // Clocks are corrected by a few seconds now and then: the audit sees that time stands still.
    stepped.server.step_clock(-2);
    let held = stepped.pharmacy.dispense(&stepped.what, 20).await.expect(201);
    stepped.pharmacy.cancel(held.id()).await.expect(200);
    let audit = Audit::of(&stepped.database).await;
    let kinds = audit.kinds(stepped.what.id);
    assert_eq!(kinds, ["HoldCreated", "Cancelled", "HoldCreated", "Cancelled"]);
}

/// A clock that is ahead from the beginning cannot be told from a right one. Holds end by it; and
/// when it is set right, nothing is written until it has caught up with the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_at_the_start_is_believed_and_then_never_below_the_log() {
    let Some(mut stepped) = opened().await else { return };
    let held = stepped.pharmacy.dispense(&stepped.what, 20).await.expect(201);
    stepped.server.step_clock(HOUR);
    stepped.instance.start_again().await;
    let next = stepped.pharmacy.dispense(&stepped.what, 30).await.expect(201);
    let audit = Audit::of(&stepped.database).await;
    assert_eq!(audit.kinds(stepped.what.id), ["HoldCreated", "Expired", "HoldCreated"]);
    let [first, _, second] = audit.of_request(stepped.what.id)[..] else { panic!("three events") };
    let ahead = (second.recorded_at - first.recorded_at).num_seconds();
    assert!((HOUR..HOUR + 120).contains(&ahead), "{ahead} s between the two");
    let lasts = |answer: &crate::harness::Answer| {
        let instant = |name: &str| -> chrono::DateTime<chrono::Utc> {
            answer.body[name].as_str().unwrap().parse().unwrap()
        };
        (instant("expiresAt") - instant("createdAt")).num_seconds()
    };
    assert_eq!((lasts(&held), lasts(&next)), (600, 600), "ten minutes by the same clock");

    stepped.server.step_clock(0);
    stepped.refuses_to_write().await;
}
