//! The database goes away and comes back: everybody is told, nobody waits long, and the service
//! recovers by itself.

use std::time::Duration;

use crate::harness::{Audit, Database, Instance, OwnServer, Pharmacy, Terms, World, eventually};

/// How long an answer may take while the database is away.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// How often at most everything is asked once more, because the machine did nothing for a while.
const TRIES: usize = 4;

/// How long it may take until everybody has noticed.
const NOTICED_WITHIN: Duration = Duration::from_mins(1);

struct Opened {
    server: OwnServer,
    database: Database,
    instance: Instance,
    world: World,
    pharmacy: Pharmacy,
}

async fn opened() -> Opened {
    let server = OwnServer::start().await;
    let database = Database::on(server.url()).await;
    let world = World::new(1, 20);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    // Every writer has a connection that may break.
    for what in world.all(Terms::InParts) {
        pharmacy.dispense(&what, 10).await.expect(201);
    }
    Opened { server, database, instance, world, pharmacy }
}

impl Opened {
    /// Everything is answered in time, with the reason.
    async fn assert_away(&self) {
        for _ in 0..TRIES {
            let took = self.slowest_while_away().await;
            if took < ANSWERED_WITHIN {
                return;
            }
            println!("once more, after an answer that took {took:?}");
        }
        panic!("nobody is answered in time");
    }

    /// Everything is answered with the reason; says how long the slowest answer took. An import is two
    /// questions.
    async fn slowest_while_away(&self) -> Duration {
        let mut slowest = Duration::ZERO;
        let orders: Vec<_> = self.world.all(Terms::InPartsAtOnce);
        let asked = orders.iter().map(|what| self.pharmacy.dispense(what, 10));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(["busy", "unavailable"].contains(&answer.code()), "{answer:?}");
            slowest = slowest.max(answer.took);
        }
        let what = self.world.prescribed(Terms::InParts, 0);
        let balance = self.pharmacy.balance(&what).await.refused(503, "unavailable");
        let report = self.pharmacy.import(&self.world.lines()).await.refused(503, "unavailable");
        slowest = slowest.max(balance.took).max(report.took / 2);

        eventually("the reason why no command can be carried out", NOTICED_WITHIN, async || {
            let (status, body) = self.instance.readiness().await;
            assert_eq!(status, 503, "{body}");
            let checks = body["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["status"] == "unavailable").unwrap();
            // All checks together have their time, and are over it where the machine is.
            let is_told = check["name"] == "database"
                && check["detail"].as_str().is_some_and(|text| text.len() > 15);
            is_told.then_some(())
        })
        .await;
        slowest
    }

    /// Everything works again, without anybody's help.
    async fn assert_back(&self) {
        eventually("a service that is ready again", NOTICED_WITHIN, async || {
            (self.instance.readiness().await.0 == 200).then_some(())
        })
        .await;
        for what in self.world.all(Terms::InPartsAtOnce) {
            let order = self.pharmacy.order(&what, 10);
            eventually("a writer that writes again", NOTICED_WITHIN, async || {
                let answer = self.pharmacy.send(&order).await;
                assert!([201, 503].contains(&answer.status), "{answer:?}");
                (answer.status == 201).then_some(())
            })
            .await;
        }
        Audit::of(&self.database).await;
        self.database.followed().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_stopped_is_told_of_and_comes_back() {
    let opened = opened().await;
    opened.server.stop().await;
    opened.assert_away().await;
    opened.server.start_again().await;
    opened.assert_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_told_of_and_comes_back() {
    let opened = opened().await;
    opened.server.freeze(true);
    opened.assert_away().await;
    opened.server.freeze(false);
    opened.assert_back().await;
}
