//! Registries at random. Most of what they say is in order, so that both outcomes occur often.

use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use dispense_domain::registry::{
    Contract, ContractStatus, Division, DivisionStatus, Intent, MedicalProgram,
    MedicalProgramProvision, Medication, MedicationRequest, MedicationType, ProgramMedication,
    RequestStatus,
};
use dispense_domain::{
    Care, DispenseEvent, MedicationId, Money, OtherRequest, Quantity, Switch, Terms,
};
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use crate::care::{activity, followed, until};
use crate::qualified::other_request;
use crate::records::{brand, contract, participant, program, provision};
use crate::sample::{
    DOSAGE, OTHER_PHARMACY, PROGRAM, Scene, all_in_order, day, hryvnias, id, in_parts, text,
};

/// Another program.
pub(super) const OTHER_PROGRAM: u128 = PROGRAM + 1;

/// What the registries hold, and what was handed over before.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) terms: Arc<Terms>,
    pub(super) programs: Vec<Arc<MedicalProgram>>,
    pub(super) medications: Vec<Arc<Medication>>,
    pub(super) participants: Vec<Arc<ProgramMedication>>,
    pub(super) contracts: Vec<Arc<Contract>>,
    pub(super) provisions: Vec<Arc<MedicalProgramProvision>>,
    pub(super) division: Option<Arc<Division>>,
    pub(super) request: Arc<MedicationRequest>,
    pub(super) care: Option<Care>,
    pub(super) others: Vec<OtherRequest>,
    pub(super) given: Vec<DispenseEvent>,
}

/// A hold that nothing forbids, as it is cloned for each case.
pub(super) static IN_ORDER: LazyLock<Scene> = LazyLock::new(all_in_order);

/// True nearly always.
fn in_order() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.985)
}

/// True now and then.
fn sometimes() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

/// The first day of something: mostly not after today.
fn start() -> impl Strategy<Value = Option<NaiveDate>> {
    prop_oneof![
        12 => Just(None),
        6 => Just(Some(day("2026-03-10"))),
        1 => Just(Some(day("2026-03-11"))),
    ]
}

