//! Lists and searches among a million dispenses: whatever one or two filters are combined, each is found
//! through an index, and no page reads more than it may.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::chain::read_by;
use super::{explained, explaining, plans};
use crate::harness::{Database, Instance, Pharmacy, Terms, World};

/// How many dispenses there are.
const DISPENSES: i64 = 1_000_000;

/// How many of them are open holds.
const HELD: u32 = 2_000;

/// What one page of a list may read: as many rows as it looks at, each with its dispense and an item that
/// it looks up; and of each stage what began while a hold lived, for those that have ended since.
const MOST_OF_LIST: f64 = 3.0 * 5_000.0 + 4.0 * 2_000.0;

/// What one search with totals may read: as far as it reaches to count, and as far to list the page.
const MOST_OF_SEARCH: f64 = 200_000.0 + 1_000.0;

/// What is looked for, where each value is neither the most nor the least common one.
struct Sought {
    request: Uuid,
    person: Uuid,
    company: Uuid,
    outlet: Uuid,
    party: Uuid,
    program: Uuid,
    medication: Uuid,
}

/// The ids that the statement below makes of a kind and a number.
fn id(kind: char, n: u32) -> Uuid {
    let hex: String = std::iter::repeat_n(kind, 24).collect();
    format!("{hex}{n:08}").parse().unwrap()
}

/// A country: a hundred companies of very different size with ten outlets each, programs and
/// medications of which some are common, five years in order. Indexes are built once all is there.
async fn grow(database: &Database) {
    let drop = "DO $$ DECLARE i record; BEGIN
        CREATE TABLE aside AS SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename IN ('dispenses_v1', 'dispense_items_v1') AND indexname NOT LIKE '%pkey';
        FOR i IN SELECT indexname FROM aside LOOP EXECUTE 'DROP INDEX ' || i.indexname; END LOOP;
    END $$";
    database.execute(drop).await;
    let of =
        |kind: char, n: &str| format!("(repeat('{kind}', 24) || lpad(({n})::text, 8, '0'))::uuid");
    let skewed = |most: u32, odd: u32| {
        format!("floor({most} * power((n::bigint * {odd} % 65537) / 65537.0, 3))::integer")
    };
    let company = skewed(100, 40_503);
    let outlet = format!("{company} * 10 + n % 10");
    let (program, medication) = (skewed(20, 30_011), skewed(2_000, 50_021));
    let (companies, outlets) = (of('a', &company), of('b', &outlet));
    let (people, parties) = (of('c', "n % 300000"), of('d', &format!("({outlet}) * 3 + n % 3")));
    let (programs, medications) = (of('e', &program), of('f', &medication));
    let place = "(n % 4)::smallint AS partition, md5(n::text)::uuid AS dispense_id,
                 '2021-01-01'::date + n / 600 AS dispensed_on,
                 '2021-01-01'::timestamptz + n * interval '144 s' AS inserted_at";
    let stage = format!(
        "CASE WHEN n > {DISPENSES} - {HELD} THEN 'held' WHEN n % 20 = 1 THEN 'cancelled'
              WHEN n % 20 = 2 THEN 'expired' ELSE 'processed' END"
    );
    let fill = format!(
        "INSERT INTO dispenses_v1
             (partition, dispense_id, dispensed_on, inserted_at, medication_request_id,
              legal_entity_id, division_id, person_id, party_id, medical_program_id, updated_at,
              stage, expires_at, opened_position, closed_position, shape)
         SELECT {place}, {request}, {companies}, {outlets}, {people}, {parties}, {programs},
                '2021-01-01'::timestamptz, {stage}, '2100-01-01', 0,
                CASE WHEN n <= {DISPENSES} - {HELD} THEN 0 END, 1
         FROM generate_series(1, {DISPENSES}) n;
         INSERT INTO dispense_items_v1
             (partition, dispense_id, dispensed_on, inserted_at, item, legal_entity_id, division_id,
              person_id, party_id, medical_program_id, medication_id, batch_number,
              first_of_medication, first_of_batch)
         SELECT {place}, 1, {companies}, {outlets}, {people}, {parties}, {programs}, {medications},
                'B' || n % 500, true, true
         FROM generate_series(1, {DISPENSES}) n",
        request = of('9', "n / 2"),
    );
    database.execute(&fill).await;
    let build = "DO $$ DECLARE i record; BEGIN
        FOR i IN SELECT indexdef FROM aside LOOP EXECUTE i.indexdef; END LOOP;
    END $$";
    database.execute(build).await;
    let history = format!(
        "INSERT INTO history_v1
             (partition, dispense_id, position, opened_position, person_id, legal_entity_id,
              recorded_at)
         SELECT partition, dispense_id, 0, 0, person_id, legal_entity_id, inserted_at
         FROM dispenses_v1 LIMIT {DISPENSES} / 10"
    );
    database.execute(&history).await;
    database.execute("ANALYZE").await;
}

