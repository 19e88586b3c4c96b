//! What a program needs to pay for a medication request.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Case, ProgramEvidence, care};
use crate::decide::standing;
use crate::registry::{Channel, MedicalProgram, Medication, MedicationType, RequestStatus};
use crate::{
    Approved, Code, OtherRequest, Place, Provision, Refusal, RequestEvidence, Switch, Terms, Text,
};

/// Why a program cannot pay for a medication request. Its text is the register's.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejection {
    /// The regulator has not confirmed the outlet (rule 10d).
    DivisionNotDlsVerified,
    /// The outlet does not provide the program (rule 14).
    Provision(Refusal),
    /// No brand of what was prescribed takes part in it today.
    NotApproved {
        /// The name of the program.
        program: Text,
    },
    /// The patient was given the same substance on another medication request.
    OncePerTerm,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DivisionNotDlsVerified => f.write_str("Division is not verified in DLS"),
            Self::Provision(refusal) => f.write_str(&refusal.message),
            Self::NotApproved { program } => {
                write!(f, "Innm not on the list of approved innms for program '{program}'")
            }
            Self::OncePerTerm => f.write_str(
                "For the patient at the same term there can be only 1 dispensed medication request \
                 per one and the same innm!",
            ),
        }
    }
}

/// The brands that can be dispensed under a program, or why it cannot pay: the first thing that is
/// in the way.
pub(super) fn standing(
    case: &Case<'_>,
    program: &MedicalProgram,
    found: &ProgramEvidence,
) -> Result<Vec<Approved>, Rejection> {
    let Case { dispensing, evidence, today, .. } = case;
    let terms = &evidence.terms;
    if let Some(division) = evidence.division.as_deref() {
        let settings = Some(&*program.medical_program_settings);
        let said = standing::division_dls_verified(Some(division), settings, terms);
        if said.is_some_and(|refusals| !refusals.is_empty()) {
            return Err(Rejection::DivisionNotDlsVerified);
        }
        if let Some(said) = provision(program, &found.provisions, *today, terms) {
            said.map_err(Rejection::Provision)?;
        }
    }
    pays(program, &found.approved, &evidence.request, *today)?;
    // A brand of which no whole parts remain cannot be dispensed any more.
    let remaining: Decimal = dispensing.remaining(evidence.request.request.medication_qty).into();
    let fits = |it: &&Approved| {
        let step = it.brand.step(Some(&it.participant));
        step.is_none_or(|step| (remaining % step.decimal()).is_zero())
    };
    Ok(usable(&found.approved, *today).filter(fits).cloned().collect())
}

/// Rule 16c: whether the program of a medication request could pay for it, whatever the outlet.
///
/// # Errors
///
/// The reason why it could not, as text.
pub(crate) fn internally(
    program: &MedicalProgram,
    found: &RequestEvidence,
    today: NaiveDate,
) -> Result<(), String> {
    if !program.is_active {
        return Err(Code::ProgramNotFound.definition().title.to_owned());
    }
    if let Some([refusal, ..]) = care::activity_has_room(found).as_deref() {
        return Err(refusal.message.clone());
    }
    pays(program, &found.approved, found, today).map_err(|reason| reason.to_string())
}

/// Whether the program has a brand for what was prescribed, and the patient no other request for it.
fn pays(
    program: &MedicalProgram,
    approved: &[Approved],
    found: &RequestEvidence,
    today: NaiveDate,
) -> Result<(), Rejection> {
    if usable(approved, today).next().is_none() {
        return Err(Rejection::NotApproved { program: program.name.clone() });
    }
    let once = !program.medical_program_settings.skips_treatment_period();
    if once && overlapping(found).next().is_some() {
        return Err(Rejection::OncePerTerm);
    }
    Ok(())
}

/// Those that can be dispensed on that day.
pub(crate) fn usable(approved: &[Approved], today: NaiveDate) -> impl Iterator<Item = &Approved> {
    approved.iter().filter(move |it| {
        let priced = match it.participant.reimbursement.channel() {
            Channel::Fixed => it.brand.whole_package().is_some(),
            Channel::SetElsewhere => true,
        };
        it.participant.is_usable_on(today) && lacks(&it.brand).is_none() && priced
    })
}

