//! Sends broken bodies to both doors, and sees that each is answered as the API description says.

#![no_main]

// A link to the world of the tests of the doors, which has more than is needed here.
#[allow(dead_code, unused_imports, reason = "it belongs to those tests")]
mod world;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use dispense_fuzz::broken_json;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;
use world::sample::{self, REQUEST_IN_PARTS};
use world::{IMPORT, PROCESS, READ, REJECT, WRITE, World};

/// What is asked, and which description has it: method, path, and its template.
const ROUTES: [(&str, &str, &str); 10] = [
    ("post", "/api/v1/dispenses", "/api/v1/dispenses"),
    ("post", "/api/v1/dispenses?dryRun=true", "/api/v1/dispenses"),
    ("post", "/api/v1/dispenses/{held}/process", "/api/v1/dispenses/{id}/process"),
    ("post", "/api/v1/dispenses/{held}/cancel", "/api/v1/dispenses/{id}/cancel"),
    ("post", "/api/v1/prescriptions/{request}/qualify", "/api/v1/prescriptions/{id}/qualify"),
    ("post", "/api/medication_dispenses", "/api/medication_dispenses"),
    ("post", "/api/pharmacy/medication_dispenses?code=1", "/api/pharmacy/medication_dispenses"),
    (
        "patch",
        "/api/medication_dispenses/{held}/actions/process",
        "/api/medication_dispenses/{id}/actions/process",
    ),
    (
        "patch",
        "/api/medication_dispenses/{held}/actions/reject",
        "/api/medication_dispenses/{id}/actions/reject",
    ),
    (
        "post",
        "/api/medication_requests/{request}/actions/qualify",
        "/api/medication_requests/{id}/actions/qualify",
    ),
];

/// The statuses of each route, from the descriptions.
fn documented() -> BTreeMap<(&'static str, &'static str), BTreeSet<u16>> {
    let descriptions = [include_str!("../../docs/api/ndp.json"), include_str!("../../docs/api/ehealth.json")];
    let descriptions = descriptions.map(|it| serde_json::from_str::<Value>(it).expect("JSON"));
    let statuses = |method: &str, template: &str| {
        let responses = descriptions.iter().find_map(|it| it["paths"][template][method]["responses"].as_object());
        let responses = responses.unwrap_or_else(|| panic!("{method} {template} is not described"));
        responses.keys().filter_map(|status| status.parse().ok()).collect()
    };
    ROUTES.iter().map(|(method, _, template)| ((*method, *template), statuses(method, template))).collect()
}

type Sent = std::pin::Pin<Box<dyn Future<Output = (u16, Vec<u8>)>>>;

/// A world with one hold in it, and the way to send it something.
struct Stage {
    runtime: tokio::runtime::Runtime,
    local: tokio::task::LocalSet,
    world: World,
    send: Box<dyn Fn(TestRequest) -> Sent>,
    token: String,
    held: String,
    events: usize,
    documented: BTreeMap<(&'static str, &'static str), BTreeSet<u16>>,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        let (world, send, held) = local.block_on(&runtime, async {
            let world = World::new().await;
            let app = std::rc::Rc::new(init_service(dispense_http::app(world.door.clone())).await);
            let send: Box<dyn Fn(TestRequest) -> Sent> = Box::new(move |request| {
                let app = app.clone();
                Box::pin(async move {
                    let response = call_service(&*app, request.to_request()).await;
                    let status = response.status().as_u16();
                    let body = actix_web::body::to_bytes(response.into_body()).await;
                    (status, body.map(|it| it.to_vec()).unwrap_or_default())
                })
            });
            let held = world.create("held", &sample::hold()).await.json();
            (world, send, held["id"].as_str().expect("a hold").to_owned())
        });
        let token = world.token(&[READ, WRITE, PROCESS, REJECT, IMPORT, "medication_request:details"].join(" "));
        let events = world.state.get().events.len();
        Self { runtime, local, world, send, token, held, events, documented: documented() }
    }

    /// Sends a body, and forgets what came of it.
    fn feed(&self, route: usize, body: &[u8]) {
        let (method, path, template) = ROUTES[route % ROUTES.len()];
        let path = path.replace("{held}", &self.held).replace("{request}", REQUEST_IN_PARTS);
        let request = TestRequest::default()
            .method(Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"))
            .uri(&path)
            .insert_header(("authorization", format!("Bearer {}", self.token)))
            .insert_header(("content-type", "application/json"))
            .set_payload(body.to_vec());
        let (status, answer) = self.local.block_on(&self.runtime, (self.send)(request));
        let said = String::from_utf8_lossy(&answer);
        assert!(status < 500, "{method} {path}: {status} {said}");
        let known = &self.documented[&(method, template)];
        assert!(known.contains(&status), "{method} {path}: {status} is not documented: {said}");
        serde_json::from_slice::<Value>(&answer).expect("an answer in JSON");
        let mut state = self.world.state.get();
        state.events.truncate(self.events);
        state.contents.clear();
        state.origins.clear();
    }
}

thread_local! {
    /// Never taken down: a runtime cannot be, where a thread already ends.
    static STAGE: OnceCell<&'static Stage> = const { OnceCell::new() };
}

// The first byte says where the rest is sent.
fuzz_target!(|bytes: &[u8]| {
    let Some((route, body)) = bytes.split_first() else { return };
    STAGE.with(|stage| stage.get_or_init(|| Box::leak(Box::new(Stage::new()))).feed(usize::from(*route), body));
});

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let json = size.checked_sub(1).filter(|_| seed % 5 != 0);
    let broken = json.and_then(|_| broken_json(&bytes[1..size], seed));
    match broken.filter(|it| it.len() < max_size) {
        Some(broken) => {
            bytes[1..=broken.len()].copy_from_slice(&broken);
            broken.len() + 1
        }
        None => fuzzer_mutate(bytes, size, max_size),
    }
});
