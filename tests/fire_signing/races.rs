//! Two who want to end one hold at the same moment, at two instances: one does, and the other is told
//! what has become of it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use rand::Rng;
use uuid::Uuid;

use crate::harness::{
    Answer, Audit, Database, Instance, Order, PAID, Pharmacy, Prescribed, Terms, Told, World,
    eventually, insist,
};

/// How many rounds there are on each medication request: what is handed over must be left, even if
/// every round hands over a part.
const ROUNDS_EACH: usize = 5;

/// How much is held in each round.
const PART: u32 = 10;

/// How many rounds more there are at most, one after the other, until everybody has won and lost.
const MOST_ROUNDS_MORE: usize = 60;

/// How many rounds go on at once.
const AT_ONCE: usize = 12;

/// On how many medication requests the holds end by somebody, and on how many they may run out.
const ENDED: usize = 45;
const RUNNING_OUT: usize = 15;

/// How many of those must be handed over, and how many run out.
const ENOUGH: usize = 5;

/// Who else wants to end a hold, or wants what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rival {
    /// Gives the hold back.
    Cancel,
    /// Hands it over too, signed anew, with a key of its own.
    OtherKey,
    /// Hands it over too, signed anew, with the same key: the same command once more.
    SameKey,
    /// Another pharmacy wants some of what was prescribed.
    SecondHold,
}

/// How many milliseconds a signature takes at most, where nothing else is slow, and how long before its
/// end a hold is handed over.
const SIGNATURE: u64 = 16;
const BEFORE: u64 = 200;

/// The same for the `n`-th round more: on a slow machine everything takes longer.
const fn longer(usual: u64, n: usize) -> u64 {
    usual << (n / 10 + 1)
}

const RIVALS: [Rival; 4] = [Rival::Cancel, Rival::OtherKey, Rival::SameKey, Rival::SecondHold];

impl Rival {
    /// How long the other one may take for a signature that this one has none of.
    fn head_start(self, most: u64) -> Duration {
        match self {
            Self::Cancel | Self::SecondHold => {
                Duration::from_millis(rand::rng().random_range(0..most))
            }
            Self::OtherKey | Self::SameKey => Duration::ZERO,
        }
    }
}

/// Two instances, and two pharmacies.
struct Ring {
    database: Database,
    instances: [Instance; 2],
    owner: Pharmacy,
    other: Pharmacy,
    requests: Vec<Prescribed>,
}

/// What was told in one round.
struct Round {
    rival: Rival,
    held: Uuid,
    own: Told,
    others: Told,
}

impl Ring {
    async fn open(requests: usize, more: &[(&str, &str)]) -> Self {
        let database = Database::new().await;
        let world = World::new(2, requests);
        database.import(&world.lines());
        let one = Instance::start_with(&database, more).await;
        let two = Instance::start_with(&database, more).await;
        let [owner, other] = [0, 1].map(|n| world.pharmacies[n].at(&one));
        let requests = world.all(Terms::InParts);
        Self { database, instances: [one, two], owner, other, requests }
    }

    /// Sends an order at that instance until it is known what became of it.
    async fn told(&self, instance: usize, by: &Pharmacy, order: Order) -> Told {
        insist(by, &[self.instances[instance].url.clone()], order).await
    }

    async fn hold(&self, what: &Prescribed) -> Answer {
        let told = self.told(0, &self.owner, self.owner.order(what, PART)).await;
        told.answer.unwrap().expect(201)
    }

    /// A hand-over through either API.
    async fn handing_over(&self, held: Uuid) -> Order {
        let container = self.owner.sign(&self.owner.content(held).await, PAID);
        if rand::rng().random() {
            Order::processing(held, &container)
        } else {
            Order::processing_in_register(held, &container)
        }
    }

    async fn rivalling(&self, rival: Rival, what: &Prescribed, held: Uuid, key: &str) -> Order {
        match rival {
            Rival::Cancel => Order::cancelling(held),
            Rival::OtherKey => self.handing_over(held).await,
            Rival::SameKey => Order { key: key.to_owned(), ..self.handing_over(held).await },
            Rival::SecondHold => self.other.order(what, PART),
        }
    }

