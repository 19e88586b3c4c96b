//! A company that has most of all dispenses: whatever its pharmacies look for, the search reads no
//! more than it reaches.

use uuid::Uuid;

use super::{explained, explaining, plans};
use crate::harness::{Instance, Terms, World};

/// How many dispenses the company has: several times as many as a search reaches.
const DISPENSES: i64 = 400_000;

/// How far a search reaches.
const REACH: f64 = 100_000.0;

/// What one statement may read: as far as it reaches to count, and as far to list the page.
const MOST: f64 = 2.0 * REACH;

/// What a page or a rare status costs, and more.
const FEW: f64 = 5_000.0;

/// Copies what is there: 400 days with 1,000 dispenses each, a few of them cancelled, in two outlets.
async fn grow(database: &crate::harness::Database, outlet: Uuid) {
    let fill = format!(
        "INSERT INTO dispenses_v1
             (partition, dispense_id, medication_request_id, legal_entity_id, division_id,
             person_id, party_id, medical_program_id, care_plan_id, dispensed_on, inserted_at,
             updated_at, stage, expires_at, opened_position, closed_position, shape)
         SELECT d.partition, lpad(n::text, 32, 'f')::uuid, lpad(n::text, 32, 'f')::uuid,
                d.legal_entity_id,
                CASE WHEN n % 8 = 0 THEN d.division_id ELSE '{outlet}'::uuid END, d.person_id,
                d.party_id, d.medical_program_id, NULL, '2024-01-01'::date + n / 1000,
                '2024-01-01'::timestamptz + n * interval '86 s', d.updated_at,
                CASE WHEN n % 20000 = 1 THEN 'cancelled' WHEN n % 3 = 0 THEN 'expired'
                     ELSE 'processed' END,
                d.expires_at, d.opened_position, d.closed_position, d.shape
         FROM generate_series(1, {DISPENSES}) n
         CROSS JOIN (SELECT * FROM dispenses_v1 LIMIT 1) d"
    );
    database.execute(&fill).await;
}

/// How many rows a node has read of its table or index: those that it gave on, and those that it
/// looked at in vain.
pub(super) fn read_by(node: &str) -> f64 {
    let number = |text: Option<&str>| {
        let digits = text.and_then(|text| text.split([' ', ')']).next());
        digits.map_or(0.0, |digits| digits.parse::<f64>().unwrap())
    };
    let after = |mark: &str| node.split_once(mark).map(|(_, text)| text);
    let actual = after("(actual ").and_then(|text| text.split_once("rows=")).map(|(_, it)| it);
    let loops = after("loops=");
    (number(actual) + number(after("Rows Removed by Filter: "))) * number(loops)
}

/// Reads the plans of a search, and says how much it read of the dispenses.
fn read_in(plans: &std::collections::BTreeMap<String, Vec<String>>, query: &str) -> f64 {
    let mut searches = plans.values().flatten().filter(|plan| plan.contains("AS entries"));
    let plan = searches.next().unwrap_or_else(|| panic!("no plan of {query}: {plans:#?}"));
    assert!(searches.next().is_none(), "{query} has several plans");
    let scans = plan.split("->").filter(|node| node.contains(" on dispenses_v1"));
    let mut read = 0.0;
    for scan in scans {
        assert!(scan.contains("Index"), "{query} reads the table: {plan}");
        assert!(!scan.contains("Bitmap"), "{query} reads all before the first: {plan}");
        read += read_by(scan);
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_a_large_company_reads_no_more_than_it_reaches() {
    let server = explaining().await;
    let settings = ["log_min_duration = 0", "log_analyze = on", "log_timing = off"];
    let database = explained(&server, &settings).await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let door = world.pharmacies[0].at(&instance);
    door.dispense(&world.prescribed(Terms::InParts, 0), 10).await.expect(201);
    database.followed().await;
    let outlet = Uuid::from_u128(0x0B);
    grow(&database, outlet).await;

    let days = |from: &str, to: &str| format!("dispensed_from={from}&dispensed_to={to}");
    let (old, one) = (days("2024-02-01", "2024-02-03"), days("2024-02-01", "2024-02-01"));
    let (all, until) = ("dispensed_from=2020-01-01".to_owned(), "dispensed_to=2024-12-01");
    let of_outlet = format!("division_id={outlet}");
    let searches = [
        (String::new(), MOST),
        ("status=NEW".to_owned(), FEW),
        ("status=PROCESSED".to_owned(), MOST),
        ("status=REJECTED".to_owned(), FEW),
        ("status=EXPIRED".to_owned(), MOST),
        ("status=NEW,REJECTED".to_owned(), FEW),
        (old.clone(), FEW),
        (one.clone(), FEW),
        (all.clone(), MOST),
        (until.to_owned(), MOST),
        (format!("{old}&status=REJECTED"), FEW),
        (format!("{one}&status=PROCESSED"), FEW),
        (format!("{all}&status=REJECTED"), FEW),
        (format!("{all}&status=PROCESSED"), MOST),
        (of_outlet.clone(), MOST),
        (format!("{of_outlet}&status=REJECTED"), FEW),
        (format!("{of_outlet}&{old}"), FEW),
        (format!("{of_outlet}&{all}"), MOST),
        (format!("{of_outlet}&{all}&status=REJECTED"), FEW),
        (format!("{of_outlet}&{one}"), FEW),
        ("page=2000".to_owned(), MOST),
    ];
    // With what the planner believes of a table that it never looked at, and of one that it knows.
    for known in ["SELECT 1", "VACUUM ANALYZE dispenses_v1"] {
        database.execute(known).await;
        for (query, most) in &searches {
            let mut seen = server.log().len();
            door.get(&format!("/api/medication_dispenses?{query}")).await.expect(200);
            let read = read_in(&plans(&server, &mut seen), query);
            assert!(*most < MOST || read >= REACH, "?{query} counts as far: {read}");
            assert!(read <= most + 100.0, "after {known}, ?{query} reads {read} rows");
        }
    }
}
