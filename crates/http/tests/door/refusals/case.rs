//! One way to break a rule, and what each API says of it.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispensary::asker::ClientType;
use dispense_domain::Code;
use serde_json::{Value, json};

use super::super::world::sample::PHARMACY;
use super::super::world::{Answer, Ground, IMPORT, PROCESS, READ, REJECT, WRITE, World};
use super::wanted::Wanted;

/// A command that breaks one rule before all others, and how each API says so.
pub(super) struct Case {
    /// The rule.
    pub(super) code: Code,
    /// The rule's text, which both APIs give.
    pub(super) text: &'static str,
    /// Status, path and number of the rule; none where this API cannot break it.
    pub(super) ndp: Option<(u16, &'static str, &'static str)>,
    /// How the register says it; none where its API cannot break it.
    pub(super) ehealth: Option<Register>,
    /// What the registries say.
    pub(super) ground: fn(&mut Ground),
    /// Whose token it is.
    pub(super) client: &'static str,
    /// What is wanted.
    pub(super) wanted: fn(&mut Wanted),
    /// What happened before, and what changes then.
    pub(super) before: Before,
    /// What is asked.
    pub(super) asked: Asked,
}

/// How the register says that a rule is broken.
#[derive(Clone, Copy)]
pub(super) enum Register {
    /// 422 with a member and the rule that it broke.
    Member(&'static str, &'static str),
    /// A status, and the request as a whole.
    Malformed(u16),
    /// A status and the type of the error, and no more than a text.
    Message(u16, &'static str),
}

pub(super) const CONFLICT: Option<Register> = Some(Register::Message(409, "request_conflict"));
pub(super) const FORBIDDEN: Option<Register> = Some(Register::Message(403, "forbidden"));

#[allow(clippy::unnecessary_wraps, reason = "it is what stands in a case")]
pub(super) const fn member(path: &'static str, rule: &'static str) -> Option<Register> {
    Some(Register::Member(path, rule))
}

/// What happened before a command.
#[derive(Clone, Copy)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// What is wanted was held; then the world changed.
    Held(fn(&World)),
    /// What is wanted was asked for so often, and refused.
    Refused(usize),
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// To hold under this key, and something else than what was wanted before.
    Hold(&'static str, fn(&mut Wanted)),
    /// To hand over what was held, with its document changed.
    HandOver(fn(&mut Value)),
    /// To give back what was held.
    GiveBack,
    /// Which of these programs could pay, at that outlet.
    Qualify(&'static [&'static str], Option<&'static str>),
}

/// A hold that breaks no rule; each case breaks one.
pub(super) const HOLD: Case = Case {
    code: Code::DispenseNotFound,
    text: "",
    ndp: None,
    ehealth: None,
    ground: |_| (),
    client: PHARMACY,
    wanted: |_| (),
    before: Before::Nothing,
    asked: Asked::Hold("k", |_| ()),
};

/// A hand-over that breaks no rule.
pub(super) const HAND_OVER: Case =
    Case { before: Before::Held(|_| ()), asked: Asked::HandOver(|_| ()), ..HOLD };

/// Through which API it is asked.
#[derive(Clone, Copy)]
pub(super) enum Api {
    Ndp,
    Ehealth,
}

impl Case {
    /// What that API answers.
    pub(super) async fn answer(&self, api: Api) -> Answer {
        let world = World::on(self.ground).await;
        let mut wanted = Wanted::part();
        (self.wanted)(&mut wanted);
        let id = match self.before {
            Before::Nothing => None,
            Before::Held(then) => {
                let held = world.create("before", &wanted.in_ndp()).await;
                assert_eq!(held.status, 201, "{}", held.text());
                then(&world);
                Some(held.json()["id"].as_str().unwrap().to_owned())
            }
            Before::Refused(times) => {
                for _ in 0..times {
                    self.send(&world, hold(api, &wanted, "k")).await;
                }
                None
            }
        };
        let request = match (self.asked, id) {
            (Asked::Hold(key, change), _) => {
                change(&mut wanted);
                hold(api, &wanted, key)
            }
            (Asked::HandOver(change), Some(id)) => {
                let content = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"));
                let mut document = world.send(content).await.json();
                document["payment_amount"] = json!(20);
                change(&mut document);
                hand_over(api, &id, &document)
            }
            (Asked::GiveBack, Some(id)) => give_back(api, &id),
            (Asked::Qualify(programs, division), _) => {
                qualify(api, wanted.request, programs, division)
            }
            (Asked::HandOver(_) | Asked::GiveBack, None) => panic!("{:?} has no hold", self.code),
        };
        self.send(&world, request).await
    }

