//! `GET /api/medication_requests/{id}` and `GET /api/medication_requests/{id}/dispenses`

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use crate::world::sample::{
    AT_ONCE, BROKEN_REQUEST, CLINIC, IN_PARTS, NUMBER, OTHER_PHARMACY, REQUEST, REQUEST_IN_PARTS,
    hold, part,
};
use crate::world::{Answer, READ, World};

const DETAILS: &str = "medication_request:details";

async fn get(world: &World, path: &str) -> Answer {
    world.send(TestRequest::get().uri(path)).await
}

async fn request(world: &World, key: &str) -> Answer {
    get(world, &format!("/api/medication_requests/{key}")).await
}

async fn dispenses(world: &World, key_and_query: &str) -> Answer {
    get(world, &format!("/api/medication_requests/{key_and_query}")).await
}

fn ids(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let data = body["data"].as_array().unwrap_or_else(|| panic!("{body}"));
    data.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

/// A hold that was given back, one that ran out, a dispense that was processed at once and a hold
/// that is alive, each a minute or more after the one before.
async fn one_of_each(world: &World) -> [String; 4] {
    let create = async |key: &str, program: &str| {
        let mut body = part(program, 10);
        if program == AT_ONCE {
            body["copayment"] = json!(12.5);
        }
        let created = world.create(key, &body).await;
        assert_eq!(created.status, 201, "{}", created.text());
        created.json()["id"].as_str().unwrap().to_owned()
    };
    let pass = |minutes| world.state.get().now += TimeDelta::minutes(minutes);
    let given_back = create("1", IN_PARTS).await;
    assert_eq!(world.cancel(&given_back, "2").await.status, 200);
    pass(1);
    let ran_out = create("3", IN_PARTS).await;
    pass(11);
    let at_once = create("4", AT_ONCE).await;
    pass(1);
    let held = create("5", IN_PARTS).await;
    [given_back, ran_out, at_once, held]
}

#[actix_web::test]
async fn the_dispenses_of_a_request_are_listed_the_last_one_first() {
    let world = World::new().await;
    let mut begun = one_of_each(&world).await;
    begun.reverse();
    let answer = dispenses(&world, &format!("{REQUEST_IN_PARTS}/dispenses")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(ids(&answer), begun);
    let body = answer.json();
    assert_eq!(body["meta"]["type"], "list");
    assert_eq!(body.get("paging"), None);
    let statuses: Vec<&Value> =
        body["data"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["NEW", "PROCESSED", "EXPIRED", "REJECTED"]);
}

/// G-03: each of the list is shown as if it were asked for alone.
#[actix_web::test]
async fn a_list_shows_what_each_dispense_shows() {
    let world = World::new().await;
    one_of_each(&world).await;
    for api in ["/api", "/api/pharmacy"] {
        let path = format!("{api}/medication_requests/{REQUEST_IN_PARTS}/dispenses");
        let listed = get(&world, &path).await;
        for (id, listed) in ids(&listed).iter().zip(listed.json()["data"].as_array().unwrap()) {
            let alone = get(&world, &format!("{api}/medication_dispenses/{id}")).await;
            assert_eq!(alone.json()["data"], *listed);
        }
    }
}

#[actix_web::test]
async fn a_list_can_be_narrowed_to_some_statuses() {
    let world = World::new().await;
    let [given_back, ran_out, at_once, held] = one_of_each(&world).await;
    let all = vec![held.clone(), at_once.clone(), ran_out.clone(), given_back.clone()];
    for (query, expected) in [
        ("status=NEW", vec![held.clone()]),
        ("status=REJECTED", vec![given_back]),
        ("status=EXPIRED,NEW", vec![held.clone(), ran_out]),
        ("status=PROCESSED%2CPROCESSED", vec![at_once]),
        ("status=", all.clone()),
        ("state=NEW&page=x", all),
        ("page_size=-1&status=NEW", vec![held]),
    ] {
        let answer = dispenses(&world, &format!("{REQUEST_IN_PARTS}/dispenses?{query}")).await;
        assert_eq!(ids(&answer), expected, "{query}");
    }
}

#[actix_web::test]
async fn a_status_that_the_register_does_not_have_is_refused() {
    let world = World::new().await;
    for query in ["HELD", "new", "NEW,", "NEW;EXPIRED", "%20"] {
        let answer = dispenses(&world, &format!("{REQUEST}/dispenses?status={query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "validation_failed");
        assert_eq!(error["invalid"][0]["entry"], "$.status");
        assert_eq!(error["invalid"][0]["rules"][0]["rule"], "inclusion");
    }
}

#[actix_web::test]
async fn a_request_that_nobody_dispensed_has_an_empty_list() {
    let world = World::new().await;
    let answer = dispenses(&world, &format!("{REQUEST}/dispenses")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["data"]), (200, &json!([])));
}

/// That is how it learns that somebody else holds the medication.
#[actix_web::test]
async fn a_pharmacy_sees_the_hold_of_another_one() {
    let world = World::new().await;
    world.create("key", &hold()).await;
    let token = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, READ);
    let path = format!("/api/medication_requests/{REQUEST}/dispenses?status=NEW");
    let answer = world.send_as(&token, TestRequest::get().uri(&path)).await;
    assert_eq!(ids(&answer).len(), 1);
}

#[actix_web::test]
async fn a_clinic_sees_what_it_prescribed_and_others_see_all() {
    let world = World::new().await;
    for path in ["", "/dispenses"].map(|it| format!("/api/medication_requests/{REQUEST}{it}")) {
        for (client, client_type, status) in [
            (CLINIC, ClientType::Msp, 200),
            (OTHER_PHARMACY, ClientType::Msp, 404),
            (OTHER_PHARMACY, ClientType::Pharmacy, 200),
            (OTHER_PHARMACY, ClientType::MspPharmacy, 200),
            (OTHER_PHARMACY, ClientType::Nhs, 200),
        ] {
            let token = world.token_of(client, client_type, READ);
            let answer = world.send_as(&token, TestRequest::get().uri(&path)).await;
            assert_eq!(answer.status, status, "{path} {client_type}");
        }
    }
}

#[actix_web::test]
async fn a_request_is_found_by_its_id_and_by_its_number() {
    let world = World::new().await;
    one_of_each(&world).await;
    for rest in ["", "/dispenses"] {
        let expected = request(&world, &format!("{REQUEST_IN_PARTS}{rest}")).await.json();
        for key in [REQUEST_IN_PARTS.replace('-', ""), NUMBER.to_owned()] {
            let answer = request(&world, &format!("{key}{rest}")).await;
            assert_eq!(answer.status, 200, "{key}{rest}");
            assert_eq!(answer.json()["data"], expected["data"], "{key}{rest}");
        }
    }
}

///
#[actix_web::test]
async fn what_names_no_request_is_not_found() {
    let world = World::new().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for key in ["17", "0000-0000-0000-0000", "0000-243p-1x53-eh38", unknown] {
        for rest in ["", "/dispenses"] {
            let answer = request(&world, &format!("{key}{rest}")).await;
            assert_eq!(answer.status, 404, "{key}{rest}");
            assert_eq!(answer.json()["error"]["type"], "not_found");
        }
    }
}

#[actix_web::test]
async fn a_request_is_shown_as_the_next_hold_will_show_it() {
    let world = World::new().await;
    for api in ["/api", "/api/pharmacy"] {
        let path = format!("{api}/medication_requests/{REQUEST_IN_PARTS}");
        let before = get(&world, &path).await;
        assert_eq!(before.status, 200, "{}", before.text());
        let held = world.create(api, &part(IN_PARTS, 10)).await.json()["id"].clone();
        let held = held.as_str().unwrap();
        let shown = get(&world, &format!("{api}/medication_dispenses/{held}")).await;
        assert_eq!(before.json()["data"], shown.json()["data"]["medication_request"]);
        assert_eq!(world.cancel(held, api).await.status, 200);
    }
}

#[actix_web::test]
async fn a_request_of_which_nothing_remains_is_completed() {
    let world = World::new().await;
    let mut all = part(AT_ONCE, 30);
    all["copayment"] = json!(0);
    assert_eq!(world.create("key", &all).await.status, 201);
    let data = request(&world, REQUEST_IN_PARTS).await.json()["data"].clone();
    assert_eq!(data["status"], "COMPLETED");
    assert_eq!(data["medication_info"]["medication_remaining_qty"], 0);
}

///
#[actix_web::test]
async fn a_request_with_a_broken_reference_cannot_be_shown() {
    let world = World::new().await;
    let answer = request(&world, BROKEN_REQUEST).await;
    assert_eq!(answer.status, 500);
    let error = &answer.json()["error"];
    assert_eq!(error["type"], "internal_error");
    assert_eq!(error["message"], "Could not load remote reference for medication_request");
    assert!(!answer.text().contains("medical program"), "{}", answer.text());
}

#[actix_web::test]
async fn either_scope_shows_a_request_and_one_alone_its_dispenses() {
    let world = World::new().await;
    for (scope, of_request, of_dispenses) in
        [(READ, 200, 200), (DETAILS, 200, 403), ("medication_dispense:write", 403, 403)]
    {
        let token = world.token(scope);
        for (rest, status) in [("", of_request), ("/dispenses", of_dispenses)] {
            let path = format!("/api/medication_requests/{REQUEST}{rest}");
            let answer = world.send_as(&token, TestRequest::get().uri(&path)).await;
            assert_eq!(answer.status, status, "{scope} {rest}");
        }
    }
}
