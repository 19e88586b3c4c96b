//! The second table of the model: a row for each medication and batch of a dispense, which never
//! changes.

use dispense_domain::{HoldCreated, Text};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Opened;
use crate::follow::Tables;

/// Its name, which is that of its view.
pub(super) const NAME: &str = "dispense_items";

/// What a dispense has of one medication and batch.
struct Item<'a> {
    of: &'a Opened<'a>,
    /// Its place among the different ones, from 1.
    number: i16,
    medication: Uuid,
    batch: Option<&'a str>,
    first_of_medication: bool,
    first_of_batch: bool,
}

/// The different ones of a dispense: what comes again with the same medication and batch finds nothing
/// that the first does not.
fn of<'a>(opened: &'a Opened<'a>, items: &mut Vec<Item<'a>>) {
    let hold: &HoldCreated = opened.hold;
    let begin = items.len();
    for item in &hold.items {
        let medication = item.medication.id.uuid();
        let batch = item.batch_number.as_ref().map(Text::as_str);
        let before = items.get(begin..).unwrap_or_default();
        if before.iter().any(|it| it.medication == medication && it.batch == batch) {
            continue;
        }
        let first_of_medication = before.iter().all(|it| it.medication != medication);
        let first_of_batch = batch.is_some() && before.iter().all(|it| it.batch != batch);
        let number = i16::try_from(before.len() + 1).unwrap_or(i16::MAX);
        items.push(Item {
            of: opened,
            number,
            medication,
            batch,
            first_of_medication,
            first_of_batch,
        });
    }
}

const INSERT: &str = "
INSERT INTO {dispense_items}
    (partition, dispense_id, item, legal_entity_id, division_id, person_id, party_id,
     medical_program_id, medication_id, batch_number, dispensed_on, inserted_at,
     first_of_medication, first_of_batch)
SELECT $1, u.dispense_id, u.item, u.legal_entity_id, u.division_id, u.person_id, u.party_id,
       u.medical_program_id, u.medication_id, u.batch_number, u.dispensed_on, u.inserted_at,
       u.first_of_medication, u.first_of_batch
FROM UNNEST($2::uuid[], $3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
            $9::uuid[], $10::text[], $11::date[], $12::timestamptz[], $13::boolean[],
            $14::boolean[])
     AS u (dispense_id, item, legal_entity_id, division_id, person_id, party_id, medical_program_id,
           medication_id, batch_number, dispensed_on, inserted_at, first_of_medication,
           first_of_batch)";

/// Keeps the items of what a batch opened.
pub(super) async fn insert(
    db: &mut PgConnection,
    tables: &Tables,
    opened: &[Opened<'_>],
) -> Result<(), sqlx::Error> {
    /// A member of all of them.
    fn all<'a, T>(items: &[Item<'a>], member: impl Fn(&Item<'a>) -> T) -> Vec<T> {
        items.iter().map(member).collect()
    }
    let mut items = Vec::with_capacity(opened.len());
    for opened in opened {
        of(opened, &mut items);
    }
    sqlx::query(&INSERT.replace("{dispense_items}", &tables.name(NAME)))
        .bind(opened.first().map(|it| it.row.partition.cast_signed()))
        .bind(all(&items, |it| it.of.row.dispense_id))
        .bind(all(&items, |it| it.number))
        .bind(all(&items, |it| it.of.hold.legal_entity_id.uuid()))
        .bind(all(&items, |it| it.of.hold.division.id.uuid()))
        .bind(all(&items, |it| it.of.hold.medication_request.person_id.uuid()))
        .bind(all(&items, |it| it.of.hold.party_id.uuid()))
        .bind(all(&items, |it| it.of.hold.medical_program.as_ref().map(|it| it.id.uuid())))
        .bind(all(&items, |it| it.medication))
        .bind(all(&items, |it| it.batch))
        .bind(all(&items, |it| it.of.hold.dispensed_on))
        .bind(all(&items, |it| it.of.row.recorded_at))
        .bind(all(&items, |it| it.first_of_medication))
        .bind(all(&items, |it| it.first_of_batch))
        .execute(db)
        .await
        .map(|_| ())
}
