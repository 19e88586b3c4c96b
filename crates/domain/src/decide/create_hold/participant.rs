//! Rule 6.1: the terms on which a program pays for an item.

use std::sync::Arc;

use chrono::NaiveDate;

use super::Case;
use crate::NewItem;
use crate::registry::ProgramMedication;

/// What the registry has for the brand of that item in the program.
pub(super) fn participants<'a>(case: &'a Case<'_>, index: usize) -> &'a [Arc<ProgramMedication>] {
    case.sight.evidence.participants.get(index).map_or(&[][..], Vec::as_slice)
}

/// Rule 6.1: of those that count today the one that the pharmacy names, or the newest.
pub(super) fn named_or_newest<'a>(
    known: &'a [Arc<ProgramMedication>],
    wanted: &NewItem,
    today: NaiveDate,
) -> Option<&'a ProgramMedication> {
    known
        .iter()
        .map(AsRef::as_ref)
        .filter(|it: &&ProgramMedication| it.is_usable_on(today))
        .filter(|it| wanted.program_medication_id.is_none_or(|id| it.id == id))
        .max_by_key(|it| (it.start_date, it.id))
}
