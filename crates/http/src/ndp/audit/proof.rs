//! `GET /api/v1/audit/proof`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::{Inclusion, LogPosition};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::AUDIT;
use super::super::problems::ProofProblems;
use super::{AuditCheckpoint, all_hexadecimal, counted, hexadecimal, partition, refused};
use crate::Door;
use crate::answer::answer;
use crate::query::{self, Members};

/// The proof that an event is in the log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InclusionProof<'a> {
    /// The partition.
    partition: u16,
    /// The position of the event.
    position: i64,
    /// Its place among the leaves: `position` − 1.
    leaf_index: i64,
    /// SHA-256(0x00 ‖ the hash of the event), hexadecimal.
    leaf_hash: String,
    /// The size of the tree.
    size: u64,
    /// The root of the tree, hexadecimal.
    root: String,
    /// The hashes beside the way from the leaf to the root, from below upwards (RFC 9162, 2.1.3),
    /// hexadecimal.
    path: Vec<String>,
    /// The latest checkpoint, if it is of this size; else null.
    #[schema(required)]
    checkpoint: Option<AuditCheckpoint<'a>>,
}

impl<'a> InclusionProof<'a> {
    fn of(proved: &'a Inclusion) -> Self {
        Self {
            partition: proved.place.partition,
            position: proved.place.position,
            leaf_index: proved.place.position - 1,
            leaf_hash: hexadecimal(&proved.leaf),
            size: proved.size,
            root: hexadecimal(&proved.root),
            path: all_hexadecimal(&proved.path),
            checkpoint: proved.checkpoint.as_ref().map(AuditCheckpoint::of),
        }
    }
}

/// Prove that an event is in the log
///
/// From the leaf of the event to the root of the tree of that size; of the latest checkpoint where no
/// size is named, and of what there is where that does not cover the event yet.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("position" = i64, Query, minimum = 1, description = "The position of the event"),
        ("size" = Option<i64>, Query, minimum = 1, description = "The size of the tree"),
    ),
    responses(
        (status = 200, description = "The proof", body = InclusionProof,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        ProofProblems,
    )
)]
#[get("/api/v1/audit/proof")]
pub(crate) async fn get_proof(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let _asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let (row, size) = query::read(&request, |query| wanted(query, partitions))?;
        let proved = door.dispensary.proofs().inclusion(row, size).await.map_err(refused)?;
        Ok(HttpResponse::Ok().json(InclusionProof::of(&proved)))
    })
    .await
}

fn wanted(query: &mut Members, partitions: u16) -> Option<(LogPosition, Option<u64>)> {
    let partition = partition(query, partitions);
    let position = query.required("position", counted);
    let size = query.optional("size", counted);
    let position = i64::try_from(position?).ok()?;
    Some((LogPosition { partition: partition?, position }, size))
}
