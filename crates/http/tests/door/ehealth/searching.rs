//! `GET /api/medication_dispenses`

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::AppendError;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::super::world::sample::{
    AT_ONCE, CLINIC, DIVISION, IN_PARTS, OTHER_PHARMACY, PHARMACY, REQUEST, REQUEST_IN_PARTS,
};
use super::super::world::{Answer, READ, WRITE, World};
use super::{PREFIXES, action, blamed, hold, part, said};

async fn search(world: &World, query: &str) -> Answer {
    world.send(TestRequest::get().uri(&format!("/api/medication_dispenses?{query}"))).await
}

async fn search_as(world: &World, client: &str, kind: ClientType, query: &str) -> Answer {
    let uri = format!("/api/medication_dispenses?{query}");
    let token = world.token_of(client, kind, READ);
    world.send_as(&token, TestRequest::get().uri(&uri)).await
}

/// Ids of a page.
fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
    body["data"].as_array().unwrap().iter().map(id).collect()
}

/// Page, size, entries and pages.
fn paging(answer: &Answer) -> [u64; 4] {
    let body = answer.json();
    ["page_number", "page_size", "total_entries", "total_pages"]
        .map(|name| body["paging"][name].as_u64().unwrap_or_else(|| panic!("{body}")))
}

fn id_of(answer: &Answer) -> String {
    answer.json()["data"]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

/// Holds that dispense; a minute goes by.
async fn held(world: &World, key: &str, dispense: &Value) -> String {
    let id = id_of(&world.held(key, dispense).await);
    world.state.get().now += TimeDelta::minutes(1);
    id
}

/// Holds it, and gives it back.
async fn rejected(world: &World, key: &str, dispense: &Value) -> String {
    let id = held(world, key, dispense).await;
    let back = world.send(action(&id, "reject", &json!({}))).await;
    assert_eq!(back.status, 200, "{}", back.text());
    id
}

/// A dispense that needs no signature.
fn at_once(tablets: u32) -> Value {
    let mut dispense = part(AT_ONCE, tablets);
    dispense["payment_amount"] = json!(12.5);
    dispense
}

#[actix_web::test]
async fn g_03_g_04_its_own_are_listed_with_paging_with_a_program_or_without() {
    let world = World::new().await;
    let without = world.held("1", &hold()).await.json();
    world.state.get().now += TimeDelta::minutes(1);
    let with = world.held("2", &part(IN_PARTS, 10)).await.json();
    let answer = search(&world, "").await;
    let body = answer.json();
    assert_eq!(body["data"], json!([with["data"], without["data"]]), "as they were answered");
    assert!(body["data"][1]["medical_program"].is_null());
    assert_eq!(body["data"][0]["medical_program"]["id"], IN_PARTS);
    assert_eq!(
        body["paging"],
        json!({"page_number": 1, "page_size": 50, "total_entries": 2, "total_pages": 1})
    );
    assert_eq!((&body["meta"]["code"], &body["meta"]["type"]), (&json!(200), &json!("list")));
    assert_eq!(body["meta"]["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
}

#[actix_web::test]
async fn the_path_of_pharmacies_does_not_show_the_prescriber() {
    let world = World::new().await;
    held(&world, "1", &hold()).await;
    let mut shown = Vec::new();
    for prefix in PREFIXES {
        let uri = format!("{prefix}/medication_dispenses");
        let body = world.send(TestRequest::get().uri(&uri)).await.json();
        let request = body["data"][0]["medication_request"].clone();
        assert_eq!(request["id"], REQUEST);
        shown.push(request.as_object().unwrap().len());
    }
    assert!(shown[0] > shown[1], "{shown:?}");
}

#[actix_web::test]
async fn s_01_s_02_s_04_one_thing_that_is_known_finds_what_belongs_to_it() {
    let world = World::new().await;
    let one = rejected(&world, "1", &hold()).await;
    let other = held(&world, "2", &part(IN_PARTS, 10)).await;
    for (query, expected) in [
        (format!("id={one}"), vec![one.clone()]),
        (format!("id={REQUEST}"), vec![]),
        (format!("medication_request_id={REQUEST}"), vec![one.clone()]),
        (format!("medication_request_id={REQUEST_IN_PARTS}"), vec![other.clone()]),
        (format!("division_id={DIVISION}"), vec![other.clone(), one.clone()]),
        (format!("division_id={REQUEST}"), vec![]),
        (format!("legal_entity_id={PHARMACY}"), vec![other.clone(), one.clone()]),
        ("dispensed_from=2026-03-02".to_owned(), vec![other.clone(), one.clone()]),
        ("dispensed_from=2026-03-03".to_owned(), vec![]),
        ("dispensed_to=2026-03-02".to_owned(), vec![other.clone(), one.clone()]),
        ("dispensed_to=2026-03-01".to_owned(), vec![]),
        (format!("care_plan_id={REQUEST}"), vec![]),
        ("colour=green&page_seize=1".to_owned(), vec![other.clone(), one.clone()]),
        ("id=&status=&page=&page_size=".to_owned(), vec![other.clone(), one.clone()]),
        (format!("id={REQUEST}&id={one}"), vec![one.clone()]),
    ] {
        assert_eq!(ids(&search(&world, &query).await), expected, "{query}");
    }
}

#[actix_web::test]
async fn s_05_by_status_those_are_found_that_stand_there_now() {
    let world = World::new().await;
    let given_back = rejected(&world, "1", &part(IN_PARTS, 10)).await;
    let ran_out = held(&world, "2", &part(IN_PARTS, 10)).await;
    world.state.get().now += TimeDelta::minutes(10);
    let processed = held(&world, "3", &at_once(10)).await;
    let alive = held(&world, "4", &part(IN_PARTS, 10)).await;
    for (statuses, expected) in [
        ("NEW", vec![&alive]),
        ("PROCESSED", vec![&processed]),
        ("REJECTED", vec![&given_back]),
        ("EXPIRED", vec![&ran_out]),
        ("PROCESSED,REJECTED", vec![&processed, &given_back]),
        ("EXPIRED,NEW,EXPIRED", vec![&alive, &ran_out]),
        ("NEW%2CREJECTED", vec![&alive, &given_back]),
    ] {
        let answer = search(&world, &format!("status={statuses}")).await;
        assert_eq!(ids(&answer), expected.into_iter().cloned().collect::<Vec<_>>(), "{statuses}");
    }
    let answer = search(&world, "status=EXPIRED").await.json();
    assert_eq!(answer["data"][0]["status"], "EXPIRED");
}

#[actix_web::test]
async fn s_07_all_criteria_hold_at_once() {
    let world = World::new().await;
    let wanted = rejected(&world, "1", &part(IN_PARTS, 10)).await;
    rejected(&world, "2", &hold()).await;
    held(&world, "3", &part(IN_PARTS, 10)).await;
    let all = format!(
        "id={wanted}&medication_request_id={REQUEST_IN_PARTS}&legal_entity_id={PHARMACY}\
         &division_id={DIVISION}&status=REJECTED&dispensed_from=2026-03-02&dispensed_to=2026-03-02\
         &page=1&page_size=300"
    );
    assert_eq!(ids(&search(&world, &all).await), [wanted]);
    for (one, other) in [
        ("REJECTED", "NEW"),
        (REQUEST_IN_PARTS, REQUEST),
        ("division_id=0", "division_id=1"),
        ("dispensed_from=2026-03-02", "dispensed_from=2026-03-03"),
    ] {
        let nothing = search(&world, &all.replace(one, other)).await;
        assert_eq!(ids(&nothing), Vec::<String>::new(), "{other}");
    }
}

#[actix_web::test]
async fn s_08_the_third_page_has_the_last_row() {
    let world = World::new().await;
    let mut told = Vec::new();
    for n in 0..21 {
        told.push(rejected(&world, &n.to_string(), &part(IN_PARTS, 10)).await);
    }
    told.reverse();
    for (number, expected) in [(1, &told[..10]), (2, &told[10..20]), (3, &told[20..]), (4, &[])] {
        let page = search(&world, &format!("page={number}&page_size=10")).await;
        assert_eq!((ids(&page), paging(&page)), (expected.to_vec(), [number, 10, 21, 3]));
    }
    let all = search(&world, "page_size=300").await;
    assert_eq!((ids(&all), paging(&all)), (told, [1, 300, 21, 1]));
}

#[actix_web::test]
async fn a_page_beyond_all_numbers_is_empty() {
    let world = World::new().await;
    held(&world, "1", &hold()).await;
    let page = search(&world, "page=99999999999999999999999").await;
    assert_eq!((ids(&page), paging(&page)), (Vec::new(), [u64::MAX, 50, 1, 1]));
}

#[actix_web::test]
async fn x_33_who_asks_for_another_company_finds_nothing() {
    let world = World::new().await;
    let id = held(&world, "1", &hold()).await;
    let theirs = format!("legal_entity_id={PHARMACY}&page=2&page_size=10");
    for kind in [ClientType::Pharmacy, ClientType::MspPharmacy, ClientType::Msp] {
        let nothing = search_as(&world, OTHER_PHARMACY, kind, &theirs).await;
        assert_eq!((ids(&nothing), paging(&nothing)), (Vec::new(), [1, 50, 0, 1]), "{kind}");
        let none_of_its_own = search_as(&world, OTHER_PHARMACY, kind, "").await;
        assert_eq!(paging(&none_of_its_own), [1, 50, 0, 1], "{kind}");
    }
    for kind in [ClientType::Nhs, ClientType::Mis, ClientType::Cabinet] {
        for query in ["", &format!("legal_entity_id={PHARMACY}")] {
            assert_eq!(ids(&search_as(&world, CLINIC, kind, query).await), [&*id], "{kind}");
        }
    }
}

#[actix_web::test]
async fn everything_that_cannot_be_read_is_told_together() {
    let world = World::new().await;
    let pattern = "string does not match pattern \"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"";
    let query = "page_size=301&page=two&status=DONE&dispensed_from=31.01.2026&division_id=7";
    assert_eq!(
        search(&world, query).await.invalid(),
        [
            blamed("$.division_id", "format", pattern),
            blamed("$.status", "inclusion", "value is not allowed in enum"),
            blamed("$.dispensed_from", "format", "expected a day of the calendar as YYYY-MM-DD"),
            blamed("$.page", "cast", "type mismatch. Expected integer but got string"),
            blamed("$.page_size", "number", "expected the value to be <= 300"),
        ]
    );
}

#[actix_web::test]
async fn a_status_that_is_unknown_is_told_with_those_that_are_known() {
    let world = World::new().await;
    for path in ["medication_dispenses", &format!("medication_requests/{REQUEST}/dispenses")] {
        let uri = format!("/api/{path}?status=HELD");
        let answer = world.send(TestRequest::get().uri(&uri)).await;
        let inclusion = "value is not allowed in enum";
        assert_eq!(answer.invalid(), [blamed("$.status", "inclusion", inclusion)]);
        let params = &answer.json()["error"]["invalid"][0]["rules"][0]["params"];
        assert_eq!(params, &json!({"values": ["NEW", "PROCESSED", "REJECTED", "EXPIRED"]}));
    }
}

#[actix_web::test]
async fn a_page_has_a_number_and_a_size() {
    let world = World::new().await;
    let least = "expected the value to be >= 1";
    for (query, expected) in [
        ("page=0", blamed("$.page", "number", least)),
        ("page=-1", blamed("$.page", "number", least)),
        ("page=-99999999999999999999999", blamed("$.page", "number", least)),
        ("page_size=0", blamed("$.page_size", "number", least)),
    ] {
        assert_eq!(search(&world, query).await.invalid(), [expected], "{query}");
    }
    let bound = &search(&world, "page_size=999").await.json()["error"]["invalid"][0]["rules"][0];
    assert_eq!(bound["params"], json!({"less_than_or_equal_to": 300}));
    for no_number in ["1.0", "1e1", "%2B1", "%201", "0x1", "-", "NaN", "%E0%A5%A7"] {
        let refused = search(&world, &format!("page={no_number}")).await.invalid();
        let message = "type mismatch. Expected integer but got string";
        assert_eq!(refused, [blamed("$.page", "cast", message)], "{no_number}");
    }
}

#[actix_web::test]
async fn whoever_may_not_look_may_not_search() {
    let world = World::new().await;
    let token = world.token(WRITE);
    let uri = "/api/medication_dispenses?page=two";
    let refused = world.send_as(&token, TestRequest::get().uri(uri)).await;
    let message = "Your scope does not allow to access this resource. Missing allowances: \
                   medication_dispense:read";
    assert_eq!(refused.error(), said(403, "forbidden", message));
    let refused = world.send_bare(TestRequest::get().uri(uri)).await;
    assert_eq!(refused.error(), said(401, "access_denied", "Invalid access token"));
}

#[actix_web::test]
async fn a_database_that_is_silent_is_a_503() {
    let world = World::new().await;
    world.state.get().failure = Some(|| AppendError::Busy);
    let answer = search(&world, "").await;
    let (status, kind, _) = answer.error();
    assert_eq!((status, kind.as_str()), (503, "service_unavailable"));
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}
