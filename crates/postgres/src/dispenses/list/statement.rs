//! The statement of a page: one walk along an index in the order of lists, which looks at so many rows
//! and no more, and compares on the way what the index does not know.

use dispensary::list::{Filter, Walk};
use dispense_domain::Status;

use super::super::word;

/// The order of lists, of a table or subquery of that name.
fn order(of: &str) -> String {
    format!("ORDER BY {of}.dispensed_on DESC, {of}.inserted_at DESC, {of}.dispense_id")
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the newest.
    Beginning,
    /// After `$15`, `$16`, `$17`.
    Place,
}

/// Every status, in the order of its words.
const EVERY: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];

/// The status as it was: by what had been read of the log then, `$1`, at the instant `$2`. What is
/// processed at once never ran out and never was held, whichever of its two events had been read.
fn status(of: &str) -> String {
    format!(
        "CASE WHEN {of}.stage <> 'held' AND {ended} THEN {of}.stage
              WHEN {of}.expires_at < $2 THEN 'expired' ELSE 'held' END",
        ended = ended(of),
    )
}

/// Whether it had ended then.
fn ended(of: &str) -> String {
    format!(
        "({of}.closed_position <= ($1::bigint[])[{of}.partition + 1] OR {of}.expires_at IS NULL)"
    )
}

/// Whether it had begun then, and stood at one of `$18`, if that matters.
fn counts(of: &str, filter: &Filter) -> String {
    let begun = format!("{of}.opened_position <= ($1::bigint[])[{of}.partition + 1]");
    if is_any(filter) {
        return begun;
    }
    format!("{begun} AND {} = ANY ($18::text[])", status(of))
}

/// Whether every status is as good as another.
fn is_any(filter: &Filter) -> bool {
    filter.statuses.as_ref().is_none_or(|wanted| EVERY.iter().all(|it| wanted.contains(it)))
}

/// The days, and what comes after the last row that was looked at, in a table that is called so. Said
/// so, an index has the rows of one day in the order of lists.
fn range(of: &str, filter: &Filter, start: Start) -> String {
    let Filter { dispensed_from: from, dispensed_to: to, .. } = filter;
    let is_one_day = from.is_some() && from == to;
    let stated = [
        (is_one_day, " AND {of}.dispensed_on = $13"),
        (from.is_some() && !is_one_day, " AND {of}.dispensed_on >= $13"),
        (to.is_some() && !is_one_day, " AND {of}.dispensed_on <= $14"),
        (
            start == Start::Place,
            " AND ({of}.dispensed_on, {of}.inserted_at) <= ($15::date, $16::timestamptz)
              AND (({of}.dispensed_on, {of}.inserted_at) < ($15::date, $16::timestamptz)
                   OR {of}.dispense_id > $17)",
        ),
    ];
    let stated = stated.into_iter().filter(|(is_stated, _)| *is_stated);
    stated.map(|(_, condition)| condition.replace("{of}", of)).collect()
}

/// In which table a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    /// `dispenses`, whose indexes have companies and outlets by stage.
    Dispenses,
    /// `dispense_items`, whose indexes have the rest.
    Items,
}

const fn table(walk: Walk) -> Table {
    match walk {
        Walk::Request | Walk::Division | Walk::LegalEntity | Walk::Everything => Table::Dispenses,
        Walk::Person | Walk::Batch | Walk::Party | Walk::Medication | Walk::Program => Table::Items,
    }
}

/// The rows of a walk, the first `limit` of them.
pub(super) fn rows(walk: Walk, filter: &Filter, start: Start, limit: &str) -> String {
    match table(walk) {
        Table::Dispenses => of_dispenses(walk, filter, start, limit),
        Table::Items => {
            let order = order("i");
            let (condition, range) = (of_items(walk), range("i", filter, start));
            format!(
                "SELECT i.partition, i.dispense_id, i.legal_entity_id, i.division_id, i.person_id,
                        i.party_id, i.medical_program_id, i.medication_id, i.batch_number,
                        i.dispensed_on, i.inserted_at
                 FROM dispense_items i WHERE {condition}{range} {order} LIMIT {limit}"
            )
        }
    }
}

