//! The pages of lists for auditors.

use actix_web::HttpRequest;

use crate::query::{Members, kinds};

/// How many entries a page has unless told.
const USUAL: u64 = 50;

/// The member `limit`: how many entries a page has.
pub(super) fn number_on_page(query: &mut Members, most: u32) -> u32 {
    let limit = query.optional("limit", kinds::whole(1..=u64::from(most)));
    u32::try_from(limit.unwrap_or(USUAL)).unwrap_or(most)
}

/// Where the next page is: the same question, as it was sent, with that cursor, which has nothing in
/// it that a query could not hold.
pub(super) fn link(request: &HttpRequest, cursor: &str) -> String {
    let cursor = format!("cursor={cursor}");
    let members = request.query_string().split('&');
    let others = members.filter(|member| !member.is_empty() && !member.starts_with("cursor="));
    let members: Vec<&str> = others.chain([cursor.as_str()]).collect();
    format!("<{}?{}>; rel=\"next\"", request.path(), members.join("&"))
}
