//! Many clients at once, and whether what each was told is true.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::world::PRESCRIBED;
use super::{Answer, Audit, Kind, Order, Pharmacy, Prescribed, Terms};

/// How long a client goes on asking before it has waited too long.
const KNOWN_WITHIN: Duration = Duration::from_secs(90);

/// How long clients go on at most until enough was done, and how long before they look.
const ENOUGH_WITHIN: Duration = Duration::from_mins(2);
const ROUND: Duration = Duration::from_secs(1);

/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(100);

/// What a client was told in the end about a command.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) order: Order,
    pub(crate) legal_entity: Uuid,
    /// None if the connection failed.
    pub(crate) answer: Option<Answer>,
}

impl Told {
    /// Whether it was done, as far as the client knows.
    pub(crate) fn is_done(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status < 300)
    }

    /// The code of the problem that the client met.
    pub(crate) fn code(&self) -> &str {
        self.answer.as_ref().map_or("", Answer::code)
    }

    /// The digest of client and key, as events name it.
    pub(crate) fn key_digest(&self) -> String {
        dispense_domain::command::key_digest(self.legal_entity.into(), &self.order.key).to_string()
    }

    /// Holds what the client was told against the log.
    fn assert_true(&self, audit: &Audit) {
        let found = audit.by_key(&self.key_digest());
        let kind = match self.order.kind {
            Kind::Create => "HoldCreated",
            Kind::Process => "Processed",
            Kind::Cancel => "Cancelled",
        };
        assert!(found.len() <= 1, "done twice: {self:#?} {found:#?}");
        assert!(found.iter().all(|entry| entry.kind == kind), "{self:#?} {found:#?}");
        let Some(answer) = &self.answer else { return };
        match answer.status {
            200 | 201 => {
                assert_eq!(found.len(), 1, "done, but not in the log: {self:#?}");
                assert_eq!(found[0].dispense, answer.id(), "{self:#?} {found:#?}");
            }
            503 if answer.code() == "outcome-unknown" => {}
            400..500 | 502 | 503 => {
                assert!(found.is_empty(), "not done, but in the log: {self:#?}");
            }
            other => panic!("status {other}: {self:#?}"),
        }
    }
}

impl Audit {
    /// Holds what clients were told against the log: what was done is there, once; what was not is
    /// not.
    ///
    /// # Panics
    ///
    /// Somebody was told something that is not true.
    pub(crate) fn confirms<'a>(&self, told: impl IntoIterator<Item = &'a Told>) {
        told.into_iter().for_each(|told| told.assert_true(self));
    }
}

/// Asks until the answer is final, with the same key each time, at any door.
pub(crate) async fn insist(pharmacy: &Pharmacy, doors: &[String], order: Order) -> Told {
    let legal_entity = pharmacy.legal_entity;
    let start = Instant::now();
    loop {
        let door = doors.choose(&mut rand::rng()).unwrap();
        if let Ok(answer) = pharmacy.at_door(door).try_send(&order).await
            && answer.is_final()
        {
            return Told { order, legal_entity, answer: Some(answer) };
        }
        assert!(start.elapsed() < KNOWN_WITHIN, "no final answer to {order:#?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks once.
pub(crate) async fn ask_once(pharmacy: &Pharmacy, doors: &[String], order: Order) -> Told {
    let door = doors.choose(&mut rand::rng()).unwrap();
    let answer = pharmacy.at_door(door).try_send(&order).await.ok();
    Told { order, legal_entity: pharmacy.legal_entity, answer }
}

/// How many commands were done.
pub(crate) fn done(told: &[Told]) -> usize {
    told.iter().filter(|told| told.is_done()).count()
}

/// Clients of all kinds, each doing one thing after the other.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) pharmacies: Vec<Pharmacy>,
    /// The instances.
    pub(crate) doors: Vec<String>,
    pub(crate) requests: Vec<Prescribed>,
    /// Whether a client asks until it knows, or once.
    pub(crate) insists: bool,
}

impl Crowd {
    /// So many clients go on for so long; returns what each was told of each command.
    pub(crate) async fn go_on(self, clients: usize, lasting: Duration) -> Vec<Told> {
        let until = Instant::now() + lasting;
        let crowd = Arc::new(self);
        let mut running = JoinSet::new();
        for _ in 0..clients {
            let crowd = crowd.clone();
            running.spawn(async move { crowd.client(until).await });
        }
        running.join_all().await.into_iter().flatten().collect()
    }

    /// As [`Self::go_on`], and longer until so many commands were done: machines are slow now and then.
    ///
    /// # Panics
    ///
    /// They were not done in time.
    pub(crate) async fn go_on_until_done(
        self,
        clients: usize,
        lasting: Duration,
        least: usize,
    ) -> Vec<Told> {
        let mut told = self.clone().go_on(clients, lasting).await;
        let start = Instant::now();
        while done(&told) < least {
            assert!(start.elapsed() < ENOUGH_WITHIN, "{} were done: too little", done(&told));
            told.extend(self.clone().go_on(clients, ROUND).await);
        }
        told
    }

    async fn client(&self, until: Instant) -> Vec<Told> {
        let pharmacy = self.pharmacies.choose(&mut rand::rng()).unwrap();
        let mut told = Vec::new();
        while Instant::now() < until {
            let what = self.requests.choose(&mut rand::rng()).unwrap();
            let created = self.ask(pharmacy, pharmacy.order(what, quantity_for(what))).await;
            let held = created.is_done() && !what.terms.at_once();
            let id = created.answer.as_ref().filter(|_| held).map(Answer::id);
            told.push(created);
            // Every third hold is left to run out.
            if let Some(id) = id
                && rand::rng().random_ratio(2, 3)
            {
                told.push(self.ask(pharmacy, Order::cancelling(id)).await);
            }
        }
        told
    }

    async fn ask(&self, pharmacy: &Pharmacy, order: Order) -> Told {
        if self.insists {
            insist(pharmacy, &self.doors, order).await
        } else {
            ask_once(pharmacy, &self.doors, order).await
        }
    }
}

/// A quantity that the program may allow; now and then more than is left.
fn quantity_for(what: &Prescribed) -> u32 {
    match what.terms {
        Terms::InParts => rand::rng().random_range(1..=7) * 10,
        Terms::InPartsAtOnce => 10,
        Terms::Whole | Terms::WholeAtOnce => PRESCRIBED,
    }
}

/// The same in another order.
pub(crate) fn shuffled<T>(mut things: Vec<T>) -> Vec<T> {
    things.shuffle(&mut rand::rng());
    things
}
