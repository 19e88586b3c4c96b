//! What each problem means and what to do about it: those of the rules from the domain, those of
//! the door from here. The error catalogue, `docs/problems.md` and every problem are written from it.

pub(crate) mod broken;
mod example;
mod markdown;

use std::sync::LazyLock;

use dispense_domain::{Code, Definition, Kind};

pub(crate) use example::example;
pub use markdown::problems_markdown;

/// The entry of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its stable name.
    pub(crate) code: &'static str,
    /// The status that it is answered with.
    pub(crate) status: u16,
    /// What kind of problem it is.
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) remedy: &'static str,
    /// The number of the rule in `docs/domain.md`, or the family that it belongs to.
    pub(crate) rule: &'static str,
    /// The values that can come with it.
    pub(crate) params: &'static [&'static str],
}

impl Entry {
    /// The entry of a rule.
    pub(crate) fn of(code: Code) -> &'static Self {
        let code = code.definition().code;
        all().iter().find(|entry| entry.code == code).unwrap_or(&BUG)
    }
}

impl From<Definition> for Entry {
    fn from(rule: Definition) -> Self {
        Self {
            code: rule.code,
            status: status_of(rule.kind),
            title: rule.title,
            remedy: rule.remedy,
            rule: rule.rule,
            params: rule.params,
        }
    }
}

/// The status of each kind of refusal.
const fn status_of(kind: Kind) -> u16 {
    match kind {
        Kind::Unacceptable => 400,
        Kind::Unproven => 401,
        Kind::Forbidden => 403,
        Kind::Unknown => 404,
        Kind::Conflict => 409,
        Kind::Invalid => 422,
        Kind::TooOften => 429,
    }
}

/// Every entry: what stops alone, then the rules in their order, then the service. Each code stands
/// once: what the domain shares with the door means the same, and is explained here.
pub(crate) fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let rules = Code::ALL.into_iter().map(|code| Entry::from(code.definition()));
        let (before, after): (Vec<Entry>, Vec<Entry>) =
            DOOR.iter().partition(|entry| entry.status < 500);
        let mut all: Vec<Entry> = Vec::new();
        for entry in before.into_iter().chain(rules).chain(after) {
            if all.iter().all(|known| known.code != entry.code) {
                all.push(entry);
            }
        }
        all
    });
    &ALL
}

/// The problems of the door itself.
pub(crate) const DOOR: [Entry; 23] = [
    INVALID_TOKEN,
    MISSING_SCOPE,
    NOT_FOUND,
    ERASED,
    METHOD_NOT_ALLOWED,
    IDEMPOTENCY_KEY_INVALID,
    TOO_LARGE,
    TIMEOUT,
    INCOMPLETE_BODY,
    UNSUPPORTED_MEDIA_TYPE,
    MALFORMED_JSON,
    SCHEMA,
    POSITION_INVALID,
    CURSOR_INVALID,
    AS_OF_OUT_OF_RANGE,
    CONTENT_NOT_STORED,
    READ_MODEL_BEHIND,
    LOG_DIVERGED,
    BUSY,
    OUTCOME_UNKNOWN,
    CLOCK_UNSOUND,
    UNAVAILABLE,
    BUG,
];

/// What can go wrong with a body.
pub(crate) const OF_BODIES: [Entry; 6] =
    [MALFORMED_JSON, INCOMPLETE_BODY, TIMEOUT, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, SCHEMA];

/// What can go wrong with every request that needs a token.
pub(crate) const OF_ALL: [Entry; 4] = [INVALID_TOKEN, MISSING_SCOPE, UNAVAILABLE, BUG];

/// What can go wrong with every command.
pub(crate) const OF_COMMANDS: [Entry; 4] =
    [IDEMPOTENCY_KEY_INVALID, BUSY, OUTCOME_UNKNOWN, CLOCK_UNSOUND];

pub(crate) const INVALID_TOKEN: Entry = Entry {
    code: "invalid-token",
    status: 401,
    title: "Invalid access token",
    remedy: "Send `Authorization: Bearer` with a token of the configured issuer that has not expired.",
    rule: "1",
    params: &[],
};

pub(crate) const MISSING_SCOPE: Entry = Entry {
    code: "missing-scope",
    status: 403,
    title: "Your scope does not allow to access this resource",
    remedy: "Ask for a token with the scope that is named.",
    rule: "1",
    params: &["scope"],
};

pub(crate) const NOT_FOUND: Entry = Entry {
    code: "not-found",
    status: 404,
    title: "There is no such thing",
    remedy: "Check path and id; dispenses of other legal entities are not shown.",
    rule: "D-10",
    params: &[],
};

pub(crate) const ERASED: Entry = Entry {
    code: "erased",
    status: 410,
    title: "What named a person was erased",
    remedy: "Nothing brings it back. The dispense itself stays: ids, quantities, prices and times.",
    rule: "privacy",
    params: &[],
};

pub(crate) const METHOD_NOT_ALLOWED: Entry = Entry {
    code: "method-not-allowed",
    status: 405,
    title: "This path does not take this method",
    remedy: "Use a method that the header `Allow` names.",
    rule: "transport",
    params: &[],
};

pub(crate) const IDEMPOTENCY_KEY_INVALID: Entry = Entry {
    code: "idempotency-key-invalid",
    status: 400,
    title: "The idempotency key cannot be used",
    remedy: "Send one `Idempotency-Key` of 1 to 255 visible ASCII characters, or none.",
    rule: "key",
    params: &[],
};

