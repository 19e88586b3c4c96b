//! Reports: their shapes, and what becomes of one that cannot be sent to its end.

use std::pin::Pin;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::test::{TestRequest, call_service, init_service};
use dispensary::AppendError;
use dispensary::access::Looked;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{AT_ONCE, CLINIC, DIVISION, PHARMACY, part};
use super::world::{Answer, World, record};

const READ: &str = "reimbursement_report:read";
const DOWNLOAD: &str = "reimbursement_report:download";

const DAYS: &str = "from=2026-03-01&to=2026-03-02";
const DOWNLOADED: &str = "/api/reimbursement_report_download?date_from_dispense=2026-03-01\
                          &date_to_dispense=2026-03-02";

/// A world in which that much was handed over: more than a portion of a report.
async fn sold() -> World {
    let world = World::new().await;
    for key in ["1", "2", "3"] {
        let mut body = part(AT_ONCE, 10);
        body["copayment"] = json!(12.5);
        let answer = world.create(key, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    world
}

async fn asked(world: &World, query: &str, accept: &str) -> Answer {
    let uri = format!("/api/v1/reports/dispensing?{DAYS}{query}");
    let request = TestRequest::get().uri(&uri).insert_header(("accept", accept));
    world.send_as(&world.token(READ), request).await
}

fn payer(world: &World) -> String {
    world.token_of(PHARMACY, ClientType::Nhs, DOWNLOAD)
}

/// A download that is read piece by piece.
async fn begun(world: &World) -> BoxBody {
    let token = format!("Bearer {}", payer(world));
    let request = TestRequest::get().uri(DOWNLOADED).insert_header(("authorization", token));
    let app = init_service(dispense_http::app(world.door.clone())).await;
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
    response.into_body().boxed()
}

/// The pieces up to the end, or to where it breaks off.
async fn rest(mut body: BoxBody) -> (Vec<u8>, bool) {
    let mut read = Vec::new();
    loop {
        let piece = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await;
        match piece {
            None => return (read, true),
            Some(Err(_)) => return (read, false),
            Some(Ok(piece)) => read.extend_from_slice(&piece),
        }
    }
}

#[actix_web::test]
async fn figures_are_exact_numbers_with_names_beside_their_keys() {
    let world = sold().await;
    let answer = asked(&world, "&groupBy=pharmacy", "*/*").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("dispense-position"), Some("0:6"));
    let line = &answer.json()["items"][0];
    assert_eq!(line["key"], DIVISION);
    assert!(line["name"].is_string(), "{line}");
    assert_eq!((&line["dispenses"], &line["copayment"]), (&json!(3), &json!(37.5)));
    assert!(answer.text().contains("\"quantity\":30,"), "{}", answer.text());

    let table = asked(&world, "&groupBy=status&status=COMPLETED", "text/csv").await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let rows: Vec<&str> = table.text().split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[1].starts_with("COMPLETED,,3,30,"), "{rows:?}");
    assert_eq!(asked(&world, "&status=HELD", "*/*").await.json(), json!({"items": []}));
}

#[actix_web::test]
async fn a_report_that_is_sent_in_portions_is_one_document() {
    let world = sold().await;
    let as_json = TestRequest::get().uri(DOWNLOADED).insert_header(("accept", "application/json"));
    let document: Value = world.send_as(&payer(&world), as_json).await.json();
    assert_eq!(document["meta"]["code"], 200);
    let data = document["data"].as_array().unwrap();
    assert_eq!(data.len(), 3);
    for row in data {
        assert_eq!(row["medication_dispense"]["payment_amount"], 12.5, "{row}");
        assert!(row["medication_request"]["employee"]["last_name"].is_string(), "{row}");
    }
    let (table, is_whole) = rest(begun(&world).await).await;
    assert!(is_whole);
    assert_eq!(String::from_utf8(table).unwrap().split_terminator("\r\n").count(), 4);
}

#[actix_web::test]
async fn after_an_erasure_the_payer_still_knows_whom_to_pay() {
    let world = sold().await;
    world.change(|ground| {
        for (id, code) in [(PHARMACY, "30000002"), (CLINIC, "30000001")] {
            let company = record(&mut ground.registries.legal_entities, id);
            company.name = format!("Renamed {code}").try_into().unwrap();
            company.edrpou = Some(code.try_into().unwrap());
        }
    });
    let line = async || {
        let (table, _) = rest(begun(&world).await).await;
        let lines = String::from_utf8(table).unwrap();
        lines.split_terminator("\r\n").nth(1).unwrap().to_owned()
    };
    let whole = line().await;
    assert!(whole.starts_with("Health Ltd,,Clinic,,Bondar "), "as it was then: {whole}");
    for (_, recorded) in &mut world.state.get().events {
        recorded.body = None;
    }
    let erased = line().await;
    let companies = "Renamed 30000002,30000002,Renamed 30000001,30000001,,";
    assert!(erased.starts_with(companies), "{erased}");

    let as_json = TestRequest::get().uri(DOWNLOADED).insert_header(("accept", "application/json"));
    let document: Value = world.send_as(&payer(&world), as_json).await.json();
    let row = &document["data"][0];
    let request = &row["medication_request"];
    assert_eq!(row["medication_dispense"]["legal_entity"]["edrpou"], "30000002", "{row}");
    assert_eq!(request["legal_entity"]["edrpou"], "30000001", "{row}");
    assert_eq!(request["employee"]["last_name"], json!(null), "{row}");
}

#[actix_web::test]
async fn a_report_that_cannot_be_read_on_breaks_off() {
    let world = sold().await;
    let body = begun(&world).await;
    world.state.get().failure = Some(|| AppendError::Bug);
    let (read, is_whole) = rest(body).await;
    assert!(!is_whole, "nobody takes a part for the whole");
    let lines = String::from_utf8(read).unwrap().split_terminator("\r\n").count();
    assert_eq!(lines, 3, "the headers, and what was read before");

    // What goes wrong before that is answered as always.
    let request = TestRequest::get().uri(DOWNLOADED);
    let answer = world.send_as(&payer(&world), request).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

#[actix_web::test]
async fn a_report_breaks_off_when_the_service_stops() {
    let world = sold().await;
    let body = begun(&world).await;
    world.closing.cancel();
    assert!(!rest(body).await.1);
}

#[actix_web::test]
async fn no_report_is_shown_that_is_not_recorded() {
    let world = sold().await;
    let payer = payer(&world);
    let own = "/api/reimbursement_report?date_from_dispense=2026-03-01&date_to_dispense=2026-03-02";
    let reports = [
        (format!("/api/v1/reports/dispensing?{DAYS}"), world.token(READ), 0),
        (own.to_owned(), world.token(READ), 3),
        (DOWNLOADED.to_owned(), payer, 0),
    ];
    for (uri, token, dispenses) in &reports {
        let answer = world.send_as(token, TestRequest::get().uri(uri)).await;
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
        let seen = world.state.get().accesses.last().cloned().unwrap();
        assert_eq!((seen.looked, seen.dispenses.ids().len()), (Looked::Report, *dispenses));
    }
    world.state.get().access_log_is_full = true;
    for (uri, token, _) in &reports {
        let answer = world.send_as(token, TestRequest::get().uri(uri)).await;
        assert_eq!(answer.status, 503, "{uri}: {}", answer.text());
    }
}
