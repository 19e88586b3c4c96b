//! Test vectors, computed apart from this code; `docs/events.md` shows the same ones.

use dispense_domain::command::key_digest;
use dispense_domain::{Digest, DispenseId, Stated, salt_for, slice};
use uuid::Uuid;

use crate::cancel::{cancel, one_hold};
use crate::sample::{PARTICIPANT, PHARMACY, all_in_order, day, hryvnias, id, text};

const REQUEST: &str = "b075f148-7f93-4fc2-b2ec-2d81b19a9b7b";
const CLIENT: &str = "d290f1ee-6c54-4b01-90e6-d701748f0851";
const KEY: &str = "receipt-2026-000123";

fn parsed<T: From<Uuid>>(uuid: &str) -> T {
    uuid.parse::<Uuid>().unwrap().into()
}

#[test]
fn the_checksum_is_crc_32_iso_hdlc() {
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    assert_eq!(slice(Uuid::nil()), 0x4b55);
    assert_eq!(slice(Uuid::max()), 0xc61a);
    assert_eq!(slice(parsed(REQUEST)), 0xfb8e);
}

#[test]
fn ids_are_derived_as_documented() {
    let dispense = DispenseId::asked_for(parsed(REQUEST), parsed(CLIENT), KEY);
    assert_eq!(dispense.to_string(), "1b8ed089-6fe1-8269-a150-c3cd2dddfb8e");
    for (event_type, event_id) in [
        ("HoldCreated", "f9fbe91f-c83c-565c-8d62-68d7b7636428"),
        ("Processed", "72d2b2a2-ee34-5763-a1cd-e59ef8d17f24"),
        ("Cancelled", "1a3aff7a-c720-5094-ae59-55ae1574a21f"),
        ("Expired", "e730c650-c1b8-5ef3-a0a2-95c4b0299c22"),
    ] {
        assert_eq!(dispense.event_id(event_type).to_string(), event_id);
    }
    for (index, item_id) in
        [(0, "d3862216-cbd9-5b8a-82d9-877ba433dc15"), (1, "92a5fcb4-1b2a-59f5-a792-fdb5a89775d9")]
    {
        assert_eq!(dispense.item_id(index).to_string(), item_id);
    }
}

#[test]
fn digests_are_taken_as_documented() {
    assert_eq!(
        key_digest(parsed(CLIENT), KEY).to_string(),
        "3369f77cdeeca749ea7d5d029a1783d3cb7e7cf4b60dedfa98267834119ed275"
    );
    assert_eq!(
        Digest::of(&[b"abc"]).to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        salt_for(&[7; 32], "HoldCreated").to_string(),
        "fcf13ca2c5631c232e50d563c63051b4ce9743fc55b7587bc2dd97eb2a488043"
    );
}

/// What makes two holds the same question, with nothing stated that need not be.
#[test]
fn the_digest_of_a_brief_hold_never_changes() {
    let mut scene = all_in_order();
    scene.hold.items[0].discount_amount = None;
    assert_eq!(
        scene.hold.request_digest().to_string(),
        "50e8a13decbc42c2f5ae8177fb6722938debd95f7af5afa5f6c85b8339d0088f"
    );
}

/// The same with everything stated.
#[test]
fn the_digest_of_a_full_hold_never_changes() {
    let mut scene = all_in_order();
    scene.without_program();
    scene.wants(&["30.50"]);
    scene.hold.dispensed_by = Some(text("Шевчук Марія"));
    scene.hold.note = Some(text("in the evening"));
    scene.hold.payment_id = Stated::Value(text("A-1"));
    scene.hold.payment_amount = Stated::Value(hryvnias("136.50"));
    let item = &mut scene.hold.items[0];
    item.unit_price = Some(hryvnias("18.65"));
    item.total_price = Some(hryvnias("568.83"));
    item.discount_amount = Some(hryvnias("0"));
    item.program_medication_id = Some(id(PARTICIPANT));
    item.batch_number = Some(text("B7"));
    item.expiry_date = Some(day("2027-12-31"));
    assert_eq!(
        scene.hold.request_digest().to_string(),
        "25bb823a19136a3295b38a1193fb0b9d65f2b4a40c5cf96eb4caf933e12902c4"
    );
}

#[test]
fn the_digest_of_a_cancel_never_changes() {
    let scene = one_hold();
    let dispense = DispenseId::asked_for(scene.hold.medication_request_id, id(PHARMACY), "first");
    assert_eq!(dispense.to_string(), "9970dfcd-3624-8476-a5d5-092692d911f4");
    let mut wish = cancel(&scene, "cancel");
    wish.reason = Some(text("wrong box"));
    assert_eq!(
        wish.request_digest().to_string(),
        "5165d007fab25390d6d483697df6530223d5ba1f845aebcf6517fdc934882040"
    );
}

/// The page for readers of the log shows these very vectors.
#[test]
fn the_page_about_events_shows_these_vectors() {
    let page = include_str!("../../../../docs/events.md");
    let test = include_str!("vectors.rs");
    let shown = test
        .split('"')
        .filter(|word| word.len() >= 36 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-'));
    let mut count = 0;
    for vector in shown {
        assert!(page.contains(vector), "{vector}");
        count += 1;
    }
    assert!(count > 12, "{count}");
}
