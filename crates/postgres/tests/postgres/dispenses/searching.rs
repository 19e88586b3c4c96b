//! The search: every filter on both sides of it, pages, order, and holds that ran out.

use std::sync::Arc;

use chrono::{Days, NaiveDate, TimeDelta};
use dispensary::search::{
    Criteria, Dispenses as _, Matching, PageAsked, PageNumber, PageSize, REACH,
};
use dispense_domain::{Status, Terms};
use dispense_postgres::{PgDispenses, PgLog};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::told::{Log, Told, day};
use crate::sample::{CARE_PLAN, DIVISION, PHARMACY};

const OTHER: Uuid = Uuid::from_u128(0xEE);
const NONE: [Uuid; 0] = [];

/// A search through what was told, once that is followed.
pub(super) struct Search(pub(super) PgDispenses);

impl Search {
    pub(super) async fn through(log: &Log) -> Self {
        log.followed().await;
        let database = &log.database;
        let settings = PgLog::settings(&database.serving, None).await.unwrap();
        let (events, _running) = PgLog::start(
            database.serving.clone(),
            &database.serving_options,
            settings,
            &Arc::new(database.registry()),
            &Arc::new(Terms::default()),
            &CancellationToken::new(),
        );
        Self(PgDispenses::new(database.serving.clone(), &events))
    }

    async fn page(&self, criteria: &Criteria, number: u64, size: u32) -> Matching {
        let page = PageAsked {
            number: PageNumber::new(number).unwrap(),
            size: PageSize::new(size).unwrap(),
        };
        self.0.search(criteria, page).await.unwrap()
    }

    /// Ids of all that matches.
    async fn ids(&self, criteria: Criteria) -> Vec<Uuid> {
        let found = self.page(&criteria, 1, PageSize::MOST).await;
        let ids = ids(&found);
        assert_eq!(found.entries, u64::try_from(ids.len()).unwrap(), "{criteria:?}");
        ids
    }
}

