//! A connection that breaks at COMMIT, and a backend that dies in it: nobody gets a wrong answer.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::harness::{
    Answer, Audit, Crowd, Database, Instance, Mischief, Order, OwnServer, Proxy, Terms, Told,
    World, done, eventually,
};

const EVERY_KIND: [Mischief; 4] =
    [Mischief::CutBefore, Mischief::CutAfter, Mischief::StallBefore, Mischief::StallAfter];

/// How long an answer may take whose outcome nobody can learn.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// How often at most something is done again because the machine had no time for it.
const TRIES: usize = 4;

/// How many backends die while they commit, and how soon, so that nobody has waited for long.
const DEATHS: usize = 4;
const IN_TIME: Duration = Duration::from_secs(1);

/// A backend of a writer, or now and then one for reading, in this database.
const VICTIM: &str = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'dispense%'
     AND datname = current_database() ORDER BY random() LIMIT 1";

/// An instance whose database is at the other end of a wire.
async fn behind_a_wire(database: &Database) -> (Proxy, Instance) {
    let proxy = Proxy::to(&database.serving_url).await;
    let url = proxy.url(&database.serving_url);
    let instance = Instance::start_with(database, &[("DATABASE_URL", &url)]).await;
    (proxy, instance)
}

async fn terminate_backends(database: &Database, lasting: Duration) -> usize {
    let (start, mut terminated) = (Instant::now(), 0);
    let terminate = format!("SELECT pg_terminate_backend(pid) FROM ({VICTIM}) victim");
    while start.elapsed() < lasting {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let done = sqlx::query(&terminate).fetch_optional(&database.pool).await.unwrap();
        terminated += usize::from(done.is_some());
    }
    terminated
}

/// Whatever happens to a COMMIT, its outcome can be learnt on a new connection: 201 and 200 are in
/// the log, refusals and 503 are not.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_lost_commit_is_learnt() {
    const LASTING: Duration = Duration::from_secs(15);
    let database = Database::new().await;
    let world = World::new(8, 40);
    database.import(&world.lines());
    let (proxy, instance) = behind_a_wire(&database).await;
    let (second_proxy, second) = behind_a_wire(&database).await;
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: vec![instance.url.clone(), second.url.clone()],
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: false,
    };
    // A stall keeps everybody waiting, so there are fewer of them.
    let kinds = [[Mischief::CutBefore, Mischief::CutAfter].repeat(4), EVERY_KIND.to_vec()].concat();
    proxy.misbehave(&kinds, 10);
    second_proxy.misbehave(&kinds, 10);
    let (mut all, mut terminated) = (Vec::new(), 0);
    for round in 1..=TRIES {
        let going_on = tokio::spawn(crowd.clone().go_on(24, LASTING));
        terminated += terminate_backends(&database, LASTING).await;
        let told = going_on.await.unwrap();
        assert!(told.iter().all(|told| told.answer.is_some()), "every command is answered");
        all.extend(told);
        let unknown = all.iter().filter(|told| told.code() == "outcome-unknown").count();
        let asked = all.len();
        let (done, lost) = (done(&all), proxy.done() + second_proxy.done());
        println!(
            "{asked} asked, {done} done, {unknown} unknown, {lost} commits lost, {terminated} terminated"
        );
        // It could be learnt every time: only a machine that is far too slow for a moment leaves it open.
        let is_known = unknown * 100 <= asked;
        if is_known && done > 100 && lost > 20 && terminated > 20 {
            break;
        }
        assert!(round < TRIES, "too little happened, or {unknown} of {asked} outcomes are unknown");
    }
    Audit::of(&database).await.confirms(&all);
}

