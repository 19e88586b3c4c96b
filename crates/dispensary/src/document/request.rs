//! A medication request in the register's words: as it was when a hold began, or as it is now. Both
//! are written by the same code, from the same shapes.

use chrono::NaiveDate;
use dispense_domain::registry::{self, Intent, RequestStatus};
use dispense_domain::{
    Carried, DoctorAsWas, DosageAsWas, HoldBody, HoldCreated, LegalEntityId, LongText,
    MedicationId, MedicationRequestId, PersonAsWas, Quantity, Remaining, RequestAsWas, RequestBody,
    Text, UserId, exact, exact_option,
};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::organisations::{ChosenProgram, Clinic, Division};
use super::persons::{Employee, Person};
use super::{BrokenReference, Missing, Side};
use crate::Requested;

/// The document, or its place in that of a dispense. Plain members only where they say something;
/// the code that the patient got is not among them.
#[derive(Serialize)]
pub(super) struct MedicationRequest<'a> {
    id: MedicationRequestId,
    status: RequestStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_number: Option<&'a Text>,
    intent: Intent,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispense_valid_from: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispense_valid_to: Option<NaiveDate>,
    #[serde(flatten)]
    written: Option<Written<'a>>,
    #[serde(flatten)]
    prescriber: Option<Prescriber<'a>>,
    person: Person<'a>,
    medication_info: Prescribed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medical_program: Option<ChosenProgram<'a>>,
}

/// What the doctor wrote, and what was decided about it.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    based_on: Option<&'a Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dosage_instruction: Option<&'a Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_at: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_reason: Option<&'a LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_reason_code: Option<&'a Text>,
    is_blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_to: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by_legal_entity_id: Option<LegalEntityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_reason: Option<&'a LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_reason_code: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_dosage: Option<&'a Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_prescription: Option<&'a Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inform_with: Option<&'a Carried>,
}

impl<'a> From<&'a RequestBody> for Written<'a> {
    fn from(body: &'a RequestBody) -> Self {
        Self {
            context: body.context.as_ref(),
            based_on: body.based_on.as_ref(),
            dosage_instruction: body.dosage_instruction.as_ref(),
            rejected_at: body.rejected_at.as_ref(),
            rejected_by: body.rejected_by,
            reject_reason: body.reject_reason.as_ref(),
            reject_reason_code: body.reject_reason_code.as_ref(),
            is_blocked: body.is_blocked,
            blocked_to: body.blocked_to.as_ref(),
            blocked_by_legal_entity_id: body.blocked_by_legal_entity_id,
            block_reason: body.block_reason.as_ref(),
            block_reason_code: body.block_reason_code.as_ref(),
            container_dosage: body.container_dosage.as_ref(),
            priority: body.priority.as_ref(),
            prior_prescription: body.prior_prescription.as_ref(),
            note: body.note.as_ref(),
            inform_with: body.inform_with.as_ref(),
        }
    }
}

/// Who prescribed, and where.
#[derive(Serialize)]
struct Prescriber<'a> {
    legal_entity: Clinic<'a>,
    division: Division<'a>,
    employee: Employee<'a>,
}

/// What was prescribed, and how much of it.
#[derive(Serialize)]
struct Prescribed<'a> {
    medication_id: MedicationId,
    medication_name: &'a Text,
    form: Option<&'a Text>,
    dosage: Option<Dosage<'a>>,
    #[serde(with = "exact")]
    medication_qty: Quantity,
    #[serde(with = "exact")]
    medication_remaining_qty: Remaining,
}

/// How much of the ingredient there is in a unit.
#[derive(Serialize)]
struct Dosage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    numerator_unit: Option<&'a Text>,
    #[serde(with = "exact_option", skip_serializing_if = "Option::is_none")]
    numerator_value: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denumerator_unit: Option<&'a Text>,
    #[serde(with = "exact_option", skip_serializing_if = "Option::is_none")]
    denumerator_value: Option<Decimal>,
}

impl<'a> From<&'a DosageAsWas> for Dosage<'a> {
    fn from(was: &'a DosageAsWas) -> Self {
        Self {
            numerator_unit: was.numerator_unit.as_ref(),
            numerator_value: was.numerator_value,
            denumerator_unit: was.denumerator_unit.as_ref(),
            denumerator_value: was.denumerator_value,
        }
    }
}

/// What stands beside a medication request; what is not there was erased, or not asked for.
struct Beside<'a> {
    body: Option<&'a RequestBody>,
    person: Option<&'a PersonAsWas>,
    doctor: Option<&'a DoctorAsWas>,
    legal_entity: Option<&'a registry::LegalEntity>,
    division: Option<&'a registry::Division>,
    program: Option<ChosenProgram<'a>>,
}

impl<'a> MedicationRequest<'a> {
    /// As it was when that hold began.
    pub(super) fn as_was(hold: &'a HoldCreated, body: Option<&'a HoldBody>, side: Side) -> Self {
        let was = &hold.medication_request;
        let beside = Beside {
            body: body.map(|body| &body.medication_request),
            person: body.map(|body| &body.person),
            doctor: body.map(|body| &body.employee),
            legal_entity: body.and_then(|body| body.requester_legal_entity.as_deref()),
            division: body.and_then(|body| body.requester_division.as_deref()),
            program: chosen_program(hold),
        };
        Self::new(was, hold.prescribed, beside, side)
    }

