//! Fresh medication requests, turned into orders when they are needed.

use std::rc::Rc;

use anyhow::ensure;
use dispense_demo::{Demo, Dispensable};

use super::belt::{Belt, Letter};
use super::order::{Batch, Order, Wrong, tail};
use super::pharmacies::Desk;

/// Every tenth order of a mixed stretch is wrong.
const WRONG_EVERY: usize = 10;

/// The medication requests of the registry that nobody has ordered from yet.
pub(crate) struct Supply<'a> {
    requests: Box<dyn Iterator<Item = Dispensable> + 'a>,
    desks: Vec<Desk>,
    batch: Batch,
    written: usize,
    belt: Rc<Belt>,
}

impl<'a> Supply<'a> {
    /// All that can be dispensed in this registry, ordered by these pharmacies in turn.
    pub(crate) fn new(demo: &'a Demo, desks: Vec<Desk>) -> anyhow::Result<Self> {
        ensure!(desks.len() > 1, "the demo registry has fewer than two pharmacies to order from");
        let tour = demo.tour();
        let heads = desks.iter().map(Desk::hold).collect();
        Ok(Self {
            requests: Box::new(demo.holdable(usize::MAX)),
            desks,
            batch: Batch {
                day: demo.today(),
                number: tour.batch_number,
                expiry_date: tour.expiry_date,
            },
            written: 0,
            belt: Rc::new(Belt::new(heads)),
        })
    }

    /// At least so many right orders in line, or all that are left.
    pub(crate) fn right_orders(&mut self, count: usize) -> Rc<Belt> {
        while self.belt.len() < count && self.write(&self.belt.clone(), None) {}
        Rc::clone(&self.belt)
    }

    /// So many right orders in a line of their own, or all that are left.
    pub(crate) fn exactly(&mut self, count: usize) -> Rc<Belt> {
        let belt = Rc::new(Belt::new(self.desks.iter().map(Desk::hold).collect()));
        while belt.len() < count && self.write(&belt, None) {}
        belt
    }

    /// So many orders in a line of their own, every tenth of them wrong, in all ways in turn.
    pub(crate) fn mixed_orders(&mut self, count: usize) -> Rc<Belt> {
        let heads = self.desks.iter().map(Desk::hold).collect();
        let belt = Rc::new(Belt::new(heads));
        let mut ways = Wrong::ALL.into_iter().cycle();
        for place in 1..=count {
            let is_wrong = place.is_multiple_of(WRONG_EVERY);
            let wrong = if is_wrong { ways.next() } else { None };
            if !self.write(&belt, wrong) {
                break;
            }
        }
        belt
    }

    /// Writes one order, unless nothing is left to order.
    fn write(&mut self, belt: &Belt, wrong: Option<Wrong>) -> bool {
        let Some(wanted) = self.requests.next() else {
            return false;
        };
        let place = self.written % self.desks.len();
        let pharmacy = &self.desks[place].pharmacy;
        let others = self.desks.iter().map(|desk| &desk.pharmacy);
        let stranger = others
            .cycle()
            .skip(place + 1)
            .take(self.desks.len())
            .find(|other| other.legal_entity_id != pharmacy.legal_entity_id);
        let order = Order {
            wanted: &wanted,
            batch: &self.batch,
            pharmacy,
            stranger: stranger.unwrap_or(pharmacy),
            wrong,
        };
        let tail = tail(self.written, &order.json());
        belt.push(Letter { desk: place, tail, is_wrong: wrong.is_some() });
        self.written += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::NaiveDate;
    use dispense_demo::Program;

    use super::*;
    use crate::work::desks;

    fn demo() -> Demo {
        Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap())
            .with_requests(1_000)
            .with_program(Program::Affordable)
            .with_fresh_requests_only()
    }

    fn supply(demo: &Demo) -> Supply<'_> {
        Supply::new(demo, desks(demo, "h", |_| Ok("t".to_owned())).unwrap()).unwrap()
    }

    fn drained(belt: &Belt) -> Vec<Letter> {
        std::iter::from_fn(|| belt.take()).collect()
    }

    #[test]
    fn every_order_is_for_a_request_of_its_own() {
        let demo = demo();
        let mut supply = supply(&demo);
        let mut bodies = BTreeSet::new();
        for _ in 0..2 {
            for letter in drained(&supply.right_orders(300)) {
                let text = String::from_utf8(letter.tail).unwrap();
                let place = text.find("prescriptionId").unwrap();
                assert!(bodies.insert(text[place..place + 60].to_owned()));
            }
        }
        assert_eq!(bodies.len(), 600);
    }

    #[test]
    fn what_was_not_sent_stays_in_line() {
        let demo = demo();
        let mut supply = supply(&demo);
        let belt = supply.right_orders(100);
        let first = belt.take().unwrap();
        assert!(belt.head(&first).starts_with(b"POST "));
        assert_eq!(supply.right_orders(100).len(), 100);
        assert_eq!(supply.right_orders(usize::MAX).len(), 997);
    }

    #[test]
    fn every_tenth_of_a_mixed_stretch_is_wrong() {
        let demo = demo();
        let letters = drained(&supply(&demo).mixed_orders(200));
        assert_eq!(letters.len(), 200);
        let wrong: Vec<_> = letters.iter().filter(|it| it.is_wrong).collect();
        assert_eq!(wrong.len(), 20);
        let stated = |part: &str| {
            wrong.iter().filter(|it| String::from_utf8_lossy(&it.tail).contains(part)).count()
        };
        // The third and the fifth way in twenty turns of six.
        assert_eq!(20 - stated("pharmacyId"), 3);
        assert_eq!(stated("copayment"), 3);
    }
}
