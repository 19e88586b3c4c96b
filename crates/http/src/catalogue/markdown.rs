//! `docs/problems.md`, written from the catalogue.

use std::fmt::Write;

use super::{Entry, all, example};

const HEAD: &str = "\
# What went wrong, and what to do

Every answer that is not a success is `application/problem+json` (RFC 9457): `type`, `title`,
`status`, `detail`, `code`, `errors`, `requestId`. `code` is for programs and never changes; `detail`
is for people. `errors` lists every violation that was found, each with `code`, `path`, `message`,
`rule` and `params`; the first one decides `status`, `code` and `detail`.

Token, scope and schema stop alone, in this order; then every rule whose inputs exist is judged, in
the order of [the rules](domain.md); the verification code only if all else is in order.
`GET /api/v1/errors` answers with this page as JSON.

What is not HTTP at all, or has an address of more than 64 KiB, never becomes a request: the server
library answers 400 without a body, without `X-Request-ID` and without a line in the log.

This page is written from the definitions in the code: `UPDATE_DOCS=1 cargo test -p dispense-http`.
Each example is what a test was really answered.

| code | status | rule | what it means |
| --- | --- | --- | --- |
";

/// The page.
#[must_use]
pub fn problems_markdown() -> String {
    let mut page = HEAD.to_owned();
    for entry in all() {
        // Writing to a string cannot fail.
        let _written = writeln!(
            page,
            "| [`{0}`](#{0}) | {1} | {2} | {3} |",
            entry.code, entry.status, entry.rule, entry.title
        );
    }
    for entry in all() {
        page.push_str(&section(entry));
    }
    page
}

fn section(entry: &'static Entry) -> String {
    let params = match entry.params {
        [] => String::new(),
        names => format!(
            "Comes with {}.\n\n",
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    format!(
        "\n## {}\n\n{} (status {}, rule {}).\n\n{}\n\n{params}```json\n{}\n```\n",
        entry.code,
        entry.title,
        entry.status,
        entry.rule,
        entry.remedy,
        example::readable_example(entry).unwrap_or_default(),
    )
}
