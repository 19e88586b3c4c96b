//! The search: what matches is found in the read model, and shown out of the log itself.

use async_trait::async_trait;
use dispensary::cursor::ListError;
use dispensary::list::{Filter, ListCursor, Listed};
use dispensary::search::{Criteria, Dispenses, Matching, PageAsked, PageSize, REACH};
use dispensary::{LogPosition, Unavailable};
use dispense_domain::{Partitions, Status};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::reading::{Followed, shown};
use super::{NAME, list};
use crate::PgLog;
use crate::log::within;

/// All dispenses, in PostgreSQL.
#[derive(Debug)]
pub struct PgDispenses(Followed);

impl PgDispenses {
    /// The dispenses of that log.
    #[must_use]
    pub fn new(pool: PgPool, log: &PgLog) -> Self {
        Self(Followed::new(pool, log, NAME))
    }
}

/// The one partition in which the criteria look, if they say which.
fn only_partition(criteria: &Criteria, partitions: Partitions) -> Option<u16> {
    let of_dispense = criteria.id.map(|id| partitions.of_dispense(id));
    of_dispense.or_else(|| criteria.medication_request_id.map(|id| partitions.of_request(id)))
}

#[async_trait]
impl Dispenses for PgDispenses {
    async fn search(&self, criteria: &Criteria, page: PageAsked) -> Result<Matching, Unavailable> {
        let walks = walks(criteria);
        if walks.is_empty() {
            return Ok(Matching { dispenses: Vec::new(), entries: 0 });
        }
        let Followed { pool, partitions, .. } = &self.0;
        let only = only_partition(criteria, *partitions);
        let instants = self.0.heads_with_own(only).await?.instants;
        let statement = statement(criteria, &walks);
        let (skipped, room) = (bound(page.skipped()), bound(page.room()));
        let (id, request) = (criteria.id, criteria.medication_request_id);
        let searching = sqlx::query(&statement)
            .bind(&instants)
            .bind(id.map(Uuid::from))
            .bind(id.map(|id| partitions.of_dispense(id).cast_signed()))
            .bind(request.map(Uuid::from))
            .bind(request.map(|id| partitions.of_request(id).cast_signed()))
            .bind(criteria.legal_entity_id.map(Uuid::from))
            .bind(criteria.division_id.map(Uuid::from))
            .bind(criteria.dispensed_from)
            .bind(criteria.dispensed_to)
            .bind(criteria.care_plan_id)
            .bind(bound(REACH))
            .bind(skipped)
            .bind(room)
            .bind(if room == 0 { 0 } else { skipped + room })
            // Planned for these very values: a plan that fits one pharmacy does not fit another.
            .persistent(false)
            .fetch_all(pool);
        let rows = within(searching).await?;
        let (entries, places) = found(&rows).map_err(Unavailable::database)?;
        let at = |partition: u16| instants.get(usize::from(partition)).copied();
        Ok(Matching { dispenses: shown(pool, &places, at).await?, entries })
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<&ListCursor>,
        size: PageSize,
    ) -> Result<Listed, ListError> {
        list::page(&self.0, filter, after, size).await
    }
}

/// A number for the database, which knows none above this.
fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The walks through the model: each through rows that an index has in the order of a page, or of
/// days. Those of two stages it has not, and of all stages neither, unless there are few.
fn walks(criteria: &Criteria) -> Vec<&'static str> {
    match &criteria.statuses {
        Some(statuses) if !EVERY.iter().all(|status| statuses.contains(status)) => at(statuses),
        Some(_) | None => match sought(criteria) {
            Sought::Few => vec!["true"],
            Sought::Division | Sought::LegalEntity | Sought::Any => at(&EVERY),
        },
    }
}

const EVERY: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];

/// Rows that stand at one of those. `$1` holds the instant of each partition.
fn at(statuses: &[Status]) -> Vec<&'static str> {
    let is_wanted = |status| statuses.contains(&status);
    let mut walks = Vec::new();
    for status in EVERY.into_iter().filter(|status| is_wanted(*status)) {
        match status {
            Status::Held if is_wanted(Status::Expired) => walks.push("stage = 'held'"),
            Status::Held => walks.push(
                "stage = 'held' AND (expires_at < ($1::timestamptz[])[partition + 1]) IS NOT TRUE",
            ),
            Status::Processed => walks.push("stage = 'processed'"),
            Status::Cancelled => walks.push("stage = 'cancelled'"),
            Status::Expired => {
                walks.push("stage = 'expired'");
                if !is_wanted(Status::Held) {
                    walks
                        .push("stage = 'held' AND expires_at < ($1::timestamptz[])[partition + 1]");
                }
            }
        }
    }
    walks
}

/// What an index is looked into for: the first that is stated of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sought {
    /// One dispense, or those of one medication request or care plan, which has few.
    Few,
    Division,
    LegalEntity,
    Any,
}

fn sought(criteria: &Criteria) -> Sought {
    let has_few = criteria.id.is_some()
        || criteria.medication_request_id.is_some()
        || criteria.care_plan_id.is_some();
    if has_few {
        Sought::Few
    } else if criteria.division_id.is_some() {
        Sought::Division
    } else if criteria.legal_entity_id.is_some() {
        Sought::LegalEntity
    } else {
        Sought::Any
    }
}

fn is_one_day(criteria: &Criteria) -> bool {
    criteria.dispensed_from.is_some() && criteria.dispensed_from == criteria.dispensed_to
}

/// Whether the rows are walked through by day: very many, in a range of days.
fn is_by_day(criteria: &Criteria) -> bool {
    let is_range = criteria.dispensed_from.is_some() || criteria.dispensed_to.is_some();
    sought(criteria) != Sought::Few && is_range && !is_one_day(criteria)
}

