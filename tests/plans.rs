//! The plans by which PostgreSQL really carries out our statements, on young tables and on old
//! ones: none may read a whole table that grows.
//!
//! The server itself writes them down (`auto_explain`), for every statement of the service, so that
//! they are those of the service's own connections, settings and prepared statements.

mod chain;
mod lists;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::harness::world::today;
use crate::harness::{Database, Instance, OwnServer, Pharmacy, Terms, World, line, world};

/// How many events the table has when it is old.
const EVENTS: i64 = 1_000_000;

/// Tables that grow without bound.
const GROWING: [&str; 10] = [
    "events",
    "personal_bodies",
    "medication_requests",
    "persons",
    "care_plans",
    "care_plan_activities",
    "registry_changes",
    "dispenses_v1",
    "dispense_items_v1",
    "history_v1",
];

/// What no statement may cost. A range whose ends are not known when it is planned counts as a
/// two-hundredth of its table, five thousand rows here; a walk through a whole index costs far more.
const MOST: f64 = 10_000.0;

/// What those may cost that look at other medication requests of a patient or an activity. A planner
/// that knows nothing of a table takes the limits of such a look for what will be found, for each of
/// ten requests.
const MOST_OF_LOOK: f64 = 10.0 * MOST;
const LOOKS: [&str; 2] = ["AS others", "AS activity_quantity"];

/// What has to be among the plans: every statement that touches what grows was seen.
const EXPECTED: [&str; 20] = [
    "Index Scan using events_stream on events",
    "Index Scan using events_pkey on events",
    "Index Scan using events_dispense on events",
    "Index Scan using medication_requests_pkey on medication_requests",
    "Index Scan using medication_requests_person on medication_requests",
    "Index Scan using medication_requests_activity on medication_requests",
    "Index Scan using persons_pkey on persons",
    "Index Scan using care_plans_pkey on care_plans",
    "Index Scan using care_plan_activities_pkey on care_plan_activities",
    "Index Scan using wrong_codes_pkey on wrong_codes",
    "Insert on wrong_codes",
    "Insert on events",
    "Insert on personal_bodies",
    "Update on log_head",
    "Insert on dispenses_v1",
    "Insert on dispense_items_v1",
    "Insert on history_v1",
    "dispenses_v1_pkey",
    "metadata->>'traceparent' AS traceparent FROM events WHERE partition = $1",
    "SELECT count(*) AS handed_over FROM ( SELECT v.sequence FROM events v",
];

/// What has to be among the plans of searches on old tables. They are planned anew each time; where a
/// table is young, one index is as good as another.
const EXPECTED_OF_SEARCHES: [&str; 6] = [
    "dispenses_v1_request",
    "dispenses_v1_legal_entity",
    "dispenses_v1_division",
    "dispenses_v1_stage",
    "dispenses_v1_day",
    "dispenses_v1_care_plan",
];

/// Everything the service does, twice, so that prepared statements are used again.
async fn everything_is_done(database: &Database, world: &World, doors: &[Pharmacy], round: usize) {
    for _ in 0..2 {
        for (door, other) in [(&doors[0], &doors[1]), (&doors[1], &doors[0])] {
            let held = world.prescribed(Terms::InParts, round);
            let mut guess = other.order(&held, 10);
            guess.body["verificationCode"] = "4711".into();
            other.send(&guess).await.refused(401, "wrong-code");
            let order = door.order(&held, 10);
            let answer = door.send(&order).await.expect(201);
            door.send(&order).await.expect(201);
            door.look_at(answer.id()).await.expect(200);
            other.balance(&held).await.expect(200);
            other.dispense(&held, 10).await.refused(403, "already-held");
            let cancelled = door.cancel(answer.id()).await.expect(200);
            let at_once = world.prescribed(Terms::InPartsAtOnce, round);
            let processed = other.dispense(&at_once, 10).await.expect(201);
            for last in [cancelled, processed] {
                is_told(door, last.header("dispense-position").unwrap()).await;
            }
            door.import(&line("medication_request", &world::request(&held))).await.expect(200);
            everything_is_looked_for(door, answer.id(), held.id).await;
        }
    }
    database.followed().await;
}

/// The event at that place is told: it is the end of a dispense, whose beginning stands before it.
async fn is_told(door: &Pharmacy, place: &str) {
    let auditor = door.with_token(&door.token().with("scope", "audit:read"));
    let (partition, position) = place.split_once(':').unwrap();
    let after = position.parse::<i64>().unwrap() - 1;
    let path = format!("/api/v1/messages?partition={partition}&after={after}");
    let response = auditor.request("GET", &path).send().await.unwrap();
    let told = response.text().await.unwrap();
    assert!(told.contains(&format!("\"sequence\":\"{place}\"")), "{told}");
}

