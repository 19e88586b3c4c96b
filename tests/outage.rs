//! The database goes away and comes back: everybody is told, nobody waits long, and the service
//! recovers by itself.

use std::time::Duration;

use crate::harness::{Audit, Database, Instance, OwnServer, Pharmacy, Terms, World, eventually};

/// How long an answer may take while the database is away.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// How long it may take until everybody has noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

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
        let orders: Vec<_> = self.world.all(Terms::InPartsAtOnce);
        let asked = orders.iter().map(|what| self.pharmacy.dispense(what, 10));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(["busy", "unavailable"].contains(&answer.code()), "{answer:?}");
            assert!(answer.took < ANSWERED_WITHIN, "{answer:?}");
        }
        let what = self.world.prescribed(Terms::InParts, 0);
        let balance = self.pharmacy.balance(&what).await.refused(503, "unavailable");
        assert!(balance.took < ANSWERED_WITHIN, "{balance:?}");
        let report = self.pharmacy.import(&self.world.lines()).await.refused(503, "unavailable");
        assert!(report.took < ANSWERED_WITHIN * 2, "{report:?}");

        let (status, body) = self.instance.readiness().await;
        assert_eq!(status, 503, "{body}");
        let checks = body["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["status"] == "unavailable").unwrap();
        assert_eq!(check["name"], "database");
        assert!(check["detail"].as_str().is_some_and(|text| text.len() > 15), "a reason: {body}");
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