pub(crate) const TOO_LARGE: Entry = Entry {
    code: "too-large",
    status: 413,
    title: "The body is too large",
    remedy: "Send at most 256 KiB. Registry data has no limit at `/api/v1/registry/import`.",
    rule: "transport",
    params: &["limit"],
};

pub(crate) const TIMEOUT: Entry = Entry {
    code: "timeout",
    status: 408,
    title: "The body did not arrive in time",
    remedy: "Send the body at once; ask again with the same idempotency key.",
    rule: "transport",
    params: &[],
};

pub(crate) const INCOMPLETE_BODY: Entry = Entry {
    code: "incomplete-body",
    status: 400,
    title: "The body ended too early, or its coding is broken",
    remedy: "Send as many bytes as `Content-Length` says, or correct chunks.",
    rule: "transport",
    params: &[],
};

pub(crate) const UNSUPPORTED_MEDIA_TYPE: Entry = Entry {
    code: "unsupported-media-type",
    status: 415,
    title: "The body is of another media type",
    remedy: "Send `Content-Type: application/json`, and no `Content-Encoding`.",
    rule: "transport",
    params: &[],
};

pub(crate) const MALFORMED_JSON: Entry = Entry {
    code: "malformed-json",
    status: 400,
    title: "The body is not JSON",
    remedy: "Send one JSON value in UTF-8, nested at most 32 deep.",
    rule: "transport",
    params: &[],
};

pub(crate) const SCHEMA: Entry = Entry {
    code: "schema",
    status: 422,
    title: "The request does not match its schema",
    remedy: "Mend each member that `errors` names; the API description has the schema.",
    rule: "2",
    params: &[
        "expected",
        "actual",
        "min",
        "max",
        "greater_than",
        "greater_than_or_equal_to",
        "less_than",
        "decimal_places",
        "values",
        "earliest",
        "latest",
    ],
};

pub(crate) const POSITION_INVALID: Entry = Entry {
    code: "position-invalid",
    status: 400,
    title: "There is no such place in the log",
    remedy: "Send the `Dispense-Position` of an answer of this service as it is, several with commas between them, each partition once; or none. With `after` or `Last-Event-ID` of the log itself: it lost events that you have read; ask its operators.",
    rule: "position",
    params: &["position", "head"],
};

pub(crate) const AS_OF_OUT_OF_RANGE: Entry = Entry {
    code: "as-of-out-of-range",
    status: 422,
    title: "The log cannot tell of that instant",
    remedy: "Ask for an instant between the first event of the log and now, by the clock of the database; or leave `asOf` out.",
    rule: "as-of",
    params: &["asOf", "earliest", "latest"],
};

pub(crate) const CURSOR_INVALID: Entry = Entry {
    code: "cursor-invalid",
    status: 400,
    title: "`cursor` does not go on from a page of this list",
    remedy: "Send `next` of the page before as it is, or follow `Link`, with the token of the same client; or begin again without `cursor`.",
    rule: "cursor",
    params: &[],
};

pub(crate) const READ_MODEL_BEHIND: Entry = Entry {
    code: "read-model-behind",
    status: 503,
    title: "What is looked through has not read the log that far yet; try again",
    remedy: "Wait as `Retry-After` says and ask again; or leave `Dispense-Position` out, and be shown what is there. Operators: look at the follower of that name.",
    rule: "service",
    params: &["readModel", "position", "read"],
};

pub(crate) const CONTENT_NOT_STORED: Entry = Entry {
    code: "content-not-stored",
    status: 502,
    title: "Failed to save signed content",
    remedy: "Nothing has changed: the hold lives on. Ask again with the same idempotency key. Operators: look at the content store.",
    rule: "P11",
    params: &[],
};

pub(crate) const LOG_DIVERGED: Entry = Entry {
    code: "log-diverged",
    status: 503,
    title: "The log is not what its signed checkpoints say",
    remedy: "Keep the checkpoints that you have: they show what the log was. Operators: see `docs/operations.md`.",
    rule: "service",
    params: &[],
};

pub(crate) const BUSY: Entry = Entry {
    code: "busy",
    status: 503,
    title: "The service is busy; nothing was done, try again",
    remedy: "Wait as `Retry-After` says and ask again with the same idempotency key.",
    rule: "service",
    params: &[],
};

pub(crate) const OUTCOME_UNKNOWN: Entry = Entry {
    code: "outcome-unknown",
    status: 503,
    title: "It is not known whether this was done; try again with the same idempotency key",
    remedy: "Ask again with the same idempotency key: what was done is answered, what was not is done.",
    rule: "service",
    params: &[],
};

pub(crate) const CLOCK_UNSOUND: Entry = Entry {
    code: "clock-unsound",
    status: 503,
    title: "The database's clock cannot be trusted; nothing was done",
    remedy: "Wait and ask again with the same idempotency key. Operators: set the clock of the database.",
    rule: "service",
    params: &[],
};

pub(crate) const UNAVAILABLE: Entry = Entry {
    code: "unavailable",
    status: 503,
    title: "Something that the service needs does not answer; try again",
    remedy: "Wait as `Retry-After` says and ask again with the same idempotency key.",
    rule: "service",
    params: &["applied"],
};

pub(crate) const BUG: Entry = Entry {
    code: "bug",
    status: 500,
    title: "This request met a bug; nothing was done",
    remedy: "Report it with the `requestId`.",
    rule: "service",
    params: &[],
};