/// Members of a query, each with a value of its own; those of one name are not combined.
type Members = Vec<(&'static str, String)>;

fn of_lists(sought: &Sought) -> Members {
    vec![
        ("prescriptionId", format!("prescriptionId={}", sought.request)),
        ("patientId", format!("patientId={}", sought.person)),
        ("pharmacyId", format!("pharmacyId={}", sought.outlet)),
        ("pharmacistId", format!("pharmacistId={}", sought.party)),
        ("programId", format!("programId={}", sought.program)),
        ("medicineCode", format!("medicineCode={}", sought.medication)),
        ("batchNumber", "batchNumber=B77".to_owned()),
        ("status", "status=HELD".to_owned()),
        ("status", "status=EXPIRED".to_owned()),
        ("status", "status=COMPLETED,CANCELLED".to_owned()),
        ("from", "from=2023-05-01&to=2023-05-01".to_owned()),
        ("from", "from=2022-01-01&to=2023-12-31".to_owned()),
        ("from", "from=2021-06-01".to_owned()),
        ("from", "to=2022-06-01".to_owned()),
    ]
}

fn of_searches(sought: &Sought) -> Members {
    vec![
        ("id", format!("id={}", sought.request)),
        ("medication_request_id", format!("medication_request_id={}", sought.request)),
        ("legal_entity_id", format!("legal_entity_id={}", sought.company)),
        ("division_id", format!("division_id={}", sought.outlet)),
        ("care_plan_id", format!("care_plan_id={}", sought.request)),
        ("status", "status=NEW".to_owned()),
        ("status", "status=PROCESSED,REJECTED".to_owned()),
        ("dispensed_from", "dispensed_from=2023-05-01&dispensed_to=2023-05-01".to_owned()),
        ("dispensed_from", "dispensed_from=2022-01-01".to_owned()),
        ("dispensed_from", "dispensed_to=2022-06-01".to_owned()),
    ]
}

/// No member, each alone, and each two together.
fn queries(members: &Members) -> Vec<String> {
    let mut queries = vec![String::new()];
    for (n, (name, one)) in members.iter().enumerate() {
        queries.push(one.clone());
        let others = members[n + 1..].iter().filter(|(other, _)| other != name);
        queries.extend(others.map(|(_, other)| format!("{one}&{other}")));
    }
    queries
}

/// Of each statement that touches what has grown: it goes through indexes, and reads no more than that.
fn assert_bounded(plans: &BTreeMap<String, Vec<String>>, most: f64, what: &str) -> usize {
    let mut seen = 0;
    for plan in plans.values().flatten() {
        let grown = |node: &&str| {
            ["dispenses_v1", "dispense_items_v1", "history_v1"]
                .iter()
                .any(|table| node.contains(&format!(" on {table}")))
        };
        let scans: Vec<&str> = plan.split("->").filter(grown).collect();
        for scan in &scans {
            assert!(scan.contains("Index"), "{what} reads a table: {plan}");
            assert!(!scan.contains("Bitmap"), "{what} reads all before the first: {plan}");
        }
        let read: f64 = scans.iter().map(|scan| read_by(scan)).sum();
        assert!(read <= most, "{what} reads {read} rows: {plan}");
        seen += usize::from(!scans.is_empty());
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_two_filters_are_combined_no_page_reads_more_than_it_may() {
    let server = explaining().await;
    let settings = ["log_min_duration = 0", "log_analyze = on", "log_timing = off"];
    let database = explained(&server, &settings).await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 10).await.expect(201);
    database.followed().await;
    grow(&database).await;

    let sought = Sought {
        request: id('9', 77_777),
        person: id('c', 7_777),
        company: id('a', 30),
        outlet: id('b', 305),
        party: id('d', 915),
        program: id('e', 7),
        medication: id('f', 700),
    };
    let payer =
        pharmacy.token().with("client_type", "NHS").with("client_id", Uuid::nil().to_string());
    let payer = pharmacy.with_token(&payer);
    let own = pharmacy.token().with("client_id", sought.company.to_string());
    let own = pharmacy.with_token(&own);
    let mut seen = server.log().len();
    let mut statements = 0;
    for asker in [&payer, &own] {
        for query in queries(&of_lists(&sought)) {
            let first = list(asker, &query).await;
            if let Some(cursor) = first {
                list(asker, &format!("{query}&cursor={cursor}")).await;
            }
        }
        statements += assert_bounded(&plans(&server, &mut seen), MOST_OF_LIST, "a list");
        for query in queries(&of_searches(&sought)) {
            asker.get(&format!("/api/medication_dispenses?{query}")).await.expect(200);
        }
        statements += assert_bounded(&plans(&server, &mut seen), MOST_OF_SEARCH, "a search");
        let path = format!("/api/v1/patients/{}/history?from=2021-01-01", sought.person);
        asker.get(&path).await.expect(200);
        statements += assert_bounded(&plans(&server, &mut seen), MOST_OF_LIST, "a history");
    }
    assert!(statements > 300, "{statements} statements were seen");
}

/// The first page of a list; where it goes on.
async fn list(asker: &Pharmacy, query: &str) -> Option<String> {
    let path = format!("/api/v1/dispenses?{query}");
    let answer = asker.get(path.trim_end_matches('?')).await.expect(200);
    answer.body["next"].as_str().map(str::to_owned)
}