/// What an index of the items is looked into for: each dispense is met once, so that a page never ends
/// between two rows of one, of which the next page would leave the second out.
const fn of_items(walk: Walk) -> &'static str {
    match walk {
        Walk::Person => "i.person_id = $8 AND i.item = 1",
        Walk::Party => "i.party_id = $9 AND i.item = 1",
        Walk::Program => "i.medical_program_id = $10 AND i.item = 1",
        Walk::Medication => "i.medication_id = $11 AND i.first_of_medication",
        Walk::Batch => "i.batch_number = $12 AND i.first_of_batch",
        Walk::Request | Walk::Division | Walk::LegalEntity | Walk::Everything => "false",
    }
}

/// Of each stage at which a row can stand now that counts: each is in the order of lists in an index.
fn of_dispenses(walk: Walk, filter: &Filter, start: Start, limit: &str) -> String {
    const COLUMNS: &str =
        "d.partition, d.dispense_id, d.legal_entity_id, d.division_id, d.person_id,
             d.party_id, d.medical_program_id, d.dispensed_on, d.inserted_at, d.stage, d.expires_at,
             d.opened_position, d.closed_position";
    let condition = match walk {
        Walk::Request => "d.medication_request_id = $4 AND d.partition = $5",
        Walk::Division => "d.division_id = $7",
        Walk::LegalEntity => "d.legal_entity_id = $6",
        Walk::Person | Walk::Batch | Walk::Party | Walk::Medication | Walk::Program => "false",
        Walk::Everything => "true",
    };
    let (range, order) = (range("d", filter, start), order("d"));
    if walk == Walk::Request {
        return format!(
            "SELECT {COLUMNS} FROM dispenses d WHERE {condition}{range} {order} LIMIT {limit}"
        );
    }
    let walks = stages(filter).into_iter().map(|(stage, since)| {
        let stage = word(stage);
        match since {
            Since::Ever => format!(
                "(SELECT {COLUMNS} FROM dispenses d WHERE {condition} AND d.stage = '{stage}'{range}
                  {order} LIMIT {limit})"
            ),
            // By the index that has them as they began, and so from the oldest hold of then on.
            Since::Snapshot => format!(
                "(SELECT {COLUMNS} FROM (
                      SELECT {COLUMNS} FROM dispenses d
                      WHERE {condition} AND d.stage = '{stage}' AND d.inserted_at >= $3
                            AND d.inserted_at <= $2
                      ORDER BY d.inserted_at DESC, d.dispense_id LIMIT {MOST_HELD}
                  ) d
                  WHERE d.closed_position > ($1::bigint[])[d.partition + 1]{range}
                  {order} LIMIT {limit})"
            ),
        }
    });
    let walks = walks.collect::<Vec<_>>().join(" UNION ALL ");
    if walks.is_empty() {
        return format!("SELECT {COLUMNS} FROM dispenses d WHERE false");
    }
    format!("SELECT {COLUMNS} FROM ({walks}) d {order} LIMIT {limit}")
}

/// The most dispenses that are looked through for those that were held when the list began and ended
/// since: so many begin while one hold lives.
const MOST_HELD: u32 = 200_000;

/// Which rows of a stage can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// All of them.
    Ever,
    /// Those that ended after the moment of the list, and were held then.
    Snapshot,
}

/// The stages at which rows stand now that may have stood at a wanted status then.
fn stages(filter: &Filter) -> Vec<(Status, Since)> {
    let Some(wanted) = filter.statuses.as_ref().filter(|_| !is_any(filter)) else {
        return EVERY.map(|stage| (stage, Since::Ever)).to_vec();
    };
    // A hold that ran out counts as expired before that is recorded.
    let were_held = wanted.contains(&Status::Held) || wanted.contains(&Status::Expired);
    let since = |stage: Status| match stage {
        Status::Held => were_held.then_some(Since::Ever),
        ended if wanted.contains(&ended) => Some(Since::Ever),
        Status::Processed | Status::Cancelled | Status::Expired => {
            were_held.then_some(Since::Snapshot)
        }
    };
    EVERY.into_iter().filter_map(|stage| Some((stage, since(stage)?))).collect()
}

