//! `GET /api/v1/registry/changes`: what registries said, and when.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::access::Looked;
use dispensary::registry_changes::{Change, Changed, ChangesAsked, Known, MOST_CHANGES, REST};
use dispense_domain::registry::RegistryKind;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AUDIT;
use super::dispense::instant;
use super::next_page::{link, number_on_page};
use super::problems::AuditPageProblems;
use crate::Door;
use crate::access::Seen;
use crate::answer::answer;
use crate::body::Fault;
use crate::cursor::{CURSOR, Question};
use crate::problem::Problem;
use crate::query::{self, Members, kinds};

/// A page of changes.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryChangesPage<'a> {
    /// The changes, the last one first.
    #[schema(max_items = 300)]
    items: Vec<RegistryChange<'a>>,
    /// Send it as `cursor` for the next page; null if there is none.
    #[schema(required)]
    next: Option<String>,
}

/// A registry said something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegistryChange<'a> {
    /// Its chain: the partition of a medication request, -1 for everything else.
    partition: i16,
    /// Its number in that chain.
    number: i64,
    /// The kind of record.
    #[schema(example = "party")]
    kind: &'a str,
    /// Its id; of a `party_user` the user's.
    id: Uuid,
    /// The version of the registries with which it could be seen; events name theirs.
    version: i64,
    /// SHA-256 of salt and record, in hexadecimal.
    digest: String,
    /// Who imported it.
    by_user_id: Uuid,
    /// For which client; null for commands of operators.
    #[schema(required)]
    by_client_id: Option<Uuid>,
    /// The message that brought it, as `<topic>/<partition>/<offset>`; null if none did.
    #[schema(required, example = "ndp.registry.party/0/4711")]
    source: Option<&'a str>,
    /// When.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    at: String,
    /// Covers this change and the one before, in hexadecimal.
    hash: String,
}

impl<'a> RegistryChange<'a> {
    fn of(change: &'a Change) -> Self {
        Self {
            partition: change.place.partition,
            number: change.place.number,
            kind: &change.kind,
            id: change.id,
            version: change.version,
            digest: change.digest.to_string(),
            by_user_id: change.by_user,
            by_client_id: change.by_client,
            source: change.source.as_deref(),
            at: instant(change.at),
            hash: change.hash.to_string(),
        }
    }
}

/// See what registries said, and when
///
/// The changes of one record (`kind` and `id`), or those of a chain (`partition`), the last one first.
/// With `atVersion` or `at`, only what was known then: the first of a record is what a decision had
/// before it, if the event names that version in its metadata. What a record said is not kept here,
/// but a digest that whoever has the record and its salt can compare.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("kind" = Option<String>, Query, description = "The kind of record, such as `party`; together with `id`"),
        ("id" = Option<Uuid>, Query, description = "The record; together with `kind`"),
        ("partition" = Option<i16>, Query, minimum = -1, maximum = 1023, description = "A chain in place of a record: that of a partition's medication requests, or -1 for everything else"),
        ("fromNumber" = Option<i64>, Query, minimum = 1, description = "With `partition`: none below this number"),
        ("toNumber" = Option<i64>, Query, minimum = 1, description = "With `partition`: none above this number"),
        ("atVersion" = Option<i64>, Query, minimum = 0, description = "What this version of the registries had"),
        ("at" = Option<DateTime<Utc>>, Query, description = "What had come until this time, as of RFC 3339"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of changes", body = RegistryChangesPage,
         headers(
            ("Link" = String, description = "`rel=\"next\"`, if there is a next page"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        AuditPageProblems,
    )
)]
#[get("/api/v1/registry/changes")]
pub(crate) async fn get_registry_changes(
    request: HttpRequest,
    door: web::Data<Door>,
) -> HttpResponse {
    answer(&request, async {
        let asker = door.admit(&request, AUDIT).await?;
        let question = Question::of(&request, &asker);
        let (mut sought, cursor) = query::read(&request, wanted)?;
        sought.after = cursor.map(|cursor| door.cursors.open(question, &cursor)).transpose()?;
        let found = door.registry_changes.changes(&sought).await;
        let found = found.map_err(|silent| Problem::from(&silent))?;
        door.saw(&request, &asker, seen(&sought)).await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= sought.limit);
        let last = found.last().filter(|_| is_full).map(|change| change.place);
        let next = last.map(|place| door.cursors.seal(question, &place)).transpose()?;
        let mut response = HttpResponse::Ok();
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        let items = found.iter().map(RegistryChange::of).collect();
        Ok(response.json(RegistryChangesPage { items, next }))
    })
    .await
}

/// Whom it concerns, where one record was asked for.
fn seen(sought: &ChangesAsked) -> Seen {
    let seen = Seen::nothing(Looked::RegistryChanges);
    match sought.of {
        Changed::Record(RegistryKind::Person, id) => seen.patient(id.into()),
        Changed::Record(RegistryKind::MedicationRequest, id) => seen.request(id.into()),
        Changed::Record(..) | Changed::Chain { .. } => seen,
    }
}

/// Of what the changes are asked for, as of when, and which page of them.
fn wanted(query: &mut Members) -> Option<(ChangesAsked, Option<String>)> {
    let whole = || kinds::whole(1..=i64::MAX.cast_unsigned());
    let mut is_of_chain = false;
    let chain = query.optional("partition", |value| {
        is_of_chain = true;
        partition(value)
    });
    let of = if is_of_chain {
        let from = query.optional("fromNumber", whole());
        let to = query.optional("toNumber", whole());
        query.in_order(from, "toNumber", to);
        let from = from.map_or(1, u64::cast_signed);
        let to = to.map_or(i64::MAX, u64::cast_signed);
        chain.map(|partition| Changed::Chain { partition, from, to })
    } else {
        let kind = query.required("kind", kind);
        let id = query.required("id", kinds::uuid);
        kind.zip(id).map(|(kind, id)| Changed::Record(kind, id))
    };
    let version = query.optional("atVersion", kinds::whole(0..=i64::MAX.cast_unsigned()));
    let at = query.optional("at", kinds::instant);
    let known = match (version, at) {
        (None, None) => Some(Known::Ever),
        (Some(version), None) => Some(Known::AtVersion(version.cast_signed())),
        (None, Some(at)) => Some(Known::At(at)),
        (Some(_), Some(_)) => {
            query.blame("at", Fault::format("expected a version or a time, not both"))
        }
    };
    let limit = number_on_page(query, MOST_CHANGES);
    let cursor = query.optional(CURSOR, |cursor| Ok(cursor.to_owned()));
    Some((ChangesAsked { of: of?, known: known?, after: None, limit }, cursor))
}

fn kind(name: &str) -> Result<RegistryKind, Fault> {
    let kinds = || RegistryKind::ALL.iter().map(|kind| kind.as_str());
    RegistryKind::named(name).ok_or_else(|| Fault::not_in_enum(kinds()))
}

/// The most partitions that a log can have: none has that number.
const PARTITIONS: u64 = 1024;

fn partition(value: &str) -> Result<i16, Fault> {
    if value == "-1" {
        return Ok(REST);
    }
    let partition = kinds::whole(0..=PARTITIONS - 1)(value)?;
    i16::try_from(partition).map_err(|_| Fault::cast("integer", "string"))
}
