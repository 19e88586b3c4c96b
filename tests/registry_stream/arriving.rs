//! What registries announce can be dispensed.

use serde_json::json;

use super::registry::{READ_WITHIN, Registry, topic_of};
use crate::harness::{Terms, eventually, line, world};

/// Every kind that the world of tests has.
const KINDS: [&str; 12] = [
    "legal_entity",
    "division",
    "healthcare_service",
    "party",
    "party_user",
    "employee",
    "contract",
    "medical_program",
    "medical_program_provision",
    "medication",
    "program_medication",
    "person",
];

/// A country comes in messages, and then somebody is prescribed something.
#[tokio::test(flavor = "multi_thread")]
async fn a_medication_request_can_be_held_as_soon_as_it_was_prescribed() {
    let registry = Registry::new(&[&KINDS[..], &["medication_request"]].concat()).await;
    let instance = registry.start().await;
    let (what, later) =
        (registry.world.prescribed(Terms::InParts, 0), registry.world.prescribed(Terms::Whole, 1));
    // The last one comes when everything else is there.
    let lines = registry.world.lines();
    let is_later = |line: &&str| line.contains(&format!("\"id\":\"{}\"", later.id));
    let (prescribed, known): (Vec<&str>, Vec<&str>) = lines.lines().partition(is_later);
    registry.send_lines(&known.join("\n")).await;

    let pharmacy = registry.world.pharmacies[0].at(&instance);
    eventually("a hold of what was prescribed", READ_WITHIN, async || {
        let order = pharmacy.order(&what, 20);
        (pharmacy.try_send(&order).await.ok()?.status == 201).then_some(())
    })
    .await;
    pharmacy.dispense(&later, 60).await.refused(422, "medication-request-not-found");
    registry.send_lines(&prescribed.join("\n")).await;
    eventually("a hold of what was just prescribed", READ_WITHIN, async || {
        let order = pharmacy.order(&later, 60);
        (pharmacy.try_send(&order).await.ok()?.status == 201).then_some(())
    })
    .await;
}

/// What a medication request points at may come after it, and what is older does not count.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_is_taken_for_what_it_is() {
    let registry = Registry::new(&["person", "medication_request"]).await;
    let what = registry.world.prescribed(Terms::InParts, 0);
    let lines = registry.world.lines();
    let person = line("person", &world::person(&what));
    let known: Vec<&str> = lines.lines().filter(|line| *line != person.trim_end()).collect();
    registry.database.import(&known.join("\n"));
    let instance = registry.start().await;
    let pharmacy = registry.world.pharmacies[0].at(&instance);
    pharmacy.dispense(&what, 20).await.refused(422, "medication-request-invalid");
    registry.send_lines(&person).await;
    registry.read(&topic_of("person"), 0, 0).await;
    pharmacy.dispense(&what, 20).await.expect(201);

    let request = |blocked: bool, at: &str| {
        let mut record = world::request(&registry.world.prescribed(Terms::Whole, 0));
        record["is_blocked"] = json!(blocked);
        record["updated_at"] = json!(at);
        line("medication_request", &record)
    };
    let topic = topic_of("medication_request");
    for (blocked, at) in [(true, "2026-01-02T00:00:00Z"), (false, "2026-01-01T00:00:00Z")] {
        let value = request(blocked, at);
        let offset = registry.send(&topic, 1, "", Some(value.as_bytes())).await;
        registry.read(&topic, 1, offset).await;
    }
    let blocked = registry.world.prescribed(Terms::Whole, 0);
    pharmacy.dispense(&blocked, 60).await.refused(422, "medication-request-blocked");
}
