//! Lists: a page of what matched at one moment, found by walking along the filter that leads furthest.

mod statement;

use chrono::{DateTime, NaiveDate, Utc};
use dispensary::cursor::ListError;
use dispensary::list::{DispensePlace, Filter, ListCursor, Listed, Walk};
use dispensary::search::PageSize;
use dispensary::{LogPosition, Unavailable};
use dispense_domain::{DispenseId, Status};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use super::reading::{Followed, heads, shown};
use super::{NAME, word};
use crate::log::within;
use statement::Start;

/// The most rows that one page looks at. Where fewer match than it has room for, it ends there, and the
/// next one goes on: what is rare among very many costs more pages, and none of them more than this.
const EXAMINED: i64 = 5_000;

/// How many rows are looked at to find out which filter leads further.
const PROBED: i64 = 500;

/// A page of what matches: the first one, or the one after a cursor.
pub(super) async fn page(
    followed: &Followed,
    filter: &Filter,
    after: Option<&ListCursor>,
    size: PageSize,
) -> Result<Listed, ListError> {
    let begun = match after {
        Some(cursor) => {
            if !cursor.snapshot.is_within(&followed.heads().await?.snapshot()) {
                return Err(ListError::Gone);
            }
            cursor.clone()
        }
        None => begin(followed, filter).await?,
    };
    let start = if after.is_some() { Start::Place } else { Start::Beginning };
    let statement = statement::page(begun.walk, filter, start);
    let asking = sqlx::query(&statement);
    let looking = bound(asking, followed, filter, &begun)
        .bind(i64::from(size.get()) + 1)
        .bind(EXAMINED)
        // Planned for these very values: a plan that fits one pharmacy does not fit another.
        .persistent(false)
        .fetch_all(&followed.pool);
    let rows = within(looking).await?;
    let Page { places, next } = Page::of(&rows, size).map_err(Unavailable::database)?;
    let at = begun.snapshot.at;
    let dispenses = shown(&followed.pool, &places, |_| Some(at)).await?;
    let positions = begun.snapshot.log_positions();
    Ok(Listed { dispenses, next: next.map(|after| ListCursor { after, ..begun }), positions })
}

/// Where log and read model stand, and when the oldest hold began that is open, if `$2`: in one
/// statement, so that whatever ends after this was found here.
const MOMENT: &str = "
SELECT greatest(clock_timestamp(), h.recorded_at) AS at, coalesce(f.position, 0) AS read,
       coalesce(f.version, 1) AS version,
       CASE WHEN $2 THEN (SELECT d.inserted_at FROM dispenses d WHERE d.stage = 'held'
                          ORDER BY d.inserted_at LIMIT 1) END AS held_since
FROM log_head h LEFT JOIN followers f ON f.name = $1 AND f.partition = h.partition
ORDER BY h.partition";

/// Fixes the moment of a list, and by which filter it is walked.
async fn begin(followed: &Followed, filter: &Filter) -> Result<ListCursor, ListError> {
    let only = filter.medication_request_id.map(|id| followed.partitions.of_request(id));
    followed.heads_with_own(only).await?;
    let fixing = sqlx::query(MOMENT)
        .bind(NAME)
        .bind(statement::asks_what_was_held(filter))
        .fetch_all(&followed.pool);
    let rows = within(fixing).await?;
    let begun = || -> Result<_, sqlx::Error> {
        let held_since = rows.first().map(|row| row.try_get("held_since")).transpose()?.flatten();
        let snapshot = heads(&rows)?.snapshot();
        Ok(ListCursor { snapshot, walk: Walk::Everything, held_since, after: nowhere() })
    };
    let begun = begun().map_err(Unavailable::database)?;
    let walk = match candidates(filter).as_slice() {
        [] => Walk::Everything,
        [only] => *only,
        several => sparsest(followed, filter, &begun, several).await?,
    };
    Ok(ListCursor { walk, ..begun })
}

/// The place before the first one, which no statement names.
fn nowhere() -> DispensePlace {
    let id = DispenseId::from(Uuid::nil());
    DispensePlace { dispensed_on: NaiveDate::default(), inserted_at: DateTime::default(), id }
}