fn ids(found: &Matching) -> Vec<Uuid> {
    found.dispenses.iter().map(|shown| shown.hold.dispense_id.uuid()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_criteria_everything_is_found_newest_first() {
    let mut log = Log::new().await;
    let mut told = Vec::new();
    for n in 0..9 {
        told.push(log.held(&Told::on(n)).await);
        log.tick();
    }
    told.reverse();
    let search = Search::through(&log).await;
    assert_eq!(search.ids(Criteria::default()).await, told);
}

/// What one batch recorded has one time; its order is that of the ids, on every page.
#[tokio::test(flavor = "multi_thread")]
async fn what_began_at_one_moment_is_ordered_by_id() {
    let mut log = Log::new().await;
    let mut told = Vec::new();
    for n in 0..21 {
        told.push(log.held(&Told::on(n)).await);
    }
    told.sort_unstable();
    let search = Search::through(&log).await;
    let mut found = Vec::new();
    for (number, expected) in [(1, 10), (2, 10), (3, 1), (4, 0)] {
        let page = search.page(&Criteria::default(), number, 10).await;
        assert_eq!((page.dispenses.len(), page.entries), (expected, 21), "page {number}");
        found.extend(ids(&page));
    }
    assert_eq!(found, told, "nothing twice, nothing left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_id_one_dispense_is_found_and_no_other() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let (one, _other) = (log.held(&told).await, log.held(&told).await);
    let search = Search::through(&log).await;
    let by = |id: Uuid| Criteria { id: Some(id.into()), ..Criteria::default() };
    assert_eq!(search.ids(by(one)).await, [one]);
    assert_eq!(search.ids(by(OTHER)).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_medication_request_its_dispenses_are_found() {
    let mut log = Log::new().await;
    let (told, other) = (Told::on(1), Told::on(2));
    let first = log.dispensed(&told, "Expired").await;
    let _others = log.held(&other).await;
    let second = log.dispensed(&told, "Processed").await;
    let search = Search::through(&log).await;
    let by = |request: Uuid| Criteria {
        medication_request_id: Some(request.into()),
        ..Criteria::default()
    };
    assert_eq!(search.ids(by(told.request)).await, [second, first]);
    assert_eq!(search.ids(by(OTHER)).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_legal_entity_division_and_care_plan_theirs_are_found() {
    let mut log = Log::new().await;
    let plain = log.held(&Told::on(1)).await;
    let company = log.held(&Told::on(2).by(OTHER)).await;
    let outlet = log.held(&Told::on(3).at(OTHER)).await;
    let based_on = Some(json!([{"type": "care_plan", "id": CARE_PLAN}]));
    let planned = log.held(&Told { based_on, ..Told::on(4) }).await;
    let search = Search::through(&log).await;

    let by = |id: Uuid| Criteria { legal_entity_id: Some(id.into()), ..Criteria::default() };
    let mut own = [plain, outlet, planned];
    own.sort_unstable();
    assert_eq!(search.ids(by(PHARMACY)).await, own);
    assert_eq!(search.ids(by(OTHER)).await, [company]);

    let by = |id: Uuid| Criteria { division_id: Some(id.into()), ..Criteria::default() };
    let mut own = [plain, company, planned];
    own.sort_unstable();
    assert_eq!(search.ids(by(DIVISION)).await, own);
    assert_eq!(search.ids(by(OTHER)).await, [outlet]);

    let by = |id: Uuid| Criteria { care_plan_id: Some(id), ..Criteria::default() };
    assert_eq!(search.ids(by(CARE_PLAN)).await, [planned]);
    assert_eq!(search.ids(by(OTHER)).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_of_a_range_of_days_belong_to_it() {
    let mut log = Log::new().await;
    let mut told = Vec::new();
    for later in 0..4 {
        told.push(log.held(&Told::on(1).days_later(later)).await);
        log.tick();
    }
    let search = Search::through(&log).await;
    let later = |days: u64| day().checked_add_days(Days::new(days)).unwrap();
    let between = |from: Option<u64>, to: Option<u64>| Criteria {
        dispensed_from: from.map(later),
        dispensed_to: to.map(later),
        ..Criteria::default()
    };
    assert_eq!(search.ids(between(Some(1), Some(2))).await, [told[2], told[1]]);
    assert_eq!(search.ids(between(Some(2), Some(2))).await, [told[2]]);
    assert_eq!(search.ids(between(Some(2), None)).await, [told[3], told[2]]);
    assert_eq!(search.ids(between(None, Some(1))).await, [told[1], told[0]]);
    assert_eq!(search.ids(between(Some(3), Some(2))).await, NONE, "from after to");
    let far = Criteria { dispensed_from: Some(NaiveDate::MAX), ..Criteria::default() };
    assert_eq!(search.ids(far).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_status_those_are_found_that_stand_there_now() {
    let mut log = Log::new().await;
    let mut told = Vec::new();
    for how in ["Processed", "Cancelled", "Expired"] {
        told.push(log.dispensed(&Told::on(1), how).await);
    }
    told.push(log.held(&Told::on(2)).await);
    log.tick();
    told.push(log.held(&Told::on(3).alive()).await);
    let [processed, cancelled, expired, lapsed, held] = told[..] else { panic!("{told:?}") };
    let search = Search::through(&log).await;
    let by =
        |statuses: &[Status]| Criteria { statuses: Some(statuses.to_vec()), ..Criteria::default() };
    for (statuses, expected) in [
        (&[Status::Held][..], &[held][..]),
        (&[Status::Processed], &[processed]),
        (&[Status::Cancelled], &[cancelled]),
        // Nobody has recorded yet that the second one ran out.
        (&[Status::Expired], &[lapsed, expired]),
        (&[Status::Expired, Status::Held], &[held, lapsed, expired]),
        (&[Status::Processed, Status::Cancelled], &[cancelled, processed]),
        (&[Status::Expired, Status::Processed, Status::Expired], &[lapsed, expired, processed]),
        (
            &[Status::Held, Status::Processed, Status::Cancelled, Status::Expired],
            &[held, lapsed, expired, cancelled, processed],
        ),
        (&[], &[]),
    ] {
        assert_eq!(search.ids(by(statuses)).await, expected, "{statuses:?}");
    }
    let found = search.page(&by(&[Status::Expired]), 1, 50).await;
    let shown = |n: usize| (found.dispenses[n].status, found.dispenses[n].version);
    assert_eq!((shown(0), shown(1)), ((Status::Expired, 1), (Status::Expired, 2)));
}

/// The partition's last record is later than the database's clock, as after a step of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_over_by_the_time_of_its_partition() {
    let mut log = Log::new().await;
    let (told, elsewhere) = (Told::on(1).alive(), Told::on(2).alive());
    let (one, other) = (log.held(&told).await, log.held(&elsewhere).await);
    let partitions = [&told, &elsewhere].map(|it| crate::sample::partition_of(it.request));
    assert_ne!(partitions[0], partitions[1], "the test needs two of them");
    let search = Search::through(&log).await;
    let after = log.now() + told.lasts + TimeDelta::seconds(1);
    sqlx::query("UPDATE log_head SET recorded_at = $1 WHERE partition = $2")
        .bind(after)
        .bind(partitions[0].cast_signed())
        .execute(&log.database.admin)
        .await
        .unwrap();
    let by = |status| Criteria { statuses: Some(vec![status]), ..Criteria::default() };
    assert_eq!(search.ids(by(Status::Expired)).await, [one]);
    assert_eq!(search.ids(by(Status::Held)).await, [other]);
    let found = search.page(&by(Status::Expired), 1, 50).await;
    assert_eq!(found.dispenses[0].status, Status::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_criteria_hold_at_once() {
    let mut log = Log::new().await;
    let based_on = Some(json!([{"type": "care_plan", "id": CARE_PLAN}]));
    let told = Told { based_on: based_on.clone(), ..Told::on(1).by(OTHER).at(OTHER) };
    let wanted = log.dispensed(&told, "Processed").await;
    // Each of these differs from it in one thing.
    log.dispensed(&told, "Processed").await;
    log.dispensed(&told, "Cancelled").await;
    for other in [
        Told { based_on: based_on.clone(), ..Told::on(2).by(OTHER).at(OTHER) },
        Told { based_on: based_on.clone(), ..Told::on(1).at(OTHER) },
        Told { based_on: based_on.clone(), ..Told::on(1).by(OTHER) },
        told.clone().days_later(1),
        Told::on(1).by(OTHER).at(OTHER),
    ] {
        log.dispensed(&other, "Processed").await;
    }
    let search = Search::through(&log).await;
    let all = Criteria {
        id: Some(wanted.into()),
        medication_request_id: Some(told.request.into()),
        legal_entity_id: Some(OTHER.into()),
        division_id: Some(OTHER.into()),
        statuses: Some(vec![Status::Processed]),
        dispensed_from: Some(day()),
        dispensed_to: Some(day()),
        care_plan_id: Some(CARE_PLAN),
    };
    assert_eq!(search.ids(all.clone()).await, [wanted]);
    let but_id = Criteria { id: None, ..all.clone() };
    assert_eq!(search.ids(but_id.clone()).await.len(), 2);
    for one_more in [
        Criteria { medication_request_id: None, ..but_id.clone() },
        Criteria { legal_entity_id: None, ..but_id.clone() },
        Criteria { division_id: None, ..but_id.clone() },
        Criteria { statuses: None, ..but_id.clone() },
        Criteria { dispensed_to: None, ..but_id.clone() },
        Criteria { care_plan_id: None, ..but_id.clone() },
    ] {
        assert_eq!(search.ids(one_more.clone()).await.len(), 3, "{one_more:?}");
    }
    let elsewhere = Criteria { medication_request_id: Some(OTHER.into()), ..all };
    assert_eq!(search.ids(elsewhere).await, NONE, "request and id of two partitions");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_end_where_the_search_ends() {
    let mut log = Log::new().await;
    log.held(&Told::on(1)).await;
    let search = Search::through(&log).await;
    let beyond = search.page(&Criteria::default(), REACH / 300 + 2, 300).await;
    assert_eq!((beyond.dispenses.len(), beyond.entries), (0, 1));
    let far = search.page(&Criteria::default(), u64::MAX, 300).await;
    assert_eq!((far.dispenses.len(), far.entries), (0, 1));
}

/// More than can be shown: it counts as far as pages reach, and the last of these is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_search_counts_as_far_as_its_pages_reach() {
    let mut log = Log::new().await;
    let last = log.held(&Told::on(1)).await;
    let search = Search::through(&log).await;
    sqlx::query(
        "INSERT INTO dispenses_v1
             (partition, dispense_id, medication_request_id, legal_entity_id, division_id,
              person_id, party_id, medical_program_id, care_plan_id, dispensed_on, inserted_at,
              updated_at, stage, expires_at, opened_position, closed_position, shape)
         SELECT partition, gen_random_uuid(), medication_request_id, legal_entity_id, division_id,
                person_id, party_id, medical_program_id, care_plan_id, dispensed_on,
                inserted_at - n * interval '1 second', updated_at, stage, expires_at,
                opened_position, closed_position, shape
         FROM dispenses_v1, generate_series(1, $1) n",
    )
    .bind(i64::try_from(REACH).unwrap() + 10)
    .execute(&log.database.admin)
    .await
    .unwrap();
    let found = search.page(&Criteria::default(), 1, 1).await;
    assert_eq!((ids(&found), found.entries), (vec![last], REACH));
    let found = search.page(&Criteria::default(), REACH / 300 + 1, 300).await;
    assert_eq!(found.entries, REACH);
    let by = Criteria { statuses: Some(vec![Status::Expired]), ..Criteria::default() };
    assert_eq!(search.page(&by, 1, 1).await.entries, REACH);
}
