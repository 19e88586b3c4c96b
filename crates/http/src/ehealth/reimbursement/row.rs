//! A dispense in the reimbursement report: every member always there; what was erased, or never said, is
//! null. Companies are named after an erasure too.

use chrono::NaiveDate;
use dispensary::reimbursement::Reimbursed;
use dispense_domain::decide::register_word;
use dispense_domain::registry::{self, MedicationType, RequestStatus};
use dispense_domain::{
    DoctorAsWas, Item, Money, PartyAsWas, ProgramAsWas, Quantity, Text, exact, exact_option,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A dispense, and what it was dispensed from.
#[derive(Serialize, ToSchema)]
#[schema(as = Reimbursement)]
pub(in super::super) struct Row<'a> {
    medication_request: Request<'a>,
    medication_dispense: Dispense<'a>,
}

/// The medication request, as it was when the hold began.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementRequest)]
#[allow(clippy::struct_field_names, reason = "the names are those of the register")]
struct Request<'a> {
    id: Uuid,
    #[schema(required, value_type = Option<String>)]
    request_number: Option<&'a Text>,
    #[schema(value_type = String, example = "ACTIVE")]
    status: RequestStatus,
    #[schema(required)]
    created_at: Option<NaiveDate>,
    #[schema(required)]
    started_at: Option<NaiveDate>,
    #[schema(required)]
    ended_at: Option<NaiveDate>,
    #[schema(required)]
    dispense_valid_from: Option<NaiveDate>,
    #[schema(required)]
    dispense_valid_to: Option<NaiveDate>,
    /// The patient.
    person_id: Uuid,
    /// How much was prescribed.
    #[serde(with = "exact")]
    #[schema(value_type = f64)]
    medication_qty: Quantity,
    /// The clinic.
    legal_entity: Company<'a>,
    /// Its site.
    division: Named<'a>,
    /// The doctor.
    employee: Doctor<'a>,
    /// What was prescribed.
    medication: Prescribed<'a>,
    /// The program that the doctor chose.
    #[schema(required)]
    medical_program: Option<Named<'a>>,
}

/// What was prescribed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementPrescribed)]
struct Prescribed<'a> {
    id: Uuid,
    #[schema(value_type = String)]
    name: &'a Text,
    #[schema(required, value_type = Option<String>)]
    form: Option<&'a Text>,
    /// What the registry calls the substance.
    #[schema(required, value_type = Option<String>)]
    innm_name: Option<&'a Text>,
}

/// The dispense.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementDispense)]
struct Dispense<'a> {
    id: Uuid,
    /// `NEW`, `PROCESSED`, `REJECTED` or `EXPIRED`.
    #[schema(example = "PROCESSED")]
    status: &'static str,
    dispensed_at: NaiveDate,
    /// Who dispensed, where an owner's account was used.
    #[schema(required, value_type = Option<String>)]
    dispensed_by: Option<&'a Text>,
    /// What the patient paid.
    #[serde(with = "exact_option")]
    #[schema(required, value_type = Option<f64>)]
    payment_amount: Option<Money>,
    /// The pharmacist.
    party: Person<'a>,
    /// The outlet.
    division: Named<'a>,
    /// The pharmacy company.
    legal_entity: Company<'a>,
    /// Who pays.
    #[schema(required)]
    medical_program: Option<Named<'a>>,
    /// What was dispensed.
    #[schema(min_items = 1)]
    medications: Vec<Medication<'a>>,
}

/// Something with a name.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementNamed)]
struct Named<'a> {
    id: Uuid,
    #[schema(required, value_type = Option<String>)]
    name: Option<&'a Text>,
}

/// A company.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementCompany)]
struct Company<'a> {
    id: Uuid,
    #[schema(required, value_type = Option<String>)]
    name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    edrpou: Option<&'a Text>,
}

/// Somebody who works there.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementPerson)]
struct Person<'a> {
    id: Uuid,
    #[schema(required, value_type = Option<String>)]
    first_name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    last_name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    second_name: Option<&'a Text>,
}

/// The doctor.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementDoctor)]
struct Doctor<'a> {
    /// The job.
    id: Uuid,
    #[schema(required)]
    party_id: Option<Uuid>,
    #[schema(required, value_type = Option<String>)]
    position: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    first_name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    last_name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    second_name: Option<&'a Text>,
}

/// One medication of the dispense.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementMedication)]
struct Medication<'a> {
    id: Uuid,
    #[schema(value_type = String)]
    name: &'a Text,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "BRAND")]
    kind: MedicationType,
    #[schema(required, value_type = Option<String>)]
    form: Option<&'a Text>,
    /// Who makes it.
    #[schema(required)]
    manufacturer: Option<Manufacturer<'a>>,
    /// Units in a whole package.
    #[serde(with = "exact_option")]
    #[schema(required, value_type = Option<f64>)]
    package_qty: Option<Quantity>,
    /// How much, and what it costs.
    details: Details,
}

/// Who makes a medication.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementManufacturer)]
struct Manufacturer<'a> {
    #[schema(required, value_type = Option<String>)]
    name: Option<&'a Text>,
    #[schema(required, value_type = Option<String>)]
    country: Option<&'a Text>,
}

