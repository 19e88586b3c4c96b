//! Reports: figures that equal those of the log, whoever asks and by whatever, and reports of any length
//! that cost the service nothing.
//!
//! ```text
//!   figures        what dispenses add up to, counted from the JSON of the events alone
//!   streaming      a report of very many dispenses: memory, a slow reader, one that goes away
//! ```

mod figures;
mod streaming;

use std::time::Duration;

use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::world::request;
use crate::harness::{
    Audit, Database, Instance, Order, PAID, Pharmacy, Terms, World, eventually, line, temporary,
    today,
};
use figures::{Asked, Line, counted};

const READ: &str = "reimbursement_report:read";

/// What the lines of a report can be.
const GROUPS: [&str; 5] = ["day", "pharmacy", "program", "medicine", "status"];

/// A second medicine, which needs no program.
const SYRUP: Uuid = Uuid::from_u128(0x51_0b);

/// All orders of a pharmacy: dispenses of each program that end in each way, and one of two medicines
/// outside any program.
async fn dispense_everything(world: &World, nth: usize, at: &Pharmacy, short: &Pharmacy) {
    for terms in [Terms::InParts, Terms::Whole, Terms::InPartsAtOnce, Terms::WholeAtOnce] {
        let what = world.prescribed(terms, nth);
        let quantity = if terms.in_parts() { 20 } else { 60 };
        let held = at.dispense(&what, quantity).await.expect(201);
        if terms == Terms::InParts {
            at.hand_over(held.id(), PAID).await.expect(200);
            let back = at.dispense(&what, 10).await.expect(201);
            at.cancel(back.id()).await.expect(200);
            // This one runs out at once, and the next one lives on.
            short.dispense(&what, 10).await.expect(201);
        }
    }
    let outside = world.prescribed(Terms::Whole, nth + 4);
    let mut record = request(&outside);
    record.as_object_mut().unwrap().remove("medical_program_id");
    at.import(&line("medication_request", &record)).await.expect(200);
    let mut order: Order = at.order(&outside, 30);
    let body = order.body.as_object_mut().unwrap();
    body.remove("programId");
    let mut item = body["items"][0].clone();
    item.as_object_mut().unwrap().remove("programMedicationId");
    let mut other = item.clone();
    other["medicineCode"] = json!(SYRUP);
    other["totalPrice"] = json!(12.34);
    other["discountAmount"] = json!(0.05);
    body["items"] = json!([item, other]);
    body["dispensedAt"] = json!(today() - chrono::Days::new(1));
    let held = at.send(&order).await.expect(201);
    if nth == 0 {
        at.hand_over(held.id(), PAID).await.expect(200);
    }
}

/// The lines of an answer.
fn lines_of(items: &Value) -> Vec<Line> {
    let number = |it: &Value| it.to_string().parse().unwrap();
    let line = |it: &Value| Line {
        key: it["key"].as_str().map(str::to_owned),
        dispenses: it["dispenses"].as_u64().unwrap(),
        amounts: ["quantity", "totalAmount", "insuranceCoverage", "copayment"]
            .map(|name| number(&it[name])),
    };
    items.as_array().unwrap().iter().map(line).collect()
}

/// The lines of a table; no name in this world has a comma.
fn lines_of_table(table: &str) -> Vec<Line> {
    let mut rows = table.split_terminator("\r\n");
    let headers = "key,name,dispenses,quantity,totalAmount,insuranceCoverage,copayment";
    assert_eq!(rows.next(), Some(headers));
    let line = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        let [key, _name, dispenses, amounts @ ..] = &cells[..] else { panic!("{row}") };
        let amounts: Vec<_> = amounts.iter().map(|it| it.parse().unwrap()).collect();
        Line {
            key: (!key.is_empty()).then(|| (*key).to_owned()),
            dispenses: dispenses.parse().unwrap(),
            amounts: amounts.try_into().unwrap(),
        }
    };
    rows.map(line).collect()
}

/// Who asks, and whose dispenses they are shown: everybody's if none.
fn askers(world: &World, instance: &Instance) -> Vec<(Pharmacy, Option<Uuid>)> {
    let as_kind = |pharmacy: &Pharmacy, kind: &str| {
        let token = pharmacy.token().with("scope", READ).with("client_type", kind);
        pharmacy.at(instance).with_token(&token)
    };
    let mut askers = Vec::new();
    for pharmacy in &world.pharmacies {
        for kind in ["PHARMACY", "MSP_PHARMACY", "MSP"] {
            askers.push((as_kind(pharmacy, kind), Some(pharmacy.legal_entity)));
        }
    }
    askers.extend(["NHS", "MIS"].map(|kind| (as_kind(&world.pharmacies[0], kind), None)));
    askers
}

