//! The process dies, or the connection does, after the container is stored and before anybody knows
//! what became of the event.

use std::time::Duration;

use uuid::Uuid;

use crate::harness::{
    Answer, Audit, Database, Instance, Mischief, Order, PAID, Pharmacy, Prescribed, Proxy, Terms,
    Told, World, eventually,
};

/// How long until a container is stored, or a connection has met with mischief.
const HAPPENS_WITHIN: Duration = Duration::from_mins(1);

/// How many hand-overs may lose their connection, how many have to, and how often at most each of them is
/// tried until so many did.
const LOST: usize = 24;
const ENOUGH: usize = LOST / 3;
const MOST_SERIES: usize = 5;

struct Opened {
    database: Database,
    instance: Instance,
    pharmacy: Pharmacy,
    requests: Vec<Prescribed>,
}

impl Opened {
    async fn with(database: Database, more: &[(&str, &str)], requests: usize) -> Self {
        let world = World::new(1, requests);
        database.import(&world.lines());
        let instance = Instance::start_with(&database, more).await;
        let pharmacy = world.pharmacies[0].at(&instance);
        Self { database, instance, pharmacy, requests: world.all(Terms::InParts) }
    }

    /// The same, with its database at the other end of a wire.
    async fn behind_a_wire(requests: usize) -> (Self, Proxy) {
        let database = Database::new().await;
        let proxy = Proxy::to(&database.serving_url).await;
        let url = proxy.url(&database.serving_url);
        (Self::with(database, &[("DATABASE_URL", &url)], requests).await, proxy)
    }

    async fn held(&self, n: usize) -> Uuid {
        self.pharmacy.dispense(&self.requests[n], 10).await.expect(201).id()
    }

    /// The same order, signed anew.
    async fn signed_anew(&self, held: Uuid, order: &Order) -> Order {
        let anew = self.pharmacy.handing_over(held, PAID).await;
        assert_ne!(anew.body, order.body, "no two signatures are alike");
        Order { key: order.key.clone(), ..anew }
    }

    /// Sends an order while somebody else goes on.
    fn sending(&self, order: &Order) -> tokio::task::JoinHandle<reqwest::Result<Answer>> {
        let (pharmacy, order) = (self.pharmacy.clone(), order.clone());
        tokio::spawn(async move { pharmacy.try_send(&order).await })
    }

    /// The same order is signed anew and sent until it is known what became of it.
    async fn insists(&self, held: Uuid, order: &Order) -> Answer {
        let order = self.signed_anew(held, order).await;
        eventually("an order that is carried out", HAPPENS_WITHIN, async || {
            let answer = self.pharmacy.send(&order).await;
            assert!([200, 503].contains(&answer.status), "{answer:?}");
            (answer.status == 200).then_some(answer)
        })
        .await
    }

    /// The key of the one container that the log names for this dispense.
    async fn named(&self, held: Uuid) -> String {
        let audit = Audit::of(&self.database).await;
        let of_hold = audit.entries.iter().filter(|entry| entry.dispense == held);
        let finals: Vec<_> = of_hold.filter(|entry| entry.kind != "HoldCreated").collect();
        let [only] = finals[..] else { panic!("handed over once: {finals:#?}") };
        assert_eq!(only.kind, "Processed");
        only.payload["content"]["key"].as_str().unwrap().to_owned()
    }

    /// The keys of all containers of this dispense.
    fn stored(&self, held: Uuid) -> Vec<String> {
        let mut keys = self.database.stored();
        keys.retain(|key| key.starts_with(&held.to_string()));
        keys
    }

    fn told(&self, order: Order, answer: Answer) -> Told {
        Told { order, legal_entity: self.pharmacy.legal_entity, answer: Some(answer) }
    }
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// The writer waits for a lock of ours, so that nothing can be committed before the kill.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_container_and_event_leaves_a_container_that_nothing_names() {
    let mut opened = Opened::with(Database::new().await, &[], 1).await;
    let held = opened.held(0).await;
    let order = opened.pharmacy.handing_over(held, PAID).await;
    let mut lock = opened.database.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM log_head FOR UPDATE").execute(&mut *lock).await.unwrap();
    let asking = opened.sending(&order);
    let left = eventually("a container that is stored", HAPPENS_WITHIN, async || {
        opened.stored(held).pop()
    })
    .await;
    opened.instance.kill();
    // On a machine that is too slow for the kill, the writer has given up before.
    if let Ok(answer) = asking.await.unwrap() {
        answer.expect(503);
    }
    assert_eq!(Audit::of(&opened.database).await.kinds(opened.requests[0].id), ["HoldCreated"]);
    lock.rollback().await.unwrap();
    opened.instance.start_again().await;
    assert_eq!(opened.pharmacy.look_at(held).await.expect(200).body["status"], "HELD");

