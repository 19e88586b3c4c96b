//! `Dispense-Position`: where the log was, and how far it must have been read.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use dispensary::AppendError;
use serde_json::{Value, json};

use super::world::sample::{self, AT_ONCE, IN_PARTS, REQUEST, REQUEST_IN_PARTS};
use super::world::{Answer, World, create};

const POSITION: &str = "dispense-position";

/// A hold of all thirty tablets.
async fn held(world: &World) -> String {
    let answer = world.create("hold", &sample::hold()).await;
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

/// Every question of both APIs that folds the log.
fn folded(id: &str) -> [String; 9] {
    [
        format!("/api/v1/dispenses/{id}"),
        format!("/api/v1/dispenses/{id}/history"),
        format!("/api/v1/prescriptions/{REQUEST}"),
        format!("/api/v1/prescriptions/{REQUEST}/dispenses"),
        format!("/api/medication_dispenses/{id}"),
        format!("/api/medication_requests/{REQUEST}"),
        format!("/api/medication_requests/{REQUEST}/dispenses"),
        format!("/api/pharmacy/medication_dispenses/{id}"),
        format!("/api/pharmacy/medication_requests/{REQUEST}/dispenses"),
    ]
}

/// Every question that is answered from a read model.
const FROM_READ_MODELS: [&str; 4] = [
    "/api/medication_dispenses",
    "/api/pharmacy/medication_dispenses?status=NEW",
    "/api/v1/dispenses?status=HELD",
    "/api/v1/patients/00000000-0000-4000-8000-000000000066/history",
];

async fn ask(world: &World, uri: &str, known: Option<&str>) -> Answer {
    let request = TestRequest::get().uri(uri);
    world
        .send(known.into_iter().fold(request, |it, known| it.insert_header((POSITION, known))))
        .await
}

/// Status and code, whichever API answers.
fn refused(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let code = body["code"].as_str().or(body["error"]["code"].as_str());
    (answer.status.as_u16(), code.unwrap_or_default().to_owned())
}

#[actix_web::test]
async fn every_question_tells_where_the_log_was() {
    let world = World::new().await;
    let id = held(&world).await;
    world.create("other", &sample::part(IN_PARTS, 10)).await;
    let folded = folded(&id);
    for uri in folded.iter().map(String::as_str).chain(FROM_READ_MODELS) {
        for known in [None, Some("0:0"), Some("0:1"), Some(" 0:2\t")] {
            let answer = ask(&world, uri, known).await;
            assert_eq!(answer.status, 200, "{uri} {known:?}: {}", answer.text());
            assert_eq!(answer.header(POSITION), Some("0:2"), "{uri} {known:?}");
        }
    }
}

#[actix_web::test]
async fn a_version_that_is_known_comes_with_the_position_too() {
    let world = World::new().await;
    let id = held(&world).await;
    for path in ["", "/history"] {
        let look = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}{path}"));
        let answer = world.send(look.insert_header(("if-none-match", "\"1-HELD\""))).await;
        assert_eq!((answer.status.as_u16(), answer.header(POSITION)), (304, Some("0:1")), "{path}");
    }
}

#[actix_web::test]
async fn a_position_that_nobody_was_told_is_refused() {
    let world = World::new().await;
    let id = held(&world).await;
    let folded = folded(&id);
    let invalid = (400, "position-invalid".to_owned());
    for uri in folded.iter().map(String::as_str).chain(FROM_READ_MODELS) {
        for strange in [
            "",
            ",",
            "1",
            "0:",
            ":1",
            "0:1,",
            "0:1,0:1",
            "0:1,0:0",
            "0:1;0:1",
            "0: 1",
            "0:+1",
            "+0:1",
            "0:-1",
            "0:1.0",
            "0:0x1",
            "65536:1",
            "0:9223372036854775808",
            "1:1",
            "1:0",
            "0:2",
            "0:1,1:0",
            "\u{447}:1",
        ] {
            let answer = ask(&world, uri, Some(strange)).await;
            assert_eq!(refused(&answer), invalid, "{uri} {strange:?}: {}", answer.text());
        }
    }
}

#[actix_web::test]
async fn what_is_refused_says_where_the_log_ends() {
    let world = World::new().await;
    let id = held(&world).await;
    let look = format!("/api/v1/dispenses/{id}");
    let said = async |known: &str| {
        let answer = ask(&world, &look, Some(known)).await;
        let first = answer.json()["errors"][0].clone();
        (first["message"].as_str().unwrap().to_owned(), first["params"].clone())
    };
    assert_eq!(
        said("0:17").await,
        ("the log ends at 0:1, before 0:17".to_owned(), json!({"position": "0:17", "head": "0:1"}))
    );
    let (message, params) = said("3:1").await;
    assert_eq!(message, "the log has no partition 3; they are 0 to 0");
    assert_eq!(params, json!({"position": "3:1"}));
    assert_eq!(said("0:1,0:0").await.0, "expected each partition once; 0 comes twice");
    let (message, _) = said(&"x".repeat(5_000)).await;
    assert!(message.len() < 300, "{message}");
}

