//! For operators: whether the process runs, whether it can work, and its figures.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;

/// How long the checks may take together; whoever asks has a timeout of its own.
const CHECKED_WITHIN: Duration = Duration::from_secs(4);

/// What is wrong with this instance.
#[async_trait]
pub trait Health: Send + Sync {
    /// Looks at everything without which no command can be carried out, and at what works beside.
    async fn check(&self) -> Vec<Check>;
}

/// How something is, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Something does not work that no command needs.
    Degraded,
    /// No command can be carried out.
    Unavailable,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What it is.
    #[schema(example = "database")]
    pub name: &'static str,
    /// How it is.
    pub status: CheckStatus,
    /// What is wrong, or what was found.
    #[schema(example = "answers")]
    pub detail: String,
}

/// How this instance is.
#[derive(Debug, Serialize, ToSchema)]
struct HealthReport {
    /// The worst of the checks.
    status: CheckStatus,
    /// What was looked at.
    checks: Vec<Check>,
}

/// Whether the process runs
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "It runs", body = HealthReport))
)]
#[get("/health/live")]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(HealthReport { status: CheckStatus::Ok, checks: Vec::new() })
}

/// Whether it can work
///
/// Names what does not answer, or does not go on. `degraded` says that commands and most questions are
/// answered, and that an operator should look. Becomes well again by itself.
#[utoipa::path(
    tag = "operations",
    responses(
        (status = 200, description = "It can work; where `status` is `degraded`, `detail` says what lags or is stuck", body = HealthReport),
        (status = 503, description = "A check failed; `detail` says why", body = HealthReport),
    )
)]
#[get("/health/ready")]
pub(crate) async fn ready(door: web::Data<Door>) -> HttpResponse {
    let checks = match tokio::time::timeout(CHECKED_WITHIN, door.health.check()).await {
        Ok(checks) => checks,
        Err(_elapsed) => {
            let detail = format!("no answer within {} s", CHECKED_WITHIN.as_secs());
            vec![Check { name: "checks", status: CheckStatus::Unavailable, detail }]
        }
    };
    let status = checks.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Ok);
    let mut answer = match status {
        CheckStatus::Ok | CheckStatus::Degraded => HttpResponse::Ok(),
        CheckStatus::Unavailable => HttpResponse::ServiceUnavailable(),
    };
    answer.json(HealthReport { status, checks })
}

/// Figures for Prometheus
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "Text format 0.0.4", body = String, content_type = "text/plain"))
)]
#[get("/metrics")]
pub(crate) async fn figures(door: web::Data<Door>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((door.metrics)())
}
