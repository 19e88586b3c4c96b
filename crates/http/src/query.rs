//! Members of a query string: what an endpoint of the platform's API does not know is refused, never
//! overlooked. The register's API takes what it knows and ignores the rest, but for [`DRY_RUN`].
//!
//! An endpoint of a list says in [`read`] which members it takes, and of which kind each is:
//!
//! ```text
//! query::read(&request, |query| {
//!     let (from, to) = query.days("from", "to");
//!     let patient = query.optional("patientId", kinds::uuid);
//!     let limit = query.optional("limit", kinds::whole(1..=300));
//!     Some(Wanted { patient, from, to, limit })
//! })
//! ```

pub(crate) mod kinds;
mod members;

use actix_web::{HttpRequest, web};

use crate::body::Fault;
use crate::problem::{Problem, Violation};

pub(crate) use members::{Members, read};

/// The member that asks what a create would lead to; the register does not know it.
pub(crate) const DRY_RUN: &str = "dryRun";

/// The most members that are listed as wrong.
const MOST_LISTED: usize = 20;

/// Lets a request pass whose query string has no members.
///
/// # Errors
///
/// `schema`, at `?<name>` for each member.
pub(crate) fn nothing_asked(request: &HttpRequest) -> Result<(), Problem> {
    let unknown: Vec<Violation> =
        as_sent(request).take(MOST_LISTED).map(|(name, _)| unknown(name)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Problem::schema(unknown)) }
}

/// Lets a request pass whose query string has that one member or none. Returns the meaning of the
/// word that it says, one of `words`.
///
/// # Errors
///
/// `schema`, at `?<name>` for each member that is not known, repeated, or says another word.
pub(crate) fn one_word<T: Copy>(
    request: &HttpRequest,
    known: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, Problem> {
    let (own, others): (Vec<_>, Vec<_>) = as_sent(request).partition(|(name, _)| *name == known);
    let said = match own.as_slice() {
        [] => Ok(None),
        [(_, said)] => {
            let found = words.iter().find(|(word, _)| word == said);
            let known = || Fault::not_in_enum(words.iter().map(|(word, _)| *word));
            found.map(|(_, meaning)| Some(*meaning)).ok_or_else(known)
        }
        [_, _, ..] => Err(Fault::repeated(known)),
    };
    match said {
        Ok(said) if others.is_empty() => Ok(said),
        said => {
            let own = said.err().map(|fault| Violation::schema(format!("?{known}"), fault));
            let others = others.into_iter().map(|(name, _)| unknown(name));
            Err(Problem::schema(own.into_iter().chain(others).take(MOST_LISTED).collect()))
        }
    }
}

/// Names and values as they were sent: nobody who misspelt one wants it decoded.
fn as_sent(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let members = request.query_string().split('&').filter(|member| !member.is_empty());
    members.map(|member| member.split_once('=').unwrap_or((member, "")))
}

fn unknown(name: &str) -> Violation {
    Violation::unknown_member(format!("?{}", crate::body::clipped(name)))
}

/// Lets a command of the register's API pass whose query string does not have that member. The word
/// is our own and promises that nothing is done: there it must not be ignored like others.
///
/// # Errors
///
/// `schema`, at `$.<name>`.
pub(crate) fn without(request: &HttpRequest, name: &str) -> Result<(), Problem> {
    match asked(request, name) {
        None => Ok(()),
        Some(_) => Err(Problem::schema(vec![Violation::unknown_member(format!("$.{name}"))])),
    }
}

/// The value of a member; the last one if there are several, as the register has it.
pub(crate) fn asked(request: &HttpRequest, name: &str) -> Option<String> {
    let found = members(request).into_iter().rfind(|(known, _)| known == name);
    found.map(|(_, value)| value)
}

/// Names and values of all members, in the order in which they stand.
pub(crate) fn members(request: &HttpRequest) -> Vec<(String, String)> {
    let members = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    members.map(web::Query::into_inner).unwrap_or_default()
}
