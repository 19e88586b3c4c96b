//! SIGTERM under load: what was accepted is answered, and the process ends well.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::{Audit, Crowd, Database, Instance, Terms, Told, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn everything_accepted_is_answered_before_the_end() {
    let database = Database::new().await;
    let world = World::new(4, 40);
    database.import(&world.lines());
    let mut instance = Instance::start(&database).await;
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: vec![instance.url.clone()],
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: false,
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let crowd = tokio::spawn(async move {
        let mut told = Vec::new();
        while !*stopped.borrow() {
            told.extend(crowd.clone().go_on(32, Duration::from_secs(1)).await);
        }
        told
    });
    eventually("a log that grows", Duration::from_mins(1), async || {
        let count = "SELECT sum(position)::bigint FROM log_head";
        let events: i64 = sqlx::query_scalar(count).fetch_one(&database.pool).await.ok()?;
        (events > 200).then_some(())
    })
    .await;
    instance.terminate();
    let status = instance.wait(Duration::from_secs(15));
    assert!(status.success(), "{status}:\n{}", instance.said());
    stop.send_replace(true);

    let told = crowd.await.unwrap();
    let audit = Audit::of(&database).await;
    audit.confirms(&told);
    let answered: BTreeSet<String> =
        told.iter().filter(|told| told.is_done()).map(Told::key_digest).collect();
    let unanswered: Vec<&str> = audit.keys().filter(|key| !answered.contains(*key)).collect();
    assert!(unanswered.is_empty(), "done, but never answered: {unanswered:?}");
    assert!(answered.len() > 50, "{} were answered", answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_service_ends_at_once() {
    let database = Database::new().await;
    let mut instance = Instance::start(&database).await;
    instance.terminate();
    assert!(instance.wait(Duration::from_secs(10)).success(), "{}", instance.said());
}
