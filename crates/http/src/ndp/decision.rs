//! What would become of a create: the answer to a dry run, with what every rule says.
//!
//! A dry run answers what the create would answer, without doing it. Where the create would be
//! refused it is the same problem, with the rules added.

mod titles;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use dispensary::Tried;
use dispense_domain::decide::create_hold::{Explained, Facts, Verdict};
use dispense_domain::{Refusal, Status};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::dispense::status_word;
use super::place;
use crate::problem::{MEDIA_TYPE, Problem, ProblemDocument, Violation, ViolationDocument};
use crate::visit::RequestId;
use titles::title;

/// A dispense that could begin now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantedDryRun<'a> {
    /// Always true: nothing was done.
    dry_run: bool,
    /// The status that the dispense would begin with.
    #[schema(value_type = FirstStatus)]
    would_be: &'static str,
    /// Every rule, in the order in which they are judged.
    rules: Vec<JudgedRule<'a>>,
}

/// The status that a dispense begins with.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "describes the words of `would_be`")]
enum FirstStatus {
    Held,
    Completed,
}

/// The problem that the create would meet, and what every rule says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusedDryRun<'a> {
    #[serde(flatten)]
    problem: ProblemDocument<'a>,
    /// Always true: nothing was done.
    dry_run: bool,
    /// Every rule, in the order in which they are judged.
    rules: Vec<JudgedRule<'a>>,
}

/// What one rule says.
#[derive(Debug, Serialize, ToSchema)]
struct JudgedRule<'a> {
    /// Its number.
    #[schema(example = "6c")]
    rule: &'static str,
    /// What it says.
    result: RuleResult,
    /// What it asks for.
    #[schema(example = "Today is one of the days of dispensing of the prescription")]
    title: &'static str,
    /// What it looked at.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"today": "2026-03-02"}))]
    facts: &'a Facts,
    /// How it is broken, as in `errors` of the problem; there only if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1)]
    errors: Option<Vec<ViolationDocument<'a>>>,
}

/// What a rule says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RuleResult {
    /// It is kept.
    Passed,
    /// It is broken.
    Failed,
    /// It does not apply, its turn did not come, or what it would look at is missing.
    NotEvaluated,
}

/// The answer to a dry run.
pub(super) fn answered(request: &HttpRequest, tried: &Tried) -> HttpResponse {
    let Some(problem) = problem(&tried.rules) else {
        let mut head = HttpResponse::build(StatusCode::OK);
        let known = ("Dispense-Position", tried.position.to_string());
        return head.insert_header(known).json(granted(&tried.rules));
    };
    let problem = problem.known_at(tried.position);
    let id = RequestId::given_to(request);
    let body = written(&refused(&problem, &tried.rules, id.as_str()));
    problem.head(problem.status()).content_type(MEDIA_TYPE).body(body)
}

/// Whether the dispense could begin now, and the body that a dry run of that name would answer with.
pub(crate) fn told(rules: &[Explained], request_id: &str) -> (bool, Vec<u8>) {
    match problem(rules) {
        None => (true, written(&granted(rules))),
        Some(problem) => (false, written(&refused(&problem, rules, request_id))),
    }
}

/// Plain data is always written; an empty body would still carry its status.
fn written(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

fn granted(rules: &[Explained]) -> GrantedDryRun<'_> {
    GrantedDryRun {
        dry_run: true,
        would_be: status_word(first_status(rules)),
        rules: judged(rules, &[]),
    }
}

fn refused<'a>(
    problem: &'a Problem,
    rules: &'a [Explained],
    request_id: &'a str,
) -> RefusedDryRun<'a> {
    RefusedDryRun {
        problem: problem.document(request_id),
        dry_run: true,
        rules: judged(rules, problem.violations()),
    }
}

/// The problem that the create would meet, if it would meet one.
fn problem(rules: &[Explained]) -> Option<Problem> {
    let told = || rules.iter().flat_map(refusals);
    Some(Problem::telling(told().next()?.code, told(), place::path))
}

/// How a rule is broken.
fn refusals(explained: &Explained) -> &[Refusal] {
    match &explained.verdict {
        Verdict::Failed(refusals) => refusals,
        Verdict::Passed | Verdict::NotEvaluated => &[],
    }
}

/// The status that the dispense would begin with, as the rule about payment (21) knows it.
fn first_status(rules: &[Explained]) -> Status {
    let skips = |it: &Explained| it.facts.get("skipsSignature") == Some(&Value::Bool(true));
    if rules.iter().any(skips) { Status::Processed } else { Status::Held }
}

/// The rules as they are shown. The violations are those of all rules, in order: each rule takes its
/// own from their front.
fn judged<'a>(rules: &'a [Explained], mut violations: &'a [Violation]) -> Vec<JudgedRule<'a>> {
    let shown = rules.iter().map(|explained| {
        let own = refusals(explained).len().min(violations.len());
        let (own, others) = violations.split_at(own);
        violations = others;
        let (result, errors) = match explained.verdict {
            Verdict::Passed => (RuleResult::Passed, None),
            Verdict::Failed(_) => (RuleResult::Failed, Some(own)),
            Verdict::NotEvaluated => (RuleResult::NotEvaluated, None),
        };
        JudgedRule {
            rule: explained.rule,
            result,
            title: title(explained.rule),
            facts: &explained.facts,
            errors: errors.map(|own| own.iter().map(ViolationDocument::from).collect()),
        }
    });
    shown.collect()
}