/// When nobody can get through to the database any more, the outcome is unknown, and said to be.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_cannot_be_learnt_is_unknown() {
    let database = Database::new().await;
    let world = World::new(1, EVERY_KIND.len() * TRIES);
    database.import(&world.lines());
    let (proxy, mut instance) = behind_a_wire(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    for (n, kind) in EVERY_KIND.into_iter().enumerate() {
        let mut tries = n * TRIES..(n + 1) * TRIES;
        // Nobody waits longer than that, but where the machine does nothing for a while.
        let (order, answer) = loop {
            let nth = tries.next().unwrap_or_else(|| panic!("{kind:?}: no answer in time"));
            let order = pharmacy.order(&world.prescribed(Terms::InParts, nth), 20);
            proxy.misbehave(&[kind], 100);
            proxy.shut_at_next();
            let answer = pharmacy.send(&order).await;
            proxy.behave();
            instance.wait_until_ready().await;
            if answer.took < ANSWERED_WITHIN && answer.code() != "busy" {
                break (order, answer);
            }
            println!("{kind:?}: once more, after {answer:?}");
        };
        answer.refused(503, "outcome-unknown");

        let told = Told { order, legal_entity: pharmacy.legal_entity, answer: None };
        let committed = Audit::of(&database).await.by_key(&told.key_digest()).len() == 1;
        let arrived = matches!(kind, Mischief::CutAfter | Mischief::StallAfter);
        assert_eq!(committed, arrived, "{kind:?}");
        let again = pharmacy.send(&told.order).await.expect(201);
        let replayed = again.header("idempotency-replayed") == Some("true");
        assert_eq!(replayed, committed, "{kind:?}");
        let told = Told { answer: Some(again), ..told };
        Audit::of(&database).await.confirms([&told]);
    }
}

/// What is read for the answer alone must not be able to fail once the command is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_leaves_no_doubt() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201);

    // Nobody can read a personal body now. A cancellation that says nothing writes none.
    let mut lock = database.pool.begin().await.unwrap();
    let statement = "LOCK TABLE personal_bodies IN ACCESS EXCLUSIVE MODE";
    sqlx::query(statement).execute(&mut *lock).await.unwrap();
    let mut order = Order::cancelling(held.id());
    order.body = serde_json::json!({});
    let answer = pharmacy.send(&order).await;
    lock.rollback().await.unwrap();
    let told = Told { order, legal_entity: pharmacy.legal_entity, answer: Some(answer) };
    Audit::of(&database).await.confirms([&told]);

    let done = pharmacy.send(&told.order).await.expect(200);
    assert_eq!(done.body["status"], "CANCELLED");
}

/// A backend that waits for a standby holds its locks, though its commit is written already: the
/// worst place to be terminated in.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_dies_while_it_commits_has_committed() {
    let server = OwnServer::start().await;
    let database = Database::on(server.url()).await;
    let world = World::new(1, DEATHS * TRIES);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let mut deaths = 0;
    for n in 0..DEATHS * TRIES {
        if deaths == DEATHS {
            break;
        }
        database.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
        database.execute("SELECT pg_reload_conf()").await;
        let order = pharmacy.order(&world.prescribed(Terms::InParts, n), 20);
        let asked = Instant::now();
        let asking = tokio::spawn({
            let (pharmacy, order) = (pharmacy.clone(), order.clone());
            async move { pharmacy.send(&order).await }
        });
        let victim = waits_for_a_standby(&database, &asking).await;
        if let Some(victim) = victim {
            let terminate = format!("SELECT pg_terminate_backend({victim})");
            database.execute(&terminate).await;
        }
        let is_late = asked.elapsed() > IN_TIME;
        // Only the dying backend's own commit waited; reading the outcome needs no standby. Whoever died
        // when everybody had waited for long died too late, on a machine that did nothing meanwhile.
        let answer = asking.await.unwrap();
        let is_in_time = victim.is_some() && !(is_late && answer.code() == "outcome-unknown");
        deaths += usize::from(is_in_time);
        let answer = if is_in_time { answer.expect(201) } else { answer };
        database.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
        database.execute("SELECT pg_reload_conf()").await;
        let told = Told { order, legal_entity: pharmacy.legal_entity, answer: Some(answer) };
        Audit::of(&database).await.confirms([&told]);
    }
    assert_eq!(deaths, DEATHS, "too few died while they committed");
}

/// The writer's backend, once it waits in COMMIT; none if it has not waited, because the server had not
/// read yet that it should.
async fn waits_for_a_standby(database: &Database, asking: &JoinHandle<Answer>) -> Option<i32> {
    let waiting = "SELECT pid FROM pg_stat_activity
         WHERE application_name = 'dispense writer' AND wait_event = 'SyncRep'";
    eventually("a commit that waits for a standby", Duration::from_mins(1), async || {
        let is_over = asking.is_finished();
        let found = sqlx::query_scalar(waiting).fetch_optional(&database.pool).await.unwrap();
        (found.is_some() || is_over).then_some(found)
    })
    .await
}
