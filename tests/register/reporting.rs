//! The reimbursement report: who has one, of which days, and what stands in it.

use std::time::Duration;

use chrono::Days;
use reqwest::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{held, opened};
use crate::harness::world::{party, request};
use crate::harness::{
    Answer, Database, PAID, Pharmacy, Prescribed, Terms, eventually, line, today,
};

const READ: &str = "reimbursement_report:read";
const DOWNLOAD: &str = "reimbursement_report:download";

/// The same pharmacist, who may look at the report.
fn reading(pharmacy: &Pharmacy) -> Pharmacy {
    pharmacy.with_token(&pharmacy.token().with("scope", READ))
}

/// The payer, who may take it.
fn payer(pharmacy: &Pharmacy) -> Pharmacy {
    let token = pharmacy.token().with("scope", DOWNLOAD).with("client_type", "NHS");
    pharmacy.with_token(&token)
}

/// Days of dispensing: today, and a day on each side, because days change while tests run.
fn these_days() -> String {
    let (first, last) = (today() - Days::new(1), today() + Days::new(1));
    format!("date_from_dispense={first}&date_to_dispense={last}")
}

async fn report(pharmacy: &Pharmacy, query: &str) -> Answer {
    pharmacy.get(&format!("/api/reimbursement_report?{query}")).await
}

/// Waits until the report is refused: what registries say now is read every other second.
async fn refused_soon(pharmacy: &Pharmacy, message: &str) -> Answer {
    let what = format!("the report is refused: {message}");
    let refused = eventually(&what, Duration::from_mins(1), async || {
        let answer = report(pharmacy, &these_days()).await;
        (answer.status != 200).then_some(answer)
    });
    refused.await.said(403, "forbidden", message)
}

const NOT_EMPLOYED: &str = "The user has no approved, active job in this legal entity";

/// The record of a pharmacist's job.
fn job(pharmacy: &Pharmacy, party: Uuid, members: &Value) -> String {
    let mut job = json!({"id": Uuid::from_u128(rand::random()), "party_id": party,
        "legal_entity_id": pharmacy.legal_entity, "employee_type": "PHARMACIST",
        "status": "APPROVED", "is_active": true});
    for (name, value) in members.as_object().unwrap() {
        job[name] = value.clone();
    }
    line("employee", &job)
}

/// The account of somebody else, with jobs at that pharmacy unless they say another.
async fn somebody(pharmacy: &Pharmacy, jobs: &[Value]) -> Uuid {
    let (user, id) = (Uuid::from_u128(rand::random()), Uuid::from_u128(rand::random()));
    let mut person = party(pharmacy);
    person["id"] = json!(id);
    let mut lines = line("party", &person);
    lines += &line("party_user", &json!({"user_id": user, "party_id": id}));
    for members in jobs {
        lines += &job(pharmacy, id, members);
    }
    pharmacy.import(&lines).await.expect(200);
    user
}

/// Somebody with those jobs has no report of that pharmacy, once the registry is read.
async fn assert_not_employed(pharmacy: &Pharmacy, jobs: &[Value]) {
    let user = somebody(pharmacy, jobs).await.to_string();
    let token = pharmacy.token().with("scope", READ).with("sub", user);
    let somebody = pharmacy.with_token(&token);
    // Until then the account is known to be nobody's.
    eventually("an account that is known", Duration::from_mins(1), async || {
        let answer = report(&somebody, &these_days()).await;
        (answer.status != 422).then_some(())
    })
    .await;
    report(&somebody, &these_days()).await.said(403, "forbidden", NOT_EMPLOYED);
}