/// How much, and what it costs.
#[derive(Serialize, ToSchema)]
#[schema(as = ReimbursementDetails)]
struct Details {
    #[serde(with = "exact")]
    #[schema(value_type = f64)]
    medication_qty: Quantity,
    #[serde(with = "exact_option")]
    #[schema(required, value_type = Option<f64>)]
    sell_price: Option<Money>,
    #[serde(with = "exact_option")]
    #[schema(required, value_type = Option<f64>)]
    sell_amount: Option<Money>,
    #[serde(with = "exact_option")]
    #[schema(required, value_type = Option<f64>)]
    discount_amount: Option<Money>,
    #[serde(with = "exact")]
    #[schema(value_type = f64)]
    reimbursement_amount: Money,
}

impl<'a> From<&'a Reimbursed> for Row<'a> {
    fn from(row: &'a Reimbursed) -> Self {
        Self { medication_request: Request::of(row), medication_dispense: Dispense::of(row) }
    }
}

impl<'a> Request<'a> {
    fn of(row: &'a Reimbursed) -> Self {
        let (hold, body) = (&row.shown.hold, row.body.as_ref());
        let was = &hold.medication_request;
        let site = body.and_then(|body| body.requester_division.as_deref());
        // Where it is the one of the dispense, it stands there alone.
        let programs = [was.medical_program.as_ref(), hold.medical_program.as_ref()];
        let program = was.medical_program_id.map(|id| {
            let known = programs.into_iter().flatten().find(|program| program.id == id);
            Named { id: id.into(), name: known.map(|program| &program.name) }
        });
        Self {
            id: was.id.into(),
            request_number: was.request_number.as_ref(),
            status: was.status,
            created_at: was.created_at,
            started_at: was.started_at,
            ended_at: was.ended_at,
            dispense_valid_from: was.dispense_valid_from,
            dispense_valid_to: was.dispense_valid_to,
            person_id: was.person_id.into(),
            medication_qty: hold.prescribed,
            legal_entity: Company::of(was.legal_entity_id.into(), row.clinic.as_deref()),
            division: Named { id: was.division_id.into(), name: site.map(|site| &site.name) },
            employee: Doctor::of(was.employee_id.into(), body.map(|body| &body.employee)),
            medication: Prescribed {
                id: was.medication.id.into(),
                name: &was.medication.name,
                form: was.medication.form.as_ref(),
                innm_name: row.innm_name.as_ref(),
            },
            medical_program: program,
        }
    }
}

impl<'a> Dispense<'a> {
    fn of(row: &'a Reimbursed) -> Self {
        let (shown, body) = (&row.shown, row.body.as_ref());
        let hold = &shown.hold;
        Self {
            id: hold.dispense_id.into(),
            status: register_word(shown.status),
            dispensed_at: hold.dispensed_on,
            dispensed_by: body.and_then(|body| body.dispensed_by.as_ref()),
            payment_amount: shown.payment_amount,
            party: Person::of(hold.party_id.into(), body.map(|body| &body.party)),
            division: Named { id: hold.division.id.into(), name: Some(&hold.division.name) },
            legal_entity: Company::of(hold.legal_entity_id.into(), row.pharmacy.as_deref()),
            medical_program: hold.medical_program.as_ref().map(Named::from),
            medications: hold.items.iter().map(Medication::from).collect(),
        }
    }
}

impl<'a> Company<'a> {
    fn of(id: Uuid, was: Option<&'a registry::LegalEntity>) -> Self {
        Self { id, name: was.map(|it| &it.name), edrpou: was.and_then(|it| it.edrpou.as_ref()) }
    }
}

impl<'a> Person<'a> {
    fn of(id: Uuid, was: Option<&'a PartyAsWas>) -> Self {
        Self {
            id,
            first_name: was.map(|it| &it.first_name),
            last_name: was.map(|it| &it.last_name),
            second_name: was.and_then(|it| it.second_name.as_ref()),
        }
    }
}

impl<'a> Doctor<'a> {
    fn of(id: Uuid, was: Option<&'a DoctorAsWas>) -> Self {
        let party = was.map(|it| &it.party);
        Self {
            id,
            party_id: party.map(|it| it.id.into()),
            position: was.and_then(|it| it.position.as_ref()),
            first_name: party.map(|it| &it.first_name),
            last_name: party.map(|it| &it.last_name),
            second_name: party.and_then(|it| it.second_name.as_ref()),
        }
    }
}

impl<'a> From<&'a ProgramAsWas> for Named<'a> {
    fn from(was: &'a ProgramAsWas) -> Self {
        Self { id: was.id.into(), name: Some(&was.name) }
    }
}

impl<'a> From<&'a Item> for Medication<'a> {
    fn from(item: &'a Item) -> Self {
        let was = &item.medication;
        Self {
            id: was.id.into(),
            name: &was.name,
            kind: was.kind,
            form: was.form.as_ref(),
            manufacturer: was.manufacturer.as_ref().map(|maker| Manufacturer {
                name: maker.name.as_ref(),
                country: maker.country.as_ref(),
            }),
            package_qty: item.package_qty,
            details: Details {
                medication_qty: item.quantity,
                sell_price: item.unit_price,
                sell_amount: item.total_price,
                discount_amount: item.discount_amount,
                reimbursement_amount: item.reimbursement_amount,
            },
        }
    }
}
