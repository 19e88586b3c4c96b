//! Many containers at once, each as large as a body may be: nobody else has to wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dispense_signing::development::{Authority, Profile};
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{
    Audit, Database, Instance, Order, PAID, Pharmacy, Prescribed, Terms, Told, World, insist,
};

/// How many clients hand over at once.
const CLIENTS: usize = 64;

/// How many hand-overs each of them asks for, and how many containers that count for nothing.
const EACH: usize = 2;

/// How many others go on meanwhile.
const BYSTANDERS: usize = 4;

/// How long a document may be so that its container fits into a body.
const DOCUMENT: usize = 190_000;

/// The most memory that the process may have used, in MiB; a debug build.
const MEMORY: u64 = 300;

struct Client {
    pharmacy: Pharmacy,
    orders: Vec<Order>,
    hostile: Order,
}

/// The document, with blanks until it is as long as it may be: they change no value.
fn padded(document: &Value) -> Vec<u8> {
    let mut bytes = PAID.in_document(document).to_string().into_bytes();
    bytes.resize(DOCUMENT, b' ');
    bytes
}

/// A document of numbers, lists and names that takes long to read, signed by nobody who counts.
fn hostile(held: Uuid, who: &Pharmacy) -> Order {
    let [open, close] = ["[", "]"].map(|it| it.repeat(28));
    let numbers = "7e-27,".repeat(10_000);
    let lists = format!("{open}{close},").repeat(2_000);
    let document = format!(r#"{{"x":{open}{numbers}1{close},"y":[{lists}1]}}"#);
    let stranger = Authority::root("Somebody").unwrap().issue(&Profile::of(&who.person)).unwrap();
    Order::processing(held, &stranger.sign(document.as_bytes()).unwrap())
}

async fn prepared(pharmacy: Pharmacy, what: Prescribed) -> Client {
    let held = pharmacy.dispense(&what, 10).await.expect(201).id();
    let document = padded(&pharmacy.content(held).await);
    let sign = || pharmacy.identity().sign(&document).unwrap();
    let orders = vec![
        Order::processing(held, &sign()),
        // Another signature, another key: it comes first, or it is late.
        Order::processing_in_register(held, &sign()),
    ];
    assert_eq!(orders.len(), EACH);
    Client { hostile: hostile(held, &pharmacy), orders, pharmacy }
}

impl Client {
    async fn go(self, door: Vec<String>) -> Vec<Told> {
        let refused = insist(&self.pharmacy, &door, self.hostile).await;
        assert_eq!(refused.code(), "signature-invalid", "{refused:?}");
        let mut told = vec![refused];
        for order in self.orders {
            told.push(insist(&self.pharmacy, &door, order).await);
        }
        told
    }
}

/// Asks whether the process lives, and holds and gives back; counts how often.
async fn goes_on(pharmacy: Pharmacy, what: Prescribed, over: Arc<AtomicBool>) -> usize {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        pharmacy.get("/health/live").await.expect(200);
        let held = pharmacy.dispense(&what, 10).await;
        // 503 says that nothing was done; every other answer is a hold.
        if held.status != 503 {
            let held = held.expect(201).id();
            let back = pharmacy.cancel(held).await;
            assert!([200, 503].contains(&back.status), "{back:?}");
            done += 1;
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn large_containers_keep_nobody_else_waiting() {
    let database = Database::new().await;
    let world = World::new(8, CLIENTS + BYSTANDERS);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = |n: usize| world.pharmacies[n % world.pharmacies.len()].at(&instance);
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(prepared(pharmacy(n), world.prescribed(Terms::InParts, n)).await);
    }
    let before = instance.memory_now();

    let over = Arc::new(AtomicBool::new(false));
    let bystanders: Vec<_> = (CLIENTS..CLIENTS + BYSTANDERS)
        .map(|n| goes_on(pharmacy(n), world.prescribed(Terms::InParts, n), over.clone()))
        .map(tokio::spawn)
        .collect();
    let doors = vec![instance.url.clone()];
    let running: JoinSet<_> = clients.into_iter().map(|client| client.go(doors.clone())).collect();
    let told: Vec<Told> = running.join_all().await.into_iter().flatten().collect();
    over.store(true, Ordering::Relaxed);
    for bystander in bystanders {
        let done = bystander.await.unwrap();
        println!("a bystander held {done} times");
        assert!(done > 0, "nobody else was served");
    }

    let audit = Audit::of(&database).await;
    audit.confirms(&told);
    assert_eq!(told.len(), CLIENTS * (EACH + 1));
    assert_eq!(audit.count("Processed"), CLIENTS);
    let late = told.iter().filter(|told| told.code() == "wrong-status").count();
    assert_eq!(late, CLIENTS * (EACH - 1));
    let anybody = pharmacy(0);
    assert!(anybody.figure("dispense_bugs_total").await < 1.0);
    println!("{before} MiB of memory before, {} at most", instance.memory());
    assert!(instance.memory() < MEMORY);
}
