//! Rule 5.10: which programs can pay for a medication request, and with which brands. A hold asks the
//! same of the program of its medication request.

mod care;
mod program;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::decide::standing;
use crate::decide::table::{self, Judgement, PASSED, Row, failed};
use crate::registry::{Division, Intent, MedicalProgram, RequestStatus};
use crate::{
    Approved, Code, Dispensing, DivisionId, LegalEntityId, MedicalProgramId, Place, Provision,
    Refusal, Refusals, RequestEvidence, Terms,
};

pub(crate) use care::care_plan;
pub use program::Rejection;
pub(crate) use program::{internally, lacks, overlapping, provision, usable};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Qualify {
    /// For which legal entity.
    pub client: LegalEntityId,
    /// For which programs; at least one.
    pub programs: Vec<MedicalProgramId>,
    /// At which outlet.
    pub division_id: Option<DivisionId>,
}

/// What the registries say about it. What is not there was not found.
#[derive(Debug, Clone)]
pub struct QualifyEvidence {
    /// How this installation decides.
    pub terms: Arc<Terms>,
    /// The medication request.
    pub request: RequestEvidence,
    /// For each program that is asked for.
    pub programs: Vec<ProgramEvidence>,
    /// The outlet.
    pub division: Option<Arc<Division>>,
}

/// What the registries say about one program.
#[derive(Debug, Clone)]
pub struct ProgramEvidence {
    /// The record.
    pub program: Option<Arc<MedicalProgram>>,
    /// The brands of what was prescribed that take part in it.
    pub approved: Arc<[Approved]>,
    /// The statements that the outlet provides it.
    pub provisions: Arc<[Provision]>,
}

/// What became of one program.
#[derive(Debug, Clone)]
pub struct Qualified {
    /// The program.
    pub program: Arc<MedicalProgram>,
    /// The brands that can be dispensed under it, or why it cannot pay.
    pub standing: Result<Vec<Approved>, Rejection>,
}

/// What a rule looks at.
struct Case<'a> {
    dispensing: &'a Dispensing,
    asked: &'a Qualify,
    evidence: &'a QualifyEvidence,
    today: NaiveDate,
}

type Rule = fn(&Case<'_>) -> Judgement;

/// The order of refusals is a contract: this table is it. The numbers are those of 5.10.
const ORDER: &[Row<Rule>] = &[
    Row("Q3", |case| active(case.dispensing, &case.evidence.request)),
    Row("Q4", |case| is_order(&case.evidence.request)),
    Row("Q6", programs_exist),
    Row("Q7", care_plan_runs),
    Row("Q8", activity_has_room),
    Row("Q9a", division_exists),
    Row("Q9b", |case| standing::division_active(case.evidence.division.as_deref())),
    Row("Q9c", |case| standing::division_of(case.evidence.division.as_deref(), case.asked.client)),
    Row("Q9d", division_dls_verified),
];

/// The numbers of the rules in order.
pub fn order() -> impl Iterator<Item = &'static str> {
    table::order(ORDER)
}

/// Whether a medication request can be qualified at all: rules Q3 and Q4, which come before what is
/// asked for is looked at.
///
/// # Errors
///
/// Those of the two that are broken.
pub fn qualifiable(dispensing: &Dispensing, request: &RequestEvidence) -> Result<(), Refusals> {
    let said = vec![
        table::Said::by("Q3", active(dispensing, request)),
        table::Said::by("Q4", is_order(request)),
    ];
    table::verdict(said)
}

/// What becomes of each program, in the order in which they are asked for.
///
/// # Errors
///
/// Every rule that forbids to look at programs at all, in order.
pub fn qualify(
    dispensing: &Dispensing,
    asked: &Qualify,
    evidence: &QualifyEvidence,
    at: DateTime<Utc>,
) -> Result<Vec<Qualified>, Refusals> {
    let today = evidence.terms.day_of(at);
    let case = Case { dispensing, asked, evidence, today };
    table::verdict(table::ask(ORDER, |rule| rule(&case)))?;
    let found = evidence.programs.iter();
    Ok(found
        .filter_map(|found| {
            let program = found.program.clone()?;
            let standing = program::standing(&case, &program, found);
            Some(Qualified { program, standing })
        })
        .collect())
}

/// Rule Q3: the medication request is active, by its registry and by the log.
fn active(dispensing: &Dispensing, found: &RequestEvidence) -> Judgement {
    let request = &found.request;
    let status = if dispensing.is_completed() { RequestStatus::Completed } else { request.status };
    if status == RequestStatus::Active && request.is_active {
        return PASSED;
    }
    let message = "Invalid status Medication request for qualify action!";
    let status = if status == RequestStatus::Active { "inactive" } else { status.as_str() };
    let refusal = Refusal::saying(Code::MedicationRequestNotActive, message);
    failed(refusal.at(Place::Request).with("status", status))
}

/// Rule Q4: it is an order, not a plan.
fn is_order(found: &RequestEvidence) -> Judgement {
    match found.request.intent {
        Intent::Order => PASSED,
        Intent::Plan => {
            let message = "Medication request with type (intent) PLAN cannot be qualified";
            let refusal = Refusal::saying(Code::MedicationRequestIsPlan, message);
            failed(refusal.at(Place::Request))
        }
    }
}

/// Rule Q6: each program exists and is active.
#[allow(clippy::unnecessary_wraps, reason = "it is what a rule returns")]
fn programs_exist(case: &Case<'_>) -> Judgement {
    let asked = case.asked.programs.iter().zip(&case.evidence.programs).enumerate();
    let unknown = asked
        .filter(|(_, (_, found))| found.program.as_ref().is_none_or(|program| !program.is_active));
    Some(
        unknown
            .map(|(index, (id, _))| {
                Refusal::of(Code::ProgramNotFound)
                    .at(Place::ProgramAt(index))
                    .with("medicalProgramId", id)
            })
            .collect(),
    )
}

/// Rule Q7: its care plan runs (9.3).
fn care_plan_runs(case: &Case<'_>) -> Judgement {
    let followed = case.evidence.request.care.as_ref()?;
    Some(care_plan(followed, case.today, &case.evidence.terms))
}

/// Rule Q8: its activity has room for all of it.
fn activity_has_room(case: &Case<'_>) -> Judgement {
    care::activity_has_room(&case.evidence.request)
}

/// Rule Q9a: the outlet exists.
fn division_exists(case: &Case<'_>) -> Judgement {
    standing::division_exists(case.evidence.division.as_deref(), case.asked.division_id?)
}

/// Rule Q9d: the outlet is confirmed by the regulator, unless one of the programs does not ask for
/// it: then those that do are invalid, and no more.
fn division_dls_verified(case: &Case<'_>) -> Judgement {
    let mut programs = case.evidence.programs.iter().filter_map(|it| it.program.as_ref());
    if programs.any(|it| it.medical_program_settings.skips_division_dls_verify()) {
        return None;
    }
    let division = case.evidence.division.as_deref();
    if standing::division_dls_verified(division, None, &case.evidence.terms)?.is_empty() {
        return PASSED;
    }
    let message = Rejection::DivisionNotDlsVerified.to_string();
    failed(Refusal::saying(Code::DivisionNotDlsVerified, message).at(Place::Division))
}