/// Whether it is asked what was held then and has ended since, so that one needs to know since when.
pub(super) fn asks_what_was_held(filter: &Filter) -> bool {
    stages(filter).iter().any(|(_, since)| *since == Since::Snapshot)
}

/// What has to hold beside that by which is walked, of the rows of a walk, `e`.
fn others(walk: Walk, filter: &Filter) -> String {
    let stated = [
        (filter.legal_entity_id.is_some(), Walk::LegalEntity, "e.legal_entity_id = $6"),
        (filter.division_id.is_some(), Walk::Division, "e.division_id = $7"),
        (filter.person_id.is_some(), Walk::Person, "e.person_id = $8"),
        (filter.party_id.is_some(), Walk::Party, "e.party_id = $9"),
        (filter.medical_program_id.is_some(), Walk::Program, "e.medical_program_id = $10"),
    ];
    let stated = stated.into_iter().filter(|(is_stated, by, _)| *is_stated && *by != walk);
    stated.flat_map(|(_, _, condition)| [" AND ", condition]).collect()
}

/// The item that has both medication and batch, where the row that is walked along does not say: it is
/// the first of its medication, or of its batch, and has not the other one each time.
fn item(walk: Walk, filter: &Filter) -> Option<&'static str> {
    match (filter.medication_id.is_some(), filter.batch_number.is_some()) {
        (true, false) if walk == Walk::Medication => None,
        (false, true) if walk == Walk::Batch => None,
        (true, true) => Some("i.medication_id = $11 AND i.batch_number = $12"),
        (true, false) => Some("i.medication_id = $11"),
        (false, true) => Some("i.batch_number = $12"),
        (false, false) => None,
    }
}

/// The statement of a page: `$19` rows that match, out of the first `$20`. The last one of these is
/// there in any case, so that the next page goes on behind it. LIMIT in what is looked up for each row
/// keeps the planner from turning the look-ups into a scan.
pub(super) fn page(walk: Walk, filter: &Filter, start: Start) -> String {
    let (rows, order) = (rows(walk, filter, start, "$20"), order("w"));
    let others = others(walk, filter);
    let has_item = item(walk, filter).map_or_else(String::new, |item| {
        format!(
            " AND (SELECT true FROM dispense_items i WHERE i.partition = e.partition
                   AND i.dispense_id = e.dispense_id AND {item} LIMIT 1)"
        )
    });
    let (of, found_by) = match table(walk) {
        Table::Dispenses => ("e", "WHERE true"),
        Table::Items => (
            "d",
            "FROM dispenses d WHERE d.partition = e.partition AND d.dispense_id = e.dispense_id",
        ),
    };
    let (counts, ended) = (counts(of, filter), ended(of));
    let last = self::order("e");
    format!(
        "SELECT e.partition, e.dispense_id, e.dispensed_on, e.inserted_at, e.n,
                m.opened_position, m.closed_position
         FROM (
             SELECT w.*, row_number() OVER ({order}) AS n FROM ({rows}) w
         ) e
         LEFT JOIN LATERAL (
             SELECT {of}.opened_position,
                    CASE WHEN {ended} THEN {of}.closed_position END AS closed_position
             {found_by} AND {counts}{others}{has_item} LIMIT 1
         ) m ON true
         WHERE m.opened_position IS NOT NULL OR e.n = $20
         {last} LIMIT $19"
    )
}

/// How sparse the rows are along which each of those walks goes: how many there are, up to `$19`, and
/// how far back these lead.
pub(super) fn probe(walks: &[Walk], filter: &Filter) -> String {
    let each = walks.iter().enumerate().map(|(number, walk)| {
        let rows = rows(*walk, filter, Start::Beginning, "$19");
        format!(
            "(SELECT {number} AS walk, count(*) AS met, min(w.dispensed_on) AS day,
                     min(w.inserted_at) AS at
              FROM ({rows}) w)"
        )
    });
    each.collect::<Vec<_>>().join(" UNION ALL ")
}
