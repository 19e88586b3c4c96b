//! `GET /api/v1/audit/consistency`

use actix_web::{HttpRequest, HttpResponse, get, web};
use dispensary::Consistency;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::AUDIT;
use super::super::problems::ProofProblems;
use super::{all_hexadecimal, counted, hexadecimal, partition, refused};
use crate::Door;
use crate::answer::answer;
use crate::query::{self, Members};

/// The proof that the log only grew.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConsistencyProof {
    /// The partition.
    partition: u16,
    /// The size of the older tree.
    from: u64,
    /// Its root, hexadecimal.
    from_root: String,
    /// The size of the newer tree.
    to: u64,
    /// Its root, hexadecimal.
    to_root: String,
    /// The hashes that lead from one root to the other (RFC 9162, 2.1.4), hexadecimal.
    path: Vec<String>,
}

impl ConsistencyProof {
    fn of(proved: &Consistency) -> Self {
        let ((from, from_root), (to, to_root)) = (proved.from, proved.to);
        Self {
            partition: proved.partition,
            from,
            from_root: hexadecimal(&from_root),
            to,
            to_root: hexadecimal(&to_root),
            path: all_hexadecimal(&proved.path),
        }
    }
}

/// Prove that the log only grew
///
/// That the tree of size `to` begins with that of size `from`: whoever kept a checkpoint of `from`
/// needs no event to see that nothing which it covers was changed since.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(
        ("partition" = u16, Query, description = "The partition, from 0"),
        ("from" = i64, Query, minimum = 1, description = "The size of the older tree"),
        ("to" = Option<i64>, Query, minimum = 1,
         description = "The size of the newer tree; that of the latest checkpoint if absent"),
    ),
    responses(
        (status = 200, description = "The proof", body = ConsistencyProof,
         headers(("X-Request-ID" = String, description = "Names the request"))),
        ProofProblems,
    )
)]
#[get("/api/v1/audit/consistency")]
pub(crate) async fn get_consistency(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    answer(&request, async {
        let _asker = door.admit(&request, AUDIT).await?;
        let partitions = door.dispensary.partitions().count();
        let (partition, from, to) = query::read(&request, |query| wanted(query, partitions))?;
        let proofs = door.dispensary.proofs();
        let proved = proofs.consistency(partition, from, to).await.map_err(refused)?;
        Ok(HttpResponse::Ok().json(ConsistencyProof::of(&proved)))
    })
    .await
}

fn wanted(query: &mut Members, partitions: u16) -> Option<(u16, u64, Option<u64>)> {
    let partition = partition(query, partitions);
    let from = query.required("from", counted);
    let to = query.optional("to", counted);
    query.in_order(from, "to", to);
    Some((partition?, from?, to))
}
