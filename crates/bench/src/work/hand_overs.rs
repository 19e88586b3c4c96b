//! Hand-overs in line, signed before the time is taken: signing is the pharmacist's work.

use std::num::NonZero;
use std::rc::Rc;
use std::thread::{self, available_parallelism};

use anyhow::anyhow;

use super::belt::{Belt, Letter};
use super::signers::{Held, Signers};

/// More threads than these do not sign, however many cores there are.
const MOST_THREADS: usize = 8;

/// Hand-overs that only have to be sent.
#[derive(Debug)]
pub(crate) struct HandOvers {
    signers: Rc<Signers>,
    belt: Rc<Belt>,
}

impl HandOvers {
    /// None yet, to be signed by these.
    pub(crate) fn new(signers: Signers) -> Self {
        // Each hand-over has a path of its own, so there is no head that many begin with.
        Self { signers: Rc::new(signers), belt: Rc::default() }
    }

    /// Who signs.
    pub(crate) fn signers(&self) -> Rc<Signers> {
        Rc::clone(&self.signers)
    }

    /// Those that wait.
    pub(crate) fn belt(&self) -> Rc<Belt> {
        Rc::clone(&self.belt)
    }

    /// Signs for these holds, and puts them in line.
    pub(crate) fn sign(&self, holds: &[Held]) -> anyhow::Result<()> {
        let signers = &*self.signers;
        let threads = available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        let part = holds.len().div_ceil(threads).max(1);
        let signed = |part: &[Held]| -> anyhow::Result<Vec<Letter>> {
            part.iter().map(|held| signers.signed(held)).collect()
        };
        let parts: anyhow::Result<Vec<_>> = thread::scope(|scope| {
            let work: Vec<_> =
                holds.chunks(part).map(|part| scope.spawn(move || signed(part))).collect();
            work.into_iter()
                .map(|thread| thread.join().map_err(|_| anyhow!("a thread that signs panicked"))?)
                .collect()
        });
        parts?.into_iter().flatten().for_each(|letter| self.belt.push(letter));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use dispense_demo::Demo;
    use dispense_signing::development::Authority;
    use uuid::Uuid;

    use super::*;
    use crate::work::desks;

    #[test]
    fn every_hold_is_signed_for_once_and_stays_in_its_place() {
        let demo = Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let desks = desks(&demo, "h", |_| Ok("t".to_owned())).unwrap();
        let authority = Authority::root("of a test").unwrap();
        let all = HandOvers::new(Signers::new(&demo, desks.clone(), &authority).unwrap());
        let held = |n| Held { desk: 0, dispense: Uuid::from_u128(n), document: b"{}".to_vec() };
        all.sign(&(0..7).map(held).collect::<Vec<_>>()).unwrap();
        all.sign(&[held(7)]).unwrap();
        all.sign(&[]).unwrap();
        let belt = all.belt();
        for n in 0..8 {
            let letter = belt.take().unwrap();
            assert!(belt.head(&letter).is_empty());
            assert!(letter.tail.starts_with(&desks[0].process(Uuid::from_u128(n))), "{n}");
        }
        assert_eq!(belt.len(), 0);
    }
}
