//! Turning pages while others write: every walk shows the log as it stood when its first page was asked
//! for, whatever is held, handed over, given back or runs out meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{
    Audit, Database, Entry, Instance, PAID, Pharmacy, Prescribed, Terms, World, today,
};

/// How many write, and how long they go on.
const WRITERS: usize = 4;
const LASTING: Duration = Duration::from_secs(12);

/// How often at most they do so until enough has happened.
const MOST_ROUNDS: usize = 6;

/// What has to happen.
const KINDS: [&str; 4] = ["HoldCreated", "Processed", "Cancelled", "Expired"];

/// On how many prescriptions each of them dispenses, in turn.
const PRESCRIPTIONS: usize = 24;

/// How many dispenses a page has: few, so that a walk is long.
const LIMIT: usize = 7;

/// How exactly the clock of a test is that of the database, which is on the same machine.
const ALIKE: TimeDelta = TimeDelta::milliseconds(50);

/// Holds, and hands over, gives back or forgets what it holds.
async fn write(pharmacy: Pharmacy, own: Vec<[Prescribed; 2]>, until: Instant) {
    let mut turn = 0;
    while Instant::now() < until {
        let [signed, at_once] = &own[turn % own.len()];
        turn += 1;
        if turn % 4 == 0 {
            pharmacy.dispense(at_once, 10).await;
            continue;
        }
        // It may still be held, or nothing be left of it.
        let held = pharmacy.dispense(signed, 10).await;
        if held.status != 201 {
            continue;
        }
        match turn % 4 {
            1 => _ = pharmacy.cancel(held.id()).await,
            2 => _ = pharmacy.hand_over(held.id(), PAID).await,
            _ => {}
        }
    }
}

/// A list that was walked to its end.
#[derive(Debug)]
struct Walked {
    query: String,
    /// By whom: a company, or the payer, who sees all.
    company: Option<Uuid>,
    /// Ids and statuses as they were shown.
    shown: Vec<(Uuid, String)>,
    positions: BTreeMap<u16, i64>,
    /// When the first page was asked for, and when it was there.
    begun: (DateTime<Utc>, DateTime<Utc>),
    pages: usize,
}

async fn now(database: &Database) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.pool).await.unwrap()
}

/// Walks through a list at all doors in turn.
async fn walk(
    database: &Database,
    askers: &[Pharmacy],
    company: Option<Uuid>,
    query: &str,
) -> Walked {
    let mut walked = Walked {
        query: query.to_owned(),
        company,
        shown: Vec::new(),
        positions: BTreeMap::new(),
        begun: (now(database).await, DateTime::UNIX_EPOCH),
        pages: 0,
    };
    let mut path = format!("/api/v1/dispenses?{query}&limit={LIMIT}");
    loop {
        let page = askers[walked.pages % askers.len()].get(&path).await.expect(200);
        let told = page.header("dispense-position").unwrap().split(',').map(|place| {
            let (partition, position) = place.split_once(':').unwrap();
            (partition.parse().unwrap(), position.parse().unwrap())
        });
        let told: BTreeMap<u16, i64> = told.collect();
        if walked.pages == 0 {
            walked.begun.1 = now(database).await;
            walked.positions = told;
        } else {
            assert_eq!(told, walked.positions, "?{query} is of one moment");
        }
        walked.pages += 1;
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= LIMIT);
        let shown = items.iter().map(|item| {
            let text = |member: &str| item[member].as_str().unwrap().to_owned();
            (text("id").parse().unwrap(), text("status"))
        });
        walked.shown.extend(shown);
        let Some(cursor) = page.body["next"].as_str() else { return walked };
        path = format!("/api/v1/dispenses?{query}&limit={LIMIT}&cursor={cursor}");
    }
}

/// A dispense as the log told it up to some positions.
struct Then<'a> {
    hold: &'a Entry,
    ended: Option<&'a Entry>,
}