/// Every report is what the events add up to.
async fn assert_as_the_log_says(database: &Database, world: &World, instance: &Instance) {
    let audit = Audit::of(database).await;
    let (first, last) = (today() - chrono::Days::new(1), today() + chrono::Days::new(1));
    let mut lines_seen = 0;
    for (asker, own) in askers(world, instance) {
        for group_by in GROUPS {
            for statuses in [None, Some("HELD,EXPIRED"), Some("COMPLETED,CANCELLED")] {
                let asked = Asked { group_by, statuses, own, first, last };
                let expected = counted(&audit, &asked);
                lines_seen += expected.len();
                let mut path =
                    format!("/api/v1/reports/dispensing?from={first}&to={last}&groupBy={group_by}");
                if let Some(statuses) = statuses {
                    path = format!("{path}&status={statuses}");
                }
                let answer = asker.get(&path).await.expect(200);
                assert_eq!(lines_of(&answer.body["items"]), expected, "{path}");
                let read = answer.header("dispense-position").unwrap();
                assert_eq!(read.split(',').count(), 4, "every partition: {read}");
                let table = asker.request("GET", &path).header(ACCEPT, "text/csv");
                let table = table.send().await.unwrap().text().await.unwrap();
                assert_eq!(lines_of_table(&table), expected, "{path}");
            }
        }
    }
    assert!(lines_seen > 100, "there is something to see: {lines_seen}");
}

/// Waits until the figures have what the log has.
async fn followed(database: &Database) {
    eventually("reports that have read the log", Duration::from_mins(1), async || {
        let behind: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM log_head h LEFT JOIN followers f
             ON f.partition = h.partition AND f.name = 'reports' AND f.position = h.position
             WHERE f.position IS NULL",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        (behind == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_of_every_report_is_what_the_events_add_up_to() {
    let database = Database::new().await;
    let world = World::new(3, 8);
    let mut lines = world.lines();
    let brand = lines.lines().find(|it| it.contains("Амлодис")).unwrap();
    let mut brand: Value = serde_json::from_str(brand).unwrap();
    brand["data"]["id"] = json!(SYRUP);
    brand["data"]["name"] = json!("Амлодис сироп");
    lines.extend([brand.to_string(), "\n".to_owned()]);
    database.import(&lines);
    let instance = Instance::start(&database).await;
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let short = Instance::start_with(&database, &short).await;
    for (nth, pharmacy) in world.pharmacies.iter().enumerate() {
        dispense_everything(&world, nth, &pharmacy.at(&instance), &pharmacy.at(&short)).await;
    }
    // Once that is written down, nothing changes any more.
    eventually("holds that ran out", Duration::from_mins(1), async || {
        let expired = "SELECT count(*) FROM events WHERE event_type = 'Expired'";
        let expired: i64 = sqlx::query_scalar(expired).fetch_one(&database.pool).await.unwrap();
        (expired == 3).then_some(())
    })
    .await;
    followed(&database).await;
    assert_as_the_log_says(&database, &world, &instance).await;

    for model in ["reports", "balances"] {
        let words = ["projections", "rebuild", model];
        let folder = temporary();
        let mut rebuild = database.command(folder.path(), &words, &[]);
        let status = rebuild.wait(Duration::from_mins(1));
        assert!(status.success(), "{}", rebuild.said());
    }
    followed(&database).await;
    assert_as_the_log_says(&database, &world, &instance).await;
    assert_balances_are_as_the_log_says(&database).await;
}

/// The other pair of eyes sees what the audit has seen.
async fn assert_balances_are_as_the_log_says(database: &Database) {
    let audit = Audit::of(database).await;
    let kept: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT medication_request_id, trim_scale(held)::text, trim_scale(processed)::text
         FROM balances ORDER BY 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(kept, figures::balances(&audit));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_as_new_as_what_its_asker_knows() {
    let database = Database::new().await;
    let world = World::new(1, 20);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let one = world.pharmacies[0].at(&instance);
    let reading = one.with_token(&one.token().with("scope", READ));
    let path = format!("/api/v1/reports/dispensing?from={0}&to={0}", today());
    for nth in 0..20 {
        let recorded =
            one.dispense(&world.prescribed(Terms::WholeAtOnce, nth), 60).await.expect(201);
        let position = recorded.header("dispense-position").unwrap();
        let report = reading.request("GET", &path).header("Dispense-Position", position);
        let report: Value = report.send().await.unwrap().json().await.unwrap();
        assert_eq!(report["items"][0]["dispenses"], nth + 1, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_report_cannot_be_asked_for_is_told() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let one = world.pharmacies[0].at(&instance);
    one.get("/api/v1/reports/dispensing").await.refused(403, "missing-scope");
    let one = one.with_token(&one.token().with("scope", READ));
    let days = "from=2026-01-01&to=2026-12-31";
    let cases = [
        ("", &["?from", "?to"][..]),
        ("from=2026-01-01", &["?to"]),
        ("from=2026-13-01&to=yesterday", &["?from", "?to"]),
        ("from=2026-01-02&to=2026-01-01", &["?to"]),
        ("from=2016-01-01&to=2026-01-01", &["?to"]),
        (&format!("{days}&groupBy=patient"), &["?groupBy"]),
        (&format!("{days}&status=NEW"), &["?status"]),
        (&format!("{days}&pharmacyId={}", one.division), &["?pharmacyId"]),
    ];
    for (query, paths) in cases {
        let refused = one.get(&format!("/api/v1/reports/dispensing?{query}")).await;
        let refused = refused.refused(422, "schema");
        let errors = refused.body["errors"].as_array().unwrap().iter();
        let blamed: Vec<_> = errors.map(|it| it["path"].as_str().unwrap()).collect();
        assert_eq!(blamed, paths, "{query}");
    }
    let longest = "from=2016-01-01&to=2025-12-31";
    let report = one.get(&format!("/api/v1/reports/dispensing?{longest}")).await.expect(200);
    assert_eq!(report.body, json!({"items": []}));
}
