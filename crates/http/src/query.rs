//! Members of a query string: what an endpoint of the platform's API does not know is refused, never
//! overlooked. The register's API takes what it knows and ignores the rest.

use actix_web::{HttpRequest, web};

use crate::problem::{Problem, Violation};

/// The most unknown members that are listed.
const MOST_LISTED: usize = 20;

/// Lets a request pass whose query string has no members.
///
/// # Errors
///
/// `schema`, at `?<name>` for each member.
pub(crate) fn nothing_asked(request: &HttpRequest) -> Result<(), Problem> {
    let query = request.query_string();
    if query.is_empty() {
        return Ok(());
    }
    let names = query.split('&').filter(|member| !member.is_empty()).map(name_of);
    let unknown: Vec<Violation> =
        names.take(MOST_LISTED).map(|name| Violation::unknown_member(format!("?{name}"))).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Problem::schema(unknown)) }
}

/// The name as it was sent: nobody who misspelt it wants it decoded.
fn name_of(member: &str) -> &str {
    let name = member.split('=').next().unwrap_or_default();
    crate::body::clipped(name)
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
