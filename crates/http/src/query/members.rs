//! The members of a query string: each is asked for by name, and every violation is written down.

use std::fmt::Display;

use actix_web::HttpRequest;
use chrono::NaiveDate;

use super::{MOST_LISTED, members, unknown};
use crate::body::Fault;
use crate::problem::{Problem, Violation};

/// The members of a query string, as far as they were asked for.
pub(crate) struct Members {
    found: Vec<Member>,
    violations: Vec<Violation>,
}

struct Member {
    name: String,
    value: String,
    asked_for: bool,
}

/// What `read` makes of the query string, if there is nothing to blame in it. What `read` asks for is
/// all that the endpoint takes.
///
/// # Errors
///
/// `schema`, at `?<name>`: every violation, in the order in which `read` asks for members, then those
/// that it does not ask for.
pub(crate) fn read<T>(
    request: &HttpRequest,
    read: impl FnOnce(&mut Members) -> Option<T>,
) -> Result<T, Problem> {
    let found = members(request).into_iter();
    let found = found.map(|(name, value)| Member { name, value, asked_for: false }).collect();
    let mut members = Members { found, violations: Vec::new() };
    let value = read(&mut members);
    members.refuse_unknown();
    match value {
        Some(value) if members.violations.is_empty() => Ok(value),
        Some(_) | None => Err(Problem::schema(members.violations)),
    }
}

impl Members {
    /// A member that may be left out.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let value = self.take(name)?;
        match read(&value) {
            Ok(value) => Some(value),
            Err(fault) => self.blame(name, fault),
        }
    }

    /// A member that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if self.found.iter().any(|member| member.name == name) {
            self.optional(name, read)
        } else {
            self.blame(name, Fault::required(name))
        }
    }

    /// The first and the last day of a range, each of which may be left out.
    pub(crate) fn days(
        &mut self,
        from: &'static str,
        to: &'static str,
    ) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let first = self.optional(from, super::kinds::day);
        let last = self.optional(to, super::kinds::day);
        self.in_order(first, to, last);
        (first, last)
    }

    /// Blames the end of a range that lies before its beginning.
    pub(crate) fn in_order<T: PartialOrd + Display>(
        &mut self,
        first: Option<T>,
        to: &'static str,
        last: Option<T>,
    ) {
        if let (Some(first), Some(last)) = (first, last)
            && last < first
        {
            let _none: Option<()> = self.blame(to, Fault::before(&first));
        }
    }

    /// Writes down that a member is to blame.
    pub(crate) fn blame<T>(&mut self, name: &str, fault: Fault) -> Option<T> {
        if self.violations.len() < MOST_LISTED {
            self.violations.push(Violation::schema(format!("?{name}"), fault));
        }
        None
    }

    /// The value of a member; a repeated one is to blame, because nobody knows which was meant.
    fn take(&mut self, name: &'static str) -> Option<String> {
        let mut values = Vec::new();
        for member in self.found.iter_mut().filter(|member| member.name == name) {
            member.asked_for = true;
            values.push(std::mem::take(&mut member.value));
        }
        if values.len() > 1 {
            return self.blame(name, Fault::repeated(name));
        }
        values.pop()
    }

    fn refuse_unknown(&mut self) {
        let room = MOST_LISTED.saturating_sub(self.violations.len());
        let strangers = self.found.iter().filter(|member| !member.asked_for).take(room);
        self.violations.extend(strangers.map(|member| unknown(&member.name)));
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::query::kinds;

    /// What is refused of a query that takes `id`, `limit`, `from` and `to`: paths and kinds.
    fn refused(query: &str) -> Vec<(String, &'static str)> {
        let request = TestRequest::get().uri(&format!("/lists?{query}")).to_http_request();
        let read = read(&request, |query| {
            let id = query.required("id", kinds::uuid);
            let _limit = query.optional("limit", kinds::whole(1..=300));
            let _days = query.days("from", "to");
            id
        });
        let problem = read.err();
        let violations = problem.iter().flat_map(Problem::violations);
        violations.map(|it| (it.path.clone().unwrap_or_default(), it.rule)).collect()
    }

    fn at(path: &str, rule: &'static str) -> (String, &'static str) {
        (path.to_owned(), rule)
    }

    const ID: &str = "id=000000000000000000000000000000a7";

    #[test]
    fn what_is_asked_for_as_it_should_be_is_read() {
        for query in [
            ID.to_owned(),
            format!("{ID}&limit=300&from=2026-03-01&to=2026-03-01"),
            format!("{ID}&&"),
            "%69d=000000000000000000000000000000a7".to_owned(),
        ] {
            assert_eq!(refused(&query), [], "{query}");
        }
    }

    #[test]
    fn all_that_is_to_blame_is_told_at_once() {
        assert_eq!(
            refused("colour=red&to=2026-02-30&limit=301&from=x"),
            [
                at("?id", "required"),
                at("?limit", "number"),
                at("?from", "format"),
                at("?to", "format"),
                at("?colour", "schema"),
            ]
        );
    }

    #[test]
    fn a_member_stands_once_and_has_a_value() {
        assert_eq!(refused(&format!("{ID}&{ID}")), [at("?id", "schema")]);
        assert_eq!(refused("id="), [at("?id", "format")]);
        assert_eq!(refused("id"), [at("?id", "format")]);
        assert_eq!(refused(&format!("{ID}&ID=1")), [at("?ID", "schema")]);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_to_blame() {
        assert_eq!(
            refused(&format!("{ID}&from=2026-03-02&to=2026-03-01")),
            [at("?to", "inclusion")]
        );
    }

    #[test]
    fn the_list_of_what_is_to_blame_ends() {
        let many: Vec<String> = (0..MOST_LISTED + 5).map(|n| format!("x{n}=")).collect();
        assert_eq!(refused(&format!("{ID}&{}", many.join("&"))).len(), MOST_LISTED);
    }
}
