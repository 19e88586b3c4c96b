//! Lists: every filter, pages of one moment whatever is told meanwhile, and where they end.

use chrono::{DateTime, NaiveDate, Utc};
use dispensary::cursor::ListError;
use dispensary::list::{Filter, ListCursor, Walk};
use dispensary::search::{Dispenses as _, PageSize};
use dispense_domain::{Status, Text};
use serde_json::Value;
use uuid::Uuid;

use super::searching::Search;
use super::told::{Log, Told, day};
use crate::sample::PHARMACY;

const EVERY: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];
const BATCHES: [&str; 3] = ["A-1", "B-2", "C-3"];

/// One of a few ids of a kind.
const fn id(kind: u128, n: u64) -> Uuid {
    Uuid::from_u128(kind * 0x1_0000 + n as u128)
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What happens in a country: holds that end soon, late, or never.
struct Country {
    log: Log,
    dice: Dice,
    open: Vec<(Told, Uuid)>,
}

impl Country {
    async fn new() -> Self {
        Self { log: Log::new().await, dice: Dice(7), open: Vec::new() }
    }

    /// So many things happen, and are followed.
    async fn happens(&mut self, times: u32) {
        for _ in 0..times {
            match self.dice.roll(5) {
                0 | 1 if !self.open.is_empty() => {
                    let n = self.dice.roll(self.open.len() as u64);
                    let (told, id) = self.open.swap_remove(usize::try_from(n).unwrap());
                    let how = ["Processed", "Processed", "Cancelled", "Expired"];
                    let how = how[usize::try_from(self.dice.roll(4)).unwrap()];
                    self.log.ended(&told, id, how).await;
                }
                _ => self.opens().await,
            }
            if self.dice.roll(3) > 0 {
                self.log.tick();
            }
        }
        self.log.followed().await;
    }

    async fn opens(&mut self) {
        let dice = &mut self.dice;
        let batch = |dice: &mut Dice| BATCHES.get(usize::try_from(dice.roll(4)).unwrap()).copied();
        let told = Told {
            person: id(0xA, dice.roll(4)),
            party: id(0xB, dice.roll(3)),
            program: id(0xC, dice.roll(2)),
            items: (0..=dice.roll(3)).map(|_| (id(0xD, dice.roll(3)), batch(dice))).collect(),
            at_once: dice.roll(6) == 0,
            ..Told::on(dice.roll(9).into())
                .by(id(0xE, dice.roll(2)))
                .at(id(0xF, dice.roll(3)))
                .days_later(dice.roll(4))
        };
        let told = if dice.roll(2) == 0 { told.alive() } else { told };
        let id = self.log.held(&told).await;
        if told.at_once {
            self.log.ended(&told, id, "Processed").await;
        } else {
            self.open.push((told, id));
        }
    }
}

/// Every filter alone, many pairs, and some with a range of days.
fn filters() -> Vec<Filter> {
    let later = |days: u64| Some(day() + chrono::Days::new(days));
    let with = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let request = Told::on(3).request.into();
    let mut singles = vec![
        with(&|_| ()),
        with(&|it| it.medication_request_id = Some(request)),
        with(&|it| it.person_id = Some(id(0xA, 1).into())),
        with(&|it| it.party_id = Some(id(0xB, 1).into())),
        with(&|it| it.medical_program_id = Some(id(0xC, 1).into())),
        with(&|it| it.medication_id = Some(id(0xD, 1).into())),
        with(&|it| it.batch_number = Some(BATCHES[0].try_into().unwrap())),
        with(&|it| it.legal_entity_id = Some(id(0xE, 1).into())),
        with(&|it| it.division_id = Some(id(0xF, 1).into())),
        with(&|it| (it.dispensed_from, it.dispensed_to) = (later(1), later(1))),
        with(&|it| (it.dispensed_from, it.dispensed_to) = (later(1), later(2))),
        with(&|it| it.dispensed_from = later(2)),
        with(&|it| it.dispensed_to = later(1)),
        with(&|it| it.person_id = Some(id(0xA, 99).into())),
    ];
    for statuses in [
        vec![Status::Held],
        vec![Status::Processed],
        vec![Status::Cancelled],
        vec![Status::Expired],
        vec![Status::Held, Status::Expired],
        vec![Status::Held, Status::Cancelled],
        vec![Status::Processed, Status::Cancelled],
        EVERY.to_vec(),
        vec![],
    ] {
        singles.push(with(&|it| it.statuses = Some(statuses.clone())));
    }
    let mut all = Vec::new();
    for (n, one) in singles.iter().enumerate() {
        for other in &singles[n..] {
            all.push(both(one, other));
        }
    }
    all
}

fn both(one: &Filter, other: &Filter) -> Filter {
    let (one, other) = (one.clone(), other.clone());
    Filter {
        medication_request_id: one.medication_request_id.or(other.medication_request_id),
        person_id: one.person_id.or(other.person_id),
        legal_entity_id: one.legal_entity_id.or(other.legal_entity_id),
        division_id: one.division_id.or(other.division_id),
        party_id: one.party_id.or(other.party_id),
        medical_program_id: one.medical_program_id.or(other.medical_program_id),
        medication_id: one.medication_id.or(other.medication_id),
        batch_number: one.batch_number.or(other.batch_number),
        statuses: one.statuses.or(other.statuses),
        dispensed_from: one.dispensed_from.or(other.dispensed_from),
        dispensed_to: one.dispensed_to.or(other.dispensed_to),
    }
}

/// A dispense as the rows of the model have it, with all its items.
struct Row {
    row: Value,
    items: Vec<Value>,
}

impl Row {
    async fn all(log: &Log) -> Vec<Self> {
        let items = log.rows("SELECT to_jsonb(i) AS row FROM dispense_items i").await;
        let of = |row: &Value| {
            let own = items.iter().filter(|it| it["dispense_id"] == row["dispense_id"]);
            own.cloned().collect()
        };
        log.kept().await.into_iter().map(|row| Self { items: of(&row), row }).collect()
    }

    fn at(&self, member: &str) -> DateTime<Utc> {
        self.row[member].as_str().unwrap().parse().unwrap()
    }

    fn day(&self) -> NaiveDate {
        self.row["dispensed_on"].as_str().unwrap().parse().unwrap()
    }

    /// Where it stood when so much of the log was read; nothing if it had not begun.
    fn status(&self, cursor: &ListCursor) -> Option<Status> {
        let partition = usize::try_from(self.row["partition"].as_u64().unwrap()).unwrap();
        let read = cursor.snapshot.positions[partition];
        if self.row["opened_position"].as_i64().unwrap() > read {
            return None;
        }
        let is_at_once = self.row["expires_at"].is_null();
        if is_at_once || self.row["closed_position"].as_i64().is_some_and(|it| it <= read) {
            return Some(match self.row["stage"].as_str().unwrap() {
                "processed" => Status::Processed,
                "cancelled" => Status::Cancelled,
                "expired" => Status::Expired,
                other => panic!("{other}"),
            });
        }
        let ran_out = self.at("expires_at") < cursor.snapshot.at;
        Some(if ran_out { Status::Expired } else { Status::Held })
    }

    fn matches(&self, filter: &Filter, cursor: &ListCursor) -> bool {
        let is = |member: &str, wanted: Option<Uuid>| {
            wanted.is_none_or(|wanted| self.row[member] == wanted.to_string())
        };
        let Some(status) = self.status(cursor) else { return false };
        let batch = filter.batch_number.as_ref().map(Text::as_str);
        let medication = filter.medication_id.map(|it| it.to_string());
        let has_item = self.items.iter().any(|item| {
            medication.as_ref().is_none_or(|it| item["medication_id"] == **it)
                && batch.is_none_or(|it| item["batch_number"] == it)
        });
        is("medication_request_id", filter.medication_request_id.map(Uuid::from))
            && is("person_id", filter.person_id.map(Uuid::from))
            && is("legal_entity_id", filter.legal_entity_id.map(Uuid::from))
            && is("division_id", filter.division_id.map(Uuid::from))
            && is("party_id", filter.party_id.map(Uuid::from))
            && is("medical_program_id", filter.medical_program_id.map(Uuid::from))
            && has_item
            && filter.statuses.as_ref().is_none_or(|it| it.contains(&status))
            && filter.dispensed_from.is_none_or(|from| self.day() >= from)
            && filter.dispensed_to.is_none_or(|to| self.day() <= to)
    }

    fn id(&self) -> Uuid {
        self.row["dispense_id"].as_str().unwrap().parse().unwrap()
    }
}

/// What has to be listed, in order, with the statuses of then.
fn expected(rows: &[Row], filter: &Filter, cursor: &ListCursor) -> Vec<(Uuid, Status)> {
    let mut found: Vec<&Row> = rows.iter().filter(|row| row.matches(filter, cursor)).collect();
    found.sort_by_key(|row| (std::cmp::Reverse((row.day(), row.at("inserted_at"))), row.id()));
    found.iter().map(|row| (row.id(), row.status(cursor).unwrap())).collect()
}

fn three() -> PageSize {
    PageSize::new(3).unwrap()
}

/// A list whose first page was read.
struct Begun {
    filter: Filter,
    shown: Vec<(Uuid, Status)>,
    cursor: ListCursor,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_was_there_when_it_began_whatever_is_told_meanwhile() {
    let mut country = Country::new().await;
    country.happens(150).await;
    let search = Search::through(&country.log).await;
    let mut begun = Vec::new();
    for filter in filters() {
        let first = search.0.list(&filter, None, three()).await.unwrap();
        let shown: Vec<_> =
            first.dispenses.iter().map(|it| (it.hold.dispense_id.uuid(), it.status)).collect();
        match first.next {
            Some(cursor) => begun.push(Begun { filter, shown, cursor }),
            None => assert!(shown.len() <= 3, "{filter:?}"),
        }
    }
    assert!(begun.len() > 150, "{} lists go on", begun.len());

    country.happens(60).await;
    let rows = Row::all(&country.log).await;
    let (mut changed, mut walks) = (0, std::collections::BTreeSet::new());
    for mut list in begun {
        let mut next = Some(list.cursor.clone());
        while let Some(cursor) = next {
            let page = search.0.list(&list.filter, Some(&cursor), three()).await.unwrap();
            assert_eq!(page.positions, cursor.snapshot.log_positions());
            let shown = page.dispenses.iter();
            list.shown.extend(shown.map(|it| (it.hold.dispense_id.uuid(), it.status)));
            next = page.next;
        }
        let expected = expected(&rows, &list.filter, &list.cursor);
        assert_eq!(list.shown, expected, "{:?} by {:?}", list.filter, list.cursor.walk);
        walks.insert(format!("{:?}", list.cursor.walk));
        let moved = |(id, status): &(Uuid, Status)| {
            let row = rows.iter().find(|row| row.id() == *id).unwrap();
            *status == Status::Held && row.row["stage"] != "held"
        };
        changed += usize::from(expected.iter().any(moved));
    }
    assert!(changed > 30, "in {changed} lists stood holds that have ended since");
    assert_eq!(walks.len(), 9, "each filter was walked along: {walks:?}");
}

/// What all pages of a list show, and how many there are.
async fn walked(search: &Search, filter: &Filter) -> (Vec<Uuid>, u32) {
    let (mut found, mut pages, mut next) = (Vec::new(), 0, None);
    loop {
        let page = search.0.list(filter, next.as_ref(), three()).await.unwrap();
        found.extend(page.dispenses.iter().map(|it| it.hold.dispense_id.uuid()));
        pages += 1;
        next = page.next;
        if next.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_looks_at_so_many_rows_and_the_list_goes_on() {
    let mut log = Log::new().await;
    let (company, program) = (id(0xE, 1), id(0xC, 1));
    let rare = log.held(&Told { program, ..Told::on(1).by(company) }).await;
    log.tick();
    let _of_company = log.held(&Told::on(2).by(company)).await;
    let _of_program = log.held(&Told { program, ..Told::on(3) }).await;
    let search = Search::through(&log).await;
    // Many more of each, and none of both, before and after it.
    for (table, columns) in [
        (
            "dispenses_v1",
            "medication_request_id, care_plan_id, updated_at, stage, expires_at, opened_position,
             closed_position, shape",
        ),
        (
            "dispense_items_v1",
            "item, medication_id, batch_number, first_of_medication, first_of_batch",
        ),
    ] {
        let copy = format!(
            "INSERT INTO {table} (partition, dispense_id, dispensed_on, inserted_at, legal_entity_id,
                 division_id, person_id, party_id, medical_program_id, {columns})
             SELECT partition, md5(n::text || dispense_id)::uuid, dispensed_on,
                    inserted_at + (n - 6000) * interval '1 s', legal_entity_id, division_id,
                    person_id, party_id, medical_program_id, {columns}
             FROM {table}, generate_series(1, 12000) n
             WHERE (legal_entity_id = '{company}') <> (medical_program_id = '{program}')"
        );
        sqlx::query(&copy).execute(&log.database.admin).await.unwrap();
    }
    let both = Filter {
        legal_entity_id: Some(company.into()),
        medical_program_id: Some(program.into()),
        ..Filter::default()
    };
    assert_eq!(walked(&search, &both).await, (vec![rare], 3), "12,001 rows, 5,000 on each page");
    let alone = Filter { legal_entity_id: None, ..both };
    let page = search.0.list(&alone, None, three()).await.unwrap();
    assert_eq!(page.next.unwrap().walk, Walk::Program);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_never_ends_between_two_items_of_a_dispense() {
    let mut log = Log::new().await;
    let (medication, other, batch) = (id(0xD, 1), id(0xD, 2), Some("B-2"));
    let only_medication = (medication, Some("A-1"));
    let items = vec![only_medication, (other, batch), (medication, batch)];
    let both = log.held(&Told { items, ..Told::on(1) }).await;
    for (request, item) in [(2, only_medication), (3, (other, batch))] {
        log.tick();
        log.held(&Told { items: vec![item], ..Told::on(request) }).await;
    }
    let search = Search::through(&log).await;
    // So many before it that the first of its rows is the last one that a page looks at.
    let copy = format!(
        "INSERT INTO dispense_items_v1
         SELECT (jsonb_populate_record(i, jsonb_build_object('dispense_id', gen_random_uuid()))).*
         FROM dispense_items_v1 i, generate_series(1, 4998) WHERE dispense_id <> '{both}'"
    );
    sqlx::query(&copy).execute(&log.database.admin).await.unwrap();
    let filter = Filter {
        medication_id: Some(medication.into()),
        batch_number: Some("B-2".try_into().unwrap()),
        ..Filter::default()
    };
    assert_eq!(walked(&search, &filter).await.0, [both]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_gone_once_its_tables_were_replaced_or_the_log_lost_its_tail() {
    let mut log = Log::new().await;
    for n in 0..9 {
        log.held(&Told::on(n)).await;
    }
    let search = Search::through(&log).await;
    let own = Filter { legal_entity_id: Some(PHARMACY.into()), ..Filter::default() };
    let cursor = search.0.list(&own, None, three()).await.unwrap().next.unwrap();
    assert!(search.0.list(&own, Some(&cursor), three()).await.is_ok());
    let run = async |statement: &str| {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    };
    for (before, after) in [
        ("SET version = 2", "SET version = 1"),
        ("SET position = position - 1", "SET position = position + 1"),
    ] {
        run(&format!("UPDATE followers {before} WHERE name = 'dispenses'")).await;
        let gone = search.0.list(&own, Some(&cursor), three()).await;
        assert!(matches!(gone, Err(ListError::Gone)), "{before}: {gone:?}");
        run(&format!("UPDATE followers {after} WHERE name = 'dispenses'")).await;
    }
    assert!(search.0.list(&own, Some(&cursor), three()).await.is_ok());
}