    /// Path and method of what is asked, as an API description has them.
    pub(super) const fn operation(&self, api: Api) -> (&'static str, &'static str) {
        match (api, self.asked) {
            (Api::Ndp, Asked::Hold(..)) => ("/api/v1/dispenses", "post"),
            (Api::Ndp, Asked::HandOver(_)) => ("/api/v1/dispenses/{id}/process", "post"),
            (Api::Ndp, Asked::GiveBack) => ("/api/v1/dispenses/{id}/cancel", "post"),
            (Api::Ndp, Asked::Qualify(..)) => ("/api/v1/prescriptions/{id}/qualify", "post"),
            (Api::Ehealth, Asked::Hold(..)) => ("/api/medication_dispenses", "post"),
            (Api::Ehealth, Asked::HandOver(_)) => {
                ("/api/medication_dispenses/{id}/actions/process", "patch")
            }
            (Api::Ehealth, Asked::GiveBack) => {
                ("/api/medication_dispenses/{id}/actions/reject", "patch")
            }
            (Api::Ehealth, Asked::Qualify(..)) => {
                ("/api/medication_requests/{id}/actions/qualify", "post")
            }
        }
    }

    async fn send(&self, world: &World, request: TestRequest) -> Answer {
        let scopes = [READ, WRITE, PROCESS, REJECT, IMPORT, "medication_request:details"];
        let token = world.token_of(self.client, ClientType::Pharmacy, &scopes.join(" "));
        world.send_as(&token, request).await
    }
}

fn hold(api: Api, wanted: &Wanted, key: &'static str) -> TestRequest {
    match api {
        Api::Ndp => TestRequest::post().uri("/api/v1/dispenses").set_json(wanted.in_ndp()),
        Api::Ehealth => {
            TestRequest::post().uri("/api/medication_dispenses").set_json(wanted.in_ehealth())
        }
    }
    .insert_header(("idempotency-key", key))
}

fn hand_over(api: Api, id: &str, document: &Value) -> TestRequest {
    let container = BASE64.encode(document.to_string());
    match api {
        Api::Ndp => TestRequest::post()
            .uri(&format!("/api/v1/dispenses/{id}/process"))
            .set_json(json!({"signedContent": container, "signedContentEncoding": "base64"})),
        Api::Ehealth => TestRequest::patch()
            .uri(&format!("/api/medication_dispenses/{id}/actions/process"))
            .set_json(json!({
                "signed_medication_dispense": container,
                "signed_content_encoding": "base64",
            })),
    }
}

fn give_back(api: Api, id: &str) -> TestRequest {
    let (method, uri) = match api {
        Api::Ndp => (Method::POST, format!("/api/v1/dispenses/{id}/cancel")),
        Api::Ehealth => (Method::PATCH, format!("/api/medication_dispenses/{id}/actions/reject")),
    };
    TestRequest::default().method(method).uri(&uri)
}

fn qualify(
    api: Api,
    request: &str,
    programs: &[&'static str],
    division: Option<&'static str>,
) -> TestRequest {
    let programs: Vec<Value> = programs.iter().map(|id| json!({"id": id})).collect();
    let (uri, name) = match api {
        Api::Ndp => (format!("/api/v1/prescriptions/{request}/qualify"), "pharmacyId"),
        Api::Ehealth => {
            (format!("/api/medication_requests/{request}/actions/qualify"), "division_id")
        }
    };
    let mut body = json!({"programs": programs});
    if let Some(division) = division {
        body[name] = json!(division);
    }
    TestRequest::post().uri(&uri).set_json(body)
}
