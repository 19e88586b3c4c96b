//! Every answer that is not a success, in the shape of RFC 9457.

mod document;

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use dispensary::{AppendError, CommandError, LogPosition, QueryError, Unavailable};
use dispense_domain::{Code, Place, Refusal, Refusals};

use crate::auth::{AuthError, MissingScope};
use crate::body::Fault;
use crate::catalogue::{self, Entry};
use crate::visit::RequestId;

pub(crate) use document::{Param, ProblemDocument, ViolationDocument};

/// The media type of RFC 9457.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// How soon to ask again where that may help, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// The value of a refusal that says the same.
const RETRY_AFTER_PARAM: &str = "retryAfter";

/// What is wanted with a request that has no good token.
const TOKEN_CHALLENGE: &str = "Bearer";

/// What is wanted where the patient's code is wrong. Clients renew their token where they read
/// `Bearer`, and ask again by themselves: each time a try would be lost.
const CODE_CHALLENGE: &str = "VerificationCode";

/// What went wrong: every violation that was found, the decisive one first.
#[derive(Debug)]
pub(crate) struct Problem {
    entry: &'static Entry,
    violations: Vec<Violation>,
    position: Option<LogPosition>,
    /// For the log alone.
    cause: Option<String>,
}

/// One rule that was broken.
#[derive(Debug)]
pub(crate) struct Violation {
    code: &'static str,
    /// The member that is to blame.
    pub(crate) path: Option<String>,
    /// What is wrong and what would be right, for people.
    pub(crate) message: Cow<'static, str>,
    /// The number of the rule, or the kind of schema violation.
    pub(crate) rule: &'static str,
    /// The values that matter.
    pub(crate) params: Vec<(Cow<'static, str>, Param)>,
}

impl Violation {
    /// A member of a body, or of a query, that is not as it should be.
    pub(crate) fn schema(path: String, fault: Fault) -> Self {
        Self {
            code: catalogue::SCHEMA.code,
            path: Some(path),
            message: fault.message,
            rule: fault.rule,
            params: fault.params.into_iter().map(|(name, it)| (Cow::Borrowed(name), it)).collect(),
        }
    }

    /// A member that is not known.
    pub(crate) fn unknown_member(path: String) -> Self {
        Self::schema(path, Fault::unknown_member())
    }

    fn refused(refusal: &Refusal, path: fn(&Place) -> String) -> Self {
        let definition = refusal.code.definition();
        let params = refusal.params.iter();
        let params = params.map(|(name, value)| (Cow::Owned(name.clone()), Param::told(value)));
        Self {
            code: definition.code,
            path: refusal.place.as_ref().map(path),
            message: Cow::Owned(refusal.message.clone()),
            rule: refusal.schema_rule.unwrap_or(refusal.rule),
            params: params.collect(),
        }
    }
}

impl Problem {
    /// A problem in its own words.
    pub(crate) fn of(entry: &'static Entry) -> Self {
        Self::saying(entry, entry.title)
    }

    /// A problem that names values.
    pub(crate) fn saying(entry: &'static Entry, message: impl Into<Cow<'static, str>>) -> Self {
        let violation = Violation {
            code: entry.code,
            path: None,
            message: message.into(),
            rule: entry.rule,
            params: Vec::new(),
        };
        Self { entry, violations: vec![violation], position: None, cause: None }
    }