/// What a medication lacks to be dispensed (15b); a brand must say which dosage it is.
pub(crate) fn lacks(medication: &Medication) -> Option<&'static str> {
    let contained = match medication.kind {
        MedicationType::Brand => medication.dosage_id().is_some(),
        MedicationType::InnmDosage | MedicationType::Innm => {
            medication.primary_ingredient().is_some()
        }
    };
    match (medication.is_active, contained) {
        (false, _) => Some("is_active"),
        (true, false) => Some("primary ingredient"),
        (true, true) => None,
    }
}

/// The other medication requests of the patient that count as the same treatment: of the same
/// substance, with a day in common, and something handed over. The request itself is not among them,
/// so that its first part does not stand in the way of its second.
pub(crate) fn overlapping(found: &RequestEvidence) -> impl Iterator<Item = &OtherRequest> {
    let innm = found.medication.as_ref().and_then(|medication| medication.innm_id());
    found.others.iter().filter(move |other| {
        let counts = match other.request.status {
            RequestStatus::Active | RequestStatus::Completed => other.request.is_active,
            RequestStatus::Rejected | RequestStatus::Expired => false,
        };
        counts
            && innm.is_some()
            && other.innm_id == innm
            && other.request.id != found.request.id
            && other.request.overlaps(&found.request)
    })
}

/// Rule 14: whether an outlet provides a program, under a contract that holds on that day. `None`
/// where nobody asks.
pub(crate) fn provision(
    program: &MedicalProgram,
    provisions: &[Provision],
    today: NaiveDate,
    terms: &Terms,
) -> Option<Result<(), Refusal>> {
    let skipped = program.medical_program_settings.skips_contract_and_provision();
    match terms.program_provision_verify {
        Switch::On if !skipped => Some(provided(program, provisions, today)),
        Switch::On | Switch::Off => None,
    }
}

fn provided(
    program: &MedicalProgram,
    provisions: &[Provision],
    today: NaiveDate,
) -> Result<(), Refusal> {
    let needs_contract = match program.funding_source.as_ref().map(AsRef::<str>::as_ref) {
        None | Some("NHS") => true,
        Some("LOCAL") => false,
        Some(source) => {
            let refusal = Refusal::of(Code::ProgramMisconfigured).at(Place::Program);
            return Err(refusal.with("fundingSource", source));
        }
    };
    let mut nearest = Refusal::of(Code::ProvisionMissing)
        .at(Place::Division)
        .with("medicalProgramId", program.id);
    for provision in provisions.iter().filter(|it| it.record.is_active) {
        match &provision.record.contract_number {
            None if !needs_contract => return Ok(()),
            None => nearest = nearer(nearest, without_contract("none", today)),
            Some(number) => match under_contract(provision, number, today) {
                Ok(()) => return Ok(()),
                Err(refusal) => nearest = nearer(nearest, refusal),
            },
        }
    }
    Err(nearest)
}

fn under_contract(provision: &Provision, number: &Text, today: NaiveDate) -> Result<(), Refusal> {
    let mut in_force = provision.contracts.iter().filter(|it| it.is_in_force_on(today)).peekable();
    if in_force.peek().is_none() {
        return Err(without_contract(number.as_str(), today));
    }
    if in_force.any(|contract| !contract.is_suspended) {
        return Ok(());
    }
    let message = format!("Contract with number {number} is suspended");
    Err(Refusal::saying(Code::ProvisionContractSuspended, message)
        .at(Place::Program)
        .with("contractNumber", number))
}

fn without_contract(number: &str, today: NaiveDate) -> Refusal {
    Refusal::of(Code::ProvisionWithoutContract)
        .at(Place::Program)
        .with("contractNumber", number)
        .with("today", today)
}

/// Of two things that are wrong, the one behind which less is wrong.
fn nearer(one: Refusal, other: Refusal) -> Refusal {
    if other.code >= one.code { other } else { one }
}
