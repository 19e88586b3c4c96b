//! What is told to operators, and what is not.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::test::TestRequest;
use dispensary::{AppendError, Unavailable};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::world::sample;
use super::world::{World, create};

/// Lines of JSON in memory.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What this crate logs, and what its server library calls an error, of all tests together: one subscriber for the whole process, because which
/// call sites are of interest is remembered for the whole process too.
pub(super) fn listening() -> &'static Lines {
    static LINES: LazyLock<Lines> = LazyLock::new(|| {
        let lines = Lines::default();
        let levels = "dispense_http=trace,actix=error";
        let subscriber = tracing_subscriber::fmt().json().with_env_filter(levels);
        subscriber.with_writer(lines.clone()).init();
        lines
    });
    &LINES
}

impl Lines {
    /// What was logged about the request of that name.
    fn about(&self, request_id: &str) -> Vec<Value> {
        self.all().filter(|line| line["span"]["request.id"] == request_id).collect()
    }

    /// Where the server library logged.
    pub(super) fn targets_of_the_library(&self) -> Vec<String> {
        let targets = self.all().map(|line| line["target"].as_str().unwrap().to_owned());
        targets.filter(|target| target.starts_with("actix")).collect()
    }

    fn all(&self) -> impl Iterator<Item = Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.into_iter()
    }
}

#[actix_web::test]
async fn the_cause_of_a_silence_is_logged_once_with_the_request_and_its_route() {
    let lines = listening();
    let world = World::new().await;
    world.state.get().failure =
        Some(|| AppendError::Unavailable(Unavailable::database("connection refused by 10.0.0.7")));
    let mut body = sample::hold();
    body["verificationCode"] = json!("secret-code");
    body["note"] = json!("secret-note");
    let named = create(&body.to_string()).insert_header(("x-request-id", "till-4/77-silence"));
    assert_eq!(world.send(named).await.status, 503);

    let told = lines.about("till-4/77-silence");
    let causes: Vec<&Value> = told.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(causes.len(), 1, "{told:?}");
    assert_eq!(causes[0]["fields"]["cause"], "connection refused by 10.0.0.7");
    assert_eq!(causes[0]["fields"]["refusal.code"], "unavailable");
    let span = &causes[0]["span"];
    assert_eq!((&span["method"], &span["route"]), (&json!("POST"), &json!("/api/v1/dispenses")));

    let answered = told.iter().find(|line| line["fields"]["message"] == "answered").unwrap();
    assert_eq!(answered["span"]["status"], 503);
    assert!(answered["span"]["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(!told.iter().any(|line| line.to_string().contains("secret")), "{told:?}");
}

#[actix_web::test]
async fn a_refusal_is_news_and_tells_nothing_that_was_sent() {
    let lines = listening();
    let world = World::new().await;
    let body = "{\"secret-name\": \"secret-value\"}";
    for request in [
        create(body).uri("/api/v1/dispenses?secret-query=1"),
        create(body),
        TestRequest::get().uri("/api/v1/dispenses/secret-id"),
    ] {
        world.send(request.insert_header(("x-request-id", "till-4/77-refused"))).await;
    }
    let told = lines.about("till-4/77-refused");
    let refused = told.iter().filter(|line| line["fields"]["message"] == "refused");
    let levels: Vec<&Value> = refused.map(|line| &line["level"]).collect();
    assert_eq!(levels, ["INFO", "INFO", "INFO"], "{told:?}");
    let told: String = told.iter().map(Value::to_string).collect();
    assert!(!told.contains("secret") && !told.contains("Bearer"), "{told}");
}