    /// Adds a value that matters.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Some(first) = self.violations.first_mut() {
            first.params.push((Cow::Borrowed(name), Param::of(value)));
        }
        self
    }

    /// Adds the part of the request that is to blame.
    pub(crate) fn at(mut self, path: &str) -> Self {
        if let Some(first) = self.violations.first_mut() {
            first.path = Some(path.to_owned());
        }
        self
    }

    /// Adds what is behind it, for the log alone.
    pub(crate) fn caused_by(self, error: &(dyn std::error::Error + 'static)) -> Self {
        Self { cause: Some(chain(error)), ..self }
    }

    /// A body or a query that is not as it should be. Without a violation it is our own mistake.
    pub(crate) fn schema(violations: Vec<Violation>) -> Self {
        if violations.is_empty() {
            return Self::of(&catalogue::BUG);
        }
        Self { entry: &catalogue::SCHEMA, violations, position: None, cause: None }
    }

    /// A command that would break rules; `path` says where an API keeps what is to blame.
    pub(crate) fn refused(refusals: &Refusals, path: fn(&Place) -> String) -> Self {
        Self::telling(refusals.first().code, refusals.all(), path)
    }

    /// As [`Self::refused`], by an API that tells these of the refusals. The first code decides.
    pub(crate) fn telling<'r>(
        first: Code,
        told: impl IntoIterator<Item = &'r Refusal>,
        path: fn(&Place) -> String,
    ) -> Self {
        Self {
            entry: Entry::of(first),
            violations: told.into_iter().map(|it| Violation::refused(it, path)).collect(),
            position: None,
            cause: None,
        }
    }

    /// Adds the position of the log that the decision knew.
    pub(crate) fn known_at(self, position: LogPosition) -> Self {
        Self { position: Some(position), ..self }
    }

    /// A command that was not carried out.
    pub(crate) fn of_command(error: &CommandError, path: fn(&Place) -> String) -> Self {
        match error {
            CommandError::Refused { refusals, position }
            | CommandError::NotAppended(AppendError::Refused { refusals, position }) => {
                Self::refused(refusals, path).known_at(*position)
            }
            CommandError::NotFound => {
                Self::saying(&catalogue::NOT_FOUND, "There is no such dispense")
            }
            CommandError::NotStored(silent) => {
                Self::of(&catalogue::CONTENT_NOT_STORED).caused_by(&*silent.source)
            }
            CommandError::NotAppended(AppendError::Busy) => Self::of(&catalogue::BUSY),
            CommandError::NotAppended(AppendError::OutcomeUnknown) => {
                Self::of(&catalogue::OUTCOME_UNKNOWN)
            }
            CommandError::NotAppended(AppendError::ClockUnsound) => {
                Self::of(&catalogue::CLOCK_UNSOUND)
            }
            CommandError::NotAppended(AppendError::Unavailable(silent)) => silent.into(),
            CommandError::NotAppended(AppendError::Bug) => Self::of(&catalogue::BUG),
        }
    }

    /// What the catalogue says of it.
    pub(crate) const fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// Every violation, the decisive one first.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Answers the request, and logs the cause, once and for us alone.
    pub(crate) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let id = RequestId::given_to(request);
        let mut response = self.head(self.status());
        response.content_type(MEDIA_TYPE).body(self.document(id.as_str()).to_json())
    }

    /// The answer without its body, whatever shape an API gives to that. Logs the cause.
    pub(crate) fn head(&self, status: StatusCode) -> HttpResponseBuilder {
        self.log();
        let mut response = HttpResponse::build(status);
        if let Some(position) = self.position {
            response.insert_header(("Dispense-Position", position.to_string()));
        }
        if let Some(seconds) = self.retry_after(status) {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, self.challenge()));
        }
        response
    }

    /// What is missing, as every 401 has to say.
    fn challenge(&self) -> &'static str {
        if self.entry.code == Code::WrongCode.definition().code {
            CODE_CHALLENGE
        } else {
            TOKEN_CHALLENGE
        }
    }

    /// After how many seconds it may help to ask again: the rule that counts tries says it.
    fn retry_after(&self, status: StatusCode) -> Option<String> {
        match status {
            StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER_SECONDS.to_owned()),
            StatusCode::TOO_MANY_REQUESTS => {
                let params = &self.violations.first()?.params;
                let (_, seconds) = params.iter().find(|(name, _)| name == RETRY_AFTER_PARAM)?;
                Some(seconds.to_string())
            }
            _ => None,
        }
    }

    /// The body of the answer.
    pub(crate) fn document<'a>(&'a self, request_id: &'a str) -> ProblemDocument<'a> {
        ProblemDocument::of(self.entry, &self.violations, request_id)
    }

    /// The status that it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A refusal is news; what somebody must act on is an error.
    pub(crate) fn log(&self) {
        let code = self.entry.code;
        match &self.cause {
            Some(cause) => tracing::error!(refusal.code = code, cause, "not answered"),
            None if self.entry.status == catalogue::BUSY.status => {
                tracing::warn!(refusal.code = code, "not answered");
            }
            None if self.status().is_server_error() => {
                tracing::error!(refusal.code = code, "not answered");
            }
            None => tracing::info!(refusal.code = code, "refused"),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::NotFound(what) => {
                Self::saying(&catalogue::NOT_FOUND, format!("There is no such {what}"))
            }
            QueryError::Erased(what) => {
                Self::saying(&catalogue::ERASED, format!("The {what} was erased"))
            }
            QueryError::Unavailable(silent) => silent.into(),
        }
    }
}

impl From<&Unavailable> for Problem {
    fn from(silent: &Unavailable) -> Self {
        // The cause is for us; the caller learns only that trying again may help.
        Self {
            cause: Some(chain(&*silent.source)),
            ..Self::saying(&catalogue::UNAVAILABLE, silent.to_string())
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match &error {
            AuthError::KeysUnavailable => Self {
                cause: Some(error.cause().to_owned()),
                ..Self::saying(&catalogue::UNAVAILABLE, error.to_string())
            },
            AuthError::InvalidToken(_)
            | AuthError::MissingConsumer
            | AuthError::MissingClient
            | AuthError::UnknownClientType
            | AuthError::WrongGatewaySecret => {
                Self::saying(&catalogue::INVALID_TOKEN, error.to_string())
            }
        }
    }
}

impl From<MissingScope> for Problem {
    fn from(missing: MissingScope) -> Self {
        Self::saying(&catalogue::MISSING_SCOPE, missing.to_string()).with("scope", &missing.scope)
    }
}

/// An error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