/// The last day of something: mostly not before today.
fn end() -> impl Strategy<Value = Option<NaiveDate>> {
    prop_oneof![
        12 => Just(None),
        6 => Just(Some(day("2026-03-10"))),
        1 => Just(Some(day("2026-03-09"))),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let switch = select(vec![Switch::On, Switch::Off]);
    (switch.clone(), switch).prop_map(|(dls, provision)| Terms {
        division_dls_verify: dls,
        program_provision_verify: provision,
        ..Terms::default()
    })
}

fn a_program(number: u128) -> impl Strategy<Value = MedicalProgram> {
    let source = prop_oneof![
        12 => Just(None),
        4 => Just(Some("NHS")),
        4 => Just(Some("LOCAL")),
        1 => Just(Some("CHARITY")),
    ];
    let settings = (any::<bool>(), sometimes(), sometimes(), sometimes());
    let known = program(in_parts());
    (in_order(), source, settings).prop_map(move |(is_active, source, settings)| {
        let mut found = known.clone();
        let record = Arc::make_mut(&mut found);
        (record.id, record.is_active) = (id(number), is_active);
        record.funding_source = source.map(text);
        let (in_parts, skips_contract, skips_dls, skips_term) = settings;
        let it = Arc::make_mut(&mut record.medical_program_settings);
        it.multi_medication_dispense_allowed = Some(in_parts);
        it.skip_contract_provision_verify = Some(skips_contract);
        it.skip_dispense_division_dls_verify = Some(skips_dls);
        it.skip_treatment_period = Some(skips_term);
        found.as_ref().clone()
    })
}

/// A brand, mostly of what was prescribed, or now and then the dosage that the pharmacy makes.
fn a_medication(number: u128) -> impl Strategy<Value = Medication> {
    let child: [Option<MedicationId>; 12] = std::array::from_fn(|place| match place {
        0 => Some(id(0x5_0009)),
        1 => None,
        _ => Some(id(DOSAGE)),
    });
    let whole = prop_oneof![1 => Just(None), 6 => Just(Some(30)), 2 => Just(Some(28))];
    let part = prop_oneof![1 => Just(None), 4 => Just(Some(10)), 1 => Just(Some(7))];
    let known = brand();
    (in_order(), select(child.to_vec()), whole, part).prop_map(
        move |(is_active, child, whole, part)| {
            let mut found = known.as_ref().clone();
            (found.id, found.is_active) = (id(number), is_active);
            found.package_qty = whole.map(Decimal::from);
            found.package_min_qty = part.map(Decimal::from);
            found.ingredients[0].medication_child_id = child;
            found
        },
    )
}

/// The dosage that was prescribed, made by the pharmacy itself.
fn made_here() -> Medication {
    let request = IN_ORDER.sight.evidence.request.clone();
    let prescribed = request.unwrap().medication.unwrap();
    assert_eq!(prescribed.kind, MedicationType::InnmDosage);
    prescribed.as_ref().clone()
}

fn a_participant(medications: Vec<MedicationId>) -> impl Strategy<Value = ProgramMedication> {
    let of = prop_oneof![5 => Just(PROGRAM), 1 => Just(OTHER_PROGRAM)];
    let kind = prop_oneof![4 => Just("FIXED"), 1 => Just("EXTERNAL")];
    let paid = select(vec!["0", "0.01", "100", "150", "1234.5678"]);
    let divisible = select(vec![None, Some(true), Some(false)]);
    let known = participant();
    (of, select(medications), in_order(), (start(), end()), kind, paid, divisible).prop_map(
        move |(program, medication, is_active, (start, end), kind, paid, divisible)| {
            let mut found = known.as_ref().clone();
            (found.medical_program_id, found.medication_id) = (id(program), medication);
            (found.is_active, found.start_date, found.end_date) = (is_active, start, end);
            found.reimbursement.kind = text(kind);
            found.reimbursement.reimbursement_amount = hryvnias(paid);
            found.package_qty_divisible = divisible;
            found
        },
    )
}

fn a_contract(number: &'static str) -> impl Strategy<Value = Contract> {
    let known = contract();
    (in_order(), in_order(), sometimes(), start(), end()).prop_map(
        move |(verified, is_active, suspended, start, end)| {
            let mut found = known.as_ref().clone();
            found.contract_number = text(number);
            found.medical_programs = vec![id(OTHER_PROGRAM)];
            if !verified {
                found.status = ContractStatus::Terminated;
            }
            found.is_active = is_active;
            found.is_suspended = suspended;
            found.start_date = start.unwrap_or(found.start_date);
            found.end_date = end.unwrap_or(found.end_date);
            found
        },
    )
}

fn a_provision() -> impl Strategy<Value = MedicalProgramProvision> {
    let of = prop_oneof![5 => Just(PROGRAM), 1 => Just(OTHER_PROGRAM)];
    let number = prop_oneof![
        1 => Just(None),
        6 => Just(Some("first")),
        2 => Just(Some("second")),
        1 => Just(Some("unknown")),
    ];
    let here = prop::bool::weighted(0.9);
    let known = provision().record;
    (of, in_order(), number, here).prop_map(move |(program, is_active, number, here)| {
        let mut found = known.as_ref().clone();
        (found.medical_program_id, found.is_active) = (id(program), is_active);
        found.contract_number = number.map(text);
        if !here {
            found.division_id = id(0x3_0009);
        }
        found
    })
}

fn a_division() -> impl Strategy<Value = Option<Arc<Division>>> {
    let verified = prop_oneof![16 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)];
    (in_order(), in_order(), in_order(), in_order(), verified).prop_map(
        |(found, active, counts, own, verified)| {
            let mut division = IN_ORDER.sight.evidence.division.clone().filter(|_| found)?;
            let record = Arc::make_mut(&mut division);
            if !active {
                record.status = DivisionStatus::Inactive;
            }
            record.is_active = counts;
            if !own {
                record.legal_entity_id = id(OTHER_PHARMACY);
            }
            record.dls_verified = verified;
            Some(division)
        },
    )
}

/// The medication request, and how much of it was handed over.
fn a_request() -> impl Strategy<Value = (Arc<MedicationRequest>, Vec<DispenseEvent>)> {
    let status = prop_oneof![
        60 => Just(RequestStatus::Active),
        1 => Just(RequestStatus::Completed),
        1 => Just(RequestStatus::Rejected),
        1 => Just(RequestStatus::Expired),
    ];
    let prescribed = prop_oneof![6 => Just(60), 2 => Just(56), 1 => Just(84), 1 => Just(58)];
    let handed = prop_oneof![
        8 => Just(vec![]),
        3 => Just(vec![10]),
        2 => Just(vec![14, 16]),
        1 => Just(vec![30]),
        1 => Just(vec![28, 28]),
    ];
    (status, in_order(), in_order(), prescribed, handed).prop_map(
        |(status, is_active, is_order, prescribed, handed)| {
            let found = IN_ORDER.sight.evidence.request.as_ref().unwrap();
            let mut request = found.request.as_ref().clone();
            request.medication_qty = Quantity::try_from(Decimal::from(prescribed)).unwrap();
            let given = history(&request, &handed);
            (request.status, request.is_active) = (status, is_active);
            if !is_order {
                request.intent = Intent::Plan;
            }
            request.started_at = Some(day("2026-03-01"));
            request.ended_at = Some(day("2026-03-30"));
            (request.into(), given)
        },
    )
}

