//! `asOf`: how something stood at an instant that is over.

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{
    self, AT_ONCE, CLINIC, IN_PARTS, NUMBER, OTHER_PHARMACY, REQUEST_IN_PARTS,
};
use super::world::{Answer, READ, World};

/// The first hold began then.
const FIRST: &str = "2026-03-02T10:00:00.123456Z";

fn get(uri: &str) -> TestRequest {
    TestRequest::get().uri(uri)
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

fn minutes_go_by(world: &World, minutes: i64) {
    world.state.get().now += TimeDelta::minutes(minutes);
}

/// Ten tablets are held at 10:00 and given back at 10:05; five are recorded at 10:10. It is 11:00.
async fn a_morning() -> (World, String, String) {
    let world = World::new().await;
    let held = id_of(&world.create("held", &sample::part(IN_PARTS, 10)).await);
    minutes_go_by(&world, 5);
    assert_eq!(world.cancel(&held, "back").await.status, 200);
    minutes_go_by(&world, 5);
    let mut done = sample::part(AT_ONCE, 5);
    done["copayment"] = json!(20);
    let done = id_of(&world.create("done", &done).await);
    minutes_go_by(&world, 50);
    (world, held, done)
}

async fn dispense(world: &World, id: &str, as_of: &str) -> Answer {
    world.send(get(&format!("/api/v1/dispenses/{id}?asOf={as_of}"))).await
}

async fn balance(world: &World, query: &str) -> Value {
    let answer = world.send(get(&format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn listed(world: &World, query: &str) -> Vec<(String, String)> {
    let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses{query}");
    let answer = world.send(get(&uri)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["next"], json!(null));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = body["items"].as_array().unwrap().iter();
    items.map(|it| (text(&it["id"]), text(&it["status"]))).collect()
}

#[actix_web::test]
async fn a_dispense_is_shown_as_it_stood() {
    let (world, held, _) = a_morning().await;
    for (as_of, status, etag) in [
        (FIRST, "HELD", "\"1-HELD\""),
        ("2026-03-02T10:05:00.123455Z", "HELD", "\"1-HELD\""),
        ("2026-03-02T10:05:00.123456Z", "CANCELLED", "\"2-CANCELLED\""),
        ("2026-03-02T11:00:00.123456Z", "CANCELLED", "\"2-CANCELLED\""),
        ("2026-03-02T12:04:00%2B02:00", "HELD", "\"1-HELD\""),
    ] {
        let answer = dispense(&world, &held, as_of).await;
        assert_eq!(answer.json()["status"], status, "{as_of}");
        assert_eq!(answer.header("etag"), Some(etag), "{as_of}");
        assert_eq!(answer.header("dispense-position"), Some("0:4"), "{as_of}");
    }
}

#[actix_web::test]
async fn an_hour_ago_a_hold_was_held_that_has_run_out_since() {
    let world = World::new().await;
    let held = id_of(&world.create("held", &sample::part(IN_PARTS, 10)).await);
    minutes_go_by(&world, 60);
    assert_eq!(world.look(&held).await.json()["status"], "EXPIRED");
    for (as_of, status) in
        [("2026-03-02T10:10:00.123456Z", "HELD"), ("2026-03-02T10:10:00.123457Z", "EXPIRED")]
    {
        assert_eq!(dispense(&world, &held, as_of).await.json()["status"], status, "{as_of}");
    }
    let held = json!({"held": 10, "available": 20});
    let over = json!({"held": 0, "available": 30});
    for (as_of, expected) in [("10:10:00.123456", held), ("10:10:00.123457", over)] {
        let balance = balance(&world, &format!("?asOf=2026-03-02T{as_of}Z")).await;
        assert_eq!(
            (&balance["held"], &balance["available"]),
            (&expected["held"], &expected["available"])
        );
    }
}

#[actix_web::test]
async fn a_version_of_the_past_that_is_known_is_not_sent_again() {
    let (world, held, _) = a_morning().await;
    for path in ["", "/history"] {
        let uri = format!("/api/v1/dispenses/{held}{path}?asOf=2026-03-02T10:01:00Z");
        let known = |tag| get(&uri).insert_header(("if-none-match", tag));
        assert_eq!(world.send(known("\"1-HELD\"")).await.status, 304);
        assert_eq!(world.send(known("\"2-CANCELLED\"")).await.status, 200);
    }
}

#[actix_web::test]
async fn what_had_not_begun_is_not_there() {
    let (world, _, done) = a_morning().await;
    for path in ["", "/history"] {
        let uri = format!("/api/v1/dispenses/{done}{path}?asOf=2026-03-02T10:10:00.123455Z");
        let answer = world.send(get(&uri)).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{path}");
    }
    assert_eq!(dispense(&world, &done, "2026-03-02T10:10:00.123456Z").await.status, 200);
}

#[actix_web::test]
async fn the_log_tells_from_its_first_event_until_now() {
    let (world, held, _) = a_morning().await;
    let now = "2026-03-02T11:00:00.123456Z";
    let paths = [
        format!("/api/v1/dispenses/{held}"),
        format!("/api/v1/dispenses/{held}/history"),
        format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}"),
        format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses"),
        format!("/api/v1/prescriptions/{NUMBER}"),
    ];
    for path in &paths {
        for as_of in
            ["2026-03-02T10:00:00.123455Z", "2026-03-02T11:00:00.123457Z", "0001-01-01T00:00:00Z"]
        {
            let answer = world.send(get(&format!("{path}?asOf={as_of}"))).await;
            assert_eq!(answer.problem(), (422, "as-of-out-of-range".to_owned()), "{path} {as_of}");
            let first = answer.json()["errors"][0].clone();
            assert_eq!(first["path"], "?asOf");
            assert_eq!(first["params"]["earliest"], FIRST);
            assert_eq!(first["params"]["latest"], now);
        }
        for as_of in [FIRST, now] {
            let answer = world.send(get(&format!("{path}?asOf={as_of}"))).await;
            assert_eq!(answer.status, 200, "{path} {as_of}: {}", answer.text());
        }
    }
}

#[actix_web::test]
async fn a_log_without_events_has_no_past() {
    let world = World::new().await;
    let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}?asOf={FIRST}");
    let answer = world.send(get(&uri)).await;
    assert_eq!(answer.problem(), (422, "as-of-out-of-range".to_owned()));
    assert_eq!(answer.json()["errors"][0]["params"], json!({"asOf": FIRST, "latest": FIRST}));
}

#[actix_web::test]
async fn the_balance_of_the_past_tells_what_the_log_knew() {
    let (world, _, _) = a_morning().await;
    let held = balance(&world, "?asOf=2026-03-02T10:01:00Z").await;
    assert_eq!(
        held,
        json!({
            "id": REQUEST_IN_PARTS, "status": null, "prescribed": 30, "held": 10, "dispensed": 0,
            "available": 20, "unit": "PILL",
        })
    );
    let done = balance(&world, "?asOf=2026-03-02T10:30:00Z").await;
    assert_eq!(
        (&done["held"], &done["dispensed"], &done["available"]),
        (&json!(0), &json!(5), &json!(25))
    );
    let now = balance(&world, "").await;
    assert_eq!(now["status"], "ACTIVE", "now its registry is asked");
}

#[actix_web::test]
async fn the_dispenses_of_a_prescription_are_listed_as_they_stood() {
    let (world, held, done) = a_morning().await;
    let line = |id: &String, status: &str| (id.clone(), status.to_owned());
    let (cancelled, completed) = (line(&held, "CANCELLED"), line(&done, "COMPLETED"));
    assert_eq!(listed(&world, "").await, [completed.clone(), cancelled.clone()]);
    assert_eq!(listed(&world, "?status=COMPLETED").await, [completed]);
    assert_eq!(listed(&world, "?status=HELD,CANCELLED").await, [cancelled]);
    assert_eq!(listed(&world, "?status=EXPIRED").await, []);
    let then = "asOf=2026-03-02T10:01:00Z";
    assert_eq!(listed(&world, &format!("?{then}")).await, [line(&held, "HELD")]);
    assert_eq!(listed(&world, &format!("?status=CANCELLED&{then}")).await, []);
}

#[actix_web::test]
async fn an_item_of_the_list_is_the_dispense_as_by_its_id() {
    let (world, held, _) = a_morning().await;
    let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?status=CANCELLED");
    let listed = world.send(get(&uri)).await.json();
    assert_eq!(listed["items"][0], world.look(&held).await.json());
}

#[actix_web::test]
async fn whoever_may_see_a_prescription_sees_the_dispenses_of_every_pharmacy() {
    let (world, _, _) = a_morning().await;
    let uri = format!("/api/v1/prescriptions/{NUMBER}/dispenses");
    for (client, client_type, status) in [
        (OTHER_PHARMACY, ClientType::Pharmacy, 200),
        (OTHER_PHARMACY, ClientType::Nhs, 200),
        (CLINIC, ClientType::Msp, 200),
        (OTHER_PHARMACY, ClientType::Msp, 404),
    ] {
        let token = world.token_of(client, client_type, READ);
        let answer = world.send_as(&token, get(&uri)).await;
        assert_eq!(answer.status, status, "{client_type}");
        if status == 200 {
            assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2, "{client_type}");
        }
    }
    for unknown in ["17", "00000000-0000-4000-8000-0000000000ff"] {
        let answer = world.send(get(&format!("/api/v1/prescriptions/{unknown}/dispenses"))).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{unknown}");
        assert_eq!(answer.json()["detail"], "There is no such prescription");
    }
}

#[actix_web::test]
async fn what_a_list_is_asked_for_has_to_be_known() {
    let (world, _, _) = a_morning().await;
    for (query, path, rule) in [
        ("status=NEW", "?status", "inclusion"),
        ("status=held", "?status", "inclusion"),
        ("status=HELD,", "?status", "inclusion"),
        ("colour=green", "?colour", "schema"),
    ] {
        let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?{query}");
        let answer = world.send(get(&uri)).await;
        assert_eq!(answer.problem(), (422, "schema".to_owned()), "{query}");
        let first = answer.violations().swap_remove(0);
        assert_eq!((first.0.as_str(), first.1.as_str()), (path, rule), "{query}");
    }
}

/// A page of the list: ids with statuses, and what leads to the next one.
async fn page(world: &World, query: &str) -> (Vec<(String, String)>, Option<String>) {
    let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?{query}");
    let answer = world.send(get(&uri)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = body["items"].as_array().unwrap().iter();
    let next = body["next"].as_str().map(str::to_owned);
    let link = next.as_ref().map(|next| {
        let others = query.split('&').filter(|it| !it.starts_with("cursor="));
        let members: Vec<String> =
            others.map(str::to_owned).chain([format!("cursor={next}")]).collect();
        let path = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses");
        format!("<{path}?{}>; rel=\"next\"", members.join("&"))
    });
    assert_eq!(answer.header("link"), link.as_deref());
    (items.map(|it| (text(&it["id"]), text(&it["status"]))).collect(), next)
}

/// The next pages show what was there when the first one was read, whatever happens meanwhile.
#[actix_web::test]
async fn a_walk_through_the_pages_shows_the_list_as_it_was_when_it_began() {
    let (world, cancelled, done) = a_morning().await;
    let held = id_of(&world.create("again", &sample::part(IN_PARTS, 10)).await);
    let line = |id: &String, status: &str| (id.clone(), status.to_owned());
    let all = [line(&held, "HELD"), line(&done, "COMPLETED"), line(&cancelled, "CANCELLED")];
    assert_eq!(listed(&world, "").await, all);

    let (mut walked, mut next) = page(&world, "limit=1").await;
    assert_eq!(world.cancel(&held, "back-again").await.status, 200);
    minutes_go_by(&world, 20);
    world.create("one-more", &sample::part(IN_PARTS, 5)).await;
    while let Some(cursor) = next {
        let (items, after) = page(&world, &format!("limit=1&cursor={cursor}")).await;
        walked.extend(items);
        next = after;
    }
    assert_eq!(walked, all);
    assert_eq!(listed(&world, "").await.len(), 4);

    let (first, next) = page(&world, "limit=2&status=CANCELLED,COMPLETED").await;
    assert_eq!(first, [line(&held, "CANCELLED"), line(&done, "COMPLETED")]);
    let query = format!("status=CANCELLED,COMPLETED&cursor={}", next.unwrap());
    assert_eq!(page(&world, &query).await, (vec![line(&cancelled, "CANCELLED")], None));
}

#[actix_web::test]
async fn a_walk_through_the_past_stays_there() {
    let (world, cancelled, done) = a_morning().await;
    let then = "asOf=2026-03-02T10:15:00Z&limit=1";
    let (first, next) = page(&world, then).await;
    let (second, end) = page(&world, &format!("{then}&cursor={}", next.unwrap())).await;
    assert_eq!(first[0].0, done);
    assert_eq!((second[0].0.clone(), end), (cancelled, None));
}

#[actix_web::test]
async fn a_cursor_is_of_one_list() {
    let (world, _, _) = a_morning().await;
    let cursor = page(&world, "limit=1").await.1.unwrap();
    for query in [
        format!("limit=1&status=HELD&cursor={cursor}"),
        format!("asOf=2026-03-02T10:15:00Z&cursor={cursor}"),
        "cursor=x".to_owned(),
        "cursor=".to_owned(),
    ] {
        let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?{query}");
        let answer = world.send(get(&uri)).await;
        assert_eq!(answer.problem(), (400, "cursor-invalid".to_owned()), "{query}");
    }
    world.state.get().events.pop();
    let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?cursor={cursor}");
    let answer = world.send(get(&uri)).await;
    assert_eq!(answer.problem(), (400, "cursor-invalid".to_owned()), "the log lost its tail");
    for limit in ["0", "301", "-1", "x"] {
        let uri = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses?limit={limit}");
        assert_eq!(world.send(get(&uri)).await.problem().1, "schema", "{limit}");
    }
}
