//! The demo registry: it loads without a fault, and everything that it says can be dispensed can be.

use dispense_demo::{Demo, Dispensable, Pharmacy as DemoPharmacy, Program};
use serde_json::Value;

use crate::harness::{
    Answer, Audit, Database, Instance, Order, Pharmacy, Prescribed, Terms, today,
};

/// A pharmacy of the demo, at the door of an instance.
pub(crate) fn at(pharmacy: &DemoPharmacy, instance: &Instance) -> Pharmacy {
    let DemoPharmacy { user_id, party_id, legal_entity_id, division_id, .. } = *pharmacy;
    Pharmacy::new(user_id, party_id, legal_entity_id, division_id).at(instance)
}

/// An order as the demo says that it has to be.
pub(crate) fn order(pharmacy: &Pharmacy, what: &Dispensable, quantity: u32) -> Order {
    let terms = if what.program == Program::AtOnce { Terms::InPartsAtOnce } else { Terms::Whole };
    let prescribed = Prescribed {
        id: what.medication_request_id,
        terms,
        program: what.medical_program_id,
        brand: what.brand_id,
        participant: what.program_medication_id,
    };
    let mut order = pharmacy.order(&prescribed, quantity);
    let offer = what.offer(quantity);
    let amount = |money: dispense_demo::Money| -> Value {
        serde_json::from_str(&money.to_string()).unwrap()
    };
    let item = &mut order.body["items"][0];
    item["unitPrice"] = amount(offer.sell_price);
    item["totalPrice"] = amount(offer.sell_amount);
    item["discountAmount"] = amount(offer.discount_amount);
    if terms.at_once() {
        order.body["copayment"] = amount(offer.payment_amount);
    }
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_demo_says_can_be_dispensed_can_be() {
    let database = Database::new().await;
    let demo = Demo::new(today()).with_requests(400);
    database.import(&demo.lines().map(|line| line + "\n").collect::<String>());
    let instance = Instance::start(&database).await;

    let tour = demo.tour();
    let [one, other] = [&tour.pharmacy, &tour.other_pharmacy].map(|it| at(it, &instance));
    let held = one.send(&order(&one, &tour.hold, 20)).await.expect(201);
    other.send(&order(&other, &tour.hold, 20)).await.refused(403, "already-held");
    assert_eq!(held.body["pharmacistName"], tour.pharmacy.party_name);
    let at_once: Answer = one.send(&order(&one, &tour.at_once, 10)).await.expect(201);
    assert_eq!(at_once.body["status"], "COMPLETED");
    other.send(&order(&other, &tour.at_once, 50)).await.expect(201);

    let mut dispensed = 0;
    let pharmacies: Vec<_> = demo.pharmacies().map(|it| at(&it, &instance)).collect();
    for (pharmacy, what) in pharmacies.iter().cycle().zip(demo.holdable(usize::MAX)) {
        pharmacy.send(&order(pharmacy, &what, what.quantity)).await.expect(201);
        dispensed += 1;
    }
    assert!(dispensed > 200, "{dispensed}");
    Audit::of(&database).await;
}
