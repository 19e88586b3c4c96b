//! What the service answers over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The catalogue of problems, as the first instance has it: code and status.
static CATALOGUE: OnceCell<BTreeMap<String, u16>> = OnceCell::const_new();

/// Asks an instance for its catalogue, once for all tests: every problem that any test meets is
/// looked up in it.
pub(crate) async fn learn_catalogue(http: &reqwest::Client, url: &str) {
    CATALOGUE
        .get_or_init(async || {
            let answer = http.get(format!("{url}/api/v1/errors")).send().await.unwrap();
            let catalogue: Value = answer.json().await.unwrap();
            let items = catalogue["items"].as_array().unwrap().iter();
            let entry = |item: &Value| {
                let status = u16::try_from(item["status"].as_u64().unwrap()).unwrap();
                (item["code"].as_str().unwrap().to_owned(), status)
            };
            items.map(entry).collect()
        })
        .await;
}

/// Which API answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// `/api/v1`, and what stands outside of both.
    Platform,
    /// The register's, `/api`.
    Register,
}

impl Api {
    fn at(path: &str) -> Self {
        let register = path.starts_with("/api/") && !path.starts_with("/api/v1/");
        if register { Self::Register } else { Self::Platform }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) took: Duration,
    api: Api,
}

impl Answer {
    /// Sends a request and reads the whole answer. A problem has to be a documented one.
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let start = Instant::now();
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let api = Api::at(response.url().path());
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Self { status, headers, body, took: start.elapsed(), api };
        answer.assert_documented();
        Ok(answer)
    }

    fn assert_documented(&self) {
        if self.status < 400 {
            return;
        }
        assert!(self.status != 500 || self.is_of_broken_reference(), "a bug: {self:?}");
        let catalogue = CATALOGUE.get().expect("no instance was started");
        let of_catalogue = catalogue.get(self.code());
        match self.api {
            Api::Platform => {
                let kind = self.header("content-type");
                assert_eq!(kind, Some("application/problem+json"), "{self:?}");
                assert_eq!(self.body["status"], self.status, "{self:?}");
                assert_eq!(self.body["errors"][0]["code"], self.code(), "{self:?}");
                for code in self.codes() {
                    assert!(catalogue.contains_key(code), "{code} is not in GET /errors: {self:?}");
                }
                assert_eq!(of_catalogue, Some(&self.status), "{self:?}");
            }
            Api::Register => {
                assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
                assert_eq!(self.body["meta"]["code"], self.status, "{self:?}");
                for member in ["type", "message"] {
                    assert!(self.body["error"][member].is_string(), "no {member}: {self:?}");
                }
                // The statuses that the two APIs do not share: a report forbids where a command
                // would be in conflict.
                let status = match (self.code(), self.status) {
                    ("idempotency-key-reused", _) => Some(&409),
                    ("legal-entity-not-active" | "legal-entity-type", 403) => Some(&403),
                    _ => of_catalogue,
                };
                assert_eq!(status, Some(&self.status), "{self:?}");
            }
        }
        let says_when = self.header("retry-after").is_some();
        assert_eq!(says_when, matches!(self.status, 429 | 503), "Retry-After: {self:?}");
    }

    /// The one 500 that is no bug: a medication request that refers to what its registry lacks.
    fn is_of_broken_reference(&self) -> bool {
        let text = "Could not load remote reference for medication_request";
        self.api == Api::Register && self.body["error"]["message"] == text
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// The answer, if it is a problem with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self:#?}");
        self
    }

    /// The code of a problem; empty if it is none.
    pub(crate) fn code(&self) -> &str {
        let problem = match self.api {
            Api::Platform => &self.body,
            Api::Register => &self.body["error"],
        };
        problem["code"].as_str().unwrap_or_default()
    }

    /// The codes of all violations.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors.into_iter().flatten().filter_map(|error| error["code"].as_str()).collect()
    }

    /// The id of the dispense.
    #[track_caller]
    pub(crate) fn id(&self) -> Uuid {
        let dispense = match self.api {
            Api::Platform => &self.body,
            Api::Register => &self.body["data"],
        };
        dispense["id"].as_str().expect("an id").parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether nobody has to ask again: it was done, or refused.
    pub(crate) fn is_final(&self) -> bool {
        self.status < 500
    }
}