/// What a dispense may have been shown as: two words where it ran out in that very moment.
fn words(then: &Then<'_>, begun: (DateTime<Utc>, DateTime<Utc>)) -> Vec<&'static str> {
    if then.hold.payload["processed_at_once"] == true {
        return vec!["COMPLETED"];
    }
    if let Some(ended) = then.ended {
        return vec![match &*ended.kind {
            "Processed" => "COMPLETED",
            "Cancelled" => "CANCELLED",
            "Expired" => "EXPIRED",
            other => panic!("{other}"),
        }];
    }
    let expires: DateTime<Utc> = then.hold.payload["expires_at"].as_str().unwrap().parse().unwrap();
    let mut words = Vec::new();
    if expires <= begun.1 + ALIKE {
        words.push("EXPIRED");
    }
    if expires >= begun.0 - ALIKE {
        words.push("HELD");
    }
    words
}

/// Whether the query, such as `status=HELD,EXPIRED&patientId=…`, is matched but for the status.
fn matches(query: &str, hold: &Value) -> bool {
    query.split('&').filter(|member| !member.is_empty()).all(|member| {
        let (name, wanted) = member.split_once('=').unwrap();
        let value = match name {
            "status" | "from" => return true,
            "patientId" => &hold["medication_request"]["person_id"],
            "prescriptionId" => &hold["medication_request"]["id"],
            "pharmacyId" => &hold["division"]["id"],
            "pharmacistId" => &hold["party_id"],
            "programId" => &hold["medical_program"]["id"],
            "medicineCode" => &hold["items"][0]["medication"]["id"],
            other => panic!("{other}"),
        };
        value == wanted
    })
}

impl Walked {
    /// Holds the walk against the log at its positions.
    fn check(&self, log: &[Entry]) {
        let mut then: HashMap<Uuid, Then<'_>> = HashMap::new();
        for entry in log {
            let opens = entry.kind == "HoldCreated";
            if entry.position > self.positions[&entry.partition] {
                continue;
            }
            if opens {
                then.insert(entry.dispense, Then { hold: entry, ended: None });
            } else {
                then.get_mut(&entry.dispense).unwrap().ended = Some(entry);
            }
        }
        then.retain(|_, it| {
            let own = |company: Uuid| it.hold.payload["legal_entity_id"] == company.to_string();
            self.company.is_none_or(own) && matches(&self.query, &it.hold.payload)
        });
        let statuses = self.query.split('&').find_map(|it| it.strip_prefix("status="));
        let wanted = |word: &str| statuses.is_none_or(|it| it.split(',').any(|it| it == word));

        let mut places = Vec::new();
        for (id, word) in &self.shown {
            let it =
                then.remove(id).unwrap_or_else(|| panic!("{id} is not there, or twice: {self:?}"));
            let words = words(&it, self.begun);
            assert!(words.contains(&&**word) && wanted(word), "{id} was {words:?}: {self:?}");
            let day = it.hold.payload["dispensed_on"].as_str().unwrap().to_owned();
            places.push((std::cmp::Reverse((day, it.hold.recorded_at)), *id));
        }
        assert!(places.is_sorted(), "not in order: {self:?}");
        for (id, it) in then {
            let words = words(&it, self.begun);
            assert!(
                !words.iter().all(|word| wanted(word)),
                "{id} was {words:?}, and skipped: {self:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_shows_what_was_there_when_it_began() {
    let database = Database::new().await;
    let world = World::new(WRITERS, WRITERS * PRESCRIPTIONS);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let instances = [
        Instance::start_with(&database, &short).await,
        Instance::start_with(&database, &short).await,
    ];

    let doors = |of: &Pharmacy| [of.at(&instances[0]), of.at(&instances[1])];
    let company = &world.pharmacies[0];
    let payer =
        company.token().with("client_type", "NHS").with("client_id", Uuid::nil().to_string());
    let payer = doors(&company.with_token(&payer));
    let own = doors(company);
    let what = world.prescribed(Terms::InParts, 0);
    let queries = [
        String::new(),
        "status=HELD".to_owned(),
        "status=EXPIRED".to_owned(),
        "status=HELD,CANCELLED".to_owned(),
        "status=COMPLETED".to_owned(),
        format!("status=HELD&pharmacyId={}", company.division),
        format!("status=EXPIRED,COMPLETED&pharmacistId={}", company.party),
        format!("programId={}", what.program),
        format!("status=HELD,EXPIRED&medicineCode={}", what.brand),
        format!("prescriptionId={}", what.id),
        format!("from={}", today()),
    ];
    let mut walks: Vec<Walked> = Vec::new();
    for round in 1..=MOST_ROUNDS {
        let until = Instant::now() + LASTING;
        let mut writers = JoinSet::new();
        for n in 0..WRITERS {
            let pharmacy = world.pharmacies[n].at(&instances[n % 2]);
            let own = (0..PRESCRIPTIONS).map(|each| {
                let number = n * PRESCRIPTIONS + each;
                [Terms::InParts, Terms::InPartsAtOnce].map(|terms| world.prescribed(terms, number))
            });
            writers.spawn(write(pharmacy, own.collect(), until));
        }
        while Instant::now() < until {
            for query in &queries {
                walks.push(walk(&database, &payer, None, query).await);
                walks.push(walk(&database, &own, Some(company.legal_entity), query).await);
            }
        }
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        let audit = Audit::of(&database).await;
        let least = KINDS.map(|kind| audit.count(kind)).into_iter().min().unwrap();
        let long = walks.iter().filter(|walked| walked.pages > 3).count();
        let shown: usize = walks.iter().map(|walked| walked.shown.len()).sum();
        println!("{} walks, {long} of them long, {shown} dispenses", walks.len());
        if least > 10 && long > 5 {
            break;
        }
        assert!(round < MOST_ROUNDS, "{least} of some kind, {long} walks were long");
    }
    let audit = Audit::of(&database).await;
    for walked in &walks {
        walked.check(&audit.entries);
    }
}