/// So many units were handed over, one part after the other.
fn history(request: &MedicationRequest, handed: &[i64]) -> Vec<DispenseEvent> {
    if handed.is_empty() {
        return Vec::new();
    }
    let mut scene = IN_ORDER.clone().but(|it| {
        it.under(in_parts());
        it.settings().skip_medication_dispense_sign = Some(true);
        it.hold.payment_amount = dispense_domain::Stated::Value(Money::ZERO);
        it.in_any_quantity();
        *it.request() = request.clone();
    });
    for (place, part) in handed.iter().enumerate() {
        scene.asks(crate::sample::PHARMACY, &place.to_string());
        scene.wants(&[&part.to_string()]);
        scene.happens();
    }
    scene.given
}

fn care() -> impl Strategy<Value = Option<Care>> {
    let status = |due: &'static str| prop_oneof![20 => Just(due), 1 => Just("completed")];
    let last = prop_oneof![9 => Just("2026-03-10"), 1 => Just("2026-03-09")];
    let limit = prop_oneof![5 => Just(None), 3 => Just(Some(100)), 2 => Just(Some(60))];
    let processed = select(vec![0, 0, 40, 41]);
    let known = until(None);
    let care = (status("active"), last, status("in_progress"), limit, processed).prop_map(
        move |(plan, end, activity_status, limit, processed)| {
            let mut care = known.clone();
            let period = &mut Arc::make_mut(care.plan.as_mut().unwrap()).period;
            period.as_mut().unwrap().end = Some(text(end));
            Arc::make_mut(care.plan.as_mut().unwrap()).status = text(plan);
            activity(&mut care).status = text(activity_status);
            let limit = limit.map(|it| Quantity::try_from(Decimal::from(it)).unwrap());
            activity(&mut care).quantity = limit;
            Care { processed: Decimal::from(processed), ..care }
        },
    );
    let unknown = Just(Care { activity: None, ..followed() });
    prop_oneof![8 => Just(None), 4 => care.prop_map(Some), 1 => unknown.prop_map(Some)]
}

fn others() -> impl Strategy<Value = Vec<OtherRequest>> {
    let status =
        select(vec![RequestStatus::Active, RequestStatus::Completed, RequestStatus::Expired]);
    let start = select(vec!["2026-03-30", "2026-03-31"]);
    let known = other_request();
    let other = (status, start, any::<bool>()).prop_map(move |(status, start, same)| {
        let mut other = known.clone();
        let record = Arc::make_mut(&mut other.request);
        (record.status, record.started_at) = (status, Some(day(start)));
        record.ended_at = Some(day("2026-04-30"));
        if !same {
            other.innm_id = Some(id(0x5_0008));
        }
        other
    });
    prop_oneof![5 => Just(vec![]), 3 => prop::collection::vec(other, 1..4)]
}

/// Registries at random, and what was handed over.
pub(super) fn ground() -> impl Strategy<Value = Ground> {
    let brands = (a_medication(0x5_1000), a_medication(0x5_1001), a_medication(0x5_1002));
    let ids = vec![id(0x5_1000), id(0x5_1001), id(0x5_1002), id(DOSAGE)];
    let participants = prop::collection::vec(a_participant(ids), 1..7);
    let contracts = (a_contract("first"), a_contract("second"));
    let provisions = prop::collection::vec(a_provision(), 1..4);
    let programs = (a_program(PROGRAM), a_program(OTHER_PROGRAM), in_order());
    let small = (terms(), programs, brands, participants, contracts, provisions, a_division());
    (small, a_request(), care(), others()).prop_map(|(small, (request, given), care, others)| {
        let (terms, (own, other, known), brands, participants, contracts, provisions, division) =
            small;
        let mut programs = vec![Arc::new(other)];
        if known {
            programs.push(own.into());
        }
        let numbered = participants.into_iter().zip(0x8_1000..);
        let participants =
            numbered.map(|(it, number)| Arc::new(ProgramMedication { id: id(number), ..it }));
        let (one, two, three) = brands;
        Ground {
            terms: terms.into(),
            programs,
            medications: [one, two, three, made_here()].map(Arc::new).into(),
            participants: participants.collect(),
            contracts: [contracts.0, contracts.1].map(Arc::new).into(),
            provisions: provisions.into_iter().map(Arc::new).collect(),
            division,
            request,
            care,
            others,
            given,
        }
    })
}