    /// Both at once, as far as that can be done where a signature takes so many milliseconds at most.
    async fn round(&self, what: &Prescribed, rival: Rival, signature: u64) -> Round {
        let held = self.hold(what).await.id();
        let order = self.handing_over(held).await;
        let rivalling = self.rivalling(rival, what, held, &order.key).await;
        let by = if rival == Rival::SecondHold { &self.other } else { &self.owner };
        let first = rand::rng().random_range(0..2);
        let (own, others) = futures::join!(self.told(first, &self.owner, order), async {
            // What has less to do would always be first.
            tokio::time::sleep(rival.head_start(signature)).await;
            self.told(1 - first, by, rivalling).await
        });
        let round = Round { rival, held, own, others };
        self.give_back(&round).await;
        round
    }

    /// What the second pharmacy has held is not in the way of the next round.
    async fn give_back(&self, round: &Round) {
        if round.rival == Rival::SecondHold && round.others.is_done() {
            let second = round.others.answer.as_ref().unwrap().id();
            self.other.cancel(second).await;
        }
    }

    /// Every dispense has come to one end, and everybody was told the truth.
    async fn judged(&self, rounds: &[Round]) -> Audit {
        eventually("an end of every hold", Duration::from_mins(1), async || {
            let audit = Audit::of(&self.database).await;
            (audit.entries.len() == 2 * audit.count("HoldCreated")).then_some(())
        })
        .await;
        let audit = Audit::of(&self.database).await;
        audit.confirms(rounds.iter().flat_map(|round| [&round.own, &round.others]));
        for round in rounds {
            let end = audit.entries.iter().filter(|entry| entry.dispense == round.held);
            assert_eq!(end.filter(|entry| entry.kind != "HoldCreated").count(), 1);
        }
        audit
    }
}

/// What a refusal says, in either API.
fn text(told: &Told) -> &str {
    let body = &told.answer.as_ref().unwrap().body;
    let text = body.pointer("/error/message").or_else(|| body.pointer("/errors/0/message"));
    text.and_then(|text| text.as_str()).unwrap_or_default()
}

/// Whether it was refused because the hold has ended so, and could not end so once more.
fn came_late(told: &Told, from: &str, to: &str) -> bool {
    let late = format!("Can't update medication dispense status from {from} to {to}");
    told.answer.as_ref().unwrap().status == 409
        && told.code() == "wrong-status"
        && text(told) == late
}

fn replays(told: &Told) -> bool {
    told.answer.as_ref().unwrap().header("idempotency-replayed") == Some("true")
}

