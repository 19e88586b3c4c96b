//! Processes are killed and PostgreSQL crashes while many dispense: nothing acknowledged is lost,
//! nothing is done twice.

use std::time::Duration;

use rand::Rng;

use crate::harness::{Audit, Crowd, Database, Instance, OwnServer, Terms, Told, World, shuffled};

/// How long the clients go on, and how many there are.
const LASTING: Duration = Duration::from_secs(40);
const CLIENTS: usize = 32;

/// How many commands are enough.
const ENOUGH: usize = 200;

/// How many answers are asked for again.
const ASKED_AGAIN: usize = 300;

#[derive(Clone, Copy)]
enum Blow {
    Kill(usize),
    Crash,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let server = OwnServer::start().await;
    let database = Database::on(server.url()).await;
    let world = World::new(8, 40);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];
    let mut instances = [
        Instance::start_with(&database, &short).await,
        Instance::start_with(&database, &short).await,
    ];
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: instances.iter().map(|instance| instance.url.clone()).collect(),
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    let crowd = tokio::spawn(crowd.go_on_until_done(CLIENTS, LASTING, ENOUGH));
    let blows = [Blow::Kill(0), Blow::Kill(1), Blow::Crash];
    for blow in shuffled([blows; 4].concat()) {
        pause(300..1_200).await;
        match blow {
            Blow::Kill(n) => instances[n].start_again().await,
            Blow::Crash => {
                server.crash().await;
                pause(0..500).await;
                server.start_again().await;
            }
        }
    }
    let told = crowd.await.unwrap();
    for instance in &mut instances {
        instance.wait_until_ready().await;
    }

    let audit = Audit::of(&database).await;
    audit.confirms(&told);
    let done: Vec<Told> = shuffled(told.into_iter().filter(Told::is_done).collect());
    println!("{} were done; {} events", done.len(), audit.entries.len());
    for told in done.iter().take(ASKED_AGAIN) {
        assert_answered_alike(told, &world, &instances[0]).await;
    }
    let after = Audit::of(&database).await;
    after.confirms(&done);
    database.followed().await;
}

async fn pause(milliseconds: std::ops::Range<u64>) {
    let pause = rand::rng().random_range(milliseconds);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// A retry with its key gets the first answer.
async fn assert_answered_alike(told: &Told, world: &World, instance: &Instance) {
    let first = told.answer.as_ref().unwrap();
    let owner = world.pharmacies.iter().find(|it| it.legal_entity == told.legal_entity).unwrap();
    let again = owner.at(instance).send(&told.order).await.expect(first.status);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("dispense-position"), first.header("dispense-position"));
}
