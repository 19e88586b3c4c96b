//! `POST /api/v1/dispenses/{id}/verify`

use actix_web::{HttpRequest, HttpResponse, post, web};
use dispensary::access::Looked;
use dispensary::{Verdict, VerifiedDispense};
use serde::Serialize;
use utoipa::ToSchema;

use super::problems::VerifyProblems;
use super::{READ, id_in_path};
use crate::Door;
use crate::access::Seen;
use crate::answer::answer_body;
use crate::body::{self, Json};
use crate::positions::told;
use crate::query::nothing_asked;

/// What was found out about a dispense.
#[derive(Debug, Serialize, ToSchema)]
struct Verification<'a> {
    /// Whether nothing speaks against it: no check says false.
    valid: bool,
    /// Each kind of evidence, always all of them and in this order.
    #[schema(min_items = 8, max_items = 8)]
    checks: Vec<EvidenceCheck<'a>>,
}

/// What was found out about one kind of evidence.
#[derive(Debug, Serialize, ToSchema)]
struct EvidenceCheck<'a> {
    /// Its name.
    #[schema(value_type = EvidenceName)]
    name: &'a str,
    /// Whether it holds; null where it does not apply, or not yet.
    #[schema(required)]
    ok: Option<bool>,
    /// What was found, for people.
    #[schema(example = "covered by the checkpoint of size 1048576")]
    detail: &'a str,
}

/// The kinds of evidence.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the names that the dispensary gives")]
enum EvidenceName {
    /// The events of the prescription count from 1 without gaps, and each may follow.
    Stream,
    /// The hash of each event of the dispense follows from it and from the event before.
    HashChain,
    /// Each event of the dispense is in the tree of the latest signed checkpoint.
    Inclusion,
    /// The signature held when the medication was handed over, and is of whoever did.
    Signature,
    /// The signed container is there, with the digest that the log has.
    StoredContent,
    /// The registry's record still has the medication and the quantity of the hold.
    MedicationRequest,
    /// Handed over and held were never more than prescribed.
    Quantity,
    /// No medicine had expired when it was dispensed.
    MedicineExpiry,
}

impl<'a> Verification<'a> {
    fn of(verified: &'a VerifiedDispense) -> Self {
        let check = |verdict: &'a Verdict| EvidenceCheck {
            name: verdict.name,
            ok: verdict.ok,
            detail: &verdict.detail,
        };
        Self { valid: verified.is_valid(), checks: verified.checks.iter().map(check).collect() }
    }
}

/// Check a dispense
///
/// Holds each piece of evidence against the others: the log against its hashes and its signed
/// checkpoint, the signed container against the log, the registry against what was prescribed then.
/// Nothing is changed. A false check is an answer and no problem; a part that does not answer is one.
/// The body is empty, or `{}`.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:read"])),
    params(("id" = Uuid, Path, description = "The dispense")),
    responses(
        (status = 200, description = "What was found", body = Verification,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` up to which the log was read"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        VerifyProblems,
    )
)]
#[post("/api/v1/dispenses/{id}/verify")]
pub(crate) async fn verify_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_body(&request, payload, async |payload| {
        let asker = door.admit(&request, READ).await?;
        let id = id_in_path(&request, "dispense")?;
        nothing_asked(&request)?;
        let bytes = body::read(&request, payload).await?;
        if !bytes.is_empty() {
            body::is_json(request.headers())?;
            Json::parse(&bytes)?.walk("$", |_| Some(()))?;
        }
        door.judge_position(&request).await?;
        let verified = door.dispensary.verify(&asker, id.into()).await?;
        door.saw(&request, &asker, Seen::of(Looked::Verification, &verified.shown)).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header(told(&verified.position.into()));
        Ok(response.json(Verification::of(&verified)))
    })
    .await
}