/// What else has to hold. What an index is not to be chosen for is compared in a way that none can
/// serve: the planner takes a company and its outlet for independent, and would guess wrong.
fn conditions(criteria: &Criteria) -> String {
    let Criteria { dispensed_from: from, dispensed_to: to, .. } = criteria;
    let is_one_day = is_one_day(criteria);
    let sought = sought(criteria);
    let or_only = |is_sought: bool, looked_for: &'static str, compared: &'static str| {
        if is_sought { looked_for } else { compared }
    };
    let stated = [
        (criteria.id.is_some(), " AND dispense_id = $2 AND partition = $3"),
        (
            criteria.medication_request_id.is_some(),
            " AND medication_request_id = $4 AND partition = $5",
        ),
        (
            criteria.legal_entity_id.is_some(),
            or_only(
                sought == Sought::LegalEntity,
                " AND legal_entity_id = $6",
                " AND legal_entity_id IS NOT DISTINCT FROM $6",
            ),
        ),
        (
            criteria.division_id.is_some(),
            or_only(
                sought == Sought::Division,
                " AND division_id = $7",
                " AND division_id IS NOT DISTINCT FROM $7",
            ),
        ),
        // Said so, the index has the rows of a day in the order of a page.
        (is_one_day, " AND dispensed_on = $8"),
        (from.is_some() && !is_one_day, " AND dispensed_on >= $8"),
        (to.is_some() && !is_one_day, " AND dispensed_on <= $9"),
        (criteria.care_plan_id.is_some(), " AND care_plan_id = $10"),
    ];
    stated.into_iter().filter_map(|(is_stated, condition)| is_stated.then_some(condition)).collect()
}

/// Counts up to `$11`, and lists `$13` behind the first `$12`, of `$14` in all, in one look.
fn statement(criteria: &Criteria, walks: &[&str]) -> String {
    let conditions = conditions(criteria);
    let each = |select: &str, end: &str| {
        let each = walks
            .iter()
            .map(|walk| format!("({select} FROM dispenses WHERE {walk}{conditions} {end})"));
        each.collect::<Vec<_>>().join(" UNION ALL ")
    };
    if is_by_day(criteria) { by_day(each) } else { by_page(each) }
}

/// Walks in the order of a page: one to count, and one as far as the page.
fn by_page(each: impl Fn(&str, &str) -> String) -> String {
    let counted = each("SELECT 1", "LIMIT $11");
    let listed = each(
        "SELECT partition, dispense_id, inserted_at, opened_position, closed_position",
        "ORDER BY inserted_at DESC, dispense_id LIMIT $14",
    );
    format!(
        "SELECT t.entries, p.partition, p.opened_position, p.closed_position
         FROM (
             SELECT count(*) AS entries FROM (SELECT 1 FROM ({counted}) w LIMIT $11) c
         ) t
         LEFT JOIN (
             SELECT partition, dispense_id, inserted_at, opened_position, closed_position
             FROM ({listed}) l ORDER BY inserted_at DESC, dispense_id OFFSET $12 LIMIT $13
         ) p ON true
         ORDER BY p.inserted_at DESC, p.dispense_id"
    )
}

/// One walk from the last day back, no further than the search reaches, whose rows are then put in
/// the order of a page: no index has a range of days in that order.
fn by_day(each: impl Fn(&str, &str) -> String) -> String {
    let walked = each(
        "SELECT partition, dispense_id, dispensed_on, inserted_at, opened_position, closed_position",
        "ORDER BY dispensed_on DESC, inserted_at DESC, dispense_id LIMIT $11",
    );
    format!(
        "WITH reached AS MATERIALIZED (
             SELECT partition, dispense_id, inserted_at, opened_position, closed_position
             FROM ({walked}) w
             ORDER BY dispensed_on DESC, inserted_at DESC, dispense_id LIMIT $11
         )
         SELECT t.entries, p.partition, p.opened_position, p.closed_position
         FROM (SELECT count(*) AS entries FROM reached) t
         LEFT JOIN (
             SELECT partition, dispense_id, inserted_at, opened_position, closed_position
             FROM reached ORDER BY inserted_at DESC, dispense_id OFFSET $12 LIMIT $13
         ) p ON true
         ORDER BY p.inserted_at DESC, p.dispense_id"
    )
}

/// How many there are, and where the events of those on the page stand.
fn found(rows: &[PgRow]) -> Result<(u64, Vec<LogPosition>), sqlx::Error> {
    let (mut entries, mut places) = (0, Vec::with_capacity(2 * rows.len()));
    for row in rows {
        entries = row.try_get::<i64, _>("entries")?;
        // One row without a dispense says how many there are on other pages.
        let Some(partition) = row.try_get::<Option<i16>, _>("partition")? else { break };
        for column in ["opened_position", "closed_position"] {
            let position: Option<i64> = row.try_get(column)?;
            let partition = partition.cast_unsigned();
            places.extend(position.map(|position| LogPosition { partition, position }));
        }
    }
    Ok((entries.cast_unsigned(), places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_waits_for_the_partition_alone_in_which_it_looks() {
        let (partitions, request) = (Partitions::new(4).unwrap(), Uuid::from_u128(0xF0).into());
        let id = dispense_domain::DispenseId::asked_for(request, Uuid::nil().into(), "key");
        let own = partitions.of_request(request);
        let by_id = Criteria { id: Some(id), ..Criteria::default() };
        let by_request = Criteria { medication_request_id: Some(request), ..Criteria::default() };
        for criteria in [by_id, by_request] {
            assert_eq!(only_partition(&criteria, partitions), Some(own), "{criteria:?}");
        }
        assert_eq!(only_partition(&Criteria::default(), partitions), None);
    }
}
