//! Sixty-four clients against two processes on one database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{
    Answer, Audit, Crowd, Database, Instance, Order, PRESCRIBED, Pharmacy, Prescribed, Terms, Told,
    World, insist, line, shuffled, world,
};

const CLIENTS: usize = 64;

/// How often at most clients and importers go on until enough has happened.
const MOST_ROUNDS: usize = 5;

/// The most memory that a process may have used, in MiB; a debug build.
const MEMORY: u64 = 150;

/// Two processes on one database with that world.
async fn two_processes(world: &World, more: &[(&str, &str)]) -> (Database, [Instance; 2]) {
    let database = Database::new().await;
    database.import(&world.lines());
    let one = Instance::start_with(&database, more).await;
    let other = Instance::start_with(&database, more).await;
    (database, [one, other])
}

fn doors(instances: &[Instance; 2]) -> Vec<String> {
    instances.iter().map(|instance| instance.url.clone()).collect()
}

/// Every client has its own list of orders, and works through it.
async fn all_at_once(doors: &[String], lists: Vec<(Pharmacy, Vec<Order>)>) -> Vec<Told> {
    let mut clients = JoinSet::new();
    for (pharmacy, orders) in lists {
        let doors = doors.to_vec();
        clients.spawn(async move {
            let mut told = Vec::new();
            for order in orders {
                told.push(insist(&pharmacy, &doors, order).await);
            }
            told
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

/// For each client a list with one order for each of the requests, in an order of its own.
fn one_of_each(
    world: &World,
    requests: &[Prescribed],
    quantity: u32,
) -> Vec<(Pharmacy, Vec<Order>)> {
    let client = |n: usize| {
        let pharmacy = world.pharmacies[n % world.pharmacies.len()].clone();
        let orders = requests.iter().map(|what| pharmacy.order(what, quantity)).collect();
        (pharmacy, shuffled(orders))
    };
    (0..CLIENTS).map(client).collect()
}

/// How many of the orders for each request were carried out.
fn winners(told: &[Told]) -> BTreeMap<&str, usize> {
    let mut winners = BTreeMap::new();
    for told in told {
        let request = told.order.body["prescriptionId"].as_str().unwrap();
        *winners.entry(request).or_default() += usize::from(told.is_done());
    }
    winners
}

fn assert_memory_is_bounded(instances: &[Instance; 2]) {
    for instance in instances {
        let used = instance.memory();
        println!("{used} MiB of memory");
        assert!(used < MEMORY);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parts_of_ten_out_of_sixty_exactly_six_are_dispensed() {
    let world = World::new(8, 15);
    let (database, instances) = two_processes(&world, &[]).await;
    let requests = world.all(Terms::InPartsAtOnce);
    let told = all_at_once(&doors(&instances), one_of_each(&world, &requests, 10)).await;

    let audit = Audit::of(&database).await;
    audit.confirms(&told);
    let winners = winners(&told);
    assert_eq!(winners.len(), requests.len());
    assert!(winners.values().all(|count| *count == 6), "{winners:?}");
    for told in told.iter().filter(|told| !told.is_done()) {
        assert_eq!(told.code(), "medication-request-not-active", "{told:?}");
    }
    assert_eq!(audit.count("Processed"), 6 * requests.len());
    assert_memory_is_bounded(&instances);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_parts_are_not_allowed_one_wins() {
    let world = World::new(8, 8);
    let (database, instances) = two_processes(&world, &[]).await;
    let doors = doors(&instances);
    let held = world.all(Terms::Whole);
    let requests = [held.clone(), world.all(Terms::WholeAtOnce)].concat();
    let told = all_at_once(&doors, one_of_each(&world, &requests, PRESCRIBED)).await;
    let winners = winners(&told);
    assert!(winners.values().all(|count| *count == 1), "{winners:?}");
    for told in told.iter().filter(|told| !told.is_done()) {
        let code = told.code();
        assert!(["already-held", "medication-request-not-active"].contains(&code), "{told:?}");
    }

    // Every hold is given back several times at once, while others want it.
    let lists = told.iter().filter(|told| told.answer.as_ref().unwrap().body["status"] == "HELD");
    let mut second = one_of_each(&world, &held, PRESCRIBED);
    for winner in lists {
        let id = winner.answer.as_ref().map(Answer::id).unwrap();
        let owner = world.pharmacies.iter().find(|it| it.legal_entity == winner.legal_entity);
        let owner = owner.unwrap();
        second.extend((0..4).map(|_| (owner.clone(), vec![Order::cancelling(id)])));
    }
    let told_again = all_at_once(&doors, shuffled(second)).await;
    let audit = Audit::of(&database).await;
    audit.confirms(told.iter().chain(&told_again));
    assert_eq!(audit.count("Cancelled"), held.len(), "each hold is given back once");
    assert_eq!(audit.count("Processed"), world.all(Terms::WholeAtOnce).len());
}

/// Creates, cancels and expiries of all kinds of programs, while the same medication requests are
/// imported again and again.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_no_more_is_dispensed_than_was_prescribed() {
    const LASTING: Duration = Duration::from_secs(18);
    let world = World::new(8, 25);
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let (database, instances) = two_processes(&world, &short).await;
    let all = [Terms::InParts, Terms::Whole, Terms::InPartsAtOnce, Terms::WholeAtOnce];
    let requests: Vec<Prescribed> = all.into_iter().flat_map(|terms| world.all(terms)).collect();
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: doors(&instances),
        requests: requests.clone(),
        insists: true,
    };
    let kinds = ["HoldCreated", "Processed", "Cancelled", "Expired"];
    let (mut told, mut imports) = (Vec::new(), [0; 2]);
    for round in 0..MOST_ROUNDS {
        let importers = instances.iter().map(|instance| world.pharmacies[0].at(instance));
        let importers: Vec<_> = importers
            .map(|importer| tokio::spawn(import_again(importer, requests.clone(), LASTING)))
            .collect();
        told.extend(crowd.clone().go_on(CLIENTS, LASTING).await);
        for (importer, imports) in importers.into_iter().zip(&mut imports) {
            *imports += importer.await.unwrap();
        }
        let audit = Audit::of(&database).await;
        let counts = kinds.map(|kind| audit.count(kind));
        println!("round {round}: {counts:?} of {kinds:?}, {imports:?} imports");
        // Enough of everything happened, or a slow machine has to go on.
        if counts.iter().all(|count| *count > 20) && imports.iter().all(|count| *count > 3) {
            break;
        }
        assert!(round + 1 < MOST_ROUNDS, "too little happened");
    }

    let audit = Audit::of(&database).await;
    audit.confirms(&told);
    for told in &told {
        let answer = told.answer.as_ref().unwrap();
        assert!([200, 201, 403, 409, 422].contains(&answer.status), "{answer:?}");
    }
    database.followed().await;
    assert_memory_is_bounded(&instances);
}

/// Imports the medication requests with one thing or another changed; counts the answers.
async fn import_again(importer: Pharmacy, requests: Vec<Prescribed>, lasting: Duration) -> usize {
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < lasting {
        let mut lines = String::new();
        for what in &requests {
            let mut record = world::request(what);
            match rand::rng().random_range(0..4) {
                0 => record["medication_qty"] = json!(PRESCRIBED * 10),
                1 => record["status"] = json!("REJECTED"),
                2 => record["note"] = json!(format!("note {}", rand::random::<u16>())),
                _ => {}
            }
            lines.push_str(&line("medication_request", &record));
            // What was not in use yet must not stay changed: then nothing could be dispensed.
            lines.push_str(&line("medication_request", &world::request(what)));
        }
        let answer = importer.import(&lines).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        done += usize::from(answer.status == 200);
    }
    done
}