#[tokio::test(flavor = "multi_thread")]
async fn t_01_the_legal_entity_is_unknown() {
    let (_database, _instance, _world, one, _other) = opened().await;
    let token = one
        .token()
        .with("scope", READ)
        .with("client_id", Uuid::from_u128(rand::random()).to_string());
    let stranger = one.with_token(&token);
    for query in [&*these_days(), "", "date_from_dispense=x"] {
        report(&stranger, query).await.blames(&[[
            "$.legal_entity_id",
            "invalid",
            "Legal entity not found",
        ]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t_03_the_legal_entity_is_not_active() {
    let (_database, _instance, _world, one, _other) = opened().await;
    report(&reading(&one), &these_days()).await.expect(200);
    let suspended = json!({"id": one.legal_entity, "name": "Аптечна мережа", "type": "PHARMACY",
        "status": "SUSPENDED", "edrpou": "30000002", "nhs_verified": true});
    one.import(&line("legal_entity", &suspended)).await.expect(200);
    let refused = refused_soon(&reading(&one), "Legal entity is not active").await;
    assert_eq!(refused.code(), "legal-entity-not-active");
}

#[tokio::test(flavor = "multi_thread")]
async fn t_04_the_user_has_no_job_in_the_legal_entity() {
    let (_database, _instance, _world, one, _other) = opened().await;
    assert_not_employed(&one, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t_04_the_job_in_the_legal_entity_is_not_active() {
    let (_database, _instance, _world, one, _other) = opened().await;
    assert_not_employed(&one, &[json!({"is_active": false})]).await;
    assert_not_employed(&one, &[json!({"status": "DISMISSED"})]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t_04_the_job_is_in_another_legal_entity() {
    let (_database, _instance, _world, one, other) = opened().await;
    assert_not_employed(&one, &[json!({"legal_entity_id": other.legal_entity})]).await;
}

/// What makes days of such a period bad: half of them, malformed ones, reversed ones.
fn bad(period: &str) -> [String; 7] {
    let (from, to) = (format!("date_from_{period}"), format!("date_to_{period}"));
    [
        format!("{from}=2026-03-01"),
        format!("{to}=2026-03-01"),
        format!("{from}=2026-03-01&{to}="),
        format!("{from}=2026-02-30&{to}=2026-03-01"),
        format!("{from}=01.03.2026&{to}=31.03.2026"),
        format!("{from}=2026-03-01T00:00:00Z&{to}=2026-03-31"),
        format!("{from}=2026-03-02&{to}=2026-03-01"),
    ]
}

const GOOD: &str = "2026-03-01&date_to_";
const NOT_VALID: &str = "Input dates are not valid";

#[tokio::test(flavor = "multi_thread")]
async fn t_06_days_of_dispensing_are_half_malformed_or_reversed() {
    let (_database, _instance, _world, one, _other) = opened().await;
    let one = reading(&one);
    for query in bad("dispense") {
        let path = "$.period.dispense";
        report(&one, &query).await.blames(&[[path, "invalid", NOT_VALID]]);
        let beside = format!("{query}&date_from_request={GOOD}request=2026-03-31");
        report(&one, &beside).await.blames(&[[path, "invalid", NOT_VALID]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t_07_days_of_prescribing_are_half_malformed_or_reversed() {
    let (_database, _instance, _world, one, _other) = opened().await;
    let one = reading(&one);
    for query in bad("request") {
        let path = "$.period.request";
        report(&one, &query).await.blames(&[[path, "invalid", NOT_VALID]]);
        let beside = format!("{query}&date_from_dispense={GOOD}dispense=2026-03-31");
        report(&one, &beside).await.blames(&[[path, "invalid", NOT_VALID]]);
    }
    let says = "At least one of input dates must be not empty";
    for query in ["", "date_from_request=&date_to_dispense=", "from=2026-03-01&to=2026-03-31"] {
        report(&one, query).await.blames(&[["$.period", "invalid", says]]);
    }
    let day = "date_from_request=2026-03-01&date_to_request=2026-03-01";
    report(&one, day).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_report_of_their_own_is_told() {
    let (_database, _instance, _world, one, _other) = opened().await;
    let missing = "Your scope does not allow to access this resource. Missing allowances: ";
    let message = format!("{missing}{READ}");
    report(&one, &these_days()).await.said(403, "forbidden", &message);
    let payer = one.with_token(&one.token().with("scope", READ).with("client_type", "NHS"));
    let says = "Only clinics and pharmacies have a reimbursement report of their own";
    report(&payer, &these_days()).await.said(403, "forbidden", says);
    let unlinked =
        one.token().with("scope", READ).with("sub", Uuid::from_u128(rand::random()).to_string());
    report(&one.with_token(&unlinked), &these_days()).await.blames(&[[
        "$.party_id",
        "invalid",
        "Party not found",
    ]]);

    let path = format!("/api/reimbursement_report_download?{}", these_days());
    let pharmacy = one.with_token(&one.token().with("scope", DOWNLOAD));
    let says = "Only the payer takes the report of all";
    pharmacy.get(&path).await.said(403, "forbidden", says);
    let message = format!("{missing}{DOWNLOAD}");
    reading(&one).get(&path).await.said(403, "forbidden", &message);
    let payer = self::payer(&one);
    for query in bad("dispense").iter().map(String::as_str).chain([""]) {
        let path = format!("/api/pharmacy/reimbursement_report_download?{query}");
        payer.get(&path).await.blames(&[["$.date_from_dispense", "invalid", NOT_VALID]]);
    }
}

/// Waits until reports have what the log has.
async fn followed(database: &Database) {
    eventually("reports that have read the log", Duration::from_mins(1), async || {
        let behind: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM log_head h LEFT JOIN followers f
             ON f.partition = h.partition AND f.name = 'dispenses' AND f.position = h.position
             WHERE f.position IS NULL",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        (behind == 0).then_some(())
    })
    .await;
}

/// The report, if it has so many dispenses.
async fn with_entries(of: &Pharmacy, query: &str, entries: u64) -> Answer {
    let answer = report(of, query).await.expect(200);
    assert_eq!(answer.body["paging"]["total_entries"], entries, "{query}");
    answer
}

/// The clinic that issues all medication requests, as somebody who works there.
async fn clinic(pharmacy: &Pharmacy, what: &Prescribed) -> Pharmacy {
    let id = request(what)["legal_entity_id"].clone();
    let user = somebody(pharmacy, &[json!({"legal_entity_id": id})]).await.to_string();
    let token = pharmacy.token().with("scope", READ).with("client_type", "MSP");
    pharmacy.with_token(&token.with("client_id", id).with("sub", user))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacy_sees_what_it_dispensed_and_a_clinic_what_it_prescribed() {
    let (database, _instance, world, one, other) = opened().await;
    let (first, second) =
        (world.prescribed(Terms::InParts, 0), world.prescribed(Terms::InParts, 1));
    let (ours, _) = held(&one, &first).await;
    one.hand_over(ours, PAID).await.expect(200);
    let (back, _) = held(&one, &first).await;
    one.ehealth_reject(back).await.expect(200);
    let (theirs, _) = held(&other, &second).await;
    let clinic = clinic(&one, &first).await;

    followed(&database).await;
    let listed = with_entries(&reading(&one), &these_days(), 2).await;
    let entries = listed.data().as_array().unwrap();
    let of = |row: &Value| {
        let dispense = &row["medication_dispense"];
        (dispense["id"].clone(), dispense["status"].clone())
    };
    let found: Vec<_> = entries.iter().map(of).collect();
    assert_eq!(found, [(json!(ours), json!("PROCESSED")), (json!(back), json!("REJECTED"))]);
    let (row, request) = (&entries[0], request(&first));
    let requested = &row["medication_request"];
    for name in ["id", "request_number", "status", "created_at", "person_id", "medication_qty"] {
        assert_eq!(requested[name], request[name], "{name}");
    }
    assert_eq!(requested["legal_entity"]["name"], "Поліклініка № 1");
    assert_eq!(requested["legal_entity"]["edrpou"], "30000001");
    assert_eq!(requested["employee"]["last_name"], "Гнатюк");
    assert_eq!(requested["medication"]["innm_name"], "Амлодипін");
    let dispense = &row["medication_dispense"];
    assert_eq!(dispense["payment_amount"], 20);
    assert_eq!(dispense["legal_entity"]["edrpou"], "30000002");
    assert_eq!(dispense["party"]["last_name"], json!(one.person.surname));
    let medication = &dispense["medications"][0];
    assert_eq!((&medication["name"], &medication["package_qty"]), (&json!("Амлодис"), &json!(30)));
    assert_eq!(
        medication["details"],
        json!({"medication_qty": 20, "sell_price": 2.5, "sell_amount": 50, "discount_amount": 30,
               "reimbursement_amount": 45})
    );

    let seen = eventually("the clinic's report", Duration::from_mins(1), async || {
        let answer = report(&clinic, &these_days()).await;
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(seen.await.expect(200).body["paging"]["total_entries"], 3);
    let requests = format!(
        "date_from_request={0}&date_to_request={0}",
        request["created_at"].as_str().unwrap()
    );
    with_entries(&clinic, &requests, 3).await;
    with_entries(&reading(&other), &requests, 1).await;
    let long_ago = "date_from_request=2020-01-01&date_to_request=2020-12-31";
    with_entries(&clinic, long_ago, 0).await;
    let page = report(&clinic, &format!("{}&page=2&page_size=2", these_days())).await.expect(200);
    assert_eq!(
        page.body["paging"],
        json!({"page_number": 2, "page_size": 2, "total_entries": 3, "total_pages": 2})
    );
    assert_eq!(page.data()[0]["medication_dispense"]["id"], json!(theirs));
}

const HEADERS: &str = "pharmacy_name,pharmacy_edrpou,msp_name,msp_edrpou,doctor_name,\
    request_number,created_at,dispensed_at,innm_name,innm_dosage_name,medication_name,form,\
    medication_qty,package_qty,sell_price,sell_amount,discount_amount,reimbursement_amount\r\n";

/// A report as a table.
async fn table(of: &Pharmacy, path: &str) -> (reqwest::header::HeaderMap, String) {
    let answer = of.request("GET", path).header(ACCEPT, "text/csv").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let headers = answer.headers().clone();
    (headers, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payer_takes_what_was_handed_over_as_a_table() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    // A name that a spreadsheet would take for a formula.
    let mut company = json!({"id": one.legal_entity, "type": "PHARMACY", "status": "ACTIVE",
        "edrpou": "30000002", "nhs_verified": true});
    company["name"] = json!("=HYPERLINK(\"http://example.org\")");
    one.import(&line("legal_entity", &company)).await.expect(200);
    let (ours, document) = held(&one, &what).await;
    one.hand_over(ours, PAID).await.expect(200);
    let (back, _) = held(&one, &what).await;
    one.ehealth_reject(back).await.expect(200);
    held(&other, &world.prescribed(Terms::InParts, 1)).await;
    followed(&database).await;

    let path = format!("/api/reimbursement_report_download?{}", these_days());
    let (headers, text) = table(&payer(&one), &path).await;
    assert_eq!(headers[CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    assert!(headers[CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment; filename="));
    let (created, dispensed) =
        (&document["medication_request"]["created_at"], &document["dispensed_at"]);
    let line = format!(
        "\"'=HYPERLINK(\"\"http://example.org\"\")\",30000002,Поліклініка № 1,30000001,\
         Гнатюк Іван,0000-12H4-245D-99A1,{},{},Амлодипін,Амлодипін 10 мг,Амлодис,PILL,20,30,2.5,\
         50,30,45\r\n",
        created.as_str().unwrap(),
        dispensed.as_str().unwrap(),
    );
    assert_eq!(text, format!("{HEADERS}{line}"), "one line: the rest was not handed over");
    let own = format!("/api/reimbursement_report?{}", these_days());
    assert_eq!(table(&reading(&one), &own).await.1, text, "its own");
    assert_eq!(table(&reading(&other), &own).await.1, HEADERS, "nothing of the other's");

    let whole = payer(&one).request("GET", &path).header(ACCEPT, "application/json");
    let whole: Value = whole.send().await.unwrap().json().await.unwrap();
    assert_eq!(whole["meta"]["type"], "list");
    assert_eq!(whole["data"][0]["medication_dispense"]["id"], json!(ours));
    assert_eq!(whole["data"].as_array().unwrap().len(), 1);

    // An erasure takes the doctor's name. The companies are called what they are called now.
    sqlx::query("DELETE FROM personal_bodies").execute(&database.pool).await.unwrap();
    let erased = table(&payer(&one), &path).await.1;
    assert_eq!(erased, format!("{HEADERS}{}", line.replace("Гнатюк Іван", "")));
}
