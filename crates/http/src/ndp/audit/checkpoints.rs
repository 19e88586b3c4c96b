//! `GET /api/v1/audit/checkpoints`

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::AUDIT;
use super::super::next_page::{link, number_on_page};
use super::super::problems::ProofProblems;
use super::{AuditCheckpoint, refused};
use crate::Door;
use crate::answer::answer;
use crate::body::Fault;
use crate::problem::Problem;
use crate::query::{self, Members, kinds};

/// The most checkpoints of a page.
const MOST: u32 = 300;

/// Checkpoints, and the key that verifies them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckpointPage<'a> {
    /// The checkpoints: the latest of each partition, or those of one, the newest first.
    #[schema(max_items = 1024)]
    items: Vec<AuditCheckpoint<'a>>,
    /// Send it as `cursor` for the next page, further back; null if there is none.
    #[schema(required)]
    next: Option<String>,
    /// The key that verifies the notes, `<name>+<id>+<base64>`; null where none are signed. Whoever
    /// wants to rely on it gets it by another way than from the service that is checked.
    #[schema(
        required,
        example = "dispense.example.org+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )]
    verifier_key: Option<&'a str>,
}

/// What is asked for.
enum Wanted {
    LatestOfEach,
    Of { partition: u16, before: Option<i64>, limit: u16 },
}

/// See what was signed
///
/// Without members the latest checkpoint of each partition that has one; with `partition` all of that
/// one, the newest first. A checkpoint binds the service: keep it, and nobody can change what it covers
/// unnoticed. `docs/audit.md` says how to check one.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = Option<u16>, Query, description = "The partition, from 0; the latest of each without it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 300, description = "How many; 50 if absent; with `partition` alone"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before; with `partition` alone"),
    ),
    responses(
        (status = 200, description = "Checkpoints", body = CheckpointPage,
         headers(
            ("Link" = String, description = "`rel=\"next\"`, if there is a next page"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        ProofProblems,
    )
)]
#[get("/api/v1/audit/checkpoints")]
pub(crate) async fn get_checkpoints(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let _asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let proofs = door.dispensary.proofs();
        let (found, next) = match query::read(&request, |query| wanted(query, partitions))? {
            Wanted::LatestOfEach => {
                let latest = proofs.latest().await;
                (latest.map_err(|silent| Problem::from(&silent))?, None)
            }
            Wanted::Of { partition, before, limit } => {
                let page = proofs.checkpoints(partition, before, limit).await.map_err(refused)?;
                let is_full = page.len() == usize::from(limit);
                // Before the first there is none.
                let next = page.last().filter(|last| is_full && last.number > 1);
                let next = next.map(|last| last.number.to_string());
                (page, next)
            }
        };
        let mut response = HttpResponse::Ok();
        if let Some(next) = &next {
            response.insert_header((LINK, link(&request, next)));
        }
        let items = found.iter().map(AuditCheckpoint::of).collect();
        let verifier_key = proofs.verifier_key();
        Ok(response.json(CheckpointPage { items, next, verifier_key }))
    })
    .await
}

fn wanted(query: &mut Members, partitions: u16) -> Option<Wanted> {
    let last = u64::from(partitions.saturating_sub(1));
    let mut is_told = false;
    let partition = query.optional("partition", |text| {
        is_told = true;
        kinds::whole(0..=last)(text)
    });
    if !is_told {
        return Some(Wanted::LatestOfEach);
    }
    let limit = u16::try_from(number_on_page(query, MOST)).ok()?;
    let before = query.optional("cursor", |text| {
        let number = kinds::parse_whole(text).and_then(|it| i64::try_from(it).ok());
        let number = number.filter(|it| *it > 0);
        number.ok_or_else(|| Fault::format("expected `next` of the page before"))
    });
    Some(Wanted::Of { partition: u16::try_from(partition?).ok()?, before, limit })
}