    fn new(was: &'a RequestAsWas, whole: Quantity, beside: Beside<'a>, side: Side) -> Self {
        let prescriber = match side {
            Side::WithoutPrescriber => None,
            Side::Whole => Some(Prescriber {
                legal_entity: Clinic::of(was.legal_entity_id, beside.legal_entity),
                division: Division::site(was.division_id, beside.division),
                employee: Employee::of(was.employee_id, beside.doctor),
            }),
        };
        Self {
            id: was.id,
            status: was.status,
            request_number: was.request_number.as_ref(),
            intent: was.intent,
            category: was.category.as_ref(),
            created_at: was.created_at,
            started_at: was.started_at,
            ended_at: was.ended_at,
            dispense_valid_from: was.dispense_valid_from,
            dispense_valid_to: was.dispense_valid_to,
            written: beside.body.map(Written::from),
            prescriber,
            person: Person::of(was.person_id, beside.person),
            medication_info: Prescribed {
                medication_id: was.medication.id,
                medication_name: &was.medication.name,
                form: was.medication.form.as_ref(),
                dosage: was.medication.dosage.as_ref().map(Dosage::from),
                medication_qty: whole,
                medication_remaining_qty: was.remaining,
            },
            medical_program: beside.program,
        }
    }
}

/// The program that the doctor chose: where it is the one of the dispense, it stands there alone.
fn chosen_program(hold: &HoldCreated) -> Option<ChosenProgram<'_>> {
    let was = &hold.medication_request;
    let id = was.medical_program_id?;
    let found = [was.medical_program.as_ref(), hold.medical_program.as_ref()];
    let found = found.into_iter().flatten().find(|program| program.id == id);
    Some(ChosenProgram {
        id,
        name: found.map(|program| &program.name),
        medical_program_settings: found.map(|program| program.settings.as_ref()),
    })
}

/// What the registries say of a medication request, in the shapes in which a hold would keep it.
pub(super) struct AsNow<'a> {
    requested: &'a Requested,
    was: RequestAsWas,
    whole: Quantity,
    body: RequestBody,
    person: PersonAsWas,
    doctor: Option<DoctorAsWas>,
}

impl<'a> AsNow<'a> {
    /// # Errors
    ///
    /// Something that is shown is not in the registries.
    pub(super) fn of(requested: &'a Requested, side: Side) -> Result<Self, BrokenReference> {
        let evidence = &requested.evidence;
        let request = evidence.request.as_ref();
        let person = there(evidence.person.as_deref(), "person", request.person_id)?;
        let medication =
            there(evidence.medication.as_deref(), "medication", request.medication_id)?;
        if let Some(id) = request.medical_program_id {
            there(evidence.program.as_deref(), "medical program", id)?;
        }
        let doctor = match side {
            Side::WithoutPrescriber => None,
            Side::Whole => {
                let clinic = evidence.legal_entity.as_deref();
                there(clinic, "legal entity", request.legal_entity_id)?;
                there(evidence.division.as_deref(), "division", request.division_id)?;
                let job = there(evidence.employee.as_deref(), "employee", request.employee_id)?;
                let party = there(evidence.doctor.as_deref(), "party", job.party_id)?;
                Some(DoctorAsWas::of(job, party))
            }
        };
        let made_on = request.created_at.unwrap_or(requested.today);
        Ok(Self {
            requested,
            was: kept(requested, medication),
            whole: requested.prescribed(),
            body: RequestBody::from(request),
            person: PersonAsWas::on(person, made_on),
            doctor,
        })
    }

    pub(super) fn shown(&self, side: Side) -> MedicationRequest<'_> {
        let evidence = &self.requested.evidence;
        let beside = Beside {
            body: Some(&self.body),
            person: Some(&self.person),
            doctor: self.doctor.as_ref(),
            legal_entity: evidence.legal_entity.as_deref(),
            division: evidence.division.as_deref(),
            program: evidence.program.as_deref().map(|program| ChosenProgram {
                id: program.id,
                name: Some(&program.name),
                medical_program_settings: Some(&program.medical_program_settings),
            }),
        };
        MedicationRequest::new(&self.was, self.whole, beside, side)
    }
}

/// The request as a hold that began now would keep it.
fn kept(requested: &Requested, medication: &registry::Medication) -> RequestAsWas {
    let request = requested.evidence.request.as_ref();
    let remaining = requested.dispensing.remaining(request.medication_qty);
    RequestAsWas::of(request, requested.status(), medication, remaining, None)
}

fn there<T>(
    found: Option<T>,
    what: &'static str,
    id: impl Into<Uuid>,
) -> Result<T, BrokenReference> {
    found.ok_or_else(|| BrokenReference::from(Missing { what, id: id.into() }))
}
