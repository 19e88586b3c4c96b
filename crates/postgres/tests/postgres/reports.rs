//! The read model `reports`: figures, however the events are cut into batches.

mod reimbursing;
mod sold;

use std::collections::BTreeMap;

use dispensary::report::{Counted, Group, GroupBy, ReportAsked, Reports, Sums};
use dispense_domain::Status;
use dispense_postgres::PgReports;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::dispenses::told::{Log, day};
use crate::sample::{DIVISION, PHARMACY, PROGRAM};
use sold::{Sold, forgotten, read, sell};

const OTHER: Uuid = Uuid::from_u128(0xE1);
const BRAND: Uuid = Uuid::from_u128(0xC0);
const SYRUP: Uuid = Uuid::from_u128(0xC1);

/// All groupings.
const GROUPINGS: [GroupBy; 5] =
    [GroupBy::Day, GroupBy::Division, GroupBy::Program, GroupBy::Medication, GroupBy::Status];

const EVERY: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];

/// What the model says of two days.
async fn totals(
    log: &Log,
    group_by: GroupBy,
    statuses: &[Status],
    of: Option<Uuid>,
) -> BTreeMap<Group, Sums> {
    let (from, to) = (day(), day() + chrono::Days::new(1));
    let asked = ReportAsked { from, to, group_by, statuses: statuses.to_vec() };
    let counted = Counted { asked, legal_entity_id: of.map(Into::into) };
    PgReports::new(log.database.serving.clone()).totals(&counted).await.unwrap()
}

fn sums(dispenses: u64, amounts: [&str; 4]) -> Sums {
    let [quantity, total_amount, insurance_coverage, copayment] =
        amounts.map(|amount| amount.parse::<Decimal>().unwrap());
    Sums { dispenses, quantity, total_amount, insurance_coverage, copayment }
}

/// Two pharmacies, two days, two medicines; ends of every kind, and two without any.
async fn world() -> Log {
    let mut log = Log::new().await;
    let one = Sold::new(1).line(BRAND, "10", "25.50", "20.10").paid("5.5");
    sell(&mut log, &one, Some("Processed")).await;
    // What the patient paid is not said.
    let two = Sold::new(2).line(BRAND, "5", "10", "4.25").line(SYRUP, "0.5", "7.7", "0");
    sell(&mut log, &two, Some("Processed")).await;
    // Two lines of one medicine, at another pharmacy, outside any program, on the next day.
    let three = Sold::new(3).line(SYRUP, "1", "1", "0").line(SYRUP, "2", "2.50", "0");
    let three = Sold { legal_entity: OTHER, division: OTHER, program: None, ..three }.next_day();
    sell(&mut log, &three, Some("Processed")).await;
    sell(&mut log, &Sold::new(4).line(BRAND, "1", "100", "50"), Some("Cancelled")).await;
    sell(&mut log, &Sold::new(5).line(BRAND, "2", "200", "50"), Some("Expired")).await;
    // It ran out, and nobody said so; the other one lives on.
    sell(&mut log, &Sold::new(6).line(BRAND, "3", "300", "50"), None).await;
    sell(&mut log, &Sold::new(7).line(BRAND, "4", "400", "50").alive(), None).await;
    // Before the range, and behind it.
    let mut before = Sold::new(8).line(BRAND, "1", "1", "1");
    before.day = day() - chrono::Days::new(1);
    sell(&mut log, &before, Some("Processed")).await;
    sell(&mut log, &Sold::new(9).line(BRAND, "1", "1", "1").next_day().next_day(), None).await;
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_added_up_by_whatever_is_asked() {
    let log = world().await;
    read(&log).await;
    let completed = [Status::Processed];
    let of = async |group_by| totals(&log, group_by, &completed, None).await;
    let ours = sums(2, ["15.5", "43.20", "24.35", "18.95"]);
    let theirs = sums(1, ["3", "3.50", "0", "3.50"]);
    let next = day() + chrono::Days::new(1);
    assert_eq!(
        of(GroupBy::Day).await,
        BTreeMap::from([(Group::Day(day()), ours), (Group::Day(next), theirs)])
    );
    assert_eq!(
        of(GroupBy::Division).await,
        BTreeMap::from([(Group::Id(DIVISION), ours), (Group::Id(OTHER), theirs)])
    );
    assert_eq!(
        of(GroupBy::Program).await,
        BTreeMap::from([(Group::Id(PROGRAM), ours), (Group::OutsidePrograms, theirs)])
    );
    assert_eq!(
        of(GroupBy::Medication).await,
        BTreeMap::from([
            (Group::Id(BRAND), sums(2, ["15", "35.50", "24.35", "11.15"])),
            (Group::Id(SYRUP), sums(2, ["3.5", "11.20", "0", "11.20"])),
        ]),
        "a dispense of both counts for both, one of two packages once"
    );
    assert_eq!(
        totals(&log, GroupBy::Status, &EVERY, None).await,
        BTreeMap::from([
            (Group::Status(Status::Held), sums(1, ["4", "400", "50", "350"])),
            (Group::Status(Status::Processed), sums(3, ["18.5", "46.70", "24.35", "22.45"])),
            (Group::Status(Status::Cancelled), sums(1, ["1", "100", "50", "50"])),
            (Group::Status(Status::Expired), sums(2, ["5", "500", "100", "400"])),
        ]),
        "what ran out has expired, recorded or not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_has_its_own_figures() {
    let log = world().await;
    read(&log).await;
    for group_by in GROUPINGS {
        let all = totals(&log, group_by, &EVERY, None).await;
        let mut both = totals(&log, group_by, &EVERY, Some(PHARMACY)).await;
        for (group, sums) in totals(&log, group_by, &EVERY, Some(OTHER)).await {
            both.entry(group).or_default().add(sums);
        }
        assert_eq!(both, all, "{group_by:?}");
        let nobody = totals(&log, group_by, &EVERY, Some(SYRUP)).await;
        assert_eq!(nobody, BTreeMap::new(), "{group_by:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_that_are_read_again_are_the_same() {
    let mut log = world().await;
    read(&log).await;
    // What was open ends in a batch of its own.
    let late = Sold::new(6).line(BRAND, "3", "300", "50");
    let open = sold::open(&mut log, &late).await;
    read(&log).await;
    sold::end(&mut log, &late, open, "Processed").await;
    read(&log).await;
    let all = async || {
        let mut all = Vec::new();
        for group_by in GROUPINGS {
            for status in EVERY {
                all.push(totals(&log, group_by, &[status], None).await);
            }
        }
        (all, sold::rows(&log).await)
    };
    let before = all().await;
    forgotten(&log).await;
    read(&log).await;
    assert_eq!(all().await, before);
}

/// The two events of a commit may stand in two batches of the follower.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_processed_at_once_is_never_counted_as_held() {
    let mut log = Log::new().await;
    let sold = Sold { at_once: true, ..Sold::new(1).line(BRAND, "1", "2", "1") };
    let id = sold::open(&mut log, &sold).await;
    read(&log).await;
    assert_eq!(totals(&log, GroupBy::Status, &EVERY, None).await, BTreeMap::new());
    sold::end(&mut log, &sold, id, "Processed").await;
    read(&log).await;
    assert_eq!(
        totals(&log, GroupBy::Status, &EVERY, None).await,
        BTreeMap::from([(Group::Status(Status::Processed), sums(1, ["1", "2", "1", "1"]))])
    );
}
