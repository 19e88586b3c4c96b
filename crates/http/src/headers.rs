//! The headers of answers, as the API descriptions tell them.

use utoipa::PartialSchema;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::header::HeaderBuilder;

/// A header, and what it says.
pub(crate) type Told = (&'static str, &'static str);

pub(crate) const LOCATION: Told = ("Location", "Where the dispense is");
pub(crate) const ETAG: Told = ("ETag", "`\"<version>-<status>\"`");
pub(crate) const X_REQUEST_ID: Told = ("X-Request-ID", "Names the request");
pub(crate) const WWW_AUTHENTICATE: Told =
    ("WWW-Authenticate", "`Bearer` with `invalid-token`, `VerificationCode` with `wrong-code`");
pub(crate) const RETRY_AFTER: Told = ("Retry-After", "Seconds");

/// The headers of every command that was carried out, now or before; `key` is the one that names it.
pub(crate) const fn of_command(key: &'static str) -> [Told; 6] {
    [
        ETAG,
        ("Dispense-Position", "`<partition>:<position>` of the commit that answered"),
        named(key),
        ("Idempotency-Replayed", "`true` if this was answered before"),
        ("Dispense-Status", "Where the dispense stands now, if this was answered before"),
        X_REQUEST_ID,
    ]
}

const fn named(key: &'static str) -> Told {
    (key, "The key, sent or drawn")
}

/// The response with those headers.
pub(crate) fn with(
    response: ResponseBuilder,
    headers: impl IntoIterator<Item = Told>,
) -> ResponseBuilder {
    headers.into_iter().fold(response, |response, (name, says)| {
        let header = HeaderBuilder::new()
            .schema(Some(String::schema()))
            .description(Some(says.to_owned()))
            .build();
        response.header(name, header)
    })
}

/// The headers of a problem of that status.
pub(crate) fn of_problem(status: u16) -> Vec<Told> {
    let more = match status {
        401 => Some(WWW_AUTHENTICATE),
        429 | 503 => Some(RETRY_AFTER),
        _ => None,
    };
    [X_REQUEST_ID].into_iter().chain(more).collect()
}

/// The headers of a problem of that status, met by a command; `key` is the one that names it.
pub(crate) fn of_refused_command(key: &'static str, status: u16) -> Vec<Told> {
    const POSITION: Told = (
        "Dispense-Position",
        "`<partition>:<position>` that the rules knew, where they were asked",
    );
    let decided = (400..500).contains(&status).then_some(POSITION);
    [named(key)].into_iter().chain(decided).chain(of_problem(status)).collect()
}
