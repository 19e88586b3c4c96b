//! A small world behind the door: the real dispensary and the real rules, on a log and a registry in
//! memory, which record and can be told to fail.

mod accesses;
mod changes;
mod dispenses;
mod ground;
mod histories;
mod log;
mod pages;
mod positions;
pub(super) mod proofs;
mod registry;
mod reports;
pub(super) mod sample;
mod signing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use dispensary::access::Access;
use dispensary::asker::ClientType;
use dispensary::cursor::Snapshot;
use dispensary::registry_changes::Change;
use dispensary::{
    AppendError, Dispensary, Line, Origin, Outside, Recorded, Registries, SignatureFault, Signer,
    Unavailable,
};
use dispense_domain::{LegalEntityId, MedicationRequestId, PersonId, UserId};
use dispense_http::auth::development::{DevelopmentClaims, DevelopmentKey};
use dispense_http::auth::{
    AuthConfig, Authenticator, DevelopmentKeys, JwksSource, JwtConfig, KeySchedule,
};
use dispense_http::{Check, CursorKey, Door, Health, Readers};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) use ground::{Ground, record};

pub(super) const READ: &str = "medication_dispense:read";
pub(super) const WRITE: &str = "medication_dispense:write";
pub(super) const PROCESS: &str = "medication_dispense:process";
pub(super) const REJECT: &str = "medication_dispense:reject";
pub(super) const IMPORT: &str = "registry:write";
pub(super) const AUDIT: &str = "audit:read";

/// Everything behind one door.
pub(super) struct World {
    pub(super) door: Door,
    pub(super) state: State,
    /// Stops the service.
    pub(super) closing: CancellationToken,
    key: DevelopmentKey,
    _folder: TempDir,
}

/// What the fakes share with the tests.
#[derive(Clone)]
pub(super) struct State(Arc<Mutex<Inner>>);

pub(super) struct Inner {
    /// The instant of the next decision.
    pub(super) now: DateTime<Utc>,
    /// The log, one partition.
    pub(super) events: Vec<(MedicationRequestId, Recorded)>,
    /// How many events the read models have not read yet.
    pub(super) read_models_lag: usize,
    /// What decisions are made from.
    pub(super) ground: Ground,
    /// The wrong verification codes that were tried.
    pub(super) wrong_codes: Vec<WrongCode>,
    /// Patients of whom a registry knows.
    pub(super) patients: Vec<PersonId>,
    /// The version of the tables that lists look through.
    pub(super) version_of_lists: i32,
    /// Where the commands came from.
    pub(super) origins: Vec<Origin>,
    /// Makes the log fail.
    pub(super) failure: Option<fn() -> AppendError>,
    /// Imported lines, batch by batch.
    pub(super) batches: Vec<Vec<Line>>,
    /// How many more batches the registry takes.
    pub(super) takes_batches: usize,
    /// What the checks find.
    pub(super) checks: Vec<Check>,
    /// Who signs the next container, or what is wrong with it.
    pub(super) signature: Result<Signer, SignatureFault>,
    /// Who looked.
    pub(super) accesses: Vec<Access>,
    /// Makes the record of who looked fail.
    pub(super) access_log_is_full: bool,
    /// Who was erased.
    pub(super) erased: Vec<Uuid>,
    /// The keys of containers that the records of erasures say were removed.
    pub(super) erased_containers: Vec<String>,
    /// What registries said.
    pub(super) changes: Vec<Change>,
    /// What the log proves.
    pub(super) proved: proofs::Proved,
    /// What is stored.
    pub(super) contents: BTreeMap<String, Vec<u8>>,
    /// Makes the store fail.
    pub(super) store_is_full: bool,
}

/// A wrong verification code that somebody tried.
pub(super) struct WrongCode {
    pub(super) request: MedicationRequestId,
    pub(super) client: LegalEntityId,
    pub(super) at: DateTime<Utc>,
}