/// The first page of what each criterion finds, for a pharmacy and for the payer, who sees all.
async fn everything_is_looked_for(door: &Pharmacy, dispense: Uuid, request: Uuid) {
    let payer = door.token().with("client_type", "NHS").with("client_id", Uuid::nil().to_string());
    let payer = door.with_token(&payer);
    let search = async |door: &Pharmacy, query: &str| {
        door.get(&format!("/api/medication_dispenses?{query}")).await.expect(200);
    };
    for query in ["", "status=NEW", "status=NEW,PROCESSED", "dispensed_from=2020-01-01"] {
        search(door, query).await;
    }
    let day = today();
    for query in [
        format!("id={dispense}"),
        format!("medication_request_id={request}"),
        format!("division_id={}", door.division),
        format!("care_plan_id={request}"),
        format!("dispensed_from={day}&dispensed_to={day}"),
        "status=REJECTED".to_owned(),
    ] {
        search(&payer, &query).await;
    }
}

/// Statements and their plans since the last look, with blanks made even.
fn plans(server: &OwnServer, seen: &mut usize) -> BTreeMap<String, Vec<String>> {
    let log = server.log();
    let new = log[*seen..].to_owned();
    *seen = log.len();
    let mut plans: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // An entry of the log begins with a date; what belongs to it is indented.
    for entry in new.split("\n20") {
        let Some((_, explained)) = entry.split_once("plan:") else { continue };
        let Some((_, text)) = explained.split_once("Query Text:") else { continue };
        let even = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let plan_at = even.find("(cost=").unwrap_or(even.len());
        let statement = even[..plan_at].to_owned();
        plans.entry(statement).or_default().push(even);
    }
    plans
}

/// Whether a node of a plan reads a table that grows without looking for something in particular: a
/// whole partition is as bad as a whole table, by an index or not.
fn reads_too_much(node: &str) -> bool {
    let is_growing = |table: &&str| node.contains(&format!(" on {table} "));
    let condition = node.split_once("Index Cond:").or_else(|| node.split_once("Recheck Cond:"));
    // What a filter leaves was read all the same.
    let looked_for = condition.map(|(_, it)| it.split("Filter:").next().unwrap_or(it));
    let particular =
        ["position", "aggregate_id", "dispense_id", "id = ", "stage = ", "dispensed_on = "];
    let is_particular = looked_for.is_some_and(|it| particular.iter().any(|p| it.contains(p)));
    let is_by_place = node.contains("Tid Scan");
    node.contains("Scan") && !is_by_place && GROWING.iter().any(is_growing) && !is_particular
}

/// What the planner thinks that the whole statement costs, in pages. Ways that are switched off cost
/// ten thousand million more each, which is not counted.
fn cost(with_plan: &str) -> f64 {
    const SWITCHED_OFF: f64 = 1e10;
    let (_, from) = with_plan.split_once("(cost=").unwrap();
    let (_, most) = from.split_once("..").unwrap();
    most.split(' ').next().unwrap().parse::<f64>().unwrap() % SWITCHED_OFF
}

fn assert_no_table_is_read_whole(plans: &BTreeMap<String, Vec<String>>, when: &str) {
    for with_plan in plans.values().flatten() {
        for node in with_plan.split("->") {
            assert!(!reads_too_much(node), "{when}: {node}\nin {with_plan}");
        }
        let most = if LOOKS.iter().any(|it| with_plan.contains(it)) { MOST_OF_LOOK } else { MOST };
        assert!(cost(with_plan) < most, "{when}: {with_plan}");
    }
    assert_among(plans, &EXPECTED, when);
}

fn assert_among(plans: &BTreeMap<String, Vec<String>>, all_expected: &[&str], when: &str) {
    for expected in all_expected {
        let found = plans.values().flatten().any(|plan| plan.contains(expected));
        assert!(found, "{when}: no plan has {expected}: {:#?}", plans.keys());
    }
}