#[actix_web::test]
async fn several_headers_are_one_list() {
    let world = World::new().await;
    let id = held(&world).await;
    let look = |known: [&'static str; 2]| {
        let request = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}"));
        known.into_iter().fold(request, |it, known| it.append_header((POSITION, known)))
    };
    assert_eq!(refused(&world.send(look(["0:1", "0:1"])).await).1, "position-invalid");
    assert_eq!(refused(&world.send(look(["0:1", "1:0"])).await).1, "position-invalid");
}

#[actix_web::test]
async fn a_read_model_that_is_behind_says_so_to_whoever_knows_more() {
    let world = World::new().await;
    held(&world).await;
    world.create("other", &sample::part(IN_PARTS, 10)).await;
    world.state.get().read_models_lag = 1;
    for uri in FROM_READ_MODELS {
        let answer = ask(&world, uri, Some("0:2")).await;
        assert_eq!(refused(&answer), (503, "read-model-behind".to_owned()), "{uri}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        for known in [None, Some("0:1")] {
            let answer = ask(&world, uri, known).await;
            let told = (answer.status.as_u16(), answer.header(POSITION));
            assert_eq!(told, (200, Some("0:1")), "{uri}: what it has read");
        }
    }
    let answer = ask(&world, &format!("/api/v1/prescriptions/{REQUEST}"), Some("0:2")).await;
    assert_eq!(answer.status, 200, "what folds the log is there already");
}

/// A command of either API, and the statuses that it is answered with.
struct Sent {
    what: &'static str,
    request: TestRequest,
    status: u16,
}

fn sent(what: &'static str, method: Method, uri: &str, body: &Value, status: u16) -> Sent {
    let request = TestRequest::default().method(method).uri(uri).set_json(body);
    Sent {
        what,
        request: request.insert_header(("idempotency-key", what.replace(' ', "-"))),
        status,
    }
}

#[actix_web::test]
async fn every_command_that_was_decided_tells_what_the_decision_knew() {
    let world = World::new().await;
    let (own, ours) = ("/api/v1/dispenses", "/api/medication_dispenses");
    let hold = sample::part(IN_PARTS, 10);
    let id = world.create("held", &hold).await.json()["id"].as_str().unwrap().to_owned();
    let in_register = json!({"medication_dispense": {
        "medication_request_id": REQUEST_IN_PARTS, "dispensed_at": "2026-03-02",
        "division_id": sample::DIVISION, "medical_program_id": IN_PARTS,
        "dispense_details": [{
            "medication_id": sample::MEDICATION, "medication_qty": 10, "sell_price": 4.5,
            "sell_amount": 135.25, "discount_amount": sample::paid_for(10),
        }],
    }});
    let signed = json!({"signedContent": "e30=", "signedContentEncoding": "base64"});
    let signed_there =
        json!({"signed_medication_dispense": "e30=", "signed_content_encoding": "base64"});
    let of = |action: &str| format!("{own}/{id}/{action}");
    let there = |action: &str| format!("{ours}/{id}/actions/{action}");
    let patch = || Method::PATCH;
    let post = || Method::POST;
    let commands = [
        (sent("a refused create", post(), own, &hold, 403), "0:1"),
        (sent("a refused create there", post(), ours, &in_register, 403), "0:1"),
        (sent("a dry run", post(), &format!("{own}?dryRun=true"), &hold, 403), "0:1"),
        (sent("a refused hand-over", post(), &of("process"), &signed, 422), "0:1"),
        (sent("a refused hand-over there", patch(), &there("process"), &signed_there, 422), "0:1"),
        (sent("a cancel", post(), &of("cancel"), &json!({}), 200), "0:2"),
        (sent("a refused cancel", post(), &of("cancel"), &json!({}), 409), "0:2"),
        (sent("a refused cancel there", patch(), &there("reject"), &json!({}), 409), "0:2"),
        (sent("a dry run that would do", post(), &format!("{own}?dryRun=true"), &hold, 200), "0:2"),
        (sent("a create there", post(), ours, &in_register, 201), "0:3"),
        (sent("a create there", post(), ours, &in_register, 201), "0:3"),
    ];
    for (Sent { what, request, status }, position) in commands {
        let answer = world.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        assert_eq!(answer.header(POSITION), Some(position), "{what}");
    }
    let mut done = sample::part(AT_ONCE, 5);
    done["copayment"] = json!(0);
    let refused = world.create("at-once", &done).await;
    assert_eq!((refused.status.as_u16(), refused.header(POSITION)), (403, Some("0:3")));
}

#[actix_web::test]
async fn what_was_never_decided_tells_no_position() {
    let world = World::new().await;
    let malformed = world.send(create("{}")).await;
    assert_eq!((malformed.status.as_u16(), malformed.header(POSITION)), (422, None));
    world.state.get().failure = Some(|| AppendError::Busy);
    let busy = world.create("k", &sample::hold()).await;
    assert_eq!((busy.status.as_u16(), busy.header(POSITION)), (503, None));
}
