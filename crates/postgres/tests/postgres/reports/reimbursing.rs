//! The reimbursement report: whose dispenses it finds, in which order, and that portions make a whole.

use chrono::{Days, NaiveDate};
use dispensary::reimbursement::{
    Period, Portion, ReimbursementAsked, Reimbursements, Standing, Whose,
};
use dispensary::search::{Matching, PageAsked, PageNumber, PageSize};
use dispense_postgres::PgReimbursements;
use uuid::Uuid;

use super::sold::{Sold, read, sell};
use super::{BRAND, OTHER};
use crate::dispenses::told::{Log, day};
use crate::sample::PHARMACY;

const CLINIC: Uuid = Uuid::from_u128(0xE2);

fn days(first: u64, last: u64) -> Period {
    Period::new(later(first), later(last)).unwrap()
}

fn later(days: u64) -> NaiveDate {
    day() + Days::new(days)
}

fn asked(whose: Whose) -> ReimbursementAsked {
    let dispensed = Some(days(0, 30));
    ReimbursementAsked { whose, standing: Standing::Anywhere, requested: None, dispensed }
}

/// A dispense on that day, of a medication request of that day.
fn on(request: u128, day: u64, requested: u64) -> Sold {
    let sold = Sold::new(request).line(BRAND, "1", "2", "1");
    Sold { day: later(day), requested_on: Some(later(requested)), ..sold }
}

/// The dispenses of a report, portion by portion.
async fn all(log: &Log, asked: &ReimbursementAsked) -> Vec<Uuid> {
    let report = PgReimbursements::new(log.database.serving.clone());
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let Portion { dispenses, last } = report.portion(asked, after).await.unwrap();
        found.extend(dispenses.iter().map(|shown| shown.hold.dispense_id.uuid()));
        match last {
            Some(_) => after = last,
            None => return found,
        }
    }
}

/// A page of a report, and how many dispenses it says that there are.
async fn page(log: &Log, asked: &ReimbursementAsked, number: u64, size: u32) -> (Vec<Uuid>, u64) {
    let report = PgReimbursements::new(log.database.serving.clone());
    let page =
        PageAsked { number: PageNumber::new(number).unwrap(), size: PageSize::new(size).unwrap() };
    let Matching { dispenses, entries } = report.page(asked, page).await.unwrap();
    (dispenses.iter().map(|shown| shown.hold.dispense_id.uuid()).collect(), entries)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_what_is_its_askers_in_the_order_of_the_days() {
    let mut log = Log::new().await;
    let ours = sell(&mut log, &on(1, 2, 0), Some("Processed")).await;
    let earlier = sell(&mut log, &on(2, 1, 1), Some("Cancelled")).await;
    let theirs = Sold { legal_entity: OTHER, clinic: CLINIC, ..on(3, 1, 0) };
    let theirs = sell(&mut log, &theirs, Some("Processed")).await;
    let open = sell(&mut log, &on(4, 3, 3), None).await;
    read(&log).await;
    let cases: [(&str, ReimbursementAsked, &[Uuid]); 8] = [
        ("a pharmacy", asked(Whose::Dispensed(PHARMACY.into())), &[earlier, ours, open]),
        ("another one", asked(Whose::Dispensed(OTHER.into())), &[theirs]),
        ("a clinic", asked(Whose::Prescribed(CLINIC.into())), &[theirs]),
        ("everybody", asked(Whose::Everybody), &[earlier, theirs, ours, open]),
        (
            "what was handed over",
            ReimbursementAsked { standing: Standing::HandedOver, ..asked(Whose::Everybody) },
            &[theirs, ours],
        ),
        (
            "days of prescribing",
            ReimbursementAsked {
                requested: Some(days(0, 1)),
                dispensed: None,
                ..asked(Whose::Dispensed(PHARMACY.into()))
            },
            &[earlier, ours],
        ),
        (
            "both",
            ReimbursementAsked {
                requested: Some(days(0, 0)),
                dispensed: Some(days(2, 2)),
                ..asked(Whose::Everybody)
            },
            &[ours],
        ),
        (
            "a day on which nothing was",
            ReimbursementAsked { dispensed: Some(days(4, 4)), ..asked(Whose::Everybody) },
            &[],
        ),
    ];
    for (who, asked, expected) in cases {
        assert_eq!(all(&log, &asked).await, expected, "{who}");
        let entries = u64::try_from(expected.len()).unwrap();
        assert_eq!(page(&log, &asked, 1, 50).await, (expected.to_vec(), entries), "{who}");
        let second = expected.iter().skip(1).take(1).copied().collect();
        assert_eq!(page(&log, &asked, 2, 1).await, (second, entries), "{who}");
    }
}

/// More than one look finds, of which many began at one moment.
#[tokio::test(flavor = "multi_thread")]
async fn portions_make_a_whole_in_which_each_dispense_is_once() {
    const DISPENSES: i64 = 1_000;
    let mut log = Log::new().await;
    let model = sell(&mut log, &on(1, 0, 0), Some("Processed")).await;
    read(&log).await;
    // All of them have the events of the first.
    sqlx::query(
        "INSERT INTO dispenses_v1
         SELECT (jsonb_populate_record(d, jsonb_build_object(
             'dispense_id', gen_random_uuid(),
             'dispensed_on', d.dispensed_on + (n % 3)::int,
             'inserted_at', d.inserted_at + (n % 2) * interval '1 second',
             'stage', (ARRAY['processed', 'expired', 'cancelled'])[1 + n % 3]))).*
         FROM dispenses_v1 d CROSS JOIN generate_series(2, $1) n WHERE d.dispense_id = $2",
    )
    .bind(DISPENSES)
    .bind(model)
    .execute(&log.database.admin)
    .await
    .unwrap();
    for whose in [Whose::Dispensed(PHARMACY.into()), Whose::Prescribed(PHARMACY.into())] {
        let found = all(&log, &asked(whose)).await;
        assert_eq!(i64::try_from(found.len()).unwrap(), DISPENSES, "{whose:?}");
        let (_, entries) = page(&log, &asked(whose), 1, 1).await;
        assert_eq!(entries, DISPENSES.cast_unsigned(), "{whose:?}");
        let (last, _) = page(&log, &asked(whose), 4, 300).await;
        assert_eq!(last.len(), 100, "{whose:?}");
    }
    let handed_over =
        ReimbursementAsked { standing: Standing::HandedOver, ..asked(Whose::Everybody) };
    assert_eq!(all(&log, &handed_over).await.len(), 334);
    let on_one_day = ReimbursementAsked { dispensed: Some(days(1, 1)), ..handed_over };
    assert_eq!(all(&log, &on_one_day).await.len(), 0);
}
