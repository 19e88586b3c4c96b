//! Containers, documents and bodies that mean harm, or nothing: each is refused with its reason by
//! both APIs, nothing comes of it, and the service goes on as if it had never come.
//!
//! What a verifier makes of each of them is tested where the verifier is; here it is the whole way.

mod bodies;
mod containers;
mod der;
mod documents;

use dispense_signing::development::Profile;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Answer, Audit, Database, Instance, Order, PAID, Pharmacy, Terms, World};

/// How much more memory the process may use after all of them, in MiB.
const MEMORY: u64 = 32;

/// How often each of them comes: what is not given back adds up.
const TIMES: usize = 3;

/// A hold that nobody can hand over but its pharmacist.
struct Target {
    database: Database,
    instance: Instance,
    pharmacy: Pharmacy,
    request: Uuid,
    held: Uuid,
    /// What is to be signed.
    document: Value,
    /// How much memory the process used before, in MiB.
    memory: u64,
}

impl Target {
    async fn new() -> Self {
        let database = Database::new().await;
        let world = World::new(2, 2);
        database.import(&world.lines());
        let instance = Instance::start(&database).await;
        let pharmacy = world.pharmacies[0].at(&instance);
        // Whatever is made when it is first needed is made.
        let warm = world.prescribed(Terms::InParts, 1);
        let warm = pharmacy.dispense(&warm, 10).await.expect(201).id();
        pharmacy.hand_over(warm, PAID).await.expect(200);
        let what = world.prescribed(Terms::InParts, 0);
        let held = pharmacy.dispense(&what, 10).await.expect(201).id();
        let document = pharmacy.content(held).await;
        let memory = instance.memory_now();
        Self { database, instance, pharmacy, request: what.id, held, document, memory }
    }

    /// What a sound certificate of the pharmacist says.
    fn profile(&self) -> Profile {
        Profile::of(&self.pharmacy.person)
    }

    /// The document with the payment in it, as it is signed.
    fn signable(&self) -> Vec<u8> {
        PAID.in_document(&self.document).to_string().into_bytes()
    }

    /// The hand-over through every path.
    fn orders(&self, container: &[u8]) -> [Order; 3] {
        let in_register = Order::processing_in_register(self.held, container);
        let newer = Order::processing_in_register(self.held, container).under_pharmacy();
        [Order::processing(self.held, container), in_register, newer]
    }

    /// Both APIs refuse that container for that reason.
    async fn refuses(&self, what: &str, container: &[u8], code: &str) {
        for _ in 0..TIMES {
            for order in self.orders(container) {
                let answer = self.pharmacy.send(&order).await;
                assert_eq!(answer.code(), code, "{what}: {answer:#?}");
            }
        }
    }

    /// Nothing came of anything; and now the hold is handed over.
    async fn unharmed(self) {
        let Self { database, instance, pharmacy, request, held, .. } = &self;
        instance.health().await;
        assert_eq!(pharmacy.look_at(*held).await.expect(200).body["status"], "HELD");
        assert_eq!(Audit::of(database).await.kinds(*request), ["HoldCreated"]);
        let of_hold = |key: &String| key.starts_with(&held.to_string());
        assert!(!database.stored().iter().any(of_hold), "what is refused is not kept");

        let now = instance.memory_now();
        println!("{} MiB of memory before, {now} after", self.memory);
        assert!(now < self.memory + MEMORY);
        assert!(pharmacy.figure("dispense_bugs_total").await < 1.0);
        assert!(!instance.said().contains("panicked"), "{}", instance.said());

        pharmacy.hand_over(*held, PAID).await.expect(200);
        assert_eq!(Audit::of(database).await.kinds(*request), ["HoldCreated", "Processed"]);
    }
}

/// Why a container is none, in the words of the platform's API.
fn why(answer: &Answer) -> &str {
    answer.body["errors"][0]["params"]["why"].as_str().unwrap_or_default()
}