/// One of the two has won, and it says which.
fn winner(Round { rival, own, others, .. }: &Round) -> &'static str {
    let both = || format!("{rival:?}: {own:#?} {others:#?}");
    match (rival, own.is_done(), others.is_done()) {
        (Rival::Cancel, true, false) => {
            assert!(came_late(others, "PROCESSED", "REJECTED"), "{}", both());
            "handed over"
        }
        (Rival::Cancel, false, true) => {
            assert!(came_late(own, "REJECTED", "PROCESSED"), "{}", both());
            "given back"
        }
        (Rival::OtherKey, own_done, others_done) => {
            assert!(own_done != others_done, "{}", both());
            let late = if own_done { others } else { own };
            assert!(came_late(late, "PROCESSED", "PROCESSED"), "{}", both());
            if own_done { "one key" } else { "the other key" }
        }
        (Rival::SameKey, true, true) => {
            assert!(replays(own) != replays(others), "{}", both());
            if replays(others) { "first signature" } else { "second signature" }
        }
        (Rival::SecondHold, true, true) => "handed over, then held again",
        (Rival::SecondHold, true, false) => {
            assert_eq!(others.code(), "already-held", "{}", both());
            "handed over"
        }
        (Rival::Cancel | Rival::SameKey | Rival::SecondHold, _, _) => panic!("{}", both()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_end_a_hold_one_does() {
    let ring = Ring::open(ENDED + MOST_ROUNDS_MORE, &[]).await;
    let (requests, more) = ring.requests.split_at(ENDED);
    let lanes = stream::iter(requests.iter().enumerate()).map(async |(lane, what)| {
        let mut rounds = Vec::new();
        for n in 0..ROUNDS_EACH {
            rounds.push(ring.round(what, RIVALS[(lane + n) % RIVALS.len()], SIGNATURE).await);
        }
        rounds
    });
    let mut rounds = lanes.buffer_unordered(AT_ONCE).concat().await;
    assert_eq!(rounds.len(), ENDED * ROUNDS_EACH);
    let mut winners: BTreeMap<_, usize> = BTreeMap::new();
    for round in &rounds {
        *winners.entry((round.rival, winner(round))).or_default() += 1;
    }
    // Two at once who never get in each other's way would be no race.
    let races = [Rival::Cancel, Rival::OtherKey, Rival::SameKey];
    let undecided = |winners: &BTreeMap<(Rival, _), _>| {
        let ends = |rival| winners.keys().filter(|(of, _)| *of == rival).count();
        races.into_iter().find(|rival| ends(*rival) < 2)
    };
    for (n, what) in more.iter().enumerate() {
        let Some(rival) = undecided(&winners) else { break };
        let round = ring.round(what, rival, longer(SIGNATURE, n)).await;
        *winners.entry((rival, winner(&round))).or_default() += 1;
        rounds.push(round);
    }
    println!("{winners:?}");
    assert_eq!(undecided(&winners), None, "{winners:?}");
    let audit = ring.judged(&rounds).await;
    let handed_over =
        rounds.iter().filter(|round| round.own.is_done() || { round.rival == Rival::OtherKey });
    assert_eq!(audit.count("Processed"), handed_over.count());
}

/// Around the instant at which the hold runs out, it is handed over, and another pharmacy wants it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_handed_over_or_has_run_out() {
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let ring = Ring::open(RUNNING_OUT + MOST_ROUNDS_MORE, &short).await;
    let (requests, more) = ring.requests.split_at(RUNNING_OUT);
    let lanes = stream::iter(requests).map(async |what| {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS_EACH {
            rounds.push(ring.round_at_the_end(what, BEFORE).await);
        }
        rounds
    });
    let mut rounds = lanes.buffer_unordered(RUNNING_OUT).concat().await;
    assert_eq!(rounds.len(), RUNNING_OUT * ROUNDS_EACH);
    let handed_over = |rounds: &[Round]| rounds.iter().filter(|round| round.own.is_done()).count();
    let is_enough = |rounds: &[Round]| {
        let handed_over = handed_over(rounds);
        handed_over > ENOUGH && rounds.len() - handed_over > ENOUGH
    };
    for (n, what) in more.iter().enumerate() {
        if is_enough(&rounds) {
            break;
        }
        rounds.push(ring.round_at_the_end(what, longer(BEFORE, n)).await);
    }
    let audit = ring.judged(&rounds).await;
    let mut ends: BTreeMap<_, usize> = BTreeMap::new();
    for Round { own, others, .. } in &rounds {
        let both = || format!("{own:#?} {others:#?}");
        // Whoever was held off was held off by a hold that lived, or by nothing.
        assert!(others.is_done() || others.code() == "already-held", "{}", both());
        assert!(own.is_done() || came_late(own, "EXPIRED", "PROCESSED"), "{}", both());
        *ends.entry((own.is_done(), others.is_done())).or_default() += 1;
    }
    println!("(handed over, held by another): {ends:?}");
    assert_eq!(audit.count("Processed"), handed_over(&rounds));
    assert!(is_enough(&rounds), "{ends:?}");
}

impl Ring {
    /// Both at once, so many milliseconds at most before the hold runs out.
    async fn round_at_the_end(&self, what: &Prescribed, before: u64) -> Round {
        let answer = self.hold(what).await;
        let held = answer.id();
        let end: DateTime<Utc> = answer.body["expiresAt"].as_str().unwrap().parse().unwrap();
        let order = self.handing_over(held).await;
        let second = self.other.order(what, PART);
        let before = Duration::from_millis(rand::rng().random_range(0..before));
        let left = end - DateTime::<Utc>::from(std::time::SystemTime::now());
        tokio::time::sleep(left.to_std().unwrap_or_default().saturating_sub(before)).await;
        let (own, others) =
            futures::join!(self.told(0, &self.owner, order), self.told(1, &self.other, second),);
        let round = Round { rival: Rival::SecondHold, held, own, others };
        self.give_back(&round).await;
        round
    }
}