impl Inner {
    /// What a list that begins now looks at.
    fn snapshot(&self) -> Result<Snapshot, Unavailable> {
        if self.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        let read = self.events.len().saturating_sub(self.read_models_lag);
        let positions = vec![i64::try_from(read).unwrap()];
        Ok(Snapshot { version: self.version_of_lists, positions, at: self.now })
    }
}

impl State {
    pub(super) fn get(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Health for State {
    async fn check(&self) -> Vec<Check> {
        self.get().checks.clone()
    }
}

/// What the caller reads.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", self.text()))
    }

    /// Status and code, of an answer that must be a problem.
    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["errors"][0]["code"], problem["code"]);
        assert_eq!(problem["errors"][0]["message"], problem["detail"]);
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"));
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }

    /// What is to blame: path, rule and message of each violation.
    pub(super) fn violations(&self) -> Vec<(String, String, String)> {
        let problem = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let violations = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        violations
            .iter()
            .map(|it| (text(&it["path"]), text(&it["rule"]), text(&it["message"])))
            .collect()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A world whose registries were changed.
    pub(super) async fn with(change: impl FnOnce(&mut Registries)) -> Self {
        Self::on(|ground| change(&mut ground.registries)).await
    }

    /// A world in which decisions are made from something else.
    pub(super) async fn on(change: impl FnOnce(&mut Ground)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap();
        let state = State(Arc::new(Mutex::new(Inner {
            now: sample::NOW.parse().unwrap(),
            events: Vec::new(),
            read_models_lag: 0,
            ground: Ground::sample(change),
            wrong_codes: Vec::new(),
            patients: vec![sample::PERSON.parse::<Uuid>().unwrap().into()],
            version_of_lists: 1,
            origins: Vec::new(),
            failure: None,
            batches: Vec::new(),
            takes_batches: usize::MAX,
            checks: Vec::new(),
            signature: Ok(sample::signer()),
            accesses: Vec::new(),
            access_log_is_full: false,
            erased: Vec::new(),
            erased_containers: Vec::new(),
            changes: Vec::new(),
            proved: proofs::Proved::default(),
            contents: BTreeMap::new(),
            store_is_full: false,
        })));
        let closing = CancellationToken::new();
        let terms = state.get().ground.terms.clone();
        let door = Door {
            dispensary: Dispensary::new(Outside {
                log: Arc::new(log::MemoryLog(state.clone())),
                positions: Arc::new(positions::MemoryPositions(state.clone())),
                registry: Arc::new(registry::SampleRegistry(state.clone())),
                dispenses: Arc::new(dispenses::MemoryDispenses(state.clone())),
                histories: Arc::new(histories::MemoryHistories(state.clone())),
                reports: Arc::new(reports::MemoryReports(state.clone())),
                reimbursements: Arc::new(reports::MemoryReports(state.clone())),
                pages: Arc::new(pages::MemoryPages(state.clone())),
                facts: Arc::new(pages::MemoryPages(state.clone())),
                signatures: Arc::new(signing::MemorySignatures(state.clone())),
                contents: Arc::new(signing::MemoryContents(state.clone())),
                proofs: Arc::new(proofs::MemoryProofs(state.clone())),
                terms: Arc::new(terms),
            }),
            access: Arc::new(accesses::MemoryAccesses(state.clone())),
            registry_changes: Arc::new(changes::MemoryChanges(state.clone())),
            authenticator: Arc::new(authenticator(key.jwks_path().to_owned()).await),
            cursors: CursorKey::new(&[7; 32]),
            readers: Readers::new(closing.clone()),
            health: Arc::new(state.clone()),
            metrics: Arc::new(|| "up 1\n".to_owned()),
            zone: Tz::Europe__Kyiv,
        };
        Self { door, state, closing, key, _folder: folder }
    }

    /// Changes what decisions are made from; the terms are those with which the world began.
    pub(super) fn change(&self, change: impl FnOnce(&mut Ground)) {
        self.state.get().ground.change(change);
    }

    /// A token of the pharmacy.
    pub(super) fn token(&self, scope: &str) -> String {
        self.token_of(sample::PHARMACY, ClientType::Pharmacy, scope)
    }

    pub(super) fn token_of(&self, client: &str, client_type: ClientType, scope: &str) -> String {
        let claims = DevelopmentClaims {
            issuer: "https://id.example.org/".parse().unwrap(),
            audience: "dispense".parse().unwrap(),
            user: sample::USER.parse::<Uuid>().unwrap(),
            client: client.parse().unwrap(),
            client_type,
            scope: scope.to_owned(),
        };
        self.key.mint(&claims, Duration::from_mins(10)).unwrap()
    }

    /// Sends a request of the pharmacy, whose token allows everything.
    pub(super) async fn send(&self, request: TestRequest) -> Answer {
        let token = self.token(&[READ, WRITE, PROCESS, REJECT, IMPORT].join(" "));
        self.send_as(&token, request).await
    }

    pub(super) async fn send_as(&self, token: &str, request: TestRequest) -> Answer {
        self.send_bare(request.insert_header(("authorization", format!("Bearer {token}")))).await
    }

    /// Sends a request as it is.
    pub(super) async fn send_bare(&self, request: TestRequest) -> Answer {
        let app = init_service(dispense_http::app(self.door.clone())).await;
        read(call_service(&app, request.to_request()).await).await
    }

    /// As [`Self::send`], with a body that comes as it likes.
    pub(super) async fn send_in_pieces(&self, request: TestRequest, body: Payload) -> Answer {
        let token = format!("Bearer {}", self.token(WRITE));
        let request = request.insert_header(("authorization", token)).to_request();
        let app = init_service(dispense_http::app(self.door.clone())).await;
        read(call_service(&app, request.replace_payload(body).0).await).await
    }

    /// Creates what the body wants.
    pub(super) async fn create(&self, key: &str, body: &Value) -> Answer {
        self.send(create(&body.to_string()).insert_header(("idempotency-key", key))).await
    }

    /// Cancels with an empty body.
    pub(super) async fn cancel(&self, id: &str, key: &str) -> Answer {
        let uri = format!("/api/v1/dispenses/{id}/cancel");
        self.send(TestRequest::post().uri(&uri).insert_header(("idempotency-key", key))).await
    }

    pub(super) async fn look(&self, id: &str) -> Answer {
        self.send(TestRequest::get().uri(&format!("/api/v1/dispenses/{id}"))).await
    }

    /// The user that the last command came from, and its client.
    pub(super) fn last_origin(&self) -> Origin {
        self.state.get().origins.last().cloned().unwrap()
    }
}

async fn read(response: ServiceResponse<impl MessageBody>) -> Answer {
    let (_, response) = response.into_parts();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.unwrap_or_else(|_| panic!("no body"));
    Answer { status, headers, body: body.to_vec() }
}

/// The log, as far as messages are made of it.
pub(super) fn facts(world: &World) -> impl dispensary::LogFacts {
    pages::MemoryPages(world.state.clone())
}

/// A create with that body.
pub(super) fn create(body: &str) -> TestRequest {
    TestRequest::post()
        .uri("/api/v1/dispenses")
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned())
}

pub(super) fn user() -> UserId {
    sample::USER.parse::<Uuid>().unwrap().into()
}

async fn authenticator(jwks: PathBuf) -> Authenticator {
    let config = JwtConfig {
        jwks: JwksSource::File(jwks),
        issuer: "https://id.example.org/".parse().unwrap(),
        audience: "dispense".parse().unwrap(),
        development_keys: DevelopmentKeys::Allowed,
        schedule: KeySchedule::default(),
    };
    Authenticator::start(AuthConfig::Jwt(config), Arc::new(|_: Uuid| None)).await.unwrap()
}