/// The filters along which can be walked. A medication request has few dispenses and so has a patient;
/// holds that are open are few too, and are found by their stage. Of what else is stated the rows may be
/// few or very many.
fn candidates(filter: &Filter) -> Vec<Walk> {
    let is_rare = |statuses: &Vec<Status>| !statuses.contains(&Status::Processed);
    if filter.medication_request_id.is_some() {
        return vec![Walk::Request];
    }
    if filter.person_id.is_some() {
        return vec![Walk::Person];
    }
    if filter.statuses.as_deref() == Some(&[Status::Held]) {
        return vec![match (filter.division_id, filter.legal_entity_id) {
            (Some(_), _) => Walk::Division,
            (None, Some(_)) => Walk::LegalEntity,
            (None, None) => Walk::Everything,
        }];
    }
    let stated = [
        (filter.batch_number.is_some(), Walk::Batch),
        (filter.party_id.is_some(), Walk::Party),
        (filter.division_id.is_some(), Walk::Division),
        (filter.medication_id.is_some(), Walk::Medication),
        (filter.medical_program_id.is_some(), Walk::Program),
        (filter.legal_entity_id.is_some(), Walk::LegalEntity),
        (filter.statuses.as_ref().is_some_and(is_rare), Walk::Everything),
    ];
    stated.into_iter().filter_map(|(is_stated, walk)| is_stated.then_some(walk)).collect()
}

/// Of several walks the one whose rows lead furthest back: it meets the fewest that do not match.
async fn sparsest(
    followed: &Followed,
    filter: &Filter,
    begun: &ListCursor,
    walks: &[Walk],
) -> Result<Walk, ListError> {
    let statement = statement::probe(walks, filter);
    let probing = bound(sqlx::query(&statement), followed, filter, begun)
        .bind(PROBED)
        .persistent(false)
        .fetch_all(&followed.pool);
    let rows = within(probing).await?;
    let mut met = rows
        .iter()
        .map(|row| {
            let number: i32 = row.try_get("walk")?;
            let count: i64 = row.try_get("met")?;
            let furthest: (Option<NaiveDate>, Option<DateTime<Utc>>) =
                (row.try_get("day")?, row.try_get("at")?);
            // Where all rows were met, fewer are better, however far they lead.
            let key = if count < PROBED { (count, (None, None)) } else { (count, furthest) };
            Ok((key, number))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()
        .map_err(Unavailable::database)?;
    met.sort_unstable();
    let best = met.first().and_then(|(_, number)| usize::try_from(*number).ok());
    Ok(best.and_then(|best| walks.get(best)).copied().unwrap_or(Walk::Everything))
}

/// What is stated, in the order of the statements.
fn bound<'q>(
    query: Query<'q, Postgres, PgArguments>,
    followed: &Followed,
    filter: &Filter,
    begun: &ListCursor,
) -> Query<'q, Postgres, PgArguments> {
    let ListCursor { snapshot, held_since, after, walk: _ } = begun;
    let request = filter.medication_request_id;
    let statuses = filter.statuses.as_ref();
    query
        .bind(snapshot.positions.clone())
        .bind(snapshot.at)
        .bind(*held_since)
        .bind(request.map(Uuid::from))
        .bind(request.map(|id| followed.partitions.of_request(id).cast_signed()))
        .bind(filter.legal_entity_id.map(Uuid::from))
        .bind(filter.division_id.map(Uuid::from))
        .bind(filter.person_id.map(Uuid::from))
        .bind(filter.party_id.map(Uuid::from))
        .bind(filter.medical_program_id.map(Uuid::from))
        .bind(filter.medication_id.map(Uuid::from))
        .bind(filter.batch_number.as_ref().map(|batch| batch.as_str().to_owned()))
        .bind(filter.dispensed_from)
        .bind(filter.dispensed_to)
        .bind(after.dispensed_on)
        .bind(after.inserted_at)
        .bind(Uuid::from(after.id))
        .bind(statuses.map(|wanted| wanted.iter().map(|it| word(*it)).collect::<Vec<_>>()))
}

/// What a page has: where the events of its dispenses stand, and after which row it goes on.
struct Page {
    places: Vec<LogPosition>,
    next: Option<DispensePlace>,
}

impl Page {
    /// A row more than the page has room for, or the last one that it looks at, says that there may be
    /// more.
    fn of(rows: &[PgRow], size: PageSize) -> Result<Self, sqlx::Error> {
        let room = usize::try_from(size.get()).unwrap_or(usize::MAX);
        let (mut places, mut dispenses, mut last) = (Vec::new(), 0, None);
        for row in rows {
            let place = DispensePlace {
                dispensed_on: row.try_get("dispensed_on")?,
                inserted_at: row.try_get("inserted_at")?,
                id: row.try_get::<Uuid, _>("dispense_id")?.into(),
            };
            let opened: Option<i64> = row.try_get("opened_position")?;
            if opened.is_some() && dispenses == room {
                return Ok(Self { places, next: last });
            }
            let partition: i16 = row.try_get("partition")?;
            let partition = partition.cast_unsigned();
            let positions = [opened, row.try_get("closed_position")?];
            places.extend(
                positions.into_iter().flatten().map(|position| LogPosition { partition, position }),
            );
            dispenses += usize::from(opened.is_some());
            last = Some(place);
            if row.try_get::<i64, _>("n")? == EXAMINED {
                return Ok(Self { places, next: last });
            }
        }
        Ok(Self { places, next: None })
    }
}