    let done = opened.insists(held, &order).await;
    assert!(!is_replayed(&done), "{done:?}");
    let named = opened.named(held).await;
    assert_ne!(named, left, "the second container was handed over");
    assert_eq!(opened.stored(held).len(), 2);

    // Whatever is signed from now on is one retry more, and is not even stored.
    let again = opened.insists(held, &order).await;
    assert!(is_replayed(&again));
    assert_eq!((&again.body, again.header("etag")), (&done.body, done.header("etag")));
    assert_eq!(opened.named(held).await, named);
    assert_eq!(opened.stored(held).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_commit_leaves_an_answer_for_the_retry() {
    let (mut opened, proxy) = Opened::behind_a_wire(1).await;
    let held = opened.held(0).await;
    let order = opened.pharmacy.handing_over(held, PAID).await;
    proxy.misbehave(&[Mischief::StallAfter], 100);
    let asking = opened.sending(&order);
    eventually("a hand-over in the log", HAPPENS_WITHIN, async || {
        (Audit::of(&opened.database).await.count("Processed") == 1).then_some(())
    })
    .await;
    opened.instance.kill();
    let _broken_or_late = asking.await.unwrap();
    proxy.behave();
    let named = opened.named(held).await;
    opened.instance.start_again().await;

    let done = opened.insists(held, &order).await;
    assert!(is_replayed(&done), "{done:?}");
    assert_eq!(done.body["status"], "COMPLETED");
    assert_eq!(opened.named(held).await, named);
    assert_eq!(opened.stored(held), [named]);
}

/// The backend of the process that is gone may still commit, or it may not: the retry knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_the_commit_is_on_its_way_hands_over_once() {
    let (mut opened, proxy) = Opened::behind_a_wire(4).await;
    for (n, kind) in [Mischief::StallBefore, Mischief::CutBefore].repeat(2).into_iter().enumerate()
    {
        let held = opened.held(n).await;
        let order = opened.pharmacy.handing_over(held, PAID).await;
        let before = proxy.done();
        proxy.misbehave(&[kind], 100);
        let asking = opened.sending(&order);
        eventually("a commit on its way", HAPPENS_WITHIN, async || {
            (proxy.done() > before).then_some(())
        })
        .await;
        opened.instance.kill();
        let _broken_or_late = asking.await.unwrap();
        proxy.behave();
        opened.instance.start_again().await;

        let done = opened.insists(held, &order).await;
        let named = opened.named(held).await;
        let stored = opened.stored(held);
        assert!(stored.contains(&named), "{named} of {stored:?}");
        assert_eq!(stored.len(), if is_replayed(&done) { 1 } else { 2 }, "{stored:?}");
    }
}

/// Whatever becomes of the COMMIT: what is answered is true, and the retry finds out the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_whose_commit_is_lost_is_told_of_rightly() {
    let (opened, proxy) = Opened::behind_a_wire(LOST).await;
    let kinds =
        [Mischief::CutBefore, Mischief::CutAfter, Mischief::StallBefore, Mischief::StallAfter];
    let mut told = Vec::new();
    for n in 0..LOST * MOST_SERIES {
        if n >= LOST && proxy.done() > ENOUGH {
            break;
        }
        let held = opened.held(n % LOST).await;
        let order = opened.pharmacy.handing_over(held, PAID).await;
        proxy.misbehave(&kinds[n % kinds.len()..][..1], 60);
        let first = opened.pharmacy.send(&order).await;
        proxy.behave();
        assert!([200, 503].contains(&first.status), "{first:?}");
        let again = opened.insists(held, &order).await;
        if first.status == 200 {
            assert!(is_replayed(&again), "{first:?} {again:?}");
            assert_eq!(again.body, first.body);
            assert_eq!(again.header("dispense-position"), first.header("dispense-position"));
            assert_eq!(opened.stored(held), [opened.named(held).await]);
        } else if first.code() != "outcome-unknown" {
            assert!(!is_replayed(&again), "{first:?} {again:?}");
        }
        told.push(opened.told(order, again));
    }
    Audit::of(&opened.database).await.confirms(&told);
    println!("{} commits met with mischief", proxy.done());
    assert!(proxy.done() > ENOUGH, "too little happened");
}