/// Fills the log with events of other medication requests, heads and followers moved along, so that
/// the service finds a log that is simply longer. Connections and prepared plans stay.
async fn age(database: &Database) {
    let fill = format!(
        "BEGIN;
         SELECT 1 FROM log_head FOR UPDATE;
         INSERT INTO events
         SELECT 'dispense', lpad(n::text, 32, 'f')::uuid::text, 1,
                CASE WHEN n % 8 < 4 THEN 'HoldCreated' ELSE 'Expired' END, '1.0', '{{}}', '{{}}',
                h.partition, h.position + (n + 3) / 4, lpad(n::text, 32, 'f')::uuid,
                lpad(n::text, 32, 'f')::uuid,
                h.recorded_at, sha256(int8send(n))
         FROM generate_series(1, {EVENTS}) n JOIN log_head h ON h.partition = n % 4;
         UPDATE log_head h SET position = e.position, hash = e.hash
         FROM (SELECT DISTINCT ON (partition) partition, position, hash FROM events
               ORDER BY partition, position DESC) e WHERE e.partition = h.partition;
         UPDATE followers f SET position = h.position, hash = h.hash
         FROM log_head h WHERE h.partition = f.partition;
         INSERT INTO personal_bodies
         SELECT h.partition, h.position - n, '{{}}'
         FROM generate_series(1, {EVENTS} / 10) n CROSS JOIN log_head h;
         INSERT INTO medication_requests
             (partition, id, person_id, data, care_plan_id, activity_id, started_at, ended_at)
         SELECT n % 4, u.id, u.of_three, '{{}}', u.of_three, u.of_three,
                '2020-01-01'::date + n::integer % 2000, '2020-01-31'::date + n::integer % 2000
         FROM generate_series(1, {EVENTS} / 10) n CROSS JOIN LATERAL (
             SELECT lpad(n::text, 32, 'f')::uuid AS id, lpad((n / 3)::text, 32, 'f')::uuid AS of_three
         ) u;
         INSERT INTO persons (id, data, version)
         SELECT lpad(n::text, 32, 'f')::uuid, '{{}}', 0 FROM generate_series(1, {EVENTS} / 10) n;
         INSERT INTO care_plans (id, data, version) SELECT id, data, version FROM persons;
         INSERT INTO care_plan_activities (id, care_plan_id, data, version)
         SELECT id, id, data, version FROM persons;
         INSERT INTO wrong_codes
         SELECT partition, id, person_id, ARRAY[clock_timestamp()] FROM medication_requests;
         INSERT INTO dispenses_v1
             (partition, dispense_id, medication_request_id, legal_entity_id, division_id,
             person_id, party_id, medical_program_id, care_plan_id, dispensed_on, inserted_at,
             updated_at, stage, expires_at, opened_position, closed_position, shape)
         SELECT e.partition, e.dispense_id, e.dispense_id, o.legal_entity_id, o.division_id,
                e.dispense_id, e.dispense_id, NULL, e.dispense_id,
                '2020-01-01'::date + e.position::integer % 365, e.recorded_at, e.recorded_at,
                'expired', e.recorded_at, e.position, e.position + 1, 1
         FROM events e CROSS JOIN LATERAL (
             SELECT lpad((e.position % 100)::text, 32, 'e')::uuid AS legal_entity_id,
                    lpad((e.position % 1000)::text, 32, 'e')::uuid AS division_id
         ) o WHERE e.event_type = 'HoldCreated' AND e.aggregate_id LIKE 'ff%';
         INSERT INTO dispense_items_v1
         SELECT partition, dispense_id, 1, legal_entity_id, division_id, person_id, party_id,
                medical_program_id, dispense_id, 'B' || opened_position % 1000, dispensed_on,
                inserted_at, true, true
         FROM dispenses_v1 WHERE medication_request_id = dispense_id AND opened_position % 10 = 0;
         INSERT INTO history_v1
         SELECT partition, dispense_id, opened_position, opened_position, person_id, legal_entity_id,
                inserted_at
         FROM dispenses_v1 WHERE medication_request_id = dispense_id AND opened_position % 10 = 0;
         COMMIT;"
    );
    database.execute(&fill).await;
}

/// A server that can write its plans down.
async fn explaining() -> OwnServer {
    let server = OwnServer::built(|server| {
        server
            .setting("session_preload_libraries", "auto_explain")
            .setting("autovacuum", "off")
            .setting("max_wal_size", "4GB")
            .setting("wal_level", "minimal")
            .setting("max_wal_senders", 0)
    });
    server.await.unwrap()
}

/// A database there, in which the plans of the service are written down so.
async fn explained(server: &OwnServer, settings: &[&str]) -> Database {
    let database = Database::on(server.url()).await;
    let role = reqwest::Url::parse(&database.serving_url).unwrap().username().to_owned();
    for setting in settings {
        database.execute(&format!("ALTER ROLE {role} SET auto_explain.{setting}")).await;
    }
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_a_whole_table_young_or_old() {
    let server = explaining().await;
    let database =
        explained(&server, &["log_min_duration = 0", "log_nested_statements = on"]).await;
    let world = World::new(2, 8);
    database.import(&world.lines());
    let mut seen = server.log().len();
    let instances = [Instance::start(&database).await, Instance::start(&database).await];
    let doors: Vec<_> = instances
        .iter()
        .zip(&world.pharmacies)
        .map(|(instance, pharmacy)| pharmacy.at(instance))
        .collect();

    everything_is_done(&database, &world, &doors, 0).await;
    assert_no_table_is_read_whole(&plans(&server, &mut seen), "on young tables");

    age(&database).await;
    plans(&server, &mut seen);
    everything_is_done(&database, &world, &doors, 1).await;
    let with_plans_of_young_ones = plans(&server, &mut seen);
    assert_no_table_is_read_whole(&with_plans_of_young_ones, "on old tables, plans of young ones");

    database.execute("ANALYZE").await;
    plans(&server, &mut seen);
    everything_is_done(&database, &world, &doors, 2).await;
    let plans = plans(&server, &mut seen);
    assert_no_table_is_read_whole(&plans, "on old tables");
    assert_among(&plans, &EXPECTED_OF_SEARCHES, "on old tables");
}
