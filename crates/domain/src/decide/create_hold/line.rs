//! The items of a dispense, one after the other.

use std::sync::Arc;

use super::Case;
use super::participant::{named_or_newest, participants};
use crate::decide::table::Judgement;
use crate::registry::{Medication, MedicationType, ProgramMedication};
use crate::{Member, NewItem, Place, Refusal};

/// An item, with what the registries say of it.
pub(super) struct Line<'a> {
    case: &'a Case<'a>,
    pub(super) index: usize,
    pub(super) wanted: &'a NewItem,
    /// The record of its id, whatever it is.
    pub(super) medication: Option<&'a Arc<Medication>>,
}

impl<'a> Line<'a> {
    /// The medication, if it is one that can be dispensed; else rule 15a has spoken.
    pub(super) fn known(&self) -> Option<&'a Arc<Medication>> {
        self.medication.filter(|medication| medication.kind != MedicationType::Innm)
    }

    /// The terms on which the program pays for it today.
    pub(super) fn participant(&self) -> Option<&'a ProgramMedication> {
        let today = self.case.today;
        named_or_newest(participants(self.case, self.index), self.wanted, today)
    }

    /// The place of a member.
    pub(super) const fn at(&self, member: Member) -> Place {
        Place::Item(self.index, member)
    }
}

/// Judges each item, in their order.
#[allow(clippy::unnecessary_wraps, reason = "what a rule says of every item is what it says")]
pub(super) fn each(case: &Case<'_>, judge: impl Fn(&Line<'_>) -> Option<Refusal>) -> Judgement {
    Some(lines(case).filter_map(|line| judge(&line)).collect())
}

/// The items, in their order.
pub(super) fn lines<'a>(case: &'a Case<'a>) -> impl Iterator<Item = Line<'a>> {
    let items = case.command.items.iter().enumerate();
    items.map(move |(index, wanted)| {
        let medication = case.sight.evidence.medications.get(index).and_then(Option::as_ref);
        Line { case, index, wanted, medication }
    })
}
